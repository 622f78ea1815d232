#!/usr/bin/env bash
# After close() a TCP subflow of MPTCP goes on to show an inode that nobody holds any more.
#
# One would expect the inode in a dump of TCP sockets to be that of a file which some process has open:
# close() takes it away, and a TCP connection that lives on after it (FIN_WAIT_2) shows 0. So does the
# MPTCP connection in the dump of protocol 262. But its subflow in the dump of TCP is ESTABLISHED and keeps
# the number, at whichever end closes first, until the other end closes, too, or a minute is over.
#
# The cause: the kernel keeps a copy of the number in the socket (sk_ino, since Linux 6.18), which
# sk_set_socket() clears; __mptcp_close() takes the file away from the subflows without that function. It
# matters because the owner is looked for by that number, in all of /proc and at each look anew, and is
# never found. And a socket with an inode and without an owner is no longer a sign of a process that one
# has no right to look into.
#
# Seen on Linux 6.18.44 with iproute2 6.1.0-3 (Debian 12), 2026-11-29.
set -euo pipefail
source "$(dirname "$0")/lib/stage"
unpack iproute2=6.1.0-3
in_namespace "$@"
[[ $(sysctl -n net.mptcp.enabled 2>/dev/null) == 1 ]] || cannot 'the kernel has no MPTCP'

cat >"$stage/close.py" <<'P'
import os, socket, sys
kept, numbers = [], []
for port, protocol, who in ((7690, 6, 'caller'), (7691, 262, 'caller'), (7692, 262, 'called')):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    listener.bind(('127.0.0.1', port))
    listener.listen()
    caller = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    caller.connect(('127.0.0.1', port))
    called = listener.accept()[0]
    listener.close()
    first, other = (caller, called) if who == 'caller' else (called, caller)
    numbers.append(os.fstat(first.fileno()).st_ino)
    first.close()
    assert other.recv(1) == b''
    kept.append(other)
print('ready', os.fstat(kept[0].fileno()).st_ino, *numbers, flush=True)
sys.stdin.readline()
P
mkfifo "$stage/steps"
python3 "$stage/close.py" <"$stage/steps" >"$stage/told" &
exec 3>"$stage/steps"

# told PROTOCOL FILTER INODE: the state of the end that has closed, and what its inode is now.
told() {
  ss -Hane "$1" "$2" | awk -v lost="ino:$3" '{
    kept = "inode " ($0 ~ lost " " ? "kept" : $0 ~ /ino:0 / || $0 !~ /ino:/ ? "0" : "of another")
    print $1 ", " kept }'
}

# is_open INODE: whether a process or a thread has it.
is_open() {
  [[ -n $(find /proc/[0-9]*/task/*/fd -lname "socket:\[$1\]" 2>/dev/null) ]]
}

eventually grep -qs ready "$stage/told" || changed 'the connections do not come about'
read -r _ open plain caller called <"$stage/told"
uname -r
ss -V
is_open "$open" || changed 'an open socket is not found in /proc'
for inode in "$plain" "$caller" "$called"; do
  ! is_open "$inode" || changed "inode $inode is still open"
done
echo "no process has the inodes $plain, $caller and $called any more"
cat >"$stage/described" <<'D'
TCP, the caller has closed: FIN-WAIT-2, inode 0
MPTCP, the caller has closed: FIN-WAIT-2, inode 0; its subflow: ESTAB, inode kept
MPTCP, the called has closed: FIN-WAIT-2, inode 0; its subflow: ESTAB, inode kept
D
# mptcp FILTER INODE: the same of the connection and of its subflow.
mptcp() {
  echo "$(told -M "$1" "$2"); its subflow: $(told -t "$1" "$2")"
}
{
  echo "TCP, the caller has closed: $(told -t 'dport = :7690' "$plain")"
  echo "MPTCP, the caller has closed: $(mptcp 'dport = :7691' "$caller")"
  echo "MPTCP, the called has closed: $(mptcp 'sport = :7692' "$called")"
} | tee "$stage/seen"
diff "$stage/described" "$stage/seen" || changed 'the inode of a subflow is told otherwise'
as_described 'the subflow shows the inode of a file that is closed'
