#!/usr/bin/env bash
# A port in TIME_WAIT is taken over after a second, or not for a minute: it depends on who chose it.
#
# One would expect tcp_tw_reuse to decide: where it holds (1; or 2, the default, over the loopback), a
# call may take over the port of a connection in TIME_WAIT once a second has passed. So it is where
# connect() chose that port. If the program had bound an address and port 0 before it connected, no
# connect() takes the port over, to no host, for the whole minute: EADDRNOTAVAIL. bind() to port 0 takes
# over neither kind, with SO_REUSEADDR or without.
#
# The cause: what is in TIME_WAIT keeps the port's bucket in the bind table, which says that bind() made
# it, and connect() passes over such a bucket before it would ask tcp_twsk_unique(); bind() never asks. It
# matters because both kinds look alike in every dump of sockets, and because tcp_tw_reuse, which is what
# one is told to set, does nothing for a program that binds first: it can make as many calls in a minute
# as there are ports. IP_BIND_ADDRESS_NO_PORT does help.
#
# It takes somewhat more than a minute.
#
# Seen on Linux 6.18.44, 2026-11-29.
set -euo pipefail
source "$(dirname "$0")/lib/stage"
in_namespace "$@"

cat >"$stage/wait.py" <<'P'
import errno, socket, time

listeners = {host: socket.create_server((host, 7630)) for host in ('127.0.0.1', '127.0.0.2')}

def write(name, value):
    with open(f'/proc/sys/net/ipv4/{name}', 'w') as file:
        file.write(str(value))

def call(way, port, host):
    """'works', with the caller's end in TIME_WAIT after it, or the name of the error."""
    write('ip_local_port_range', f'{port} {port}')
    caller = socket.socket()
    try:
        if way == 'bind-no-port':
            caller.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        if way == 'bind-reuseaddr':
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if way != 'connect':
            caller.bind(('127.0.0.1', 0))
        caller.connect((host, 7630))
    except OSError as error:
        caller.close()
        return errno.errorcode[error.errno]
    called = listeners[host].accept()[0]
    caller.close()
    assert called.recv(1) == b''
    called.close()
    return 'works'

class Port:
    """One port, called from in one way and then again in another."""

    def __init__(self, reuse, number, first, then, host):
        self.reuse, self.number, self.then, self.host = reuse, number, then, host
        self.name = f'tcp_tw_reuse {reuse}: {first}, then {then} to {host}'
        write('tcp_tw_reuse', reuse)
        assert call(first, number, '127.0.0.1') == 'works'
        self.since = time.monotonic()
        self.seen = []

    def again(self):
        write('tcp_tw_reuse', self.reuse)
        if self.seen[-1:] != ['works']:
            self.seen.append(call(self.then, self.number, self.host))

    def wait(self, age):
        while time.monotonic() < self.since + age:
            time.sleep(0.1)

ways = (('connect', 'connect', '127.0.0.1'), ('connect', 'bind', '127.0.0.1'),
        ('connect', 'bind-reuseaddr', '127.0.0.1'), ('bind', 'connect', '127.0.0.1'),
        ('bind', 'connect', '127.0.0.2'), ('bind', 'bind', '127.0.0.2'),
        ('bind-reuseaddr', 'bind-reuseaddr', '127.0.0.2'), ('bind-no-port', 'bind-no-port', '127.0.0.1'))
ports = []
for reuse in (2, 1):
    for way in ways:
        ports.append(Port(reuse, 40000 + len(ports), *way))
        ports[-1].again()
for age in (3, 50, 64):
    for port in ports:
        port.wait(age)
        port.again()
for port in ports:
    print(f'{port.name}: {" ".join(port.seen)}')
P

cat >"$stage/described" <<'D'
connect, then connect to 127.0.0.1: EADDRNOTAVAIL works
connect, then bind to 127.0.0.1: EADDRINUSE EADDRINUSE EADDRINUSE works
connect, then bind-reuseaddr to 127.0.0.1: EADDRINUSE EADDRINUSE EADDRINUSE works
bind, then connect to 127.0.0.1: EADDRNOTAVAIL EADDRNOTAVAIL EADDRNOTAVAIL works
bind, then connect to 127.0.0.2: EADDRNOTAVAIL EADDRNOTAVAIL EADDRNOTAVAIL works
bind, then bind to 127.0.0.2: EADDRINUSE EADDRINUSE EADDRINUSE works
bind-reuseaddr, then bind-reuseaddr to 127.0.0.2: EADDRINUSE EADDRINUSE EADDRINUSE works
bind-no-port, then bind-no-port to 127.0.0.1: EADDRNOTAVAIL works
D

uname -r
echo 'who had the port, who asks for it: at once, after 3 s, after 50 s, after 64 s'
python3 "$stage/wait.py" | tee "$stage/seen"
for reuse in 2 1; do
  diff "$stage/described" <(sed -n "s/^tcp_tw_reuse $reuse: //p" "$stage/seen") ||
    changed "a port in TIME_WAIT is given out otherwise with tcp_tw_reuse $reuse"
done
as_described 'tcp_tw_reuse gives back what connect() chose, and never what bind() chose'
