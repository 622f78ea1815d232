#include "kernel/cgroup_units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/handle.h"
#include "base/read_file.h"
#include "support/deadline.h"
#include "support/netns.h"
#include "support/process.h"
#include "support/sockets.h"
#include "support/temp_folder.h"
#include "support/trouble.h"
#include "tcp/unit.h"

// A socket's cgroup as a real kernel tells it, and the name that is found for it.

namespace tcpmibd::kernel {
namespace {

using namespace std::chrono_literals;
using lab::Namespace;
using lab::Trouble;

// Directories below the root of the real tree, removed with this object, the last made first.
class CgroupFolders {
 public:
  CgroupFolders() = default;
  CgroupFolders(const CgroupFolders&) = delete;
  CgroupFolders& operator=(const CgroupFolders&) = delete;
  ~CgroupFolders() {
    while (!made_.empty())
      remove(std::string(made_.back()));
  }

  // Why there can be none here.
  static std::optional<std::string> skip_reason() {
    const auto mount = cgroup2_mount(read_file("/proc/self/mountinfo").value_or(""));
    if (!mount)
      return "no cgroup2 is mounted";
    if (::access((mount->directory + "/cgroup.procs").c_str(), W_OK) != 0)
      return mount->directory + " cannot be written: " + std::strerror(errno);
    return std::nullopt;
  }

  // `name` is a path below the root.
  std::string make(const std::string& name) {
    const std::string path = root() + "/" + name;
    lab::check(::mkdir(path.c_str(), 0755), "make " + path);
    made_.push_back(path);
    return path;
  }

  // A process that has ended may be in it for a moment longer.
  void remove(const std::string& path) {
    lab::eventually([&] { return ::rmdir(path.c_str()) == 0; });
    std::erase(made_, path);
  }

 private:
  static std::string root() {
    return cgroup2_mount(read_file("/proc/self/mountinfo").value_or("")).value().directory;
  }

  std::vector<std::string> made_;
};

void move_into(const std::string& cgroup, pid_t process) {
  if (!(std::ofstream(cgroup + "/cgroup.procs") << process << std::flush))
    throw Trouble("cannot move a process into " + cgroup);
}

std::uint64_t inode_of(const std::string& path) {
  struct stat status {};
  lab::check(::stat(path.c_str(), &status), "look at " + path);
  return status.st_ino;
}

struct ListenersRequest {
  nlmsghdr header{};
  inet_diag_req_v2 body{};
};

ListenersRequest listeners_request() {
  ListenersRequest request;
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = AF_INET;
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = 1U << 10;  // TCP_LISTEN
  return request;
}

std::optional<std::uint64_t> cgroup_in(const nlmsghdr* message) {
  constexpr std::size_t kFixed = NLMSG_ALIGN(sizeof(inet_diag_msg));
  const char* position = static_cast<const char*>(NLMSG_DATA(message)) + kFixed;
  const char* end = reinterpret_cast<const char*>(message) + message->nlmsg_len;
  nlattr attribute;
  while (position + sizeof attribute <= end) {
    std::memcpy(&attribute, position, sizeof attribute);
    std::uint64_t id = 0;
    if (attribute.nla_type == INET_DIAG_CGROUP_ID && attribute.nla_len == NLA_HDRLEN + sizeof id) {
      std::memcpy(&id, position + NLA_HDRLEN, sizeof id);
      return id;
    }
    position += NLA_ALIGN(std::max<std::size_t>(attribute.nla_len, NLA_HDRLEN));
  }
  return std::nullopt;
}

// The cgroup of the only listener in a namespace; asked here with no line of the daemon's.
std::optional<std::uint64_t> cgroup_of_listener() {
  const FileDescriptor netlink(
      lab::check(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), "open netlink"));
  const ListenersRequest request = listeners_request();
  lab::check(::send(netlink.get(), &request, sizeof request, 0), "ask for listeners");
  alignas(nlmsghdr) std::array<char, 32768> answer{};
  lab::check(::recv(netlink.get(), answer.data(), answer.size(), 0), "hear of listeners");
  const auto* message = reinterpret_cast<const nlmsghdr*>(answer.data());
  return message->nlmsg_type == SOCK_DIAG_BY_FAMILY ? cgroup_in(message) : std::nullopt;
}

// A child goes into the cgroup and listens from there.
lab::Holder listener_of(const std::string& cgroup, const Namespace& space) {
  auto listener = std::make_shared<lab::TcpSocket>();
  const auto move_and_listen = [cgroup, listener] {
    move_into(cgroup, ::getpid());
    *listener = lab::listen_on(Namespace::current(), "127.0.0.1:0");
  };
  lab::Holder holder({.prepare = move_and_listen, .in = &space});
  holder.await_ready();
  return holder;
}

// ---- Names by id: any tree of folders will do, for an id is an inode number ----

class Units : public testing::Test {
 protected:
  std::uint64_t make(const std::string& cgroup) {
    std::filesystem::create_directories(tree_.path() / cgroup);
    return inode_of(tree_.file(cgroup));
  }

