/// A step of a run as a job on the host: it does not depend on the connection that started it.
///
/// `/var/lib/fleet/jobs/RUN/NN-STEP/` (root, 0700) holds `script` (what the plan says), `job` (what wraps it), `started`
/// (the claim: boot id, unit, process and time), `output` (both streams) and `status` (written aside, then renamed). The
/// wrapper claims the step as its first act and ends at once if it is claimed, so a step runs at most once whatever is
/// started again. A folder without `started` never began; one without `status` and without a live process is unknown.
public struct Job: Hashable, Sendable {
    /// The run it belongs to.
    public var run: RunID
    /// Its place in the host's procedure, 1 ... 99.
    public var number: Int
    /// The step it carries out.
    public var step: StepID
    /// Which try of the step it is, counted from 1: each try has a folder and a claim of its own.
    public var attempt: Int
    /// The shell text to run as root.
    public var script: String
    /// After how many seconds it is ended on the host (``endedStatuses``); nil for a step that nobody may end half-way.
    public var endedAfterSeconds: Int64?
    /// The lock that must be held for it to be started; nil in tests of a job alone.
    public var lock: HostLock?
    /// What it needs of the host.
    public var ground: Ground

    /// Creates a job.
    public init(
        run: RunID, number: Int, step: StepID, attempt: Int = 1, script: String, endedAfterSeconds: Int64? = nil,
        under lock: HostLock? = nil, on ground: Ground = Ground()
    ) {
        self.lock = lock
        self.endedAfterSeconds = endedAfterSeconds
        self.attempt = attempt
        self.run = run
        self.number = number
        self.step = step
        self.script = script
        self.ground = ground
    }

    /// What a job needs of a host; a test gives it another place.
    public struct Ground: Hashable, Sendable {
        /// Where Fleet keeps its files.
        public var home = Job.home
        /// The shell that runs the script.
        public var shell = "/bin/sh"
        /// The folder that is there where systemd is process 1.
        public var systemd = "/run/systemd/system"
        /// Where the host's configuration is.
        public var configuration = "/etc"
        /// Where the commands around the script are found.
        public var path = "/usr/sbin:/usr/bin:/sbin:/bin"

        /// What every host has.
        public init() {}
    }

    /// Where Fleet keeps its files on a host.
    public static let home = "/var/lib/fleet"
    /// The variable that names the job's folder to its script.
    public static let folderVariable = "$FLEET_JOB"
    /// The folder of the run's jobs on the host, as a script names it.
    static let runFolder = "${FLEET_JOB%/*}"

    /// The job's name: `01-packages`, the second try `01-packages-2`.
    public var name: String { (number < 10 ? "0" : "") + "\(number)-\(step.rawValue)" + (attempt > 1 ? "-\(attempt)" : "") }
    /// The job's folder on the host.
    public var folder: String { "\(ground.home)/jobs/\(run)/\(name)" }
    /// The job's unit under systemd.
    public var unit: String { "fleet-\(run)-\(name).service" }

    /// The lock of the host, whose time a follower moves on.
    private var lockFolder: String { "\(ground.home)/lock" }
    /// A shell condition: whether the lock is that of this run.
    private var holdsLock: String { "grep -q -x \(shellQuoted("run \(run)")) \(shellQuoted(lockFolder + "/holder")) 2>/dev/null" }

