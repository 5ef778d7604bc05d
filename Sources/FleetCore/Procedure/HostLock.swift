/// The lock of one host: whose run works on it, or left it unfinished.
///
/// `/var/lib/fleet/lock/` on the host holds `holder` (run, person, machine, plan, reason, time), `step` (the step last started) and
/// `left` (the run is not at work any more). The folder is made aside and renamed into place, so two coordinators never both have it, and it is never empty; replacing one
/// whose coordinator is gone is guarded by a lock of the kernel's on `guard`, which a killed shell gives back. The time of
/// `holder` is a heartbeat: a job's follower moves it on. A host that is done is unlocked; one that was touched and is not done
/// keeps its lock, which says to everybody after that it is unfinished, until its run goes on or a person breaks the lock.
public struct HostLock: Hashable, Sendable {
    /// The run that takes the lock.
    public var run: RunID
    /// Who started it.
    public var person: String
    /// The machine it was started on.
    public var machine: String
    /// SHA-256 of the plan it carries out, hexadecimal.
    public var planDigest: String
    /// What it is for, in a few words: whoever finds the host locked reads it.
    public var reason: String

    /// Creates a lock for a run; words are kept to one short line each.
    public init(run: RunID, person: String, machine: String, planDigest: String, reason: String) {
        self.run = run
        self.person = Self.line(person)
        self.machine = Self.line(machine)
        self.planDigest = Self.line(planDigest)
        self.reason = Self.line(reason)
    }

    /// Where the lock is on a host.
    public static let folder = Job.home + "/lock"
    /// How old the heartbeat of a lock is, at least, when its coordinator counts as gone, in seconds.
    public static let staleSeconds = 600

    /// How many bytes a word of a lock has at most.
    private static let longest = 100

