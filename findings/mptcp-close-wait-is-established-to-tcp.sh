#!/usr/bin/env bash
# A leaked MPTCP connection is ESTABLISHED in every list of TCP sockets for a minute, and then in none.
#
# One would expect that a connection whose peer has closed, and whose program has not, is CLOSE_WAIT
# in a dump of TCP sockets (sock_diag, ss, /proc/net/tcp): that is how such leaks are found. With
# MPTCP the end of the stream is signalled above TCP, and the TCP subflow stays ESTABLISHED: CLOSE_WAIT
# is told by a dump of protocol 262 alone. After a minute the peer, which has closed, gives the
# connection up; subflow and connection leave both lists, while the program still holds its
# descriptor. Who looks every five minutes never sees the leak at all. Programs made with Go since
# 1.24 listen with MPTCP unless told not to.
#
# It takes somewhat more than a minute.
#
# Seen on Linux 6.18.44 with iproute2 6.1.0-3 (Debian 12), 2026-11-29.
set -euo pipefail
source "$(dirname "$0")/lib/stage"
unpack iproute2=6.1.0-3
in_namespace "$@"
[[ $(sysctl -n net.mptcp.enabled 2>/dev/null) == 1 ]] || cannot 'the kernel has no MPTCP'

cat >"$stage/leak.py" <<'P'
import socket, time
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
listener.bind(('127.0.0.1', 7610))
listener.listen()
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
client.connect(('127.0.0.1', 7610))
server = listener.accept()[0]
client.close()
assert server.recv(1) == b''
print('ready', flush=True)
time.sleep(600)
P

# states PROTOCOL: of the server's end.
states() {
  ss -Hn "$1" -a 'sport = :7610 and dport != 0' | awk '$2 != "LISTEN" && $1 != "LISTEN"' |
    grep -oE '(ESTAB|CLOSE-WAIT)' || true
}

python3 "$stage/leak.py" >"$stage/ready" &
server=$!
eventually grep -qs ready "$stage/ready" || changed 'the end of the stream is not told'
uname -r
ss -V
first_tcp=$(states -t) first_mptcp=$(states -M)
is_gone() { [[ -z $(states -t) ]]; }
patience=90 eventually is_gone && later_tcp=none || later_tcp=$(states -t)
later_mptcp=$(states -M)
later_mptcp=${later_mptcp:-none}
kill -0 "$server" || changed 'the program has ended'
echo "TCP sockets: $first_tcp, later $later_tcp; MPTCP sockets: $first_mptcp, later $later_mptcp"
[[ "$first_tcp $first_mptcp" == 'ESTAB CLOSE-WAIT' ]] || changed 'TCP tells of it'
[[ "$later_tcp $later_mptcp" == 'none none' ]] || changed 'it is seen for longer, or less long'
as_described 'a leak that no list of TCP sockets shows as one, and after a minute no list at all'
