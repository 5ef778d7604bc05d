/// The one shell script that reads a host's facts.
///
/// It is fed to `sh -s` on standard input, as root or not, and prints its findings between two lines that carry a nonce, so
/// whatever a login banner or a `.bashrc` prints is not mistaken for them. It needs a POSIX shell (dash, bash 4.2), coreutils,
/// sed and grep; it reads nothing from standard input, bounds all it prints, and is parsed as a whole before its first
/// command runs, so a cut upload does nothing.
///
/// It changes nothing on the host. Only with `offer` it writes, and only below ``indexFolder``: the package manager's own
/// index, its locks and its hooks stay untouched (yum 3 has its `/var/run/yum.pid` while it runs, and
/// rpm touches the shared memory of its database whenever it is asked anything).
///
/// - Source: the package managers' manual pages apt.conf(5), yum.conf(5), dnf.conf(5) and proc(5) for `/proc/locks`.
public enum FactsScript {
    /// Fleet's own package index on a host: the only place written while facts are read.
    public static let indexFolder = "/var/lib/fleet/index"

    /// How long the package manager may take to read its sources, in seconds, before it is ended: less than a reader of facts
    /// waits, so that the host can say what took so long.
    static let offerSeconds = 120

    /// The script; `offer` also reads what the repositories offer, and `probes` are looked for in files.
    ///
    /// `nonce` must be hard to guess, 8 ... 64 ASCII letters and digits, new for every reading; the parser gets the same one,
    /// and the same probes in the same order.
    public static func text(offer: Bool, nonce: String, probes: [FileProbe] = []) -> String {
        precondition(isNonce(nonce), "a nonce is 8 to 64 ASCII letters and digits")
        return """
            fleet_facts() {
            N=\(nonce) OFFER=\(offer ? "yes" : "no") SECONDS_FOR_OFFER=\(offerSeconds) INDEX=\(indexFolder)

            """ + preparation + system.replacing("LOGIND_KILLS", with: Job.logindKills(in: "/etc")) + packages + units + locks + hostLock
                + probing(probes) + planning + offerFunctions + ending
    }

    /// Whether a text can frame the output.
    static func isNonce(_ text: String) -> Bool {
        (8...64).contains(text.utf8.count) && text.utf8.allSatisfy(\.isASCIILetterOrDigit)
    }

    /// A clean environment, and the words the rest is written with.
    private static let preparation = #"""
        export LC_ALL=C LANGUAGE=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
        unset GREP_OPTIONS BLOCK_SIZE DF_BLOCK_SIZE BLOCKSIZE POSIXLY_CORRECT TMPDIR COLUMNS CDPATH SYSTEMD_PAGER SYSTEMD_COLORS APT_CONFIG
        umask 077
        cd / || return 1
        section() { printf '\n@%s %s\n' "$N" "$1"; }
        have() { command -v "$1" >/dev/null; }
        limit() { if have timeout; then timeout -k 10 "$@"; else shift; "$@"; fi; }
        tab=$(printf '\t')
        me=$(id -u)

