#ifndef TCPMIBD_KERNEL_BPF_END_REASON_H
#define TCPMIBD_KERNEL_BPF_END_REASON_H

// Why a connection ended, from what its socket shows when it steps to CLOSE. The one home of this
// rule: C that the BPF program counts by, and that is tested as C++.

#include <linux/errno.h>
#include <linux/types.h>

// As tcp::EndReason, which says what each means.
enum end_reason {
  kEndNormal = 1,
  kEndResetByPeer = 2,
  kEndRefused = 3,
  kEndSynTimedOut = 4,
  kEndTimedOut = 5,
  kEndDestroyed = 6,
  kEndAbortedLocally = 7,
  kEndCancelled = 8,
  kEndOther = 9,
};

// TCP_… of the kernel's include/net/tcp_states.h, which is not one of its headers for programs.
enum end_state {
  kEndEstablished = 1,
  kEndSynSent = 2,
  kEndSynReceived = 3,
  kEndFinWait1 = 4,
  kEndFinWait2 = 5,
  kEndClose = 7,
  kEndLastAck = 9,
  kEndListen = 10,
  kEndClosing = 11,
};

struct end_facts {
  __u8 left;         // the state it left
  __u8 fin_seen;     // SOCK_DONE
  __u8 fin_acked;    // all that was written is acknowledged, the FIN included
  __u8 orphaned;     // SOCK_DEAD: the program has closed it
  __u8 was_started;  // a call got as far as ports and a sequence number
  int error;         // sk_err
};

// FIN_WAIT2 is left for TIME_WAIT when the other end's FIN has come, or when the program has closed
// and no longer waits for it; LAST_ACK and CLOSING with the acknowledgement of our FIN. An error of
// before may still lie in such a socket: nobody has asked for it.
static inline __u8 is_settled(const struct end_facts* end) {
  if (end->left == kEndFinWait2)
    return end->fin_seen || end->orphaned;
  return (end->left == kEndLastAck || end->left == kEndClosing) && end->fin_acked;
}

// What a segment with RST puts into a socket: EPIPE after the other end's FIN (tcp_reset() of the
// kernel). Our own resets are sent after the step to CLOSE, or with another error. Data that comes
// for a program that has closed, before our FIN is acknowledged, looks the same.
static inline __u8 is_of_reset(int error) { return error == ECONNRESET || error == EPIPE; }

static inline __u8 reason_of_handshake(const struct end_facts* end) {
  if (end->error == ECONNREFUSED)
    return kEndRefused;
  if (is_of_reset(end->error))
    return kEndResetByPeer;
  if (end->error == ETIMEDOUT)
    return kEndSynTimedOut;
  if (end->error != 0 || !end->was_started)
    return kEndOther;
  return end->left == kEndSynSent ? kEndCancelled : kEndAbortedLocally;
}

// What the timers put into a socket that gives up: what the network last said, or else ETIMEDOUT
// (tcp_write_err() of the kernel).
static inline __u8 is_of_timer(int error) {
  return error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH ||
         error == EHOSTDOWN || error == ENONET;
}

static inline __u8 end_reason(const struct end_facts* end) {
  if (end->error == ECONNABORTED)  // of tcp_abort() alone
    return kEndDestroyed;
  if (is_settled(end))
    return kEndNormal;
  if (end->left == kEndSynSent || end->left == kEndSynReceived)
    return reason_of_handshake(end);
  if (is_of_reset(end->error))
    return kEndResetByPeer;
  if (is_of_timer(end->error))
    return kEndTimedOut;
  return end->error == 0 ? kEndAbortedLocally : kEndOther;
}

#endif