    /// One line of at most ``longest`` bytes: what a host cuts by bytes stays text.
    private static func line(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            let next = scalar.value < 0x20 || scalar.value == 0x7f ? "_" : String(scalar)
            guard line.utf8.count + next.utf8.count <= longest else { break }
            line += next
        }
        return line
    }

    /// What to feed to a root shell to take the lock; prints one line `NONCE ANSWER WORDS`, see ``Answer``.
    ///
    /// A lock of the same run is taken again, from another machine once its heartbeat is old: two coordinators may have the
    /// same journal. One of another run gives way only if its coordinator is gone and no step was begun.
    public func takeScript(nonce: String) -> String {
        """
        LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH
        umask 077
        lock=\(Self.folder)
        run=\(run)
        machine=\(shellQuoted(machine))
        answer() { printf '\\n%s %s\\n' \(nonce) "$*"; exit 0; }
        mkdir -p \(Job.home) 2>/dev/null && chmod 700 \(Job.home) || answer refused "cannot make \(Job.home)"
        exec 9>\(Job.home)/guard
        flock -w 30 9 || answer refused "another coordinator is taking or leaving the lock"
        \(Self.reading)
        new=$(mktemp -d \(Job.home)/lock.XXXXXX) || answer refused "cannot write to \(Job.home)"
        printf 'run %s\\nperson %s\\nmachine %s\\nplan %s\\nreason %s\\nsince %s\\n' "$run" \(shellQuoted(person)) \
        \(shellQuoted(machine)) \(shellQuoted(planDigest)) \(shellQuoted(reason)) "$(date +%s)" >"$new/holder" || { rm -rf "$new"; answer refused "cannot write to \(Job.home)"; }
        dd if=/dev/null of="$new/holder" conv=notrunc,fsync 2>/dev/null
        if mv -T "$new" "$lock" 2>/dev/null; then answer taken; fi
        look
        if [ "$holder" = "$run" ]; then
            if grep -q -x -F "machine $machine" "$lock/holder" || [ "$age" -gt \(Self.staleSeconds) ] || [ -e "$lock/left" ]; then
                # A step that was begun stays written down.
                mv -f "$new/holder" "$lock/holder" && rm -rf "$new" "$lock/left" && answer taken
            fi
        elif [ "$age" -gt \(Self.staleSeconds) ] && [ "$live" = no ] && [ ! -e "$lock/step" ] && [ ! -e "$lock/left" ]; then
            old=$(mktemp -d \(Job.home)/old.XXXXXX) && mv -T "$lock" "$old" 2>/dev/null && mv -T "$new" "$lock" 2>/dev/null &&
                { rm -rf "$old"; answer taken; }
        fi
        rm -rf "$new"
        answer held "$(words)"

        """
    }

    /// What to feed to a root shell when the work on the host is over: unlocks it, or leaves the lock as the sign that the host is
    /// unfinished and nobody works on it any more.
    public func leaveScript(unfinished: Bool) -> String {
        """
        lock=\(Self.folder)
        exec 9>\(Job.home)/guard
        flock -w 30 9
        if grep -q -x \(shellQuoted("run \(run)")) "$lock/holder" 2>/dev/null; then
            \(unfinished ? "" : clearing)
            \(unfinished ? ": >\"$lock/left\"" : "old=$(mktemp -d \(Job.home)/old.XXXXXX) && mv -T \"$lock\" \"$old\" && rm -rf \"$old\"")
        fi

        """
    }

    /// Takes the folders of old jobs away: those of the last five runs stay, and those of a run that has the host.
    private var clearing: String {
        "ls -1t \(Job.home)/jobs | sed '1,5d' | while read -r old; do "
            + "case $old in \(run)) ;; [0-9]*-[0-9]*-*) rm -rf \(Job.home)/jobs/\"$old\" ;; esac; done"
    }

    /// What to feed to a root shell to take a run's lock away from a host; prints one line `NONCE ANSWER WORDS`, see ``BreakAnswer``.
    ///
    /// What is broken is written down on the host: who, when, and whose lock it was. A lock in use is not broken.
    public static func breakScript(nonce: String, of run: RunID, person: String, machine: String) -> String {
        """
        LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin; export LC_ALL PATH
        umask 077
        lock=\(folder)
        answer() { printf '\\n%s %s\\n' \(nonce) "$*"; exit 0; }
        if [ ! -d "$lock" ]; then answer free; fi
        exec 9>\(Job.home)/guard
        flock -w 30 9 || answer refused "a coordinator is taking or leaving the lock"
        \(reading)
        look
        if [ "$holder" != \(shellQuoted(run.text)) ]; then answer held "$(words)"; fi
        if [ "$live" = yes ] || { [ "$age" -le \(staleSeconds) ] && [ ! -e "$lock/left" ]; }; then answer held "$(words)"; fi
        printf '%s broken by %s: %s\\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" \(shellQuoted("\(line(person))@\(line(machine))")) "$(words)" \
            >>\(Job.home)/broken-locks || answer refused "cannot write to \(Job.home)"
        old=$(mktemp -d \(Job.home)/old.XXXXXX) && mv -T "$lock" "$old" && rm -rf "$old" && answer broken
        answer refused "cannot write to \(Job.home)"

        """
    }

    /// What a host answered to ``breakScript(nonce:of:person:machine:)``.
    public enum BreakAnswer: Hashable, Sendable {
        /// The lock is gone.
        case broken
        /// There was none.
        case free
        /// It is in use, or another run's.
        case held(LockHolder)
        /// It could not be done, and why in the host's words.
        case refused(String)
    }

    /// Reads the answer; nil if there is none.
    public static func breakAnswer(in output: [UInt8], nonce: String) -> BreakAnswer? {
        for words in Self.answers(in: output, nonce: nonce) {
            switch words.prefix(while: { $0 != " " }) {
            case "broken": return .broken
            case "free": return .free
            case "held": return .held(LockHolder(words: words.dropFirst("held ".count)))
            case "refused": return .refused(String(words.dropFirst("refused ".count)))
            default: continue
            }
        }
        return nil
    }

    /// Shell functions that look at a lock: `look` sets `holder`, `age`, `live`, and `words` prints them for a person.
    ///
    /// A lock is live while a job of its run is: it has begun, has no status, and its unit or its process is there.
    static let reading = #"""
        look() {
            holder=$(sed -n 's/^run //p' "$lock/holder" 2>/dev/null | head -n 1 | tr -c -d 'a-z0-9-')
            age=$(($(date +%s) - $(stat -c %Y "$lock/holder" 2>/dev/null || date +%s)))
            # A heartbeat of the future: the clock was set back since, and nobody has touched the lock after that.
            if [ "$age" -lt -60 ]; then age=\#(staleSeconds + 1); fi
            live=no
            for job in /var/lib/fleet/jobs/"$holder"/*/; do
                if [ -e "$job/started" ] && [ ! -e "$job/status" ]; then
                    unit=$(sed -n 's/^unit //p' "$job/started" | head -n 1)
                    pid=$(sed -n 's/^pid //p' "$job/started" | head -n 1 | tr -c -d 0-9)
                    case $(systemctl show -p ActiveState "$unit" 2>/dev/null) in
                    *=active | *=activating | *=deactivating) live=yes ;;
                    esac
                    boot=$(sed -n 's/^boot //p' "$job/started" | head -n 1)
                    if [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] && [ -n "$pid" ]; then
                        # Numbers of processes come again; what the wrapper started may outlive it.
                        ticks=$(sed -n 's/^ticks //p' "$job/started" | head -n 1)
                        if [ -e "/proc/$pid/stat" ]; then
                            if [ "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d ' ' -f 20)" = "$ticks" ]; then live=yes; fi
                        elif kill -0 "-$pid" 2>/dev/null; then live=yes
                        fi
                    fi
                fi
            done
        }
        words() {
            printf '%s %s %s %s %s' "$holder" "$age" "$live" "$([ -e "$lock/left" ] && echo left || echo held)" \
                "$(head -c 40 "$lock/step" 2>/dev/null | tr -c -d 'a-z0-9.-')"
            said() { sed -n "s/^$1 //p" "$lock/holder" 2>/dev/null | head -n 1 | head -c 100 | tr '\t' ' '; }
            printf ' %s@%s\t%s' "$(said person)" "$(said machine)" "$(said reason)"
        }
        """#

    /// What stands behind the nonce in each line that begins with it.
    private static func answers(in output: [UInt8], nonce: String) -> [String] {
        // Byte by byte: what a login prints may end with a carriage return, which is one `Character` with the line's end.
        output.split(separator: 0x0a).filter { $0.starts(with: "\(nonce) ".utf8) }
            .map { String(decoding: $0.dropFirst(nonce.utf8.count + 1).prefix(1000), as: UTF8.self) }
    }

    /// What a host answered to ``takeScript(nonce:)``.
    public enum Answer: Hashable, Sendable {
        /// The run has the lock.
        case taken
        /// Somebody else has it.
        case held(LockHolder)
        /// It could not be taken, and why in the host's words.
        case refused(String)
    }

    /// Reads the answer; nil if there is none.
    public static func answer(in output: [UInt8], nonce: String) -> Answer? {
        for words in Self.answers(in: output, nonce: nonce) {
            switch words.prefix(while: { $0 != " " }) {
            case "taken": return .taken
            case "held": return .held(LockHolder(words: words.dropFirst("held ".count)))
            case "refused": return .refused(String(words.dropFirst("refused ".count)))
            default: continue
            }
        }
        return nil
    }
}

/// Who has the lock of a host, as the host says it.
public struct LockHolder: Hashable, Sendable, Codable {
    /// The run; nil if what stands there is no run's id.
    public var run: RunID?
    /// Who started it, and where: `person@machine`, escaped and cut.
    public var person: String
    /// What it is for, as it was said when it was started, escaped and cut; empty if nothing stands there.
    public var purpose: String
    /// The step last started, such as `02-canopsinit`; empty if none was.
    public var step: String
    /// How old the heartbeat is, in seconds.
    public var ageSeconds: Int
    /// Whether a job of the run is alive on the host.
    public var isLive: Bool
    /// Whether the coordinator said that it leaves the host unfinished.
    public var wasLeft: Bool

    /// Creates a holder.
    public init(run: RunID?, person: String, purpose: String = "", step: String, ageSeconds: Int, isLive: Bool, wasLeft: Bool) {
        self.run = run
        self.person = person
        self.purpose = purpose
        self.step = step
        self.ageSeconds = ageSeconds
        self.isLive = isLive
        self.wasLeft = wasLeft
    }

    /// Reads `RUN AGE LIVE STATE STEP PERSON@MACHINE`, a tab and what it is for; what is not as it should be counts as a lock in use.
    init(words: some StringProtocol) {
        let fields = String(words).split(separator: Character(" "), maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        func field(_ place: Int) -> String { place < fields.count ? fields[place] : "" }
        run = RunID(field(0))
        ageSeconds = max(0, Int(field(1)) ?? 0)
        isLive = field(2) != "no"
        wasLeft = field(3) == "left"
        step = String(field(4).prefix(40)).escapedForTerminal()
        let last = field(5).split(separator: Character("\t"), maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        person = String((last.first ?? "").prefix(210)).escapedForTerminal()
        purpose = last.count > 1 ? String(last[1].prefix(100)).escapedForTerminal() : ""
    }

    /// Whether somebody may still be at work there.
    public var isInUse: Bool { isLive || !(wasLeft || ageSeconds > HostLock.staleSeconds) }

    /// Whether the host was touched and its run is not at work on it any more.
    public var isUnfinished: Bool { !isInUse && (wasLeft || !step.isEmpty) }

    /// Why a host with this lock is put off.
    public var reason: Reason {
        isUnfinished ? Reason(.leftUnfinished, ["holder": text, "run": run?.text ?? "?"]) : Reason(.hostLocked, ["holder": text])
    }

    /// `run 20261123-142501-x7k2 of root@admin (upgrade to 3.26.0), last step 02-canopsinit, 40s ago`.
    public var text: String {
        let when =
            wasLeft ? "left unfinished" : isLive ? "a job of it is running" : "last heard of \(Duration.seconds(ageSeconds).text) ago"
        return
            "run \(run?.text ?? "?") of \(person)\(purpose.isEmpty ? "" : " (\(purpose))")\(step.isEmpty ? "" : ", last step \(step)"), \(when)"
    }
}