        """#

    /// Who and what the host is.
    private static let system = #"""
        section begin
        section id; echo "$me"
        section machine-id; head -c 64 /etc/machine-id || head -c 64 /var/lib/dbus/machine-id
        section boot-id; head -c 64 /proc/sys/kernel/random/boot_id
        section os-release; head -c 8192 /etc/os-release || head -c 8192 /usr/lib/os-release
        section architecture; uname -m
        section clock; date +%s
        section memory; grep -E '^Mem(Total|Available|Free):' /proc/meminfo
        section systemd
        if [ -d /run/systemd/system ] && have systemctl; then systemctl --version | head -n 1
        elif LOGIND_KILLS; then echo absent, logind kills
        else echo absent
        fi
        section database-client; if have mongo || have mongosh; then echo present; else echo absent; fi
        space() {
            for p in / /var /opt /var/lib/fleet; do
                d=$p
                while [ ! -d "$d" ]; do d=${d%/*}; d=${d:-/}; done
                printf '%s\t%s\n' "$p" "$(limit 10 df -P "$1" "$d" | tail -n 1 | head -c 1024)"
            done
        }
        section disk; space -k
        section selinux
        if have getenforce; then getenforce
        elif [ ! -e /sys/fs/selinux/enforce ]; then echo Disabled
        else case $(head -c 2 /sys/fs/selinux/enforce) in 1) echo Enforcing ;; 0) echo Permissive ;; *) echo unknown ;; esac
        fi

        """#

    /// The package manager, the Canopsis packages, and what the package database says is half done.
    ///
    /// A host with both managers is a Red Hat one with dpkg installed if `/etc/redhat-release` says so. What is half done is
    /// taken from the package states, which is what `dpkg --audit` reads too; that one also complains of harmless things.
    private static let packages = #"""
        manager=none
        if have apt-get && have dpkg-query && [ -s /var/lib/dpkg/status ]; then manager=apt; fi
        if have yum && have rpm && { [ "$manager" = none ] || [ -e /etc/redhat-release ]; }; then manager=yum; fi
        section manager; echo "$manager"
        asked=no
        section packages
        case $manager in
        apt)
            dpkg-query -W -f='${Version}' dpkg >/dev/null && asked=yes
            dpkg-query -W -f='${Package}\t${Version}\t${db:Status-Abbrev}\n' 'canopsis*' | head -n 100
            ;;
        yum)
            found=$(rpm -qa --qf '%{NAME}\t%{EPOCH}:%{VERSION}-%{RELEASE}\tii\n' 'canopsis*') && asked=yes
            printf '%s\n' "$found" | head -n 100
            ;;
        esac
        echo "asked $asked"
        section broken
        echo "asked $asked"
        case $manager in
        apt)
            dpkg-query -W -f='${db:Status-Abbrev}\t${Package} ${Version}\n' | grep -E '^(.[^inc]|..[^ ])' | head -n 40 | cut -b 1-300
            for f in /var/lib/dpkg/updates/*; do
                if [ -e "$f" ]; then echo "dpkg was interrupted: $f is left" | cut -b 1-300; break; fi
            done
            ;;
        yum)
            for f in /var/lib/yum/transaction-all.* /var/lib/yum/transaction-done.*; do
                if [ -e "$f" ]; then echo "unfinished yum transaction: $f" | cut -b 1-300; fi
            done | head -n 10
            ;;
        esac
        section version-file
        f=/opt/canopsis/VERSION.txt
        if [ -r "$f" ]; then head -c 300 "$f"; elif [ -e "$f" ]; then echo unreadable; else echo absent; fi
        section held
        if [ "$manager" = apt ]; then dpkg-query -W -f='${Package}\t${db:Status-Abbrev}\n' 'canopsis*' | sed -n 's/\th[a-zA-Z].*//p' | head -n 100; fi
        section cat-modules
        if [ -d /opt/canopsis/lib/python2.7/site-packages/canopsis_cat ]; then echo yes
        elif [ -d /opt/canopsis ] && [ ! -x /opt/canopsis ]; then echo unknown
        else echo no
        fi

        """#

    /// The units named `canopsis-*`: in memory, on disk, or enabled; templates without an instance are left out.
    private static let units = #"""
        section units
        if [ -d /run/systemd/system ] && have systemctl; then
            if memory=$(limit 20 systemctl list-units -a --type=service --full --no-legend --no-pager 'canopsis-*'); then
                disk=$(limit 20 systemctl list-unit-files --type=service --full --no-legend --no-pager 'canopsis-*')
                names=$(
                    {
                        printf '%s\n%s\n' "$memory" "$disk"
                        for f in /etc/systemd/system/*.wants/canopsis-*.service; do printf '%s\n' "${f##*/}"; done
                    } | sed -n 's/^[^a-z]*\(canopsis-[A-Za-z0-9:_.\\@-]*\.service\).*/\1/p' | grep -v '@\.service$' | sort -u | head -n 300
                )
                set -f
                set -- $names
                set +f
                echo "listed $#"
                if [ $# -gt 0 ]; then
                    limit 20 systemctl show -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p Result -p MainPID \
                        -p ExecMainStartTimestampMonotonic -- "$@" | sed 's/^$/next/' | head -c 262144
                fi
            else
                echo failed
            fi
        else
            echo absent
        fi

        """#

    /// Who holds a lock of the package manager.
    ///
    /// A lock is a record lock, found in `/proc/locks` by inode; that the process has that very file open is checked where
    /// it can be, as inode numbers repeat between file systems. A process id on file counts only while such a process lives.
    private static let locks = #"""
        holder() {
            words=$(head -c 400 "/proc/$1/cmdline" | tr '\000\t\r\n' '    ')
            printf '%s\t%s\t%s\n' "$1" "$2" "$words"
        }
        locked() {
            [ -e "$1" ] || return 0
            inode=$(stat -c %i "$1") || return 0
            grep -E "^[0-9]+: [A-Z]+ +[A-Z]+ +WRITE [0-9]+ [0-9a-f]+:[0-9a-f]+:$inode " /proc/locks | head -n 3 |
                while read -r _ _ _ _ pid _; do
                    [ -d "/proc/$pid" ] || continue
                    if [ "$me" = 0 ]; then ls -l "/proc/$pid/fd" | grep -q -F -e "-> $1" || continue; fi
                    holder "$pid" "$1"
                done
        }
        on_file() {
            [ -r "$1" ] || return 0
            pid=$(head -c 20 "$1" | tr -c -d 0-9)
            [ -n "$pid" ] && [ -d "/proc/$pid" ] || return 0
            case $(head -c 400 "/proc/$pid/cmdline" | tr '\000' ' ') in *yum* | *dnf* | *ackage* | *python*) holder "$pid" "$1" ;; esac
        }
        section lock
        case $manager in
        apt) for f in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do locked "$f"; done ;;
        yum)
            for f in /var/run/yum.pid /var/lib/dnf/rpmdb_lock.pid /var/cache/dnf/metadata_lock.pid /var/cache/dnf/download_lock.pid; do on_file "$f"; done
            for f in /var/lib/rpm/.rpm.lock /usr/lib/sysimage/rpm/.rpm.lock; do locked "$f"; done
            ;;
        esac

        """#

    /// Whose run has the host's lock, or left the host unfinished.
    private static let hostLock =
        """
        lock=\(HostLock.folder)

        """ + HostLock.reading + """

            section host-lock
            if [ "$me" != 0 ]; then echo unknown
            elif [ -e "$lock/holder" ]; then look; words; echo
            else echo free
            fi

            """

    /// What the repositories offer, read through an index of Fleet's own.
    ///
    /// apt reads the file named by `APT_CONFIG` before the host's configuration and the main file after it: so the main file
    /// is replaced by one that includes the host's and then moves the index and empties the lists of hooks. An index that
    /// could not be refreshed as a whole is thrown away. A line `Err:` alone says nothing: apt prints it for a compressed form
    /// of an index that is not there, and goes on with the next; what is lost for good is told by `W:` and `E:` lines.
    private static let offerFunctions = #"""
        refused() {
            printf 'status\tfailed\n'
            printf '%s\n' "$1" | grep . | head -n 12 | cut -b 1-400 | sed "s/^/words$tab/"
        }
        private_folder() {
            mkdir -p "$INDEX" || { refused "$INDEX could not be created"; return 1; }
            for p in "${INDEX%/*}" "$INDEX"; do
                if [ -L "$p" ] || [ ! -d "$p" ] || [ "$(stat -c %u "$p")" != 0 ]; then refused "$p is not a folder of root"; return 1; fi
            done
            chmod 700 "$INDEX"
        }
        offer_apt() {
            a=$INDEX/apt
            rm -rf "$a/lists/partial" "$a/cache" "$a/tmp"
            mkdir -p "$a/lists/partial" "$a/cache/archives/partial" "$a/tmp" || { refused "$a could not be created"; return; }
            printf 'Dir::Etc::main "%s";\n' "$a/main.conf" >"$a/first.conf"
            {
                if [ -f /etc/apt/apt.conf ]; then echo '#include "/etc/apt/apt.conf";'; fi
                for hook in Pre-Invoke Post-Invoke Post-Invoke-Success Auth-Failure; do echo "#clear APT::Update::$hook;"; done
                echo '#clear Acquire::Languages;'
                printf '%s "%s";\n' Dir::State::lists "$a/lists/" Dir::Cache "$a/cache/" Dir::Cache::archives "$a/cache/archives/" \
                    Dir::Cache::pkgcache "$a/cache/pkgcache.bin" Dir::Cache::srcpkgcache "$a/cache/srcpkgcache.bin" \
                    APT::Sandbox::User root APT::Update::Error-Mode any APT::Get::List-Cleanup true APT::Color false \
                    Acquire::Languages none Acquire::PDiffs false Acquire::Retries 0 \
                    Acquire::http::Timeout 20 Acquire::https::Timeout 20 Acquire::ftp::Timeout 20
            } >"$a/main.conf"
            export APT_CONFIG="$a/first.conf" TMPDIR="$a/tmp"
            limit "$SECONDS_FOR_OFFER" apt-get -q update >"$a/output" 2>&1
            status=$?
            bad=$(grep -E '^(E:|W: (Failed to fetch|Some index files|GPG error|An error occurred|The repository .* (is not signed|is no longer signed|does not have a Release file)))|previous index files will be used' "$a/output")
            case $status in
            0) ;;
            124 | 137) bad="apt-get update did not end within $SECONDS_FOR_OFFER s" ;;
            *) bad=${bad:-apt-get update: exit status $status, $(tail -n 1 "$a/output")} ;;
            esac
            if [ -n "$bad" ]; then
                rm -rf "$a/lists" "$a/cache"
                refused "$bad"
                return
            fi
            if names=$(limit 20 apt-cache pkgnames canopsis); then
                printf 'status\tread\n'
                names=$(printf '%s\n' "$names" | grep -E '^canopsis[a-z0-9+.-]*$' | sort -u | head -n 50)
                if [ -n "$names" ]; then limit 20 apt-cache madison $names | head -c 262144; fi
            else
                refused "apt-cache could not read the index"
            fi
            rm -rf "$a/cache"
        }
        offer_yum() {
            y=$INDEX/yum
            rm -rf "$y/tmp" "$y/log"
            mkdir -p "$y/cache" "$y/persist" "$y/log" "$y/tmp" || { refused "$y could not be created"; return; }
            find "$y/cache" -type f '(' -name 'repomd.xml*' -o -name cachecookie -o -name 'mirrorlist*' -o -name 'metalink*' ')' -exec rm -f '{}' +
            export TMPDIR="$y/tmp"
            set -- --setopt=cachedir="$y/cache" --setopt=persistdir="$y/persist" --setopt=keepcache=0 --setopt=exit_on_lock=1 \
                --setopt=timeout=20 --setopt=retries=2 --setopt=skip_if_unavailable=0 '--setopt=*.skip_if_unavailable=0'
            case $(readlink -f "$(command -v yum)") in
            *dnf*) set -- "$@" --setopt=logdir="$y/log" ;;
            *) set -- "$@" --setopt=logfile="$y/log/yum.log" ;;
            esac
            limit "$SECONDS_FOR_OFFER" yum -y -q "$@" list available --showduplicates 'canopsis*' >"$y/output" 2>"$y/errors"
            status=$?
            bad=$(grep -E -i 'ignoring (this repo|repositories)|failed loading|no more mirrors to try|skipping unreadable' "$y/errors")
            case $status in
            0) ;;
            1) if [ -n "$bad" ] || ! grep -q -i 'no matching packages to list' "$y/errors"; then bad=$(tail -n 12 "$y/errors"); bad=${bad:-yum list: exit status 1}; fi ;;
            124 | 137) bad="yum list did not end within $SECONDS_FOR_OFFER s" ;;
            *) bad="yum list: exit status $status
        $(tail -n 11 "$y/errors")" ;;
            esac
            if [ -n "$bad" ]; then
                rm -rf "$y/cache"
                refused "$bad"
            else
                printf 'status\tread\n'
                head -c 262144 "$y/output"
            fi
        }
        section offer
        if [ "$OFFER" != yes ]; then printf 'status\tnot-asked\n'
        elif [ "$me" != 0 ]; then refused "only root can refresh a package index"
        elif [ "$manager" = none ]; then refused "there is neither apt nor yum"
        elif private_folder; then "offer_$manager"
        fi
        if [ "$OFFER" = yes ]; then section clock-end; date +%s; fi

        """#

    /// The last marker, and the call.
    private static let ending = #"""
        section end
        }
        fleet_facts </dev/null 2>/dev/null

        """#
}

extension UInt8 {
    /// Whether this byte is an ASCII letter or digit.
    var isASCIILetterOrDigit: Bool { isASCIIDigit || (0x41...0x5a).contains(self) || (0x61...0x7a).contains(self) }
    /// Whether this byte is an ASCII digit.
    var isASCIIDigit: Bool { (0x30...0x39).contains(self) }
}
