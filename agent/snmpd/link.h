#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/agentx/connection.h"
#include "agent/agentx/pdu.h"
#include "base/clock.h"
#include "base/handle.h"

// What runs inside snmpd: the module that hands whole requests to the daemon.

namespace tcpmibd::agent::snmpd {

// A subtree that the daemon serves, in a context; empty is the default one.
struct Served {
  agentx::Subtree subtree;
  std::string context;

  bool operator==(const Served&) const = default;
};

// The rest of the module, to which a Link reports what the daemon says. It may send requests
// meanwhile, and no more.
class LinkOwner {
 public:
  // The daemon wants to serve it: what it is answered.
  virtual agentx::ErrorCode register_subtree(const Served& served) = 0;

  // To a request, once each. `bindings` are those of the answer, to be taken from it now; false
  // where they are senseless. Where no answer has come the error is genErr.
  virtual bool on_answer(std::uint32_t packet, const agentx::Response& response,
                         agentx::Reader bindings) = 0;

  virtual void on_notification(const std::vector<agentx::Found>& bindings) = 0;

  // There is no daemon any more that serves anything.
  virtual void on_lost() = 0;

  // For snmpd's log. Few, whatever the daemon does.
  virtual void report(bool is_trouble, const std::string& line) = 0;

  // sysUpTime, in hundredths of a second.
  virtual std::uint32_t uptime() const = 0;

 protected:
  ~LinkOwner() = default;
};

// The connection to the daemon, whose AgentX master this is (RFC 2741; docs/module.md). It connects
// again by itself, takes the session the daemon opens, and gives every request its one answer.
//
// Never waits. Thread: one.
class Link {
 public:
  struct Settings {
    std::string path;            // of the daemon's socket
    std::vector<uid_t> trusted;  // as whom the daemon may run, besides root and who we run as
  };

  // `owner` outlives it.
  Link(Settings settings, LinkOwner& owner) : settings_(std::move(settings)), owner_(owner) {}

  // How long the daemon may say nothing at all while it is to answer something. Half-way it is
  // asked whether it is there; if it is, an answer may take longer: it may have to read what it
  // serves.
  static constexpr Duration kPatience = std::chrono::milliseconds(900);
  static constexpr Duration kLongest = std::chrono::seconds(5);
  // How long it is left alone after it was away.
  static constexpr Duration kRetry = std::chrono::seconds(1);
  // How many requests may wait for their answers.
  static constexpr std::size_t kMost = 256;

  // The connection, or -1; when it is to be polled for writing too; and when turn() is to be called
  // at the latest.
  int descriptor() const { return connection_ ? connection_->descriptor() : -1; }
  bool has_unsent() const { return connection_ && connection_->unsent() > 0; }
  Time wake() const;

  // Does what can be done now.
  void turn(Time now);

  // Lets go of the daemon; the next turn() connects again.
  void close();

  // Whether requests are sent at all now. A daemon that has said nothing for kPatience is left
  // alone until it is heard again.
  bool takes_requests() const;

  // Sends a request: the number of its packet, to which the answer will come from a later turn().
  // None where it cannot be sent. `transaction` is that of the manager's PDU.
  std::optional<std::uint32_t> read(agentx::PduType type, std::uint32_t transaction,
                                    std::string_view context, const agentx::ReadFields& fields,
                                    Time now);
  std::optional<std::uint32_t> test_set(std::uint32_t transaction, std::string_view context,
                                        const agentx::Bytes& bindings, Time now);
  // A CommitSet or UndoSet.
  std::optional<std::uint32_t> set_phase(agentx::PduType phase, std::uint32_t transaction,
                                         Time now);
  // It has no answer, and is sent to one that is silent, too.
  void clean_up_set(std::uint32_t transaction);

  // The byte order of what is sent.
  static constexpr agentx::ByteOrder kOrder = agentx::ByteOrder::kNetwork;

 private:
  struct Asked {
    std::uint32_t packet;
    Time at;
  };

  void connect(Time now);
  std::optional<std::string> misfit(const FileDescriptor& socket) const;
  void stay_away(const std::string& why, Time now);
  void lose(const std::string& why, Time now);
  void report(bool is_trouble, const std::string& line, Time now);
  void send();

  void receive(Time now);
  std::optional<std::string> take(const agentx::Packet& packet, Time now);
  std::optional<std::string> take_open(const agentx::Packet& packet, agentx::Reader& reader,
                                       Time now);
  std::optional<std::string> take_register(const agentx::Packet& packet, std::string context,
                                           agentx::Reader& reader);
  std::optional<std::string> take_notification(const agentx::Packet& packet,
                                               agentx::Reader& reader);
  std::optional<std::string> take_response(const agentx::Packet& packet, agentx::Reader& reader);
  void reply(const agentx::Header& header, agentx::ErrorCode error);

  template <typename Append>
  std::optional<std::uint32_t> ask(std::uint32_t transaction, Time now, Append append);
  agentx::Header next_header(std::uint32_t transaction);
  bool has_room() const;

  void look_at_clock(Time now);
  Time last_sign() const;
  void fail_first();
  void fail(std::uint32_t packet);
  void probe();

  Settings settings_;
  LinkOwner& owner_;

  std::optional<agentx::Connection> connection_;
  std::optional<std::uint32_t> session_;  // once the daemon has opened it
  std::uint32_t sessions_ = 0;            // opened so far, which numbers them
  std::uint32_t packets_ = 0;
  std::deque<Asked> asked_;  // without an answer, in the order of their packets
  Time heard_{};             // when the daemon was heard last
  bool probed_ = false;      // since then
  bool silent_ = false;
  bool broken_ = false;  // by a send
  Time connect_at_{};

  std::string told_;  // why it is away
  Time telling_since_{};
  unsigned told_lately_ = 0;
};

}  // namespace tcpmibd::agent::snmpd
