# Holds what a package manager holds while it changes the system: hold_package_lock.pl KIND [SECONDS], for ever without
# SECONDS. Runs on the host as the service lab-package-lock and tells systemd when it has the locks.
#
#   deb   record locks on dpkg's lock-frontend and lock, as apt-get has
#   rpm   dnf's rpmdb_lock.pid with the process id, and rpm's record lock, as yum has during a transaction
use strict;
use warnings;
use Fcntl;
use Socket;

my ($kind, $seconds) = @ARGV;
$0 = 'lab-lock-holder';

my %record_locks = (deb => ['/var/lib/dpkg/lock-frontend', '/var/lib/dpkg/lock'], rpm => ['/var/lib/rpm/.rpm.lock']);
my $dnf_lock = '/var/lib/dnf/rpmdb_lock.pid';
# struct flock: type, whence, start, length, process; with length 0 it is the whole file.
my $whole_file = pack('s s x4 q q i x4', F_WRLCK, 0, 0, 0, 0);
my @held;

for my $path (@{$record_locks{$kind}}) {
    sysopen(my $file, $path, O_RDWR | O_CREAT, 0640) or die "$path: $!\n";
    fcntl($file, F_SETLK, $whole_file) or die "$path: $!\n";
    push @held, $file;
}

if ($kind eq 'rpm') {
    mkdir '/var/lib/dnf';
    # Such a file without its process stands for nothing, as after a power cut.
    if (open(my $old, '<', $dnf_lock)) {
        my $process = <$old> // '';
        die "$dnf_lock: held by $process\n" if $process =~ /^\d+$/ && -e "/proc/$process";
    }
    open(my $file, '>', $dnf_lock) or die "$dnf_lock: $!\n";
    print $file $$;
    close $file or die "$dnf_lock: $!\n";
}

sub release {
    unlink $dnf_lock if $kind eq 'rpm';
    exit 0;
}
$SIG{TERM} = \&release;

socket(my $systemd, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!\n";
send($systemd, 'READY=1', 0, sockaddr_un($ENV{NOTIFY_SOCKET})) or die "systemd: $!\n";

if (defined $seconds) { sleep $seconds } else { sleep }
release();
