#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/error.h"

// A connected stream socket on whose other end a manager sits, of whom nothing is expected. None of
// these waits. A descriptor is the caller's.

namespace tcpmibd::agent {

// Neither a read nor a write waits any more.
void never_wait(int socket);

// "10.0.0.9", "fd77::1", "fe80::1%2"; an IPv4 address in IPv6 as IPv4; "a local socket".
std::string peer_address(int socket);

// Makes room for several of the longest messages, where the system lets us, and keeps the socket
// from programs that are started.
void prepare_stream(int socket);

// Whether there is something to read, be it the end.
bool is_readable(int socket);

// All of it or nothing useful: false when the kernel's buffer, which is the bound of what is kept
// for a peer, did not take it whole. What has gone out of it then has no end, so the peer is lost.
bool send_whole(int socket, std::span<const std::byte> message);

// What the other end has left unread is not kept for it: closing then resets the connection.
void forget_unread(int socket);

// Closes the connection and puts `silent`, a descriptor on which nothing ever happens, in its
// place: the number stays in use.
void silence(int socket, int silent);

}  // namespace tcpmibd::agent
