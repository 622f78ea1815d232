#include "bench/host.h"

#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <thread>

#include "support/daemon.h"
#include "support/process.h"
#include "support/programs.h"
#include "support/temp_folder.h"
#include "support/trouble.h"

namespace tcpmibd::bench {
namespace {

std::string now_in_utc() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%F %H:%M UTC", std::gmtime(&now));
  return {text, length};
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string kernel() {
  utsname names{};
  ::uname(&names);
  return std::string(names.sysname) + " " + names.release + " " + names.machine;
}

// The "model name" of /proc/cpuinfo; some architectures have none.
std::string processor() {
  const std::string text = lab::read_file("/proc/cpuinfo");
  const std::size_t name = text.find("model name");
  if (name == std::string::npos)
    return "not told";
  const std::size_t value = text.find(": ", name);
  return first_line(text.substr(value + 2));
}

std::string memory() {
  struct sysinfo facts {};
  ::sysinfo(&facts);
  return std::to_string(facts.totalram * facts.mem_unit >> 20) + " MiB";
}

// The first number behind `label` in a file of /proc; 0 where it is not there.
unsigned long number_after(const char* file, const std::string& label) {
  const std::string text = lab::read_file(file);
  const std::size_t at = text.find(label);
  return at == std::string::npos ? 0 : std::strtoul(text.c_str() + at + label.size(), nullptr, 10);
}

// What the program itself says, on either output.
std::string version_of(const std::vector<std::string>& question) {
  if (!lab::is_installed(question.front()))
    return "not installed";
  std::vector<std::string> words = question;
  words.front() = *lab::find_program(question.front());
  const lab::Output output = lab::run(words);
  const std::string said = output.out.empty() ? output.err : output.out;
  return first_line(said.substr(said.find_first_not_of('\n')));
}

std::string version_of_tcpmibd(const std::string& program) {
  return first_line(lab::run({program, "--version"}).out);
}

}  // namespace

HostFacts host_facts(const std::string& against) {
  HostFacts facts{{"date", now_in_utc()},
                  {"kernel", kernel()},
                  {"processor", processor()},
                  {"processors", std::to_string(std::thread::hardware_concurrency())},
                  {"memory", memory()},
                  {"load at start", first_line(lab::read_file("/proc/loadavg"))},
                  {"tcpmibd", version_of_tcpmibd(lab::tcpmibd_binary())},
                  {"snmpd", version_of({"snmpd", "-v"})},
                  {"ss", version_of({"ss", "-V"})},
                  {"zabbix agent 2", version_of({"zabbix_agent2", "-V"})},
                  {"node_exporter", version_of({"prometheus-node-exporter", "--version"})}};
  if (!against.empty())
    facts.emplace_back("compared with", version_of_tcpmibd(against) + ", " + against);
  return facts;
}

std::optional<std::string> lack_of_room(unsigned sockets) {
  constexpr unsigned long kKibPerSocket = 4;  // 2.5 on Linux 6.18, its file and inode included
  const unsigned long memory = number_after("/proc/meminfo", "MemAvailable:");
  const unsigned long files = number_after("/proc/sys/fs/file-max", "");
  if (memory < sockets * kKibPerSocket)
    return "too little memory is available: " + std::to_string(memory / 1024) + " MiB";
  if (files < sockets)
    return "fs.file-max is " + std::to_string(files);
  return std::nullopt;
}

OneProcessor::OneProcessor() {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
  if (::sched_getaffinity(0, sizeof before_, &before_) != 0 ||
      ::sched_setaffinity(0, sizeof here, &here) != 0)
    throw lab::Trouble("cannot stay on one processor");
}

OneProcessor::~OneProcessor() { ::sched_setaffinity(0, sizeof before_, &before_); }

}  // namespace tcpmibd::bench
