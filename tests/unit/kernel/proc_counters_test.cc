#include "kernel/proc_counters.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "support/temp_folder.h"

namespace tcpmibd::kernel {
namespace {

using tcp::Counter;

constexpr std::string_view kSnmp = "Tcp: RtoMin RtoMax\nTcp: 200 120000\n";

// A /proc with both sysctls.
class ProcCountersInTrouble : public testing::Test {
 protected:
  ProcCountersInTrouble() {
    std::filesystem::create_directories(proc_.path() / "thread-self/net");
    std::filesystem::create_directories(proc_.path() / "sys/net/ipv4");
    proc_.write("sys/net/ipv4/tcp_rto_min_us", "200000\n");
    proc_.write("sys/net/ipv4/tcp_rto_max_ms", "120000\n");
  }

  Result<tcp::Counters> read() { return ProcCounters(proc_.path().string()).read(); }

  lab::TempFolder proc_;
};

// Tells the counters to who has opened the pipe, which cannot open anything after it.
void tell_and_leave_no_descriptors(const std::string& pipe) {
  const int end = ::open(pipe.c_str(), O_WRONLY | O_CLOEXEC);
  rlimit none{};
  ::getrlimit(RLIMIT_NOFILE, &none);
  none.rlim_cur = 0;
  ::setrlimit(RLIMIT_NOFILE, &none);
  EXPECT_EQ(::write(end, kSnmp.data(), kSnmp.size()), static_cast<ssize_t>(kSnmp.size()));
  ::close(end);
}

TEST_F(ProcCountersInTrouble, WithoutADescriptorForTheSettingsThereIsAnError) {
  const std::string pipe = proc_.file("thread-self/net/snmp");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  std::thread teller(tell_and_leave_no_descriptors, pipe);
  const Result<tcp::Counters> counters = read();
  teller.join();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(counters);
  EXPECT_EQ(counters.error().code, EMFILE);
}

TEST_F(ProcCountersInTrouble, SettingsThatCannotBeReadAreUnknown) {
  proc_.write("thread-self/net/snmp", kSnmp);
  std::filesystem::remove(proc_.file("sys/net/ipv4/tcp_rto_min_us"));
  std::filesystem::create_directory(proc_.file("sys/net/ipv4/tcp_rto_min_us"));  // EISDIR
  std::filesystem::remove(proc_.file("sys/net/ipv4/tcp_rto_max_ms"));
  const Result<tcp::Counters> counters = read();
  ASSERT_TRUE(counters) << counters.error().text();
  EXPECT_EQ(counters->value(Counter::kRtoMin), std::nullopt);
  EXPECT_EQ(counters->value(Counter::kRtoMax), 120'000U);
}

}  // namespace
}  // namespace tcpmibd::kernel
