#!/usr/bin/env bash
# A process whose first thread has ended has no descriptors in /proc/PID/fd: its sockets belong to nobody.
#
# One would expect /proc/PID/fd to list what a process holds. It lists the table of the first thread. When
# that thread has ended (pthread_exit() in main(), which is allowed and leaves the others running), the
# folder is empty and belongs to root, so that the process's own user is refused, and the process shows as
# a zombie, while it goes on to serve. ss -p and lsof -i name no owner of its sockets. A thread that has a
# table of its own (unshare(CLONE_FILES)) hides what it opens in the same way. /proc/PID/task/TID/fd has
# them in both cases, and so have lsof with -K and ss with -T: but these ask for threads to be listed, and
# nothing says that owners are missing without them.
#
# The cause: /proc/PID stands for the thread whose number is PID, and a thread that ends drops its
# reference to the table at once, though others share it (exit_files()). It matters to everything that
# looks for the owner of a socket: it has to look at each thread's table, at least where the first thread
# is a zombie or a socket is left without an owner.
#
# Seen on Linux 6.18.44 with iproute2 6.1.0-3 and lsof 4.95.0-1 (Debian 12), 2026-11-29.
set -euo pipefail
source "$(dirname "$0")/lib/stage"
unpack iproute2=6.1.0-3 lsof=4.95.0-1
in_namespace "$@"
lsof -v >/dev/null 2>&1 || cannot 'lsof lacks a library'

cat >"$stage/hold.py" <<'P'
import ctypes, os, socket, sys, threading, time

kind, port = sys.argv[1], int(sys.argv[2])
libc = ctypes.CDLL(None)
opened = threading.Event()

def hold():
    global listener
    if kind == 'own-table':
        assert libc.unshare(0x400) == 0  # CLONE_FILES
    listener = socket.create_server(('127.0.0.1', port))
    opened.set()
    time.sleep(600)

threading.Thread(target=hold).start()
opened.wait()
os.setgid(65534)
os.setuid(65534)
libc.prctl(4, 1)  # PR_SET_DUMPABLE: as if it had been this user's all along
print('ready', flush=True)
if kind == 'first-gone':
    libc.pthread_exit(None)
time.sleep(600)
P

# sockets FOLDER...: how many sockets the folders of descriptors hold between them, each counted once.
sockets() {
  find "$@" -lname 'socket:*' -printf '%l\n' | sort -u | wc -l
}

named() {
  grep -q "$1" && echo named || echo nobody
}

# settled KIND PID: it listens, and its first thread has ended if it is to.
settled() {
  grep -qs ready "$stage/ready" || return 1
  [[ $1 != first-gone ]] || grep -q 'State:.Z' "/proc/$2/status"
}

# look KIND PORT: what is told of a process of that kind that listens on the port.
look() {
  python3 "$stage/hold.py" "$1" "$2" >"$stage/ready" &
  local pid=$!
  eventually settled "$1" "$pid" || changed "$1: no such process comes about"
  echo "fd of uid $(stat -c %u "/proc/$pid/fd"): $(sockets "/proc/$pid/fd")," \
    "task/*/fd: $(sockets /proc/"$pid"/task/*/fd)," \
    "ss: $(ss -Htlnp "sport = :$2" | named "pid=$pid,")," \
    "ss -T: $(ss -HtlnT "sport = :$2" | named "pid=$pid,")," \
    "lsof: $(lsof -nP -iTCP:"$2" | named " $pid ")," \
    "lsof -K: $(lsof -nP -K -iTCP:"$2" | named " $pid ")"
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  : >"$stage/ready"
}

uname -r
ss -V
lsof -v 2>&1 | sed -n 's/.*revision: \([0-9]\)/lsof \1/p'
plain=$(look plain 7680)
gone=$(look first-gone 7681)
own=$(look own-table 7682)
echo 'sockets in /proc/PID/fd and /proc/PID/task/*/fd, and whom the tools name:'
echo "first thread lives:  $plain"
echo "first thread ended:  $gone"
echo "a table of its own:  $own"
[[ $plain == 'fd of uid 65534: 1, task/*/fd: 1, ss: named, ss -T: named, lsof: named, lsof -K: named' ]] ||
  changed 'a plain process is not found'
[[ $gone == 'fd of uid 0: 0, task/*/fd: 1, ss: nobody, ss -T: named, lsof: nobody, lsof -K: named' ]] ||
  changed 'a process whose first thread has ended is told otherwise'
[[ $own == 'fd of uid 65534: 0, task/*/fd: 1, ss: nobody, ss -T: named, lsof: nobody, lsof -K: named' ]] ||
  changed 'a thread with a table of its own is told otherwise'
as_described 'the socket is in use, and only the folders of the threads tell by whom'
