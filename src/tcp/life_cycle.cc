#include "tcp/life_cycle.h"

#include <algorithm>

namespace tcpmibd::tcp {

// A text. NOLINTNEXTLINE(readability-function-size)
const std::vector<Stage>& life_cycle() {
  using enum State;
  static const std::vector<Stage> stages = {
      {.state = kClosed,
       .meaning = "There is no connection: not yet, or no longer.",
       .who = "Either end, before the connection and after it.",
       .got_here =
           "Nothing was sent yet; or both FINs were sent and acknowledged; or a reset (RST), "
           "a timeout or a deleteTCB ended the connection at once.",
       .peer =
           "Usually CLOSED too. After a lost reset the peer may still believe in the connection "
           "and learns of its end with the next segment it sends.",
       .waits_for = "Nothing but the program: `connect()`, `listen()` or `close()`.",
       .normal = "Always. A closed connection is no row of the MIB, so this state is hardly ever "
                 "read.",
       .fault = "A program that keeps the descriptors of sockets that are closed long since will "
                "run out of descriptors one day; such sockets are in no table of TCP.",
       .cure = "Compare the descriptors that the process holds with its connections; the "
               "difference is what it leaks.",
       .commands = {{"lsof -a -p PID -i TCP", "the sockets that a process holds, closed ones too"},
                    {"ls -l /proc/PID/fd", "all its descriptors"}},
       .transitions = {{"the program listens (passive open)", kListen},
                       {"the program connects (active open): send SYN", kSynSent}}},

      {.state = kListen,
       .meaning = "The server waits for connections to come.",
       .who = "The server. It is a port that is open, not a connection: it has no remote end.",
       .got_here = "Nothing was sent; the program called `listen()`.",
       .peer = "There is none yet. Each client that calls gets a connection of its own, and the "
               "listener stays as it is.",
       .waits_for = "The SYN of a client, for as long as the program runs.",
       .normal = "Always, for every service that the host is meant to offer.",
       .fault =
           "A listener nobody expected is an open door. One whose queue of finished "
           "connections is full lets new clients wait or fails them: the program does not call "
           "`accept()` fast enough. In the output of ss, Recv-Q of a listener is that queue "
           "and Send-Q its limit.",
       .cure = "Stop or bind to loopback what should not be reached. For a full queue make the "
               "program accept faster; a larger backlog (and net.core.somaxconn, its upper limit) "
               "only helps with short bursts.",
       .commands = {{"tcpmibd show listeners", "who listens, and on what"},
                    {"ss -tlnp", "the same with queue and limit"},
                    {"nstat -az TcpExtListenOverflows TcpExtListenDrops",
                     "how often a queue was full"}},
       .transitions = {{"a SYN comes: send SYN and ACK (Linux: for a new connection, the listener "
                        "stays)",
                        kSynReceived},
                       {"the program sends data (RFC 9293 only; Linux refuses): send SYN",
                        kSynSent},
                       {"the program closes", std::nullopt}}},

      {.state = kSynSent,
       .meaning = "The client has called and waits for an answer.",
       .who = "The client, the end that opened actively.",
       .got_here = "Sent: SYN. Received: nothing yet.",
       .peer = "LISTEN, if the SYN gets there; SYN_RECEIVED as soon as it has; or no such host.",
       .waits_for = "SYN and ACK from the server. Linux repeats the SYN net.ipv4.tcp_syn_retries "
                    "times (6) and gives up after about two minutes.",
       .normal = "For one round trip: milliseconds, rarely more than a second.",
       .fault =
           "Rows that stay for seconds: a firewall swallows the SYN or its answer, the host is "
           "away, or the server's queue is full. A server that is up but does not listen "
           "refuses at once with RST and is never seen here. Many rows to many addresses: a "
           "scan, or a program that looks for a peer that moved.",
       .cure =
           "Check route and firewall towards the remote address, then whether something listens "
           "there. Find out by the process who is calling.",
       .commands = {{"tcpmibd show --state synSent", "who is calling whom"},
                    {"ss -tanpo state syn-sent", "the same with the retransmission timer"},
                    {"tcpdump -ni any 'tcp[tcpflags] & tcp-syn != 0'",
                     "whether the SYN leaves and its answer comes"}},
       .transitions = {{"SYN and ACK come: send ACK", kEstablished},
                       {"a SYN comes without ACK (simultaneous open): send SYN and ACK",
                        kSynReceived},
                       {"RST comes, the retries are used up, or the program closes",
                        std::nullopt}}},

      {.state = kSynReceived,
       .meaning = "The server has answered a call and waits for its confirmation.",
       .who = "The server; in a simultaneous open both ends.",
       .got_here = "Received: SYN. Sent: SYN and ACK.",
       .peer = "SYN_SENT until our answer arrives, then ESTABLISHED.",
       .waits_for = "The ACK that completes the handshake. Linux repeats its answer "
                    "net.ipv4.tcp_synack_retries times (5) and forgets the caller after about a "
                    "minute. No process owns the connection yet.",
       .normal =
           "For one round trip. A listener with TCP_DEFER_ACCEPT keeps its callers here until "
           "their first byte.",
       .fault = "Many rows from many addresses that never finish: a SYN flood. A few that repeat: "
                "our answers get lost on the way back, often by asymmetric routing or a firewall "
                "that saw only one direction.",
       .cure =
           "Keep net.ipv4.tcp_syncookies at 1, so that a flood locks nobody out; raise "
           "net.ipv4.tcp_max_syn_backlog for honest crowds. For lost answers follow them with a "
           "packet trace at both ends.",
       .commands = {{"tcpmibd show --state synReceived", "the callers that have not finished"},
                    {"ss -tano state syn-recv", "the same with the number of repetitions"},
                    {"nstat -az TcpExtSyncookiesSent TcpExtTCPReqQFullDoCookies",
                     "whether the kernel sees a flood"}},
       .transitions = {{"the ACK of our SYN comes", kEstablished},
                       {"the program closes before that: send FIN", kFinWait1},
                       {"FIN comes: send ACK", kCloseWait},
                       {"RST comes or the retries are used up (a listener stays in LISTEN)",
                        std::nullopt}}},

      {.state = kEstablished,
       .meaning = "The connection is open; data flows both ways.",
       .who = "Both ends.",
       .got_here = "Each end has sent a SYN and seen it acknowledged.",
       .peer =
           "ESTABLISHED. After a crash or a pulled cable it may be gone, and this end learns of "
           "it only when it sends, or by keep-alive probes.",
       .waits_for = "Data, or one end's wish to close. There is no limit of time: an idle "
                    "connection may stay for years.",
       .normal = "Always; this is what connections are for. A row without a process waits in its "
                 "listener's queue to be accepted.",
       .fault = "More and more rows of one client or program: it opens without closing. A receive "
                "queue that stays full: the local program does not read. A send queue that stays "
                "full: the peer does not read or the way is broken. A peer that died silently: "
                "programs without SO_KEEPALIVE never notice.",
       .cure =
           "Ask the program whose queue does not drain, and limit idle time in the program. For "
           "dead peers turn on keep-alives in it (SO_KEEPALIVE; the first probe comes after "
           "net.ipv4.tcp_keepalive_time, two hours unless lowered).",
       .commands = {{"tcpmibd show --state established",
                     "all open connections and their processes"},
                    {"ss -tanpoi state established",
                     "the same with queues, timers and round trips"}},
       .transitions = {{"the program closes, or shuts down its sending side: send FIN", kFinWait1},
                       {"FIN comes: send ACK", kCloseWait},
                       {"RST comes or is sent, or unanswered data times out", std::nullopt}}},

      {.state = kFinWait1,
       .meaning = "This end has closed first; its FIN is not acknowledged yet.",
       .who = "The active closer, client or server: whoever called `close()` or "
              "`shutdown(SHUT_WR)` first. In a simultaneous close both ends.",
       .got_here = "Sent: FIN, behind all data that was still in the send queue. Received: nothing "
                   "in answer yet.",
       .peer =
           "ESTABLISHED until the FIN arrives, then CLOSE_WAIT. FIN_WAIT_1 as well if it closed "
           "at the same moment.",
       .waits_for = "The ACK of the FIN; or FIN and ACK of the peer in one segment, which leads "
                    "straight to TIME_WAIT.",
       .normal = "For one round trip.",
       .fault = "Rows that stay: the peer has vanished, or it does not read, so that the FIN is "
                "stuck behind data that its closed window keeps here (send queue above 0). When no "
                "process holds the connection any more Linux tries for about 100 seconds "
                "(net.ipv4.tcp_orphan_retries); one that is held, or whose peer still answers that "
                "its window is closed, can stay far longer.",
       .cure = "Find out why the peer does not read or answer. Such rows cost memory and can be "
               "deleted without harm: the local program has already said goodbye.",
       .commands = {{"tcpmibd show --state finWait1", "who is waited for"},
                    {"ss -tanpo state fin-wait-1", "the same with the send queue and the timer"}},
       .transitions = {{"the ACK of our FIN comes", kFinWait2},
                       {"FIN comes, ours is not acknowledged (simultaneous close): send ACK",
                        kClosing},
                       {"FIN and the ACK of ours come in one segment: send ACK", kTimeWait},
                       {"RST comes or the retries are used up", std::nullopt}}},

      {.state = kFinWait2,
       .meaning = "This end has closed and the peer knows it, but has not closed itself.",
       .who = "The active closer. The connection is half closed: the peer may go on sending.",
       .got_here = "Sent: FIN. Received: its ACK.",
       .peer = "CLOSE_WAIT: its program has not closed yet.",
       .waits_for =
           "The peer's FIN. Once no process holds the connection, Linux waits "
           "net.ipv4.tcp_fin_timeout (60 seconds) and then drops it. While a process does, "
           "after `shutdown(SHUT_WR)`, there is no limit.",
       .normal = "For as long as the peer needs to finish; long-lasting where one end deliberately "
                 "sends only and the other receives only.",
       .fault =
           "Many rows at once: the peers do not close, they sit in CLOSE_WAIT and the fault is "
           "theirs. Rows that stay and have a process: that process shut down one side and "
           "forgot to close.",
       .cure =
           "Look for CLOSE_WAIT at the other end, and mend that program. Rows without a process "
           "go by themselves; lowering net.ipv4.tcp_fin_timeout makes them go earlier.",
       .commands = {{"tcpmibd show --state finWait2", "whose peers have not closed"},
                    {"ss -tanpo state fin-wait-2", "the same with the time left"},
                    {"sysctl net.ipv4.tcp_fin_timeout", "how long Linux waits without a process"}},
       .transitions = {{"FIN comes: send ACK", kTimeWait},
                       {"RST comes, or tcp_fin_timeout is over", std::nullopt}}},

      {.state = kCloseWait,
       .meaning = "The peer has closed; the local program has not closed yet.",
       .who = "The passive closer, client or server: the one that received the first FIN.",
       .got_here = "Received: FIN. Sent: its ACK, by the kernel, without the program's doing.",
       .peer = "FIN_WAIT_2. It has done its part and is innocent; after about a minute it has "
               "forgotten the connection, while this end keeps it.",
       .waits_for =
           "The local program's `close()`; the kernel sets no limit of time. Otherwise only a "
           "reset "
           "ends it, and the peer sends one only in answer to data or a keep-alive probe of "
           "ours. Perhaps one of several processes that share the socket "
           "still holds it: fork, dup and inheritance by a child (no SOCK_CLOEXEC) make "
           "copies, and the last copy must be closed.",
       .normal = "For the moment that the program needs to read the rest and close; longer in a "
                 "deliberate half-close, where this end still has something to send.",
       .fault =
           "Rows that stay for minutes, and grow in number, are a bug of the local program. "
           "There are two kinds. Receive queue at least 1 (the FIN counts as one): the program "
           "has not read the end-of-file; it hangs, or it no longer looks at this socket, as a "
           "connection pool does. Receive queue 0: it has read the end-of-file but never "
           "closed; a descriptor leaks, or another process holds a copy.",
       .cure =
           "Find the process and look at what it does; restart it to be rid of the rows at once. "
           "Then mend it: close at end-of-file and on every error path, let pools check idle "
           "connections, open with SOCK_CLOEXEC. Deleting the row ends the connection with RST, "
           "and the program's next call fails; it does not mend the leak.",
       .commands = {{"tcpmibd show --state closeWait", "whose connections were never closed"},
                    {"ss -tanp state close-wait", "the same with the receive queue: 0 or more"},
                    {"lsof -a -i TCP -s TCP:CLOSE_WAIT", "every process that holds a copy"}},
       .transitions = {{"the program closes the last copy: send FIN", kLastAck},
                       {"RST comes or is sent", std::nullopt}}},

      {.state = kLastAck,
       .meaning = "Both ends have closed; this one's FIN is not acknowledged yet.",
       .who = "The passive closer, after its own `close()`.",
       .got_here = "Received: FIN. Sent: its ACK, later our own FIN.",
       .peer = "FIN_WAIT_2, and TIME_WAIT as soon as our FIN arrives; or long gone.",
       .waits_for =
           "The ACK of our FIN. Linux repeats the FIN and gives up after about 100 seconds "
           "(net.ipv4.tcp_orphan_retries) when no process holds the connection.",
       .normal = "For one round trip.",
       .fault = "Rows that stay: the peer is gone, a firewall has forgotten the connection and "
                "swallows the FIN or its ACK, or unsent data stands before the FIN.",
       .cure =
           "They go by themselves. If they keep coming, compare the idle timeout of firewalls "
           "and NAT between the ends with that of the programs: the program's should be shorter.",
       .commands = {{"tcpmibd show --state lastAck", "which peers do not answer"},
                    {"ss -tano state last-ack", "the same with send queue and timer"}},
       .transitions = {{"the ACK of our FIN comes", std::nullopt},
                       {"RST comes or the retries are used up", std::nullopt}}},

      {.state = kClosing,
       .meaning = "Both ends closed at the same moment; our FIN is not acknowledged yet.",
       .who = "Both ends of a simultaneous close; each takes itself for the first.",
       .got_here = "Sent: FIN. Received: the peer's FIN, but not the ACK of ours. Sent: ACK.",
       .peer = "CLOSING too, or already TIME_WAIT.",
       .waits_for = "The ACK of our FIN.",
       .normal = "For one round trip, and rarely: the two FINs must cross on their way.",
       .fault = "Rows that stay: the ACK gets lost, or our FIN is stuck behind data that the peer "
                "does not read (send queue above 0) although it has closed.",
       .cure = "As for LAST_ACK: they go by themselves; look for what lies between the ends.",
       .commands = {{"tcpmibd show --state closing", "which connections"},
                    {"ss -tano state closing", "the same with send queue and timer"}},
       .transitions = {{"the ACK of our FIN comes", kTimeWait},
                       {"RST comes or the retries are used up", std::nullopt}}},

      {.state = kTimeWait,
       .meaning = "All is done; this end keeps the addresses reserved for a while.",
       .who = "The end that closed first; after a simultaneous close both.",
       .got_here = "Sent: FIN and seen it acknowledged. Received: FIN. Sent: its ACK, the last "
                   "segment.",
       .peer = "Gone. Or LAST_ACK, if that last ACK was lost: then it repeats its FIN and is "
               "answered once more.",
       .waits_for = "Time: twice the maximum segment lifetime. That is up to four minutes by RFC "
                    "793 and always 60 seconds on Linux; `tcpmibd show` prints the time left. It "
                    "lets late segments die before the same pair of addresses and ports is used "
                    "again, and repeats the last ACK if need be. No process owns it, and it costs "
                    "little memory.",
       .normal = "Always, at the end that closed first: a busy server that closes first has "
                 "thousands. net.ipv4.tcp_fin_timeout does not change it.",
       .fault =
           "Rarely one. A client that opens and closes thousands of connections to one server "
           "within a minute runs out of local ports (\"Cannot assign requested address\"). A "
           "server that restarts without SO_REUSEADDR is refused its port (\"Address already in "
           "use\").",
       .cure =
           "Keep connections open and use them again, let the other end close first, or widen "
           "net.ipv4.ip_local_port_range; net.ipv4.tcp_tw_reuse lets a client take a port again "
           "after a second. In the server set SO_REUSEADDR.",
       .commands = {{"tcpmibd show --state timeWait", "which, and for how much longer"},
                    {"ss -tano state time-wait", "the same by ss"},
                    {"sysctl net.ipv4.ip_local_port_range", "how many local ports there are"}},
       .transitions = {{"the time is over", std::nullopt},
                       {"FIN comes again: send ACK, and the time starts anew", kTimeWait}}},
  };
  return stages;
}

const Stage& stage_of(State state) { return life_cycle()[static_cast<std::size_t>(state) - 1]; }

std::string as_prose(State state) {
  std::string name(names_of(state).rfc);
  std::ranges::replace(name, '-', '_');
  return name;
}

std::span<const Note> life_cycle_notes() {
  static constexpr Note kNotes[] = {
      {"Who closes first",
       "Closing takes a FIN and an ACK in each direction. The end that sends its FIN first goes "
       "through FIN_WAIT_1 and FIN_WAIT_2 to TIME_WAIT; the other goes through CLOSE_WAIT and "
       "LAST_ACK and is done at once. It does not matter which of the two is the client. Whoever "
       "sees TIME_WAIT closed first; whoever sees CLOSE_WAIT has yet to close."},
      {"Half-close",
       "`shutdown(SHUT_WR)` closes one direction only. The end that did so is in FIN_WAIT_2 and "
       "can "
       "still receive; the other is in CLOSE_WAIT and can still send. Data flows one way for as "
       "long as both like it: this is how a program says \"that was my whole question\" and then "
       "waits for the answer."},
      {"FIN and ACK in one segment",
       "A peer that closes at once sends its own FIN together with the ACK of ours. The first to "
       "close then goes from FIN_WAIT_1 straight to TIME_WAIT and is never seen in FIN_WAIT_2."},
      {"Simultaneous open and close",
       "Two ends may call each other at once: their SYNs cross, both go from SYN_SENT to "
       "SYN_RECEIVED to ESTABLISHED, and it becomes one connection. Or they close at once: their "
       "FINs cross, both go from FIN_WAIT_1 to CLOSING to TIME_WAIT. Both are rare; the first "
       "hardly "
       "happens but on purpose."},
      {"Resets",
       "RST ends a connection at once and without goodbye, in whatever state it is: no FIN, no "
       "TIME_WAIT, and unread data is lost. It comes from a host that knows nothing of the "
       "connection, from a program that closes with unread data or with SO_LINGER 0, and from a "
       "deleted row."},
      {"deleteTCB(12)",
       "tcpConnState and tcpConnectionState have a twelfth value that is not a state. It is a "
       "command: writing deleteTCB(12) asks the agent to end that connection. It is never read; a "
       "table that shows a 12 is a broken one."},
  };
  return kNotes;
}

std::span<const Story> life_cycle_stories() {
  static constexpr StoryStep kOpening[] = {
      {"the server starts: `listen()`", "", "", "LISTEN"},
      {"the client calls: `connect()`", "SYN -->", "SYN_SENT", "SYN_RECEIVED"},
      {"the server's kernel answers", "<-- SYN ACK", "ESTABLISHED", "SYN_RECEIVED"},
      {"the handshake is complete", "ACK -->", "ESTABLISHED", "ESTABLISHED"},
      {"requests and answers, as many as come", "<-- data -->", "ESTABLISHED", "ESTABLISHED"},
      {"silence; both keep it for later", "", "ESTABLISHED", "ESTABLISHED"},
      {"the server has waited enough: `close()`", "<-- FIN", "CLOSE_WAIT", "FIN_WAIT_1"},
      {"the client's kernel acknowledges", "ACK -->", "CLOSE_WAIT", "FIN_WAIT_2"},
  };
  static constexpr StoryStep kGood[] = {
      {"the pool sees end-of-file: `close()`", "FIN -->", "LAST_ACK", "TIME_WAIT"},
      {"the server's kernel acknowledges", "<-- ACK", "gone", "TIME_WAIT"},
      {"60 seconds later", "", "gone", "gone"},
  };
  static constexpr StoryStep kForgetful[] = {
      {"nobody looks at the idle connection", "", "CLOSE_WAIT", "FIN_WAIT_2"},
      {"60 seconds later (tcp_fin_timeout)", "", "CLOSE_WAIT", "gone"},
      {"hours later", "", "CLOSE_WAIT", "gone"},
      {"the pool uses it after all", "data -->", "CLOSE_WAIT", "gone"},
      {"the server knows no such connection", "<-- RST", "gone", "gone"},
  };
  static constexpr Story kStories[] = {
      {"An HTTP keep-alive connection",
       "The client keeps its connections in a pool; the server "
       "closes those that are idle for too long. States are those after the segment has arrived.",
       kOpening, "The server closed first. From here all depends on the client's program."},
      {"With a pool that closes", "", kGood,
       "TIME_WAIT at the server is the proper end: it is the one that closed first."},
      {"With a pool that forgets to close", "", kForgetful,
       "The rows in CLOSE_WAIT are the client program's; the server has no part in them and "
       "nothing "
       "that it does removes them. Their receive queue is 1, for the FIN has not been read. The "
       "request that finds such a connection fails with \"Connection reset by peer\" or \"Broken "
       "pipe\". The cure is in the pool: look for end-of-file before use, and drop idle "
       "connections "
       "sooner than the server does."},
  };
  return kStories;
}

// A picture. NOLINTNEXTLINE(readability-function-size)
std::string_view life_cycle_diagram() {
  return R"(
                               +--------------+
         listen()              |  CLOSED (1)  |       connect(): send SYN
       +-----------------------|              |-----------------------+
       |                       +--------------+                       |
       v                                                              v
+--------------+                                              +--------------+
|  LISTEN (2)  |                                              | SYN_SENT (3) |
+--------------+                                              +--------------+
       |                                                         |         |
       | SYN comes:               SYN comes, both ends called:   |         |
       | send SYN and ACK                    send SYN and ACK    |         |
       |          +----------------------------------------------+         |
       v          v                                                        |
+------------------+                            SYN and ACK come: send ACK |
| SYN_RECEIVED (4) |                                                       |
+------------------+                                                       |
       |                                                                   |
       | ACK comes                                                         |
       v                                                                   v
+----------------------------------------------------------------------------+
|                    ESTABLISHED (5): data flows both ways                   |
+----------------------------------------------------------------------------+
       |                                                         |
       | we close first:                                         | FIN comes:
       | send FIN                                                | send ACK
       v                                                         v
+----------------+   FIN comes: send ACK   +--------------+  +----------------+
| FIN_WAIT_1 (6) |------------------------>| CLOSING (10) |  | CLOSE_WAIT (8) |
+----------------+                         +--------------+  +----------------+
  |            |                                  |              |
  | ACK comes  | FIN and ACK come                 |              | we close:
  |            | in one: send ACK                 |              | send FIN
  v            +------------------+               |              v
+----------------+                |               |          +----------------+
| FIN_WAIT_2 (7) |                |               |          |  LAST_ACK (9)  |
+----------------+                |               |          +----------------+
  |                               |               |              |
  | FIN comes: send ACK           |               | ACK comes    | ACK comes
  v                               v               v              v
+-------------------------------------------------------+    +----------------+
|  TIME_WAIT (11): 2 maximum segment lifetimes          |--->|   CLOSED (1)   |
+-------------------------------------------------------+    +----------------+

RST, a timeout or deleteTCB(12) leads from any state straight to CLOSED.
)";
}

}  // namespace tcpmibd::tcp