  void remove(const std::string& cgroup) { std::filesystem::remove_all(tree_.path() / cgroup); }

  void mount(const std::string& root = "/") {
    list_.write("mountinfo",
                "30 23 0:26 " + root + " " + tree_.path().string() + " rw - cgroup2 cgroup2 rw\n");
  }

  void unmount() { list_.write("mountinfo", ""); }

  std::string unit_of(std::uint64_t cgroup) { return units_.unit_of(cgroup); }
  void pass(Duration time) { now_ += time; }

 private:
  lab::TempFolder tree_;
  lab::TempFolder list_;
  Time now_{};
  CgroupUnits units_{[this] { return now_; }, list_.file("mountinfo")};
};

TEST_F(Units, AreNamedAtAnyDepth) {
  mount();
  const std::uint64_t slice = make("system.slice");
  const std::uint64_t service = make("system.slice/system-a.slice/a@1.service");
  const std::uint64_t scope = make("user.slice/user-7.slice/session-3.scope");
  EXPECT_EQ(unit_of(service), "a@1.service");
  EXPECT_EQ(unit_of(scope), "user-7.slice");
  EXPECT_EQ(unit_of(slice), "system.slice");
  EXPECT_EQ(unit_of(make("")), "/");
}

TEST_F(Units, OfContainersAreNotTheirSlice) {
  mount();
  const std::string id(64, 'c');
  const std::uint64_t scope = make("system.slice/docker-" + id + ".scope");
  const std::uint64_t below = make("system.slice/docker-" + id + ".scope/init.scope");
  const std::uint64_t plain = make("kubepods/besteffort/pod7/" + id);
  EXPECT_EQ(unit_of(scope), "docker-cccccccccccc");
  EXPECT_EQ(unit_of(below), "docker-cccccccccccc");
  EXPECT_EQ(unit_of(plain), "kubepods-cccccccccccc");
}

TEST_F(Units, OfAPartOfTheTreeAreNamedByTheirWholePath) {
  mount("/system.slice/web.service");
  const std::uint64_t below = make("payload");
  EXPECT_EQ(unit_of(below), "web.service");
  EXPECT_EQ(unit_of(make("")), "web.service");
}

TEST_F(Units, OfAnUnnamableRootAreNamedFromThere) {
  mount("/../..");
  EXPECT_EQ(unit_of(make("a.service")), "a.service");
  EXPECT_EQ(unit_of(make("")), "/");
}

TEST_F(Units, ThatAreNewAreFoundASecondAfterTheLastReading) {
  mount();
  EXPECT_EQ(unit_of(make("old.service")), "old.service");
  const std::uint64_t born = make("new.service");
  EXPECT_EQ(unit_of(born), "unknown");
  pass(999ms);
  EXPECT_EQ(unit_of(born), "unknown");
  pass(1ms);
  EXPECT_EQ(unit_of(born), "new.service");
}

TEST_F(Units, ThatWereNotFoundCauseNoFurtherReading) {
  mount();
  constexpr std::uint64_t kNowhere = ~0ULL;
  EXPECT_EQ(unit_of(kNowhere), "unknown");
  const std::uint64_t born = make("born.service");
  pass(1s);
  EXPECT_EQ(unit_of(kNowhere), "unknown");
  remove("born.service");
  EXPECT_EQ(unit_of(born), "unknown") << "had the first question read, it would be known";
}

TEST_F(Units, ThatWereRemovedAreForgottenAtTheNextReading) {
  mount();
  const std::uint64_t gone = make("gone.service");
  EXPECT_EQ(unit_of(gone), "gone.service");
  remove("gone.service");
  pass(1h);
  EXPECT_EQ(unit_of(gone), "gone.service");
  // A folder of some file systems may take the number over at once.
  const std::uint64_t other = make("deep/er/other.service");
  EXPECT_EQ(unit_of(other), "other.service");
  EXPECT_NE(unit_of(gone), "gone.service");
}

TEST_F(Units, KeepTheirNamesWhenTheTreeCannotBeRead) {
  mount();
  const std::uint64_t known = make("known.service");
  EXPECT_EQ(unit_of(known), "known.service");
  const std::uint64_t born = make("born.service");
  unmount();
  pass(1s);
  EXPECT_EQ(unit_of(born), "unknown");
  EXPECT_EQ(unit_of(known), "known.service");
  mount();
  EXPECT_EQ(unit_of(born), "unknown");
  pass(1s);
  EXPECT_EQ(unit_of(born), "born.service");
}

TEST_F(Units, AreUnknownWithoutATree) {
  EXPECT_EQ(unit_of(1), "unknown");
  unmount();
  pass(1s);
  EXPECT_EQ(unit_of(1), "unknown");
}

// A clock that moves during a reading: the next may begin when four times as long has passed.
TEST(CgroupUnitsWalk, TakesAFifthOfTheTimeAtMost) {
  const lab::TempFolder tree, list;
  const std::string mountinfo = list.write(
      "mountinfo", "30 23 0:26 / " + tree.path().string() + " rw - cgroup2 cgroup2 rw\n");
  Time now{};
  Duration step = 10s;
  CgroupUnits units([&] { return now += step; }, mountinfo);
  EXPECT_EQ(units.unit_of(~0ULL), "unknown");
  std::filesystem::create_directory(tree.file("a.service"));
  step = 0s;
  now += 39s;
  EXPECT_EQ(units.unit_of(inode_of(tree.file("a.service"))), "unknown");
  now += 1s;
  EXPECT_EQ(units.unit_of(inode_of(tree.file("a.service"))), "a.service");
}

// ---- Real cgroups ----

class CgroupUnitsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto& reason = Namespace::skip_reason())
      GTEST_SKIP() << *reason;
    if (const auto reason = CgroupFolders::skip_reason())
      GTEST_SKIP() << *reason;
    folders_.make(slice_);
  }

  // Of this process alone: tests run side by side.
  const std::string slice_ = "tcpmibd" + std::to_string(::getpid()) + ".slice";
  CgroupFolders folders_;
};