    /// What to feed to a root shell to start the job; prints one line `NONCE ANSWER WORDS`, see ``StartAnswer``.
    ///
    /// Repeating it does no harm, at the same moment neither: a claimed job answers `claimed`, an unclaimed folder is filled
    /// anew and started. Files are written aside under the nonce, so two starts never write to one file. Nothing is started
    /// unless there is room for the files of a job.
    public func startScript(nonce: String) -> String {
        """
        LC_ALL=C PATH=\(shellQuoted(ground.path)); export LC_ALL PATH
        umask 077
        dir=\(shellQuoted(folder))
        unit=\(shellQuoted(unit))
        answer() { rm -f "$dir"/*.\(nonce); printf '\\n%s %s\\n' \(nonce) "$*"; exit 0; }
        put() {
            sed 's/^|//' 2>/dev/null | head -c "$2" 2>/dev/null >"$dir/$1.\(nonce)" &&
                [ "$(wc -c <"$dir/$1.\(nonce)")" -eq "$2" ] && mv -f "$dir/$1.\(nonce)" "$dir/$1"
        }
        words=$(mkdir -p "$dir" 2>&1) || answer refused "cannot make the folder of the job: $words"
        chmod 700 \(shellQuoted(ground.home)) \(shellQuoted(ground.home + "/jobs")) 2>/dev/null
        if [ -e "$dir/started" ]; then answer claimed; fi
        words=$( { head -c \(Self.room) /dev/zero >"$dir/room.\(nonce)"; } 2>&1) || answer refused "no room in $dir: $words"
        rm -f "$dir/room.\(nonce)"
        put script \(script.utf8.count) <<'\(nonce)' || answer refused "the script could not be written whole to $dir"
        \(Self.marked(script))
        \(nonce)
        put job \(wrapper.utf8.count) <<'\(nonce)' || answer refused "the job could not be written whole to $dir"
        \(Self.marked(wrapper))
        \(nonce)
        \(fence)if \(holdsLock); then echo \(name) >\(shellQuoted(lockFolder + "/step")); touch -c \(shellQuoted(lockFolder + "/holder")); fi
        pid=
        if [ -d \(shellQuoted(ground.systemd)) ]; then
            systemctl reset-failed "$unit" >/dev/null 2>&1 </dev/null
            words=$(systemd-run --unit="$unit" \(shellQuoted(ground.shell)) "$dir/job" 2>&1 </dev/null 9>&-) ||
                case $(systemctl show -p ActiveState "$unit" 2>/dev/null </dev/null) in
                # Another start was quicker, and its job has begun or is about to.
                *=active | *=activating | *=deactivating) ;;
                *)
                    # Whatever was asked for and comes late finds the step claimed, and ends at once.
                    (set -C; echo refused >"$dir/started") 2>/dev/null || answer claimed
                    answer refused "$(printf %s "$words" | head -c 300 | tr '\\n' ' ')"
                    ;;
                esac
        else
            setsid nohup \(shellQuoted(ground.shell)) "$dir/job" >/dev/null 2>&1 </dev/null 9>&- &
            pid=$!
        fi
        lives() {
            if [ -n "$pid" ]; then kill -0 "$pid" 2>/dev/null; return; fi
            case $(systemctl show -p ActiveState "$unit" 2>/dev/null </dev/null) in
            *=active | *=activating | *=deactivating) return 0 ;;
            *) return 1 ;;
            esac
        }
        tries=0
        while [ ! -e "$dir/started" ]; do
            tries=$((tries + 1))
            # On a host too busy to run it yet it is still to come; otherwise it may have begun and gone, so this is no refusal.
            if [ "$tries" -gt 400 ] && lives; then answer started; fi
            if [ "$tries" -gt 400 ]; then answer unsure "the job did not begin within 20 s"; fi
            sleep 0.05
        done
        answer started

        """
    }

    /// Shell text that refuses the start unless this coordinator still has the host's lock: one that slept for long may wake up after
    /// its host was given to somebody else. Nobody takes or breaks the lock from here to the end of the start.
    private var fence: String {
        guard let lock else { return "" }
        let holder = shellQuoted(lockFolder + "/holder")
        return """
            exec 9>\(shellQuoted(ground.home + "/guard"))
            flock -w 30 9 || answer refused "another coordinator is taking or leaving the lock"
            { \(holdsLock) && grep -q -x -F \(shellQuoted("machine \(lock.machine)")) \(holder); } 2>/dev/null ||
                answer refused "the lock of this host is no longer this run's"

            """
    }

