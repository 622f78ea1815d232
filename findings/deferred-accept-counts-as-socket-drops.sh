#!/usr/bin/env bash
# A listener with TCP_DEFER_ACCEPT counts every connection that it serves as a drop of its socket.
#
# One would expect SK_MEMINFO_DROPS of a listening socket, "d" of ss -m, to count connections that it
# has lost, for it grows with each of those, too. But the bare ACK of the handshake is put aside on
# purpose while the listener waits for data, and the path that a half-open request takes to put a
# segment aside counts it on the listener. Nothing was lost, and ListenDrops does not move. Apache
# httpd sets the option on every listener by default, nginx with "deferred", so an alarm on that
# counter accuses each healthy web server. What was lost can be told per namespace only, by
# ListenDrops; a listener's share of that is never more than its own counter grew.
#
# Seen on Linux 6.18.44 with iproute2 6.1.0-3 (Debian 12), 2026-11-29.
set -euo pipefail
source "$(dirname "$0")/lib/stage"
unpack iproute2=6.1.0-3
in_namespace "$@"

cat >"$stage/serve.py" <<'P'
import socket, sys
listener = socket.create_server(('127.0.0.1', 7600))
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, int(sys.argv[1]))
print('ready', flush=True)
while True:
    connection = listener.accept()[0]
    connection.recv(100)
    connection.sendall(b'ok')
    connection.close()
P

cat >"$stage/call.py" <<'P'
import socket, time
served = 0
for _ in range(20):
    with socket.create_connection(('127.0.0.1', 7600), 5) as connection:
        time.sleep(0.01)  # The bare ACK is on its way alone.
        connection.sendall(b'hello')
        served += connection.recv(9) == b'ok'
print(served)
P

drops() {
  ss -Htlnm 'sport = :7600' | grep -o ',d[0-9]*)' | tr -dc 0-9
}

# look OPTION: prints what was served, and by how much the socket's own counter and ListenDrops grew.
look() {
  python3 "$stage/serve.py" "$1" >"$stage/ready" &
  local server=$! before served
  eventually grep -qs ready "$stage/ready"
  before=$(counter ListenDrops)
  served=$(python3 "$stage/call.py")
  echo "$served $(drops) $(($(counter ListenDrops) - before))"
  kill "$server"
  wait "$server" 2>/dev/null || true
  : >"$stage/ready"
}

uname -r
ss -V
plain=$(look 0)
deferred=$(look 30)
echo "served, drops of the socket, ListenDrops: without the option $plain; with it $deferred"
[[ $plain == '20 0 0' ]] || changed 'a listener without the option counts, too'
[[ $deferred == '20 20 0' ]] || changed 'a connection that is served is no drop, or is counted otherwise'
as_described 'each connection served is a drop of the socket; none was lost'
