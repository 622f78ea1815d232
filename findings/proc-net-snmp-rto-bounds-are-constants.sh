#!/usr/bin/env bash
# RtoMin and RtoMax of /proc/net/snmp are constants: they say nothing of the timeouts that are in use.
#
# One would expect them to follow net.ipv4.tcp_rto_min_us (Linux 6.11) and net.ipv4.tcp_rto_max_ms (6.15),
# for they are TCP-MIB's tcpRtoMin and tcpRtoMax, the bounds of the retransmission timeout, and the sysctls
# are just these bounds. But 200 and 120000 are written into the file's counters when a namespace is made
# (tcp_mib_init() in the kernel's include/net/tcp.h) and never again. A connection's own timeout is then
# well below the "minimum", and one that gets no answer repeats itself every second where the "maximum"
# says two minutes.
#
# It matters to agents that serve the two objects from this file, and to whoever reckons from them how
# long a connection lives on that has lost its peer: the sysctls are to be read instead. (A route's rto_min
# goes before its sysctl still.)
#
# Seen on Linux 6.18.44 with iproute2 6.1.0-3 (Debian 12), 2026-11-29.
set -euo pipefail
source "$(dirname "$0")/lib/stage"
unpack iproute2=6.1.0-3
in_namespace "$@"
ipv4=/proc/sys/net/ipv4
[[ -e $ipv4/tcp_rto_min_us && -e $ipv4/tcp_rto_max_ms ]] || cannot 'the kernel has no such sysctls'

echo 20000 >$ipv4/tcp_rto_min_us
echo 1000 >$ipv4/tcp_rto_max_ms
echo 0 >$ipv4/tcp_syn_linear_timeouts  # The timeout of a SYN would double each time.
# A neighbour that is said to be there, so that a call to it gets no answer and no error.
ip link add near type veth peer name far
ip addr add 192.0.2.1/24 dev near
ip link set near up
ip link set far up
ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev near

cat >"$stage/talk.py" <<'P'
import socket, time
listener = socket.create_server(('127.0.0.1', 7640))
caller = socket.create_connection(('127.0.0.1', 7640))
called = listener.accept()[0]
for _ in range(50):
    caller.sendall(b'question')
    called.recv(100)
    called.sendall(b'answer')
    caller.recv(100)
unanswered = socket.socket()
unanswered.setblocking(False)
unanswered.connect_ex(('192.0.2.2', 7640))
print('ready', flush=True)
time.sleep(600)
P
python3 "$stage/talk.py" >"$stage/ready" &
eventually grep -qs ready "$stage/ready" || changed 'no connection came about'

# told NAME: what /proc/net/snmp says.
told() {
  awk -v name="$1" '/^Tcp:/ { if (!n) n = split($0, names)
                              else for (i = 1; i <= n; i++) if (names[i] == name) print $i }' /proc/net/snmp
}

# timeout FILTER: of the one connection, in whole ms.
timeout_of() {
  ss -Htni "$1" | grep -oE '\brto:[0-9]+' | tr -dc 0-9
}

repeats() {
  ss -Htni 'dst 192.0.2.2' | grep -oE 'backoff:[0-9]+' | tr -dc 0-9
}

three_repeats() {
  [[ $(repeats) -ge 3 ]]
}

uname -r
ss -V
eventually three_repeats || changed 'the unanswered call is not repeated every second'
least=$(timeout_of 'dport = :7640 and dst 127.0.0.1')
most=$(timeout_of 'dst 192.0.2.2')
echo "set: 20 to 1000 ms; /proc/net/snmp: $(told RtoMin) to $(told RtoMax) ms"
echo "a connection over the loopback: $least ms; a call repeated $(repeats) times: $most ms"
((least < 200 && most == 1000)) || changed 'the sysctls do not bound the timeouts'
[[ "$(told RtoMin) $(told RtoMax)" == '200 120000' ]] || changed 'the file follows the sysctls'
as_described 'the timeouts keep to the sysctls, and the file to its constants'
