#!/usr/bin/env bash
# A dump that asks sock_diag for protocol 262 (MPTCP) in the request's own field lists TCP, without an error.
#
# One would expect a dump of IPPROTO_MPTCP to hold MPTCP sockets or to fail. The field sdiag_protocol of
# inet_diag_req_v2 is one octet, and 262 cut to an octet is 6: IPPROTO_TCP. So the answer is a list of TCP
# sockets, with the subflows of MPTCP connections among them: it looks right as long as there is a
# connection of each kind, and its states are TCP's. MPTCP sockets are told only where the attribute
# INET_DIAG_REQ_PROTOCOL follows the request; it goes before the field, whatever that says. (A protocol
# that sock_diag does not know is an error, but one that the message tells that ends the dump,
# NLMSG_DONE: who does not look there takes it for an empty list.)
#
# It matters to whoever writes such a dump by hand or with a library that has the field only: the compiler
# warns in C at most, masks and casts hide it, and a test with one MPTCP connection passes.
#
# Seen on Linux 6.18.44, 2026-11-29.
set -euo pipefail
source "$(dirname "$0")/lib/stage"
in_namespace "$@"
[[ $(sysctl -n net.mptcp.enabled 2>/dev/null) == 1 ]] || cannot 'the kernel has no MPTCP'

cat >"$stage/dump.py" <<'P'
import errno, socket, struct

MPTCP = 262

def dump(field, attribute=None):
    """The listening ports, or the error, that sock_diag answers."""
    request = struct.pack('=BBBxI48x', socket.AF_INET, field, 0, 1 << 10)
    if attribute is not None:
        request += struct.pack('=HHI', 8, 3, attribute)  # INET_DIAG_REQ_PROTOCOL
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 4) as diag:  # NETLINK_SOCK_DIAG
        diag.send(struct.pack('=IHHII', 16 + len(request), 20, 0x301, 1, 0) + request)
        ports = []
        while True:
            answer, offset = diag.recv(1 << 16), 0
            while offset < len(answer):
                length, kind = struct.unpack_from('=IH', answer, offset)
                if kind in (2, 3):  # NLMSG_ERROR, NLMSG_DONE
                    error = -struct.unpack_from('=i', answer, offset + 16)[0]
                    end = f'{errno.errorcode[error]} in message {kind}' if error else ''
                    return ' '.join([str(port) for port in sorted(ports)] + [end]).strip()
                ports += struct.unpack_from('!H', answer, offset + 20)
                offset += (length + 3) & ~3

tcp = socket.create_server(('127.0.0.1', 7660))
mptcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM, MPTCP)
mptcp.bind(('127.0.0.1', 7661))
mptcp.listen()
print('field 6:', dump(socket.IPPROTO_TCP))
print('field 262, cut to an octet:', dump(MPTCP & 0xff))
print('field 262, cut, and the attribute:', dump(MPTCP & 0xff, MPTCP))
print('field 255 and the attribute:', dump(255, MPTCP))
print('field 200, which nobody knows:', dump(200))
P

uname -r
echo 'a TCP socket listens on port 7660, an MPTCP socket on 7661'
python3 "$stage/dump.py" | tee "$stage/seen"
cat >"$stage/described" <<'D'
field 6: 7660 7661
field 262, cut to an octet: 7660 7661
field 262, cut, and the attribute: 7661
field 255 and the attribute: 7661
field 200, which nobody knows: ENOENT in message 3
D
diff "$stage/described" "$stage/seen" || changed 'the protocol is understood in another way'
as_described 'without the attribute a dump of MPTCP is a dump of TCP'
