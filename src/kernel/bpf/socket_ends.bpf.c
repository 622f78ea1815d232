// Watches TCP connections end: writes a record of each, of every network namespace, and counts those
// of our own by reason, by local port and by called service, and calls at ports where nobody listens.
//
// The step to CLOSE is the end: it is reported once, by the processor that makes it, with the socket
// locked. What happened before and is gone by then is kept in the socket's own storage. TIME_WAIT and
// requests are not sockets yet or no more and end unseen: a connection in TIME_WAIT has ended.

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "kernel/bpf/end_reason.h"
#include "kernel/bpf/socket_ends.h"

enum { kInet = 2, kInet6 = 10, kTcp = 6 };         // AF_… and IPPROTO_…, whose headers need libc
enum { kClosedByProgram = 0, kFinSeen = 1 };       // bits of skc_flags: SOCK_DEAD, SOCK_DONE
enum { kSyn = 0x02, kAck = 0x10 };  // RFC 9293, 3.1

// What is used of the kernel's types; the loader fits the offsets to those of the running kernel.
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
  unsigned int inum;
};

struct net {
  struct ns_common ns;
};

typedef struct {
  struct net* net;
} possible_net_t;

struct in6_addr {
  union {
    __u8 u6_addr8[16];
  } in6_u;
};

struct sock_common {
  __be32 skc_daddr;
  __be32 skc_rcv_saddr;
  __be16 skc_dport;
  unsigned short skc_family;
  unsigned long skc_flags;
  possible_net_t skc_net;
  struct in6_addr skc_v6_daddr;
  struct in6_addr skc_v6_rcv_saddr;
};

struct kernfs_node {
  __u64 id;
};

struct cgroup {
  struct kernfs_node* kn;
};

struct sock_cgroup_data {
  struct cgroup* cgroup;
};

struct sock {
  struct sock_common __sk_common;
  int sk_err;
  __u16 sk_protocol;
  struct sock_cgroup_data sk_cgrp_data;
};

struct inet_sock {
  struct sock sk;
  __be16 inet_sport;
};

struct inet_connection_sock {
  struct inet_sock icsk_inet;
};

struct tcp_sock {
  struct inet_connection_sock inet_conn;
  __u64 bytes_received;
  __u64 bytes_sent;
  __u64 bytes_retrans;
  __u32 total_retrans;
  __u32 srtt_us;
  __u32 snd_una;
  __u32 write_seq;
};

struct net_device {
  possible_net_t nd_net;
};

struct sk_buff {
  struct net_device* dev;
  unsigned char* head;
  __u16 transport_header;
};

#pragma clang attribute pop

// ---- What the loader sets ------------------------------------------------------------------

const volatile __u32 own_space = 0;      // inode of the network namespace that is counted
const volatile __u8 write_records = 1;
const volatile __u8 know_pids = 0;       // the reader's process namespace is the first

// ---- Maps ----------------------------------------------------------------------------------

// From a connection's first step to its end.
struct birth {
  __u64 at;  // 0: it was there before us
  char command[kEndCommand];
  __u32 pid;
  __u32 direction;
};

struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct birth);
} births SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, kEndRing);
} records SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, kEndReasons);
  __type(key, __u32);
  __type(value, __u64);
} reasons SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, kEndSums);
  __type(key, __u32);
  __type(value, __u64);
} sums SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, kEndPorts);
  __type(key, __u32);
  __type(value, struct end_tally);
} ports SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, kEndRemotes);
  __type(key, struct end_remote_key);
  __type(value, struct end_tally);
} remotes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1 << 16);
  __uint(map_flags, BPF_F_MMAPABLE);
  __type(key, __u32);
  __type(value, struct end_calls);
} closed_ports SEC(".maps");

// ---- Counting ------------------------------------------------------------------------------

static void add(void* per_processor, __u32 key) {
  __u64* value = bpf_map_lookup_elem(per_processor, &key);
  if (value)
    ++*value;
}

// The row of `key`, made now if need be. None where the map is full: that is counted.
static struct end_tally* row_of(void* map, const void* key, __u64 now, __u32 rows) {
  struct end_tally* row = bpf_map_lookup_elem(map, key);
  if (row)
    return row;
  struct end_tally fresh = {.since = now, .last = now};
  if (bpf_map_update_elem(map, key, &fresh, BPF_NOEXIST) == 0)
    add(&sums, rows);
  row = bpf_map_lookup_elem(map, key);
  if (!row)
    add(&sums, kEndUncounted);
  return row;
}