    /// A text with a mark before every line, for a here-document.
    ///
    /// dash loses a byte of a line that begins like the word that ends the document and goes on with a byte above 0x7f.
    private static func marked(_ text: String) -> String {
        // Scalar by scalar: a carriage return and a line's end are one `Character`.
        var marked = "|"
        for scalar in text.unicodeScalars {
            marked.unicodeScalars.append(scalar)
            if scalar == "\n" { marked += "|" }
        }
        return marked
    }

    /// How many bytes must be free before a job is started: its files, and a beginning of its output.
    static let room = 1 << 18

    /// What ends the script in time, and kills it if it does not listen.
    private var timeLimit: String { endedAfterSeconds.map { "timeout -k 30 \($0) " } ?? "" }
    /// The statuses of a script that was ended so: it listened, or it had to be killed.
    ///
    /// - Source: timeout(1).
    public static let endedStatuses: Set<UInt8> = [124, 137]

    /// What wraps the script on the host. The claim comes first; the status last, and whole or not at all.
    ///
    /// The place of the status is taken before the script runs, so that a script that fills the disk still leaves one. The
    /// claim tells when the process began, for numbers of processes come again.
    private var wrapper: String {
        """
        dir=\(shellQuoted(folder))
        umask 077
        cd / || exit 1
        synced() { dd if=/dev/null of="$1" conv=notrunc,fsync 2>/dev/null; }
        ticks() { sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; }
        set -C
        { printf 'boot %s\\nunit %s\\npid %s\\nticks %s\\ntime %s\\n' "$(cat /proc/sys/kernel/random/boot_id)" \(shellQuoted(unit)) \
        "$$" "$(ticks "$$")" "$(date +%s)" >"$dir/started"; } 2>/dev/null || exit 0
        set +C
        synced "$dir/started"
        FLEET_JOB=$dir HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        export FLEET_JOB HOME PATH
        : >"$dir/output"
        \(warning)
        printf '%99s\\n' ' ' >"$dir/status.new"
        (umask 022; exec \(timeLimit)\(shellQuoted(ground.shell)) "$dir/script" </dev/null >>"$dir/output" 2>&1)
        status=$?
        printf 'exited %s\\nended %s\\n' "$status" "$(date +%s)" 1<>"$dir/status.new" || exit 1
        synced "$dir/status.new"
        mv -f "$dir/status.new" "$dir/status"
        """
    }

    /// Shell text that warns, in the job's own output, where nothing but the session holds the job and logind ends it with that.
    ///
    /// - Source: logind.conf(5), `KillUserProcesses`; a job under systemd is in no session.
    private var warning: String {
        """
        if [ ! -d \(shellQuoted(ground.systemd)) ] && \(Self.logindKills(in: ground.configuration)); then
            echo "fleet: warning: systemd does not start this step, and logind ends it if the session does (KillUserProcesses)" >>"$dir/output"
        fi
        """
    }

    /// A shell condition: whether logind is told to end what a session leaves behind.
    static func logindKills(in configuration: String) -> String {
        let folder = shellQuoted(configuration)
        let files = ["systemd/logind.conf", "systemd/logind.conf.d/*.conf", "elogind/logind.conf", "elogind/logind.conf.d/*.conf"]
        return "cat \(files.map { folder + "/" + $0 }.joined(separator: " ")) 2>/dev/null | "
            + "grep -q -i -E '^[[:space:]]*KillUserProcesses[[:space:]]*=[[:space:]]*(1|y|yes|t|true|on)[[:space:]]*$'"
    }

    /// What the host answered to ``startScript(nonce:)``.
    public enum StartAnswer: Hashable, Sendable {
        /// It runs.
        case started
        /// It was started before; follow it.
        case claimed
        /// It was not started, and why in the host's words.
        case refused(String)
        /// It may have been started or still be; why nobody knows. Starting it again does no harm.
        case unsure(String)
    }

