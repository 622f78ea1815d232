# A program of the demo's scene, which processes and tables know by its NAME.
#
#   perl peer.pl NAME listen ADDRESS PORT BACKLOG ACCEPTS   accepts whoever comes, or (0) nobody; closes nothing
#   perl peer.pl NAME call ADDRESS PORT COUNT CLOSED        COUNT calls, of which it closes CLOSED
#
# It needs what Debian's perl-base brings, for that is on every Debian.
use strict;
use warnings;
use IO::Socket::INET;

($0, my ($act, $address, $port, $number, $last)) = @ARGV;
my @sockets;

sub serve {
  my $listener = IO::Socket::INET->new(LocalAddr => $address, LocalPort => $port, Listen => $number)
    or die "$0: listen on port $port: $@\n";
  push @sockets, $listener;
  push @sockets, scalar $listener->accept while $last;
}

# A call that a full queue does not take must not keep the others waiting.
sub call {
  push @sockets, IO::Socket::INET->new(PeerAddr => $address, PeerPort => $port, Blocking => 0)
    for 1 .. $number;
  for my $leaving (splice @sockets, 0, $last) {
    vec(my $connected = '', fileno $leaving, 1) = 1;
    select undef, $connected, undef, 5;
    close $leaving;
  }
}

$act eq 'listen' ? serve() : call();
sleep;