static void count_begun(struct end_tally* row, __u64 now) {
  if (!row)
    return;
  row->last = now;
  __sync_fetch_and_add(&row->begun, 1);
}

static void count_end(struct end_tally* row, __u64 now, __u8 reason) {
  if (!row || reason >= kEndReasons)
    return;
  row->last = now;
  __sync_fetch_and_add(&row->reasons[reason], 1);
}

static __u32 local_port(const struct tcp_sock* tcp) {
  // Not skc_num: that is 0 at CLOSE.
  return bpf_ntohs(tcp->inet_conn.icsk_inet.inet_sport);
}

static void copy_address(__u8 to[16], const struct in6_addr* from) {
  bpf_probe_read_kernel(to, 16, from);
}

static void remote_address(const struct sock* sk, __u8 to[16]) {
  if (sk->__sk_common.skc_family == kInet6)
    copy_address(to, &sk->__sk_common.skc_v6_daddr);
  else
    *(__be32*)to = sk->__sk_common.skc_daddr;
}

static void local_address(const struct sock* sk, __u8 to[16]) {
  if (sk->__sk_common.skc_family == kInet6)
    copy_address(to, &sk->__sk_common.skc_v6_rcv_saddr);
  else
    *(__be32*)to = sk->__sk_common.skc_rcv_saddr;
}

static struct end_tally* port_row(const struct tcp_sock* tcp, __u64 now) {
  const __u32 port = local_port(tcp);
  return row_of(&ports, &port, now, kEndPortRows);
}

static struct end_tally* remote_row(const struct sock* sk, __u64 now) {
  struct end_remote_key key = {.port = bpf_ntohs(sk->__sk_common.skc_dport),
                               .family = sk->__sk_common.skc_family};
  remote_address(sk, key.address);
  return row_of(&remotes, &key, now, kEndRemoteRows);
}

static __u32 space_of(const struct sock* sk) { return sk->__sk_common.skc_net.net->ns.inum; }

// ---- The steps of a connection -------------------------------------------------------------