    /// Reads the answer; nil if there is none, so nobody knows whether it was started.
    public static func startAnswer(in output: [UInt8], nonce: String) -> StartAnswer? {
        // Byte by byte: what a login prints may end with a carriage return, which is one `Character` with the line's end.
        for line in output.split(separator: 0x0a) where line.starts(with: "\(nonce) ".utf8) {
            let words = line.dropFirst(nonce.utf8.count + 1)
            let said = String(decoding: words.drop { $0 != 0x20 }.dropFirst(), as: UTF8.self)
            switch String(decoding: words.prefix { $0 != 0x20 }, as: UTF8.self) {
            case "started": return .started
            case "claimed": return .claimed
            case "refused": return .refused(said)
            case "unsure": return .unsure(said)
            default: continue
            }
        }
        return nil
    }

    /// What to feed to a root shell to follow the job from a byte offset of its output.
    ///
    /// Prints frames (``JobFrame``): `NONCE bytes N` and then N bytes, `NONCE alive` every five seconds, and at the end
    /// `NONCE exited STATUS`, or `NONCE vanished` when there is no status and nothing runs any more. One follower serves the
    /// whole job, so nothing is polled from outside.
    public func followScript(offset: Int64, nonce: String) -> String {
        """
        LC_ALL=C PATH=\(shellQuoted(ground.path)); export LC_ALL PATH
        dir=\(shellQuoted(folder))
        offset=\(offset)
        quiet=0
        beat=0
        gone=0
        word() { sed -n "s/^$1 //p" "$dir/started" 2>/dev/null; }
        lives() {
            # A job that a busy host has not begun yet is waited for, some five minutes.
            if [ ! -e "$dir/started" ]; then [ "$quiet" -lt 600 ]; return; fi
            pid=$(word pid)
            if [ -z "$pid" ] || [ "$(word boot)" != "$(cat /proc/sys/kernel/random/boot_id)" ]; then return 1; fi
            if [ -e "/proc/$pid/stat" ]; then
                set -- $(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null)
                [ "$1" != Z ] && [ "${20}" = "$(word ticks)" ]
                return
            fi
            # What the wrapper started may outlive it.
            kill -0 "-$pid" 2>/dev/null
        }
        printf '\\n%s follow\\n' \(nonce)
        while :; do
            if [ -f "$dir/status" ]; then over=1; else over=0; fi
            size=$(wc -c 2>/dev/null <"$dir/output" || echo 0)
            while [ "$size" -gt "$offset" ]; do
                count=$((size - offset))
                if [ "$count" -gt 262144 ]; then count=262144; fi
                printf '%s bytes %s\\n' \(nonce) "$count"
                tail -c "+$((offset + 1))" "$dir/output" | head -c "$count"
                offset=$((offset + count))
                quiet=0
            done
            if [ "$over" = 1 ]; then
                word=$(head -n 1 "$dir/status" | head -c 100)
                # A power cut may leave a status without its contents.
                case $word in "exited "[0-9]*) printf '%s %s\\n' \(nonce) "$word" ;; *) printf '%s vanished\\n' \(nonce) ;; esac
                exit 0
            fi
            # The heart beats at least every five seconds, however much the step writes.
            beat=$((beat + 1))
            if [ $((beat % 10)) = 0 ] && \(holdsLock); then touch -c \(shellQuoted(lockFolder + "/holder")); fi
            if [ "$gone" = 1 ]; then printf '%s vanished\\n' \(nonce); exit 0; fi
            quiet=$((quiet + 1))
            if [ $((quiet % 10)) = 0 ]; then
                if ! lives; then gone=1; continue; fi
                printf '%s alive\\n' \(nonce)
            fi
            if [ "$quiet" -lt 20 ]; then sleep 0.1; else sleep 0.5; fi
        done

        """
    }
}
