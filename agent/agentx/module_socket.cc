#include "agent/agentx/module_socket.h"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "agent/agentx/module_protocol.h"
#include "agent/config/snmpd.h"

namespace tcpmibd::agent::agentx {
namespace {

// Connections of a turn: who comes more often than that waits.
constexpr int kMostAccepted = 4;

constexpr mode_t kForAll = 0666;  // who may come is seen by his user

std::optional<sockaddr_un> local_address(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  if (path.size() >= sizeof address.sun_path)
    return std::nullopt;
  std::ranges::copy(path, address.sun_path);
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

FileDescriptor local_stream() {
  return FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

// A socket's file outlives who made it, if that one was killed.
bool is_abandoned(const sockaddr_un& address) {
  const FileDescriptor probe = local_stream();
  return probe && ::connect(probe.get(), generic(address), sizeof address) != 0 &&
         errno == ECONNREFUSED;
}

int bind_and_listen(const FileDescriptor& socket, const sockaddr_un& address) {
  if (::bind(socket.get(), generic(address), sizeof address) != 0)
    return errno;
  if (::chmod(address.sun_path, kForAll) != 0 ||
      ::listen(socket.get(), static_cast<int>(ModuleSocket::kMost)) != 0) {
    const int code = errno;
    ::unlink(address.sun_path);
    return code;
  }
  return 0;
}

std::optional<uid_t> user_of(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> text{};
  if (::getpwnam_r(name.c_str(), &entry, text.data(), text.size(), &found) != 0 || found == nullptr)
    return std::nullopt;
  return found->pw_uid;
}

std::string cure_of(int code) {
  if (code == EADDRINUSE)
    return "is there another tcpmibd? Give each its own agentx.module-socket";
  return {};
}

}  // namespace

// ---- The socket

Result<ListeningSocket> ListeningSocket::open(const std::string& path) {
  const std::string doing = "listen for snmpd's module at " + path;
  const std::optional<sockaddr_un> address = local_address(path);
  if (!address)
    return failure(doing, ENAMETOOLONG);
  FileDescriptor socket = local_stream();
  if (!socket)
    return failure(doing, errno);
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode) && is_abandoned(*address))
    ::unlink(path.c_str());
  if (const int code = bind_and_listen(socket, *address); code != 0)
    return failure(doing, code, cure_of(code));
  if (::lstat(path.c_str(), &there) != 0)
    return failure(doing, errno);
  return ListeningSocket(std::move(socket), path, there.st_dev, there.st_ino);
}

// By now another one's may lie there.
ListeningSocket::~ListeningSocket() {
  struct stat there {};
  if (socket_ && ::lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ &&
      there.st_ino == inode_)
    ::unlink(path_.c_str());
}

// ---- The modules

ModuleSocket::ModuleSocket(const Config::Agentx& config, const Objects& objects, ReadTarget& reads,
                           WriteTarget& writes)
    : config_(config), objects_(objects), reads_(reads), writes_(writes) {}

ModuleSocket::Module::Module(FileDescriptor socket, const ModuleSocket& of, UptimeOrigin& uptime,
                             std::uint32_t master, pid_t its_process, Time now)
    : session(std::move(socket),
              {.priority = kModulePriority,
               .ping = of.config_.ping,
               .description = std::string(kModuleProtocol),
               .master = master,
               .has_capabilities = false},
              of.objects_, of.reads_, of.writes_, uptime, now),
      process(its_process) {}

ModuleSocket::~ModuleSocket() {
  for (Module& module : modules_)
    module.session.close(Duration::zero());
}

void ModuleSocket::open() {
  if (config_.module_socket.empty())
    return;
  find_users();
  Result<ListeningSocket> opened = ListeningSocket::open(config_.module_socket);
  if (opened)
    socket_ = *std::move(opened);
  else
    log::write(opened.error().code == ENOENT ? log::Level::kInfo : log::Level::kWarning,
               opened.error().text() + "; snmpd is served over AgentX alone");
}

// Without snmpd its user need not be there.
void ModuleSocket::find_users() {
  if (config_.module_users.empty()) {
    if (const std::optional<uid_t> user = user_of(std::string(snmpd_user())))
      users_.push_back(*user);
  }
  for (const std::string& name : config_.module_users) {
    if (const std::optional<uid_t> user = user_of(name))
      users_.push_back(*user);
    else
      log::warning("agentx.module-users names " + name + ", a user that there is not");
  }
}

const ModuleSocket::Module* ModuleSocket::serving() const {
  const auto found = std::ranges::find_if(modules_, [](const Module& module) {
    return module.session.state() == Session::State::kServing;
  });
  return found == modules_.end() ? nullptr : &*found;
}

bool ModuleSocket::is_serving() const { return serving() != nullptr; }

void ModuleSocket::append_to(std::vector<pollfd>& waiting) const {
  if (socket_)
    waiting.push_back({.fd = socket_->descriptor(), .events = POLLIN, .revents = 0});
  for (const Module& module : modules_)
    waiting.push_back(
        {.fd = module.session.descriptor(), .events = module.session.events(), .revents = 0});
}

Time ModuleSocket::wake() const {
  Time wake = Time::max();
  for (const Module& module : modules_)
    wake = std::min(wake, module.session.wake());
  return wake;
}

bool ModuleSocket::is_busy() const {
  return std::ranges::any_of(modules_,
                             [](const Module& module) { return module.session.is_busy(); });
}

void ModuleSocket::turn(Time now) {
  if (socket_)
    accept(now);
  for (Module& module : modules_) {
    module.session.turn(now);
    look_at(module);
  }
  std::erase_if(modules_, [](const Module& module) {
    return module.session.state() == Session::State::kEnded;
  });
}

void ModuleSocket::retry() {
  for (Module& module : modules_)
    module.session.retry();
}

void ModuleSocket::accept(Time now) {
  for (int i = 0; i < kMostAccepted; ++i) {
    FileDescriptor socket(
        ::accept4(socket_->descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket)
      return;
    take(std::move(socket), now);
  }
}

void ModuleSocket::take(FileDescriptor socket, Time now) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return;
  const std::string process =
      "process " + std::to_string(peer.pid) + " of user " + std::to_string(peer.uid);
  if (!may_come(peer.uid))
    return refusals_.write(log::Level::kWarning,
                           process +
                               " is no snmpd that agentx.module-users names: it is not let "
                               "in at " +
                               path(),
                           now);
  if (modules_.size() == kMost)
    return refusals_.write(
        log::Level::kWarning,
        process + " is one too many at " + path() + ": " + std::to_string(kMost) + " are connected",
        now);
  modules_.emplace_back(std::move(socket), *this, uptime_, ++come_, peer.pid, now);
}

bool ModuleSocket::may_come(uid_t user) const {
  return user == 0 || user == ::geteuid() || std::ranges::find(users_, user) != users_.end();
}

void ModuleSocket::look_at(Module& module) {
  if (const std::optional<Session::Refusal> refusal = module.session.take_refusal())
    refusals_.write(log::Level::kError, "snmpd's module does not register " +
                                            std::string(refusal->what) + ": it answers " +
                                            to_text(refusal->why));
  const Session::State state = module.session.state();
  if (state == Session::State::kServing && !std::exchange(module.announced, true))
    changes_.write(log::Level::kNotice, "serving snmpd (process " + std::to_string(module.process) +
                                            ") through its module at " + path());
  if (state == Session::State::kEnded)
    tell_end(module);
}

void ModuleSocket::tell_end(const Module& module) {
  const std::string process = "snmpd's module (process " + std::to_string(module.process) + ')';
  if (module.session.end() == Session::End::kRefused)
    refusals_.write(log::Level::kWarning, process + " is of another version: restart snmpd");
  else if (module.announced)
    changes_.write(log::Level::kNotice, "lost " + process + "; snmpd is served over AgentX");
}

bool ModuleSocket::notify(const tables::Notification& notification) {
  for (Module& module : modules_) {
    if (module.session.state() == Session::State::kServing)
      return module.session.notify(notification);
  }
  return false;
}

std::size_t ModuleSocket::unconfirmed() const {
  const Module* module = serving();
  return module != nullptr ? module->session.unconfirmed() : 0;
}

}  // namespace tcpmibd::agent::agentx
