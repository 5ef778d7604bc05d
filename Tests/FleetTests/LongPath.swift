import FleetCore
import TestSupport
import Testing

/// The way of a host with Go engines to 3.39.0, in a state that asks for every automatic step there is on it.
struct LongPath {
    /// The edition of the host.
    let edition: Edition
    /// Whether it begins at 3.22.0; else at 3.25.0, with the first package of the commercial edition's Go engines.
    let isOld: Bool
    /// The host.
    let host: LabHost

    /// What a person does, in the order in which it is due.
    static let manual = ["3.39.0-redis5", "3.39.0-amqp2engines", "3.39.0-unbind-che", "3.32.0-influx-stat"]

    private var isCAT: Bool { edition == .cat }

    /// The steps of the releases that are due.
    var steps: [String] { phases.flatMap(\.self) }

    /// The same by phase: before and after the packages, after `canopsinit` and after the restart. In a phase they go by release.
    var phases: [[String]] {
        func older(_ steps: String...) -> [String] { isOld ? steps : [] }
        func cat(_ steps: String...) -> [String] { edition == .cat ? steps : [] }
        let before = ["3.39.0-redis5", "3.38.0-shadowpass-rename"]
        let afterPackages =
            ["3.29.0-ticketapi-module", "3.29.0-autodeclaretickets", "3.31.0-go-engines-vars"] + cat("3.33.0-dynamic-infos-module")
            + ["3.37.0-cancelautosolvedelay", "3.39.0-alwaysflushentities"]
        let afterInit =
            older("3.23.0-autorecompute-option") + cat("3.34.0-axe-postprocessors", "3.34.0-dropins", "3.34.0-enable-engines")
            + ["3.39.0-engine-fifo", "3.39.0-rabbitmq-init-\(edition.rawValue)"]
            + ["3.39.0-amqp2engines", "3.39.0-unbind-che"]
        let afterRestart =
            older("3.23.0-engine-watcher") + ["3.30.0-weather-dates", "3.32.0-pbehavior-templates", "3.32.0-influx-stat"]
            + cat("3.34.0-start") + ["3.39.0-engine-fifo-start"]
        return [before, afterPackages, afterInit, afterRestart]
    }

    /// The steps Fleet does.
    var automatic: [String] { steps.filter { !Self.manual.contains($0) } }

    /// Puts the host into the state that asks for all of them: options that are no more, files that were changed locally.
    func prepare() async throws {
        let options = (isOld ? "-autoRecomputeWatchers " : "") + (isCAT ? "-postProcessorsDirectory /plugins/axepostprocessor " : "")
        try await host.shell(
            """
            set -e
            \(Trial.words)
            start_with axe '-autoDeclareTickets \(options)-d'
            start_with che '-alwaysFlushEntities -d'
            engine restart 'axe che'
            sed -i 's/^cookie_expires=.*/cookie_expires=600/' $etc/webserver.conf
            chmod 640 $etc/webserver.conf
            sed -i 's/^FlappingFreqLimit.*/FlappingFreqLimit = 3/' $etc/default_configuration.toml
            printf '\\n[[queues]]\\nname = "Engine_own"\\n' >>$etc/initialisation.toml
            sed -i 's/localhost:6379/redis.example:6379/' $system/canopsis-engine-go@.service.d/variables.conf
            systemctl daemon-reload
            /usr/lib/fleet-lab/database server <<'SCRIPT'
            db.default_rights.update({_id: 'root'}, {$rename: {shadowpasswd: 'shadowpass'}});
            SCRIPT
            """)
    }

    /// Does what a step asks a person for, as far as the lab has it.
    func act(_ step: String) async throws {
        guard step == "3.39.0-amqp2engines" else { return }
        let sample = "amqp2engines-go-\(edition.rawValue).conf.example"
        try await host.shell("cd /opt/canopsis/etc && cat \(sample) >amqp2engines.conf")
    }