static struct birth* born(struct sock* sk, __u32 direction, __u64 now) {
  if (!write_records)
    return 0;
  struct birth* birth = bpf_sk_storage_get(&births, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
  if (birth)
    *birth = (struct birth){.at = now, .direction = direction};
  return birth;
}

static void on_call(struct sock* sk, __u64 now) {
  struct birth* birth = born(sk, kEndActive, now);
  if (birth) {
    if (know_pids)
      birth->pid = bpf_get_current_pid_tgid() >> 32;
    bpf_get_current_comm(birth->command, sizeof birth->command);
  }
  if (space_of(sk) == own_space)
    count_begun(remote_row(sk, now), now);
}

// A listener's child. Not the step of a call that met another: that one has its storage.
static void on_child(struct sock* sk, const struct tcp_sock* tcp, __u64 now) {
  born(sk, kEndPassive, now);
  if (space_of(sk) == own_space)
    count_begun(port_row(tcp, now), now);
}

static __u8 reason_at_close(const struct sock* sk, const struct tcp_sock* tcp, __u8 left) {
  const unsigned long flags = sk->__sk_common.skc_flags;
  const struct end_facts facts = {
      .left = left,
      .fin_seen = (flags >> kFinSeen) & 1,
      .fin_acked = tcp->snd_una == tcp->write_seq,
      .orphaned = (flags >> kClosedByProgram) & 1,
      .was_started = local_port(tcp) != 0 && tcp->write_seq != 0,
      .error = sk->sk_err,
  };
  return end_reason(&facts);
}

// For a socket without storage: of before us, or where no records are wanted.
static __u32 accepts(const struct tcp_sock* tcp) {
  const __u32 port = local_port(tcp);
  if (bpf_map_lookup_elem(&ports, &port))
    return kEndPassive;
  return write_records ? kEndUnknown : kEndActive;
}

static void count(struct sock* sk, const struct tcp_sock* tcp, const struct birth* birth,
                  __u8 reason, __u64 now) {
  add(&reasons, reason);
  const __u32 direction = birth ? birth->direction : accepts(tcp);
  if (direction == kEndPassive)
    count_end(port_row(tcp, now), now, reason);
  else if (direction == kEndActive)
    count_end(remote_row(sk, now), now, reason);
}

static __u64 cgroup_of(const struct sock* sk) {
  if (!bpf_core_field_exists(sk->sk_cgrp_data.cgroup))
    return 0;
  const struct cgroup* cgroup = sk->sk_cgrp_data.cgroup;
  return cgroup ? cgroup->kn->id : 0;
}

static void write(struct sock* sk, const struct tcp_sock* tcp, const struct birth* birth, __u8 left,
                  __u8 reason, __u64 now) {
  struct end_record* record = bpf_ringbuf_reserve(&records, sizeof *record, 0);
  if (!record) {
    add(&sums, kEndLost);
    return;
  }
  __builtin_memset(record, 0, sizeof *record);
  record->at = now;
  if (birth) {
    record->lived = birth->at ? now - birth->at : 0;
    record->pid = birth->pid;
    record->direction = birth->direction;
    __builtin_memcpy(record->command, birth->command, sizeof record->command);
  }
  // The other end's FIN has a place in the numbers of data (RFC 9293, 3.4) and is no data.
  record->received = tcp->bytes_received;
  if (record->received && (sk->__sk_common.skc_flags >> kFinSeen) & 1)
    --record->received;
  record->sent = tcp->bytes_sent - tcp->bytes_retrans;
  record->retransmits = tcp->total_retrans;
  record->round_trip = tcp->srtt_us >> 3;
  record->cgroup = cgroup_of(sk);
  record->space = space_of(sk);
  record->local_port = local_port(tcp);
  record->remote_port = bpf_ntohs(sk->__sk_common.skc_dport);
  record->error = sk->sk_err;
  record->family = sk->__sk_common.skc_family;
  record->left = left;
  record->reason = reason;
  local_address(sk, record->local);
  remote_address(sk, record->remote);
  bpf_ringbuf_submit(record, 0);
}

static void on_end(struct sock* sk, const struct tcp_sock* tcp, __u8 left, __u64 now) {
  const struct birth* birth = write_records ? bpf_sk_storage_get(&births, sk, 0, 0) : 0;
  const __u8 reason = reason_at_close(sk, tcp, left);
  if (space_of(sk) == own_space)
    count(sk, tcp, birth, reason, now);
  if (write_records)
    write(sk, tcp, birth, left, reason, now);
}

static void on_step(struct sock* sk, int left, int entered) {
  const struct tcp_sock* tcp = bpf_skc_to_tcp_sock(sk);
  const __u64 now = bpf_ktime_get_ns();
  if (!tcp)
    return;
  if (entered == kEndSynSent)
    on_call(sk, now);
  else if (entered == kEndClose)
    on_end(sk, tcp, left, now);
  else
    on_child(sk, tcp, now);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(state_set, const struct sock* sk, int left, int entered) {
  if (sk->sk_protocol != kTcp)
    return 0;
  if (entered == kEndSynSent || (entered == kEndSynReceived && left == kEndListen) ||
      (entered == kEndClose && left != kEndListen))
    on_step((struct sock*)sk, left, entered);
  return 0;
}

// ---- Calls at closed ports --------------------------------------------------------------------------------

static void count_closed(const struct sk_buff* skb) {
  struct {
    __be16 source, destination;
    __be32 sequence, acknowledged;
    __u8 offset, flags;
  } header;
  if (BPF_CORE_READ(skb, dev, nd_net.net, ns.inum) != own_space)
    return;
  if (bpf_probe_read_kernel(&header, sizeof header,
                            BPF_CORE_READ(skb, head) + BPF_CORE_READ(skb, transport_header)) != 0)
    return;
  if ((header.flags & (kSyn | kAck)) != kSyn)
    return;
  const __u32 port = bpf_ntohs(header.destination);
  struct end_calls* row = bpf_map_lookup_elem(&closed_ports, &port);
  if (!row)
    return;
  row->last = bpf_ktime_get_ns() / 1000000000;
  __sync_fetch_and_add(&row->calls, 1);
}

// Since 6.10 with a reason, and also where there is no socket.
SEC("tp_btf/tcp_send_reset")
int BPF_PROG(reset_sent, const struct sock* sk, const struct sk_buff* skb, int reason) {
  if (sk)
    return 0;
  barrier_var(reason);  // An older kernel, which has none, must refuse the program.
  if (skb)
    count_closed(skb);
  return 0;
}

// Helpers that read the kernel's memory ask for one that agrees with the GPL.
char LICENSE[] SEC("license") = "Dual BSD/GPL";
