# A door into a network namespace: whoever connects to 127.0.0.1 here reaches 127.0.0.1 there.
#
#   perl relay.pl PID PORT       PORT in the network namespace of process PID. Prints the port on which it
#                                listens here: PORT, or if that is taken one of the nine after it.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

# What is opened here is listened on there: a descriptor keeps its namespace.
sub open_door {
  my ($pid, $port) = @_;
  $^F = 255;  # it outlives exec
  for my $try ($port .. $port + 9) {
    my $door = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $try, Listen => 64) or next;
    $| = 1;
    print "$try\n";
    exec 'nsenter', '--target', $pid, '--net', $^X, $0, '--through', fileno($door), $port;
  }
  die "relay.pl: no port of $port to ", $port + 9, " is free\n";
}

# Until either side has ended.
sub carry {
  my ($here, $there) = @_;
  my $select = IO::Select->new($here, $there);
  while () {
    for my $from ($select->can_read) {
      sysread($from, my $data, 65536) or return;
      my $to = $from == $here ? $there : $here;
      for (my $sent = 0; $sent < length $data;) {
        $sent += syswrite($to, $data, length($data) - $sent, $sent) // return;
      }
    }
  }
}

sub serve {
  my ($descriptor, $port) = @_;
  $SIG{CHLD} = 'IGNORE';
  my $door = IO::Socket::INET->new_from_fd($descriptor, 'r+') or die "relay.pl: $!\n";
  while () {
    my $caller = $door->accept or next;
    if (fork == 0) {
      my $there = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or exit 1;
      carry($caller, $there);
      exit 0;
    }
  }
}

@ARGV == 3 ? serve(@ARGV[1, 2]) : open_door(@ARGV);