    /// Looks whether the host has become what the releases ask for.
    func check() async throws {
        let name: Comment = "\(host.name)"
        let state = try await HostState.of(host)
        func lines(_ file: String) -> [String] { state["/opt/canopsis/etc/" + file] }
        func command(_ engine: String, _ file: String) -> String? {
            state["/etc/systemd/system/canopsis-engine-go@engine-\(engine).service.d/\(file).conf"]
                .last { $0.hasPrefix("ExecStart=/") }.map { String($0.dropFirst("ExecStart=/opt/canopsis/bin/".count)) }
        }
        #expect(command("axe", "own") == "engine-axe -d", name)
        #expect(command("che", "own") == "engine-che -d", name)
        #expect(command("watcher", "watcher") == (isCAT ? "%i -publishQueue Engine_dynamic_infos" : "%i -autoRecomputeWatchers"), name)

        let module = "canopsis.webcore.services.dynamic_infos=1"
        #expect(lines("webserver.conf").first == "mode 640 canopsis:canopsis" && lines("webserver.conf").contains("cookie_expires=600"))
        #expect(lines("webserver.conf").contains(module) == isCAT && !lines("webserver.conf").joined().contains("ticketapi"), name)
        #expect(lines("default_configuration.toml").contains("FlappingFreqLimit = 3"), name)
        #expect(lines("default_configuration.toml").last == "CancelAutosolveDelay = \"1h\"", name)
        #expect(lines("go-engines-vars.conf").contains("CPS_REDIS_URL=\"redis://redis.example:6379/0\""), name)
        #expect(!state["/etc/systemd/system/canopsis-engine-go@.service.d/variables.conf"].joined().contains("CPS_"), name)
        #expect(lines("initialisation.toml.before-3.39.0").contains("name = \"Engine_own\""), name)

        let queues = state["/var/log/fleet-lab/queues"]
        #expect(queues.contains("Engine_fifo") && queues.contains("Engine_webhook") == isCAT, name)
        for engine in ["axe", "che", "action", "watcher", "fifo"] + (isCAT ? ["dynamic-infos", "webhook"] : []) {
            let unit = "canopsis-engine-go@engine-\(engine).service"
            #expect(state["unit \(unit)"] == ["active"], "\(name): \(engine)")
            #expect(!state["/etc/systemd/system/multi-user.target.wants/\(unit)"].isEmpty, "\(name): \(engine)")
        }
        let told = try await host.database(
            """
            var root = db.default_rights.findOne({_id: 'root'});
            var parameters = db.views.findOne({_id: 'view.weather'}).tabs[0].rows[0].widgets[0].parameters;
            print([root.shadowpass, root.shadowpasswd, parameters.blockTemplate, parameters.entityTemplate].join('|'));
            """)
        #expect(
            told == "|824467EA1363234B5232CC873CF4C488A6838BCA|<p>{{entity.name}}</p><p>{{timestamp entity.stats.last_ko}}</p>"
                + "|{{pbehavior.tstart}} {{pbehavior.name}} {{pbehavior.rrule}}\n", name)
    }

    /// Runs once more what Fleet ran for the releases, as it lies on the host, and looks whether anything changes.
    func repeatJobs() async throws {
        let told = try await host.shell(
            """
            \(HostState.probe)
            see
            for job in /var/lib/fleet/jobs/*/[0-9]*-3.*; do
                sh "$job/script" >/dev/null 2>&1 </dev/null
                echo "#ended $? ${job##*-3}"
            done
            see
            """)
        let parts = HostState.parts(of: told)
        let ended = parts.map(\.title).filter { $0.hasPrefix("ended ") }
        #expect(ended.count == automatic.count && ended.allSatisfy { $0.hasPrefix("ended 0 ") }, "\(host.name): \(ended)")
        let states = parts.filter { $0.title == "state" }.map { HostState($0.lines) }
        let changes = try #require(states.last).changes(since: try #require(states.first))
        #expect(states.count == 2 && changes.isEmpty, "\(host.name): \(changes)")
    }
}
