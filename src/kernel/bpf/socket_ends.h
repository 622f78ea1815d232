#ifndef TCPMIBD_KERNEL_BPF_SOCKET_ENDS_H
#define TCPMIBD_KERNEL_BPF_SOCKET_ENDS_H

// What socket_ends.bpf.c and its reader, kernel/bpf_ends.cc, say to one another. Numbers are in the
// host's order but for addresses.

#include <linux/types.h>

enum {
  kEndReasons = 10,  // the codes, of which 0 is none
  kEndPorts = 1024,  // rows of the maps
  kEndRemotes = 4096,
  kEndRing = 1 << 20,  // octets; some 7 700 records
  kEndCommand = 16,    // TASK_COMM_LEN
};

enum end_direction { kEndUnknown = 0, kEndActive = 1, kEndPassive = 2 };

// A connection that has ended, of whichever network namespace.
struct end_record {
  __u64 at;        // CLOCK_MONOTONIC, ns
  __u64 lived;     // ns; 0: it was there before us
  __u64 received;  // octets of data
  __u64 sent;      // likewise, repeats not counted
  __u64 cgroup;    // cgroup2 id
  __u32 space;     // inode of the network namespace
  __u32 pid;       // who called connect(); 0: nobody, or not known
  __u32 retransmits;
  __u32 round_trip;  // smoothed, µs
  __u16 local_port;
  __u16 remote_port;
  __u16 error;
  __u8 family;  // AF_INET or AF_INET6
  __u8 left;    // the state it left, as the kernel numbers them
  __u8 reason;
  __u8 direction;
  __u8 spare[6];
  __u8 local[16];  // network order; an IPv4 address in the first four
  __u8 remote[16];
  char command[kEndCommand];  // of `pid`; the rest is 0
};

struct end_remote_key {
  __u8 address[16];
  __u16 port;
  __u16 family;
};

// What is counted by local port and by called service.
struct end_tally {
  __u64 since;  // ns, when the row was made
  __u64 last;   // ns, when it was last used
  __u32 begun;  // accepted, or called
  __u32 reasons[kEndReasons];
};

struct end_calls {
  __u32 calls;
  __u32 last;  // s of CLOCK_MONOTONIC
};

// What is counted besides, in one array for each processor.
enum end_sum { kEndLost, kEndUncounted, kEndPortRows, kEndRemoteRows, kEndSums };

#endif
