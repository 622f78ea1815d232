#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/handle.h"
#include "support/end.h"
#include "support/netns.h"

namespace tcpmibd::lab {

// A TCP or MPTCP socket of the test. It stays in the namespace it was made in, and nothing here
// blocks for longer than kPatience.
class TcpSocket {
 public:
  TcpSocket() = default;
  explicit TcpSocket(FileDescriptor descriptor) : descriptor_(std::move(descriptor)) {}

  int get() const { return descriptor_.get(); }
  End local() const;
  End remote() const;
  Ends ends() const { return {local(), remote()}; }
  std::uint16_t port() const { return local().port; }
  ino_t inode() const;
  std::uint64_t cookie() const;

  void send(std::string_view text) const;

  // Writes until the other end, which does not read, and our own buffer are full.
  void fill() const;

  // What has come within kPatience, at most `length` octets; empty at the end of the stream.
  std::string receive(std::size_t length = 64) const;

  // Reads and forgets everything up to the end of the stream.
  void drain() const;

  // Waits until the other end's FIN is here, and leaves it unread.
  void await_fin() const;

  void shutdown_write() const;
  void close() { descriptor_ = FileDescriptor(); }
  void reset();  // Closes with a RST.

 private:
  FileDescriptor descriptor_;
};

struct ListenOptions {
  bool only_v6 = false;
  bool reuse_port = false;
  std::string device{};  // bound to it
  int backlog = 16;
  int defer_accept = 0;  // seconds a silent client stays in SYN_RECEIVED
  bool fast_open = false;
  int receive_buffer = 0;  // octets; 0: the kernel's choice
  bool mptcp = false;
};

struct ConnectOptions {
  std::string from{};  // port 0: any
  std::string device{};
  int send_buffer = 0;
  bool mptcp = false;
};

// Why no socket can speak MPTCP here; none where it can.
std::optional<std::string> mptcp_skip_reason();

// Addresses are written as end_of() takes them; the port 0 is any free one. "[::]:0" listens for
// both families unless only_v6; "[::ffff:10.0.0.1]:0" makes a v4-mapped socket.
TcpSocket listen_on(const Namespace& space, const std::string& at,
                    const ListenOptions& options = {});

// A socket that is bound and nothing else: in no table of the MIB.
TcpSocket bind_only(const Namespace& space, const std::string& at);

// Sends the SYN and returns.
TcpSocket start_connecting(const Namespace& space, const std::string& to,
                           const ConnectOptions& options = {});

// Sends a SYN that carries `data` already (TCP Fast Open without a cookie).
TcpSocket start_fast_connecting(const Namespace& space, const std::string& to,
                                std::string_view data);

// In SYN_SENT with no SYN sent: that goes with the first data (TCP_FASTOPEN_CONNECT), which never
// comes.
TcpSocket start_connecting_with_first_data(const Namespace& space, const std::string& to);

// Established without any packet or peer (TCP_REPAIR); closing it sends none either. In the
// calling thread's namespace, with CAP_NET_ADMIN there.
TcpSocket repaired(const Ends& ends);

TcpSocket connect_to(const Namespace& space, const std::string& to,
                     const ConnectOptions& options = {});

TcpSocket accept_from(const TcpSocket& listener);

// Sends a SYN over IPv4 as from any host and port, and no more; each time the same one. With
// CAP_NET_RAW in the namespace.
void send_syn(const Namespace& space, const std::string& from, const std::string& to);

}  // namespace tcpmibd::lab
