import FleetCore
import TestSupport

/// All that a release's step could change on a lab host, at one moment: files, links, units and documents of the database.
struct HostState {
    /// The lines of each thing, by the path of a file or `unit NAME`; a unit that is inactive is not there.
    private(set) var things: [String: [String]] = [:]

    /// Shell text with a function `see` that prints it.
    ///
    /// Of every file in /etc and below /opt/canopsis, but what engines write themselves, it has owner, mode and time, of those a step may write the lines as well. The
    /// documents of the lab's database are files with a line each.
    static let probe = #"""
        see() {
            echo "#state"
            find /etc /opt/canopsis /var/lib/canopsis-db/canopsis /var/log/fleet-lab/queues -path /opt/canopsis/var -prune -o \
                -type f -printf '@%p\n+mode %m %u:%g\n+written %T@\n' -o -type l -printf '@%p\n+link to %l\n' 2>/dev/null
            find /opt/canopsis/etc /etc/systemd/system /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/canopsis-db/canopsis \
                /var/log/fleet-lab/queues -type f -exec awk 'FNR == 1 { print "@" FILENAME } { print "+" $0 }' {} + 2>/dev/null
            # The lab's own stand-in for an old systemctl is slow, and this is not about what it refuses.
            systemctl=/usr/lib/fleet-lab/real/systemctl
            [ -x $systemctl ] || systemctl=systemctl
            $systemctl show -p Id -p ActiveState -p NeedDaemonReload -p ExecMainStartTimestampMonotonic \
                $($systemctl --no-legend --plain --all list-units 'canopsis*' | sed 's/ .*//') | awk -F= '
                function tell() {
                    if (has["ActiveState"] != "inactive") {
                        print "@unit " has["Id"] "\n+" has["ActiveState"] "\n+written " has["ExecMainStartTimestampMonotonic"]
                        if (has["NeedDaemonReload"] == "yes") print "+systemd has not read it again"
                    }
                    delete has
                }
                $0 == "" { tell(); next }
                { has[$1] = $2 }
                END { tell() }'
        }

        """#

    /// One thing that is not what it was.
    struct Change: Equatable, CustomStringConvertible {
        /// Lines that are there no more.
        var gone: [String] = []
        /// Lines that were not there.
        var new: [String] = []

        /// The same lines as before, but a file was written again, or a unit started again.
        static let again = Change(new: ["again"])

        var description: String { (gone.map { "-" + $0 } + new.map { "+" + $0 }).joined(separator: "\n") }
    }

    /// Reads what `see` printed.
    init(_ lines: some Sequence<Substring> = [Substring]()) {
        var thing = ""
        for line in lines {
            if line.hasPrefix("@") {
                thing = String(line.dropFirst())
                things[thing, default: []] += []
            } else {
                things[thing, default: []].append(String(line.dropFirst()))
            }
        }
    }

    /// Reads it from a host.
    static func of(_ host: LabHost) async throws -> HostState {
        HostState(try await host.shell(probe + "see").split(separator: "\n").dropFirst())
    }

    /// What a host told in parts: a line with `#` and a title, and the lines below it.
    static func parts(of text: String) -> [(title: String, lines: [Substring])] {
        var parts: [(title: String, lines: [Substring])] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            if line.hasPrefix("#") {
                parts.append((String(line.dropFirst()), []))
            } else if !parts.isEmpty {
                parts[parts.count - 1].lines.append(line)
            }
        }
        return parts
    }

    /// What it is apart from times: nothing if it is not there.
    subscript(thing: String) -> [String] { things[thing, default: []].filter { !$0.hasPrefix("written ") } }

    /// What has changed since.
    func changes(since old: HostState) -> [String: Change] {
        var changes: [String: Change] = [:]
        for thing in Set(things.keys).union(old.things.keys) where things[thing] != old.things[thing] {
            var change = Change()
            for difference in self[thing].difference(from: old[thing]) {
                switch difference {
                case .remove(_, let line, _): change.gone.append(line)
                case .insert(_, let line, _): change.new.append(line)
                }
            }
            // Removals are told from the end.
            change.gone.reverse()
            changes[thing] = change == Change() ? .again : change
        }
        return changes
    }
}

/// What became of a host by a script that ran before the host was made to need it, and twice afterwards.
struct Trial {
    /// One run of the script.
    struct Run {
        var status: String
        var output: String
        var changes: [String: HostState.Change]
    }

    /// The run on a host as it was.
    let untimely: Run
    /// The run on a host that needs it.
    let first: Run
    /// The same again.
    let second: Run
    /// The host when it needed it, and after the first run.
    let (needing, done): (HostState, HostState)

    /// Tries a script on a host.
    ///
    /// - Parameters:
    ///   - preparation: shell text that makes the host need it.
    ///   - isTriedUntimely: whether it runs before that, too.
    init(_ script: String, on host: LabHost, after preparation: String, isTriedUntimely: Bool) async throws {
        let told = try await host.shell(
            """
            \(HostState.probe)
            \(Self.words)
            script=\(shellQuoted(script))
            try() {
                output=$(sh -c "$script" 2>&1 </dev/null)
                echo "#ended $?"
                printf '%s\\n' "$output" | sed 's/^/%/'
                see
            }
            \(isTriedUntimely ? "see; try" : "")
            (
                set -e
                \(preparation)
            ) >&2 || exit 1
            see
            try
            try
            """)
        var states: [HostState] = []
        var runs: [(status: String, output: String)] = []
        for part in HostState.parts(of: told) {
            if part.title == "state" {
                states.append(HostState(part.lines))
            } else {
                runs.append((String(part.title.dropFirst("ended ".count)), part.lines.map { $0.dropFirst() }.joined(separator: "\n")))
            }
        }
        if !isTriedUntimely {
            states = [HostState(), HostState()] + states
            runs = [("0", "")] + runs
        }
        guard states.count == 5, runs.count == 3 else { throw Trouble("\(host.name) told something else: \(told.prefix(2000))") }
        (needing, done) = (states[2], states[3])
        func run(_ number: Int, _ before: Int, _ after: Int) -> Run {
            Run(status: runs[number].status, output: runs[number].output, changes: states[after].changes(since: states[before]))
        }
        untimely = run(0, 0, 1)
        first = run(1, 2, 3)
        second = run(2, 3, 4)
    }

    /// Shell functions for preparations.
    static let words = #"""
        etc=/opt/canopsis/etc
        system=/etc/systemd/system
        engine() { for name in $2; do systemctl -q "$1" "canopsis-engine-go@engine-$name.service"; done; }
        # start_with ENGINE OPTIONS: a command line of one's own, in a file with an owner and a mode of its own.
        start_with() {
            mkdir -p "$system/canopsis-engine-go@engine-$1.service.d"
            file=$system/canopsis-engine-go@engine-$1.service.d/own.conf
            printf '# ours\n[Service]\nExecStart=\nExecStart=/opt/canopsis/bin/engine-%s %s\nRestartSec=2\n' "$1" "$2" >"$file"
            chown root:canopsis "$file"
            chmod 640 "$file"
            systemctl daemon-reload
        }
        """#
}
