#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "agent/agentx/master_address.h"
#include "agent/agentx/ping.h"
#include "base/handle.h"
#include "base/printable.h"
#include "fuzz/targets.h"
#include "support/temp_folder.h"

namespace tcpmibd::fuzz {

namespace {

// A master's socket, at which each caller gets the same words, whatever it says.
class Master {
 public:
  Master() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    require(
        ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
            ::listen(listener_.get(), 8) == 0,
        "a socket is to be had");
  }

  std::string path() const { return folder_.file("master"); }

  // Says the words to the next caller, and hangs up.
  void serve_once(Input words) const {
    const FileDescriptor caller(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    (void)::send(caller.get(), words.data(), words.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::shutdown(caller.get(), SHUT_WR);
    // Hung up only after the caller, who would be told of a reset and not read what was said.
    char ignored = 0;
    while (::recv(caller.get(), &ignored, sizeof ignored, 0) > 0) {
    }
  }

 private:
  lab::TempFolder folder_;
  FileDescriptor listener_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

}  // namespace

// The input: what a master answers the doctor, who opens a session and closes it.
void doctor_master(Input input) {
  static const Master kMaster;
  std::thread master([&] { kMaster.serve_once(input); });
  const Status pinged = agent::ping_master(agent::MasterAddress(kMaster.path()));
  master.join();
  constexpr std::size_t kShortest = 28;  // a Response without bindings
  constexpr std::uint8_t kVersion = 1;
  constexpr std::uint8_t kResponse = 18;
  const bool may_be_master =
      input.size() >= kShortest && input[0] == kVersion && input[1] == kResponse;
  require(!pinged || may_be_master, "only a Response opens a session");
  require(pinged || printable(pinged.error().text()) == pinged.error().text(),
          "why there is none can be printed");
}

}  // namespace tcpmibd::fuzz
