#!/usr/bin/env bash
# A socket with TCP_FASTOPEN_CONNECT is SYN_SENT with no SYN sent, and its send queue is a random number.
#
# One would expect SYN_SENT to mean that a SYN was sent, and the send queue to be a count of octets. With
# TCP_FASTOPEN_CONNECT and a cookie, connect() succeeds and sends nothing; the SYN goes with the first
# octets that the program writes. Until then, for ever if need be, the socket is SYN_SENT without a timer,
# nothing is counted in ActiveOpens, and Send-Q of ss and tx_queue of /proc/net/tcp are an arbitrary number
# of 32 bits, another one for each socket; half of them are negative in ss. SIOCOUTQ says 0, as it should.
#
# The cause: the queue is the difference of write_seq, which connect() has drawn at random already, and
# snd_una, which is set when the SYN is made. It matters because one such socket adds up to 4 GB to the
# sum of the send queues of a host or a port. SYN_SENT without a timer and without a retransmission tells
# such a socket.
#
# Seen on Linux 6.18.44 with iproute2 6.1.0-3 (Debian 12), 2026-11-29.
set -euo pipefail
source "$(dirname "$0")/lib/stage"
unpack iproute2=6.1.0-3
in_namespace "$@"
[[ -e /proc/sys/net/ipv4/tcp_fastopen ]] || cannot 'the kernel has no TCP Fast Open'
echo 1 >/proc/sys/net/ipv4/tcp_fastopen

cat >"$stage/wait.py" <<'P'
import fcntl, socket, struct, sys, termios

listener = socket.create_server(('127.0.0.1', 7650))
callers = []
for _ in range(8):
    caller = socket.socket()
    caller.setsockopt(socket.IPPROTO_TCP, 30, 1)  # TCP_FASTOPEN_CONNECT
    caller.setsockopt(socket.IPPROTO_TCP, 34, 1)  # TCP_FASTOPEN_NO_COOKIE: as if there were one already
    caller.connect(('127.0.0.1', 7650))
    callers.append(caller)

def unsent():
    return {struct.unpack('i', fcntl.ioctl(caller, termios.TIOCOUTQ, bytes(4)))[0] for caller in callers}

print('SIOCOUTQ', *unsent(), flush=True)
sys.stdin.readline()
accepted = []
for caller in callers:
    caller.sendall(b'hello')
    accepted.append(listener.accept()[0])
    assert accepted[-1].recv(5) == b'hello'
print('written', flush=True)
sys.stdin.readline()
P
mkfifo "$stage/steps"
python3 "$stage/wait.py" <"$stage/steps" >"$stage/told" &
exec 3>"$stage/steps"

attempts() { awk '/^Tcp: [0-9]/ { print $6 }' /proc/net/snmp; }

# waiting: state, send queue and timer of each.
waiting() { ss -Htno 'dport = :7650' | awk '{ print $1, $3 ($6 ? " " $6 : "") }'; }

# in_proc: the same queues as /proc/net/tcp tells them, as signed numbers of 32 bits.
in_proc() {
  awk '$4 == "02" { print substr($5, 1, 8) }' /proc/net/tcp |
    while read -r octets; do echo $(((16#$octets ^ 0x80000000) - 0x80000000)); done
}

eventually grep -qs SIOCOUTQ "$stage/told" || changed 'connect() does not return, or fails'
uname -r
ss -V
first=$(waiting)
queues=$(awk '{ print $2 }' <<<"$first")
echo "ActiveOpens $(attempts), $(cat "$stage/told"); state and send queue:"
echo "$first"
[[ $(attempts) == 0 && $(cut -d ' ' -f 1 <<<"$first" | sort -u) == SYN-SENT ]] || changed 'a SYN is sent'
[[ $(cat "$stage/told") == 'SIOCOUTQ 0' ]] || changed 'SIOCOUTQ is wrong, too'
[[ $first != *timer* ]] || changed 'there is a timer'
[[ $(sort <<<"$queues") == "$(in_proc | sort)" ]] || changed 'the two sources differ'
(($(sort -u <<<"$queues" | wc -l) > 1)) || changed 'the send queues are all the same'
echo >&3
eventually grep -qs written "$stage/told" || changed 'the octets do not go out'
echo "once each has written: ActiveOpens $(attempts); $(waiting | sort | uniq -c | xargs)"
[[ $(attempts) == 8 && $(waiting | sort -u) == 'ESTAB 0' ]] || changed 'what is written does not connect them'
as_described 'nothing sent, no timer, and a send queue that means nothing'
