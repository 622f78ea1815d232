#!/usr/bin/env bash
# ListenDrops grows with no queue full where a caller cannot be reached: no listener was too slow.
#
# One would expect ListenDrops to count connections that a listener had no room for; that is what it is
# watched for. But a call whose SYN-ACK cannot be delivered counts, too: where the caller, or the router to
# it, answers no ARP, and where there is no route back. No queue is full and ListenOverflows stays. Nor
# does AttemptFails move, though half-open connections have gone.
#
# The cause: when "host unreachable" comes back, tcp_req_err() removes the half-open connection and calls
# tcp_listendrop(); tcp_conn_request() calls it where it finds no route. It matters because callers that
# are gone, or that a wrong route hides, raise each alarm on ListenDrops, of the namespace and of the
# listener ("d" of ss -m), and no larger backlog helps. ListenOverflows, or a queue seen at its limit, is
# what tells a listener that is too slow.
#
# Seen on Linux 6.18.44 with iproute2 6.1.0-3 (Debian 12), 2026-11-29.
set -euo pipefail
source "$(dirname "$0")/lib/stage"
unpack iproute2=6.1.0-3
in_namespace "$@"

# The caller's namespace, with an address that its interface answers no ARP for.
unshare --net sleep 600 &
caller=$!
in_caller() { nsenter --net="/proc/$caller/ns/net" "$@"; }
has_its_own() { ! [[ /proc/$caller/ns/net -ef /proc/self/ns/net ]]; }
eventually has_its_own || cannot 'no second namespace'
ip link add here address 02:00:00:00:00:01 type veth peer name there netns "$caller" ||
  cannot 'the kernel has no veth'
ip addr add 192.0.2.1/24 dev here
ip link set here up
in_caller ip link set lo up
in_caller ip addr add 192.0.2.2/24 dev there
in_caller ip addr add 192.0.2.3/32 dev lo
echo 1 | in_caller tee /proc/sys/net/ipv4/conf/there/arp_ignore >/dev/null
in_caller ip link set there up
in_caller ip neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev there

cat >"$stage/listen.py" <<'P'
import socket, time
listener = socket.create_server(('192.0.2.1', 7670), backlog=100)
print('ready', flush=True)
time.sleep(600)
P
python3 "$stage/listen.py" >"$stage/ready" &
eventually grep -qs ready "$stage/ready" || cannot 'nothing can listen'

cat >"$stage/call.py" <<'P'
import select, socket, sys, time
callers = [socket.socket() for _ in range(10)]
for caller in callers:
    caller.bind((sys.argv[1], 0))
    caller.setblocking(False)
    caller.connect_ex(('192.0.2.1', 7670))
# Less than a second: no SYN is repeated.
deadline, answered = time.monotonic() + 0.7, set()
while len(answered) < 10 and time.monotonic() < deadline:
    answered.update(select.select([], callers, [], max(0, deadline - time.monotonic()))[1])
print(len(answered))
P

attempt_fails() { awk '/^Tcp: [0-9]/ { print $8 }' /proc/net/snmp; }
drops_of_socket() { ss -Htlnm 'sport = :7670' | grep -o ',d[0-9]*)' | tr -dc 0-9; }
none_half_open() { [[ -z $(ss -Htn state syn-recv) ]]; }

# look ADDRESS: how many of ten calls were answered; and after them ListenDrops, the listener's own drops,
# ListenOverflows and AttemptFails.
look() {
  local answered
  answered=$(in_caller python3 "$stage/call.py" "$1")
  eventually none_half_open || true
  echo "$answered $(counter ListenDrops) $(drops_of_socket) $(counter ListenOverflows) $(attempt_fails)"
}

uname -r
ss -V
reached=$(look 192.0.2.2)
silent=$(look 192.0.2.3)
ip route add unreachable 192.0.2.3
routeless=$(look 192.0.2.3)
echo 'of ten calls answered; ListenDrops, drops of the socket, ListenOverflows, AttemptFails since the start:'
echo "a caller that can be reached: $reached; no answer to ARP: $silent; no route: $routeless"
[[ $reached == '10 0 0 0 0' ]] || changed 'calls from an address that can be reached count, or are not answered'
[[ $silent == '0 10 10 0 0' ]] || changed 'a neighbour that does not answer is counted otherwise'
[[ $routeless == '0 20 20 0 0' ]] || changed 'a route that is missing is counted otherwise'
as_described 'each call that could not be answered is a ListenDrop'