TEST_F(CgroupUnitsTest, ASocketsUnitIsFoundByTheIdThatSockDiagTells) {
  const Namespace space;
  const std::string cgroup = folders_.make(slice_ + "/a.service");
  const lab::Holder holder = listener_of(cgroup, space);
  const std::optional<std::uint64_t> id = space.run(cgroup_of_listener);
  ASSERT_TRUE(id) << "this kernel does not tell cgroups";
  CgroupUnits units;
  EXPECT_EQ(units.unit_of(*id), "a.service");
}

// Both cgroup drivers of an engine: a scope in a slice, and plain cgroups.
TEST_F(CgroupUnitsTest, AContainersListenerIsThatContainers) {
  const std::string id(64, 'c');
  folders_.make(slice_ + "/parent");
  for (const auto& [cgroup, name] : {std::pair(slice_ + "/docker-" + id + ".scope", "docker-" + id),
                                     std::pair(slice_ + "/parent/libpod-" + id, "libpod-" + id)}) {
    const Namespace space;
    const lab::Holder holder = listener_of(folders_.make(cgroup), space);
    const std::optional<std::uint64_t> made_in = space.run(cgroup_of_listener);
    ASSERT_TRUE(made_in) << "this kernel does not tell cgroups";
    CgroupUnits units;
    EXPECT_EQ(units.unit_of(*made_in), name.substr(0, name.size() - id.size() + 12));
  }
}

TEST_F(CgroupUnitsTest, AnOddlyNamedCgroupHasAPrintableName) {
  const Namespace space;
  const std::string cgroup = folders_.make("tcpmibd" + std::to_string(::getpid()) + "\xff\x1b");
  const lab::Holder holder = listener_of(cgroup, space);
  CgroupUnits units;
  EXPECT_EQ(units.unit_of(inode_of(cgroup)),
            "tcpmibd" + std::to_string(::getpid()) + R"(\xff\x1b)");
}

TEST_F(CgroupUnitsTest, AnIdIsTheInodeNumberOfTheDirectory) {
  const Namespace space;
  const std::string cgroup = folders_.make(slice_ + "/plain");
  const lab::Holder holder = listener_of(cgroup, space);
  EXPECT_EQ(space.run(cgroup_of_listener), inode_of(cgroup));
}

TEST_F(CgroupUnitsTest, TheTestsOwnSocketHasAUnit) {
  const Namespace space;
  const lab::TcpSocket listener = lab::listen_on(space, "127.0.0.1:0");
  CgroupUnits units;
  EXPECT_NE(units.unit_of(space.run(cgroup_of_listener).value()), tcp::kUnknownUnit);
}

// So does a listener that systemd made for a unit: it keeps the name of who made it.
TEST_F(CgroupUnitsTest, ASocketStaysWithTheCgroupItWasMadeInAndIsUnknownWithoutIt) {
  const Namespace space;
  Time now{};
  CgroupUnits units([&] { return now; });
  const std::string before = folders_.make(slice_ + "/before.service");
  lab::Holder holder = listener_of(before, space);
  const std::string after = folders_.make(slice_ + "/after.service");
  move_into(after, holder.process().pid());
  const std::uint64_t id = space.run(cgroup_of_listener).value();
  EXPECT_EQ(units.unit_of(id), "before.service");

  folders_.remove(before);
  const std::string next = folders_.make(slice_ + "/next.service");
  now += 1s;
  EXPECT_EQ(units.unit_of(inode_of(next)), "next.service");
  EXPECT_EQ(space.run(cgroup_of_listener), id);
  EXPECT_EQ(units.unit_of(id), tcp::kUnknownUnit);
  holder.process().kill();
}

}  // namespace
}  // namespace tcpmibd::kernel
