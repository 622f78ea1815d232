#!/usr/bin/env bash
# Programs that only call live on half of the ephemeral ports, and who binds first takes them from all.
#
# One would expect that connect() chooses among all of ip_local_port_range, and that a port in use at one
# local address is free at another. connect() tries every second port first, those with the parity of the
# range's lower end, and the others only where none of these is left towards the remote end. Since it
# shares a port among remote ends, a program that calls many hosts never needs the other half. bind() to
# an address and port 0 begins with that other half. A port that bind() has chosen is passed over by
# connect() whatever both addresses are: a program that binds before it calls, from an address of its own,
# takes the ports from all others, who get EADDRNOTAVAIL for hosts that nobody has called. All the same
# those ports can be bound at another address.
#
# The cause: a bucket of the bind table is of a port, not of an address and a port, and connect() skips
# each one that bind() has made (__inet_hash_connect()); the parities keep the two out of each other's
# way (inet_csk_find_open_port()). It matters because the number of ports in use, of the host or of an
# address, does not tell how many are left: half may be plenty, and none may be left at an address that
# uses none. With IP_BIND_ADDRESS_NO_PORT bound programs choose as connect() does.
#
# Seen on Linux 6.18.44, 2026-11-29.
set -euo pipefail
source "$(dirname "$0")/lib/stage"
in_namespace "$@"

cat >"$stage/call.py" <<'P'
import errno, socket

hosts = [f'127.0.1.{number}' for number in range(1, 61)]
listeners = [socket.create_server((host, 7620), backlog=100) for host in hosts]
kept = []

def choose_from(low, high):
    with open('/proc/sys/net/ipv4/ip_local_port_range', 'w') as file:
        file.write(f'{low} {high}')

def call(host, bound_to=None, no_port=False):
    """The chosen port, or the name of the error."""
    connection = socket.socket()
    try:
        if no_port:
            connection.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        if bound_to:
            connection.bind((bound_to, 0))
        connection.connect((host, 7620))
    except OSError as error:
        connection.close()
        return errno.errorcode[error.errno]
    kept.append(connection)
    return connection.getsockname()[1]

def parity(ports):
    return ' and '.join(sorted({'odd' if port % 2 else 'even' for port in ports}))

def tell(who, what):
    print(f'{who}: {what}')

# 20 ports each time; which ones of their half many calls take is chance.
choose_from(40000, 40019)
ports = [call(host) for host in hosts]
tell('60 hosts called', f'{parity(ports)} ports only')
choose_from(40101, 40120)
ports = [call(host) for host in hosts]
tell('60 hosts called, range from an odd port', f'{parity(ports)} ports only')
choose_from(40200, 40219)
ports = [call(hosts[0]) for _ in range(20)]
tell('1 host called 20 times', f'{parity(ports[:10])}, then {parity(ports[10:])}')
choose_from(40300, 40319)
ports = [call(hosts[0], '127.0.0.5') for _ in range(20)]
tell('1 host called 20 times, bound first', f'{parity(ports[:10])}, then {parity(ports[10:])}')
tell('then another host, from another address', call(hosts[1]))
tell('the same, bound first', 'works' if isinstance(call(hosts[1], '127.0.0.6'), int) else 'fails')
choose_from(40400, 40419)
ports = [call(host, '127.0.0.5', no_port=True) for host in hosts]
tell('60 hosts called, bound without a port', f'{parity(ports)} ports only')
P

uname -r
python3 "$stage/call.py" | tee "$stage/seen"
cat >"$stage/described" <<'D'
60 hosts called: even ports only
60 hosts called, range from an odd port: odd ports only
1 host called 20 times: even, then odd
1 host called 20 times, bound first: odd, then even
then another host, from another address: EADDRNOTAVAIL
the same, bound first: works
60 hosts called, bound without a port: even ports only
D
diff "$stage/described" "$stage/seen" || changed 'ports are chosen in another way'
as_described 'connect() needs one half; what bind() has chosen is gone for connect() from everywhere'
