#include "support/netns.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>

#include "support/deadline.h"
#include "support/process.h"
#include "support/trouble.h"

namespace tcpmibd::lab {
namespace {

constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";

FileDescriptor open_own_namespace() {
  return FileDescriptor(
      check(::open(kOwnNamespace, O_RDONLY | O_CLOEXEC), std::string("open ") + kOwnNamespace));
}

void raise_loopback() {
  const FileDescriptor any(check(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "open a socket"));
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  check(::ioctl(any.get(), SIOCSIFFLAGS, &request), "raise the loopback device");
}

// On a thread of its own: unshare() moves the caller, and nobody needs to come back from it.
FileDescriptor make_namespace() {
  FileDescriptor made;
  std::exception_ptr failure;
  std::thread([&] {
    try {
      check(::unshare(CLONE_NEWNET), "make a network namespace (run as root or under unshare -rn)");
      raise_loopback();
      made = open_own_namespace();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure)
    std::rethrow_exception(failure);
  return made;
}

template <typename Act>
std::optional<std::string> trouble_of(Act&& act) {
  try {
    act();
    return std::nullopt;
  } catch (const std::exception& trouble) {
    return trouble.what();
  }
}

std::string sysctl_file(std::string_view name) {
  std::string path = "/proc/sys/" + std::string(name);
  std::replace(path.begin() + sizeof "/proc/sys/" - 1, path.end(), '.', '/');
  return path;
}

void must_run(const Namespace& space, std::vector<std::string> arguments, std::string_view input) {
  const Output output = run(std::move(arguments), {.in = &space, .input = std::string(input)});
  if (output.status != 0)
    throw Trouble(output.err + "(given: " + std::string(input) + ")");
}

std::string addresses_of(const Plug& plug) {
  std::string commands = "link set dev " + plug.device + " up\n";
  for (const std::string& address : plug.addresses) {
    const bool v6 = address.find(':') != std::string::npos;
    commands += "addr add " + address + " dev " + plug.device + (v6 ? " nodad\n" : "\n");
  }
  return commands;
}

// A device gets its link-local address when both ends of the cable are up.
bool has_link_local(const Namespace& space, const std::string& device) {
  const Output output =
      run({"ip", "-6", "-o", "addr", "show", "dev", device, "scope", "link"}, {.in = &space});
  return output.out.find("fe80:") != std::string::npos &&
         output.out.find("tentative") == std::string::npos;
}

}  // namespace

const std::optional<std::string>& Namespace::skip_reason() {
  static const std::optional<std::string> reason = trouble_of([] { Namespace().run([] {}); });
  return reason;
}

const std::optional<std::string>& Namespace::filter_skip_reason() {
  static const std::optional<std::string> reason = trouble_of([] { Namespace().clear(); });
  return reason;
}

Namespace::Namespace() : descriptor_(make_namespace()) {
  // No duplicate address detection: it would hold every new address back for a second or two.
  set_sysctl("net.ipv6.conf.all.accept_dad", "0");
  set_sysctl("net.ipv6.conf.default.accept_dad", "0");
}

Namespace Namespace::current() { return Namespace(open_own_namespace()); }

Namespace::Inside::Inside(const Namespace& space) : before_(open_own_namespace()) {
  check(space.enter() ? 0 : -1, "enter a network namespace");
}

Namespace::Inside::~Inside() {
  if (::setns(before_.get(), CLONE_NEWNET) != 0)
    std::abort();  // Every test after this one would run in the wrong place.
}

bool Namespace::enter() const noexcept { return ::setns(descriptor_.get(), CLONE_NEWNET) == 0; }

std::string Namespace::file() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor_.get());
}

void Namespace::set_sysctl(std::string_view name, std::string_view value) const {
  run([&] {
    const std::string path = sysctl_file(name);
    const FileDescriptor file(check(::open(path.c_str(), O_WRONLY | O_CLOEXEC), "open " + path));
    check(::write(file.get(), value.data(), value.size()), "write " + path);
  });
}

std::string Namespace::sysctl(std::string_view name) const {
  return run([&] {
    const std::string path = sysctl_file(name);
    const FileDescriptor file(check(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "open " + path));
    char text[256];
    const ssize_t length = check(::read(file.get(), text, sizeof text), "read " + path);
    std::string value(text, static_cast<std::size_t>(length));
    while (value.ends_with('\n'))
      value.pop_back();
    return value;
  });
}

void Namespace::nft(std::string_view rules) const { must_run(*this, {"nft", "-f", "-"}, rules); }

void Namespace::drop_input(std::string_view match) const { drop("input", match); }

void Namespace::drop_output(std::string_view match) const { drop("output", match); }

void Namespace::drop(const std::string& hook, std::string_view match) const {
  nft("add table inet lab\n"
      "add chain inet lab " +
      hook + " { type filter hook " + hook +
      " priority 0; }\n"
      "add rule inet lab " +
      hook + " " + std::string(match) + " drop\n");
}

void Namespace::clear() const { nft("add table inet lab\ndelete table inet lab\n"); }

void veth_pair(const Namespace& a, const Plug& at_a, const Namespace& b, const Plug& at_b) {
  must_run(a, {"ip", "-batch", "-"},
           "link add " + at_a.device + " type veth peer name " + at_b.device + " netns " +
               b.file() + "\n");
  must_run(a, {"ip", "-batch", "-"}, addresses_of(at_a));
  must_run(b, {"ip", "-batch", "-"}, addresses_of(at_b));
  const bool ready =
      eventually([&] { return has_link_local(a, at_a.device) && has_link_local(b, at_b.device); });
  if (!ready)
    throw Trouble("the cable " + at_a.device + "-" + at_b.device + " got no link-local address");
}

TwoHosts::TwoHosts() {
  veth_pair(a, {"va", {"10.77.1.1/24", "fd77::1/64"}}, b, {"vb", {"10.77.1.2/24", "fd77::2/64"}});
}

}  // namespace tcpmibd::lab
