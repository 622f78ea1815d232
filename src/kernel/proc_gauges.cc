#include "kernel/proc_gauges.h"

#include <cerrno>
#include <string>
#include <utility>

#include "base/read_file.h"

namespace tcpmibd::kernel {

namespace {

constexpr const char* kReading = "read the kernel's gauges of TCP sockets";

Status open_gauge(const std::string& path, FileDescriptor& into) {
  Result<FileDescriptor> file = open_to_read(path);
  if (!file && is_scarcity(file.error().code))
    return tl::unexpected(file.error());
  into = std::move(file).value_or(FileDescriptor());
  return {};
}

Result<std::string> text_of(const FileDescriptor& file) {
  constexpr std::size_t kMost = 64 * 1024;  // octets; more than any kernel writes
  return read_opened(file.get(), kReading, kMost);
}

}  // namespace

Result<ProcGauges> ProcGauges::open(const std::string& net) {
  ProcGauges gauges;
  const Status opened =
      open_gauge(net + "/snmp", gauges.snmp_)
          .and_then([&] { return open_gauge(net + "/sockstat", gauges.sockstat_); })
          .and_then([&] { return open_gauge(net + "/sockstat6", gauges.sockstat6_); });
  if (!opened)
    return tl::unexpected(opened.error());
  return gauges;
}

Result<tcp::Gauges> ProcGauges::read() const {
  if (!snmp_ || !sockstat_)
    return failure(kReading, ENOENT);
  const Result<std::string> snmp = text_of(snmp_);
  const Result<std::string> sockstat = text_of(sockstat_);
  const Result<std::string> sockstat6 = sockstat6_ ? text_of(sockstat6_) : std::string();
  for (const Result<std::string>* text : {&snmp, &sockstat, &sockstat6}) {
    if (!*text)
      return tl::unexpected(text->error());
  }
  return tcp::Gauges::parse(*snmp, *sockstat, *sockstat6);
}

}  // namespace tcpmibd::kernel
