#pragma once

#include <linux/netlink.h>
#include <netlink/msg.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/handle.h"

namespace tcpmibd::kernel {

// What to ask of the kernel: the message behind a netlink header (linux/netlink.h).
struct NetlinkRequest {
  std::uint16_t type;
  std::uint16_t flags;  // beside NLM_F_REQUEST
  std::span<const std::byte> payload;
};

// What one message of an answer means for its exchange.
struct Outcome {
  enum class Step : std::uint8_t {
    kGoOn,
    kDone,     // the kernel has said all it will say
    kAbandon,  // it has not, but what it says is of no use
  };

  Step step = Step::kGoOn;
  int code = 0;  // errno of a refusal, or of what is wrong with the answer
};

// Questions to the kernel over a netlink socket, one at a time.
//
// An exchange that breaks off does not outlive itself: the kernel refuses (EBUSY) a dump while
// another is under way on the same socket, so before the next question what is left of the last
// answer is read, and where its end does not come the socket is replaced.
//
// Thread:  not safe.
// Space:   that of the network namespace in which it was opened. A new socket is taken only if it
//          is of the same one (SO_NETNS_COOKIE, Linux 5.14; before, nobody can know).
// Logs:    nothing.
class NetlinkExchange {
 public:
  // Makes a socket on which requests reach the kernel by send().
  using Open = std::function<Result<FileDescriptor>()>;

  // `patience`: how long to wait for each block of an answer. The kernel answers in the system call
  // that asks; without a limit a lost answer would hang us.
  static Result<NetlinkExchange> open(Open open, Duration patience);

  // Hands each message of the answer to `take(header)`, which returns an Outcome, until that is not
  // kGoOn. Returns its code, or why there is no answer: `doing` could not be done.
  template <typename Take>
  Result<int> ask(const NetlinkRequest& request, const char* doing, Take take) {
    if (const Status sent = send(request, doing); !sent)
      return tl::unexpected(sent.error());
    while (true) {
      const Result<std::span<const std::byte>> block = receive(doing);
      if (!block)
        return tl::unexpected(block.error());
      const Outcome outcome = for_each_message(*block, take);
      under_way_ = outcome.step != Outcome::Step::kDone;
      if (outcome.step != Outcome::Step::kGoOn)
        return outcome.code;
    }
  }

  // What is left of the last answer need not be read, for it may be long: before the next question
  // the socket is replaced, if that can be done.
  void forgo() { forgone_ = under_way_; }

 private:
  NetlinkExchange(Open open, Duration patience);

  // Calls `take(header)` for each whole message of a block. Messages of an earlier exchange bear
  // another sequence number and are passed over.
  template <typename Take>
  Outcome for_each_message(std::span<const std::byte> block, Take& take) const {
    auto* header = reinterpret_cast<const nlmsghdr*>(block.data());
    int rest = static_cast<int>(block.size());
    while (nlmsg_ok(header, rest) != 0) {
      if (header->nlmsg_seq == sequence_) {
        const Outcome outcome = take(*header);
        if (outcome.step != Outcome::Step::kGoOn)
          return outcome;
      }
      header = nlmsg_next(const_cast<nlmsghdr*>(header), &rest);
    }
    return was_cut(rest) ? cut() : Outcome{};
  }

  static bool was_cut(int rest);
  static Outcome cut();

  // After these two an exchange is under way.
  Status send(const NetlinkRequest& request, const char* doing);
  Result<std::span<const std::byte>> receive(const char* doing);

  // One block if it is there: -1 and errno as recvmsg(2) has them, EMSGSIZE for one that was cut.
  // Only the kernel is heard; what others send is 0 octets long.
  ssize_t receive_at_hand();

  Status settle(const char* doing);
  bool drain();
  Status replace(const char* doing);

  Open open_;
  Duration patience_;
  FileDescriptor socket_;
  std::uint64_t space_ = 0;  // the namespace's cookie; 0 where the kernel does not report
  std::uint32_t sequence_ = 0;
  bool under_way_ = false;  // the end of the last answer has not been seen
  bool forgone_ = false;    // and need not be waited for
  std::vector<std::byte> buffer_;
};

// The errno of a message of type NLMSG_ERROR, as the kernel sent it; 0 is an acknowledgement.
int error_code(const nlmsghdr& header);

// Why a dump was broken off, from its last message, NLMSG_DONE; 0: it was not.
int done_code(const nlmsghdr& header);

std::span<const std::byte> payload_of(const nlmsghdr& header);

}  // namespace tcpmibd::kernel
