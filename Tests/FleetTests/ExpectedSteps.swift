import FleetCore
import TestSupport
import Testing

/// What an automatic step of the catalogue does on a host of 3.39.0 that was put into the state that asks for it.
struct ExpectedStep {
    /// Its name in the catalogue.
    var id: String
    /// The edition it is for; nil if for both.
    var edition: Edition?
    /// Whether it finds nothing to do on the host as it is.
    var isNeedless = true
    /// Shell text that makes the host need it.
    var preparation = ":"
    /// All that changes.
    var changes: [String: HostState.Change] = [:]
    /// Files that are there afterwards, and had not been: each with the file whose old lines, owner and mode it has.
    var copies: [String: String] = [:]
    /// Files that get the lines of another, and keep owner and mode.
    var contents: [String: String] = [:]
    /// Documents of the database: how many are others than before, and how many there are more.
    var documents: [String: (others: Int, more: Int)] = [:]
    /// New lines that have to stand right behind a certain line.
    var places: [(file: String, line: String, behind: String)] = []
    /// What is asked of the database afterwards, and what it answers.
    var answers: [(script: String, answer: String)] = []
    /// What a second run changes.
    var again: [String: HostState.Change] = [:]
    /// What must not be in the output.
    var secret: String?

    /// Tries the step on a host.
    func check(_ scripts: CatalogueScripts, on host: LabHost) async throws {
        let name: Comment = "\(host.name): \(id)"
        let trial = try await Trial(scripts.script(of: id), on: host, after: preparation, isTriedUntimely: isNeedless)
        #expect(trial.untimely.status == "0" && trial.untimely.changes.isEmpty, "\(name), needless: \(trial.untimely)")
        #expect(trial.first.status == "0", "\(name): \(trial.first.output)")
        #expect(trial.second.status == "0" && trial.second.changes == again, "\(name), again: \(trial.second)")
        if let secret { #expect(!trial.first.output.contains(secret), name) }

        var left = trial.first.changes
        for (thing, change) in changes { #expect(left.removeValue(forKey: thing) == change, "\(name): \(thing)") }
        for (copy, original) in copies {
            #expect(left.removeValue(forKey: copy)?.gone == [] && trial.needing[copy].isEmpty, "\(name): \(copy)")
            #expect(trial.done[copy] == trial.needing[original], "\(name): \(copy)")
        }
        for (file, model) in contents {
            #expect(left.removeValue(forKey: file) != nil, "\(name): \(file)")
            #expect(trial.done[file].first == trial.needing[file].first, "\(name): owner and mode of \(file)")
            #expect(trial.done[file].dropFirst() == trial.needing[model].dropFirst(), "\(name): \(file)")
        }
        for (collection, (others, more)) in documents {
            let change = left.removeValue(forKey: "/var/lib/canopsis-db/canopsis/\(collection).json")
            // The rest is whose file it is: the server is no process of its own in the lab.
            let gone = change?.gone.filter { $0.hasPrefix("{") }
            let new = change?.new.filter { $0.hasPrefix("{") }
            #expect(gone?.count == others && new?.count == others + more, "\(name): \(change?.description ?? "-")")
        }
        for place in places {
            let lines = trial.done[place.file]
            let number = lines.firstIndex(of: place.line) ?? 0
            #expect(number > 0 && lines[max(number - 1, 0)] == place.behind, "\(name): \(lines)")
        }
        #expect(left.isEmpty, "\(name) changed more: \(left)")
        for (script, answer) in answers { #expect(try await host.database(script) == answer + "\n", name) }
    }
}

extension ExpectedStep {
    private typealias Change = HostState.Change

    private static let etc = "/opt/canopsis/etc"
    private static let system = "/etc/systemd/system"

    private static func own(_ engine: String) -> String { "\(system)/canopsis-engine-go@engine-\(engine).service.d/own.conf" }
    private static func command(_ engine: String, _ options: String) -> String { "ExecStart=/opt/canopsis/bin/engine-\(engine) \(options)" }
    private static func unit(_ engine: String) -> String { "unit canopsis-engine-go@engine-\(engine).service" }
    private static func wanted(_ engine: String) -> String {
        "\(system)/multi-user.target.wants/canopsis-engine-go@engine-\(engine).service"
    }
    private static let link = Change(new: ["link to /lib/systemd/system/canopsis-engine-go@.service"])
    private static let running = Change(new: ["active"])

    /// A drop-in that a step makes.
    private static func dropIn(_ engine: String, _ options: String) -> [String: Change] {
        let text = ["mode 644 root:root", "[Service]", "ExecStart=", "ExecStart=/opt/canopsis/bin/%i \(options)"]
        return ["\(system)/canopsis-engine-go@engine-\(engine).service.d/\(engine).conf": Change(new: text)]
    }

    /// An engine that is started with other options than before.
    private static func restyled(_ engine: String, from old: String, to new: String) -> [String: Change] {
        [own(engine): Change(gone: [command(engine, old)], new: [command(engine, new)])]
    }

    private static func queues(_ id: String, _ edition: Edition, sample: String, kept: String) -> ExpectedStep {
        var step = ExpectedStep(id: id, edition: edition)
        step.isNeedless = false
        // The host has them all from the start, or from the step before.
        step.preparation = """
            printf '# ours\\n[[queues]]\\nname = "Engine_own"\\n' >$etc/initialisation.toml
            chmod 640 $etc/initialisation.toml
            printf 'Engine_own\\nEngine_che\\n' >/var/log/fleet-lab/queues
            """
        step.contents = ["\(etc)/initialisation.toml": "\(etc)/\(sample)"]
        step.copies = ["\(etc)/initialisation.toml.before-\(kept)": "\(etc)/initialisation.toml"]
        let new = ["axe", "action", "heartbeat", "watcher", "fifo"] + (edition == .cat ? ["dynamic_infos", "webhook"] : [])
        step.changes = ["/var/log/fleet-lab/queues": Change(new: new.map { "Engine_" + $0 })]
        return step
    }

    /// The engines of the chain of 3.34.0.
    private static let chain = ["action", "watcher", "dynamic-infos", "webhook"]

    /// Every step, in the order of the releases. A host has what the steps before have left.
    static var inOrder: [ExpectedStep] {
        [
            ExpectedStep(
                id: "3.23.0-autorecompute-option", preparation: "start_with axe '-autoRecomputeWatchers -d'",
                changes: restyled("axe", from: "-autoRecomputeWatchers -d", to: "-d").merging(
                    dropIn("watcher", "-autoRecomputeWatchers")
                ) { $1 }),
            ExpectedStep(
                id: "3.23.0-engine-watcher", preparation: "engine disable watcher; engine stop watcher",
                changes: [wanted("watcher"): link, unit("watcher"): running]),
            ExpectedStep(
                id: "3.29.0-ticketapi-module",
                preparation: """
                    sed -i '/services.internal=/a canopsis.webcore.services.ticketapi=1' $etc/webserver.conf
                    chown canopsis:adm $etc/webserver.conf
                    chmod 640 $etc/webserver.conf
                    """,
                changes: ["\(etc)/webserver.conf": Change(gone: ["canopsis.webcore.services.ticketapi=1"])],
                copies: ["\(etc)/webserver.conf.before-3.29.0": "\(etc)/webserver.conf"]),
            ExpectedStep(
                id: "3.29.0-autodeclaretickets", preparation: "start_with axe '-autoDeclareTickets=true -d'",
                changes: restyled("axe", from: "-autoDeclareTickets=true -d", to: "-d")),
            variables,
            ExpectedStep(
                id: "3.33.0-dynamic-infos-module", edition: .cat,
                preparation: """
                    sed -i '/services.dynamic_infos=/d' $etc/webserver.conf
                    printf '[own]\\nkey=value\\n' >>$etc/webserver.conf
                    """,
                changes: ["\(etc)/webserver.conf": Change(new: ["canopsis.webcore.services.dynamic_infos=1"])],
                places: [
                    ("\(etc)/webserver.conf", "canopsis.webcore.services.dynamic_infos=1", "canopsis.webcore.services.version=1")
                ]),
            ExpectedStep(
                id: "3.34.0-axe-postprocessors", edition: .cat,
                preparation: "start_with axe '-postProcessorsDirectory /plugins/axepostprocessor -d'",
                changes: restyled("axe", from: "-postProcessorsDirectory /plugins/axepostprocessor -d", to: "-d")),
            ExpectedStep(
                id: "3.34.0-dropins", edition: .cat, isNeedless: false,
                preparation: """
                    rm $system/canopsis-engine-go@engine-watcher.service.d/watcher.conf
                    start_with watcher -d
                    """,
                changes: restyled("watcher", from: "-d", to: "-d -publishQueue Engine_dynamic_infos").merging(
                    dropIn("dynamic-infos", "-publishQueue Engine_webhook")
                ) { $1 }.merging(dropIn("webhook", "-publishQueue Engine_action")) { $1 }),
            ExpectedStep(
                id: "3.34.0-enable-engines", edition: .cat, preparation: "engine disable '\(chain.joined(separator: " "))'",
                changes: Dictionary(uniqueKeysWithValues: chain.map { (wanted($0), link) })),
            queues("3.34.0-rabbitmq-init", .cat, sample: "initialisation-cat.toml.example", kept: "3.34.0"),
            ExpectedStep(
                id: "3.34.0-start", edition: .cat, preparation: "engine stop '\(chain.joined(separator: " "))'",
                changes: Dictionary(uniqueKeysWithValues: chain.map { (unit($0), running) })),
            ExpectedStep(
                id: "3.37.0-cancelautosolvedelay",
                preparation: """
                    sed -i '/^CancelAutosolveDelay/d' $etc/default_configuration.toml
                    printf '\\n[own]\\nKey = 1\\n' >>$etc/default_configuration.toml
                    chmod 640 $etc/default_configuration.toml
                    """,
                changes: ["\(etc)/default_configuration.toml": Change(new: ["CancelAutosolveDelay = \"1h\""])],
                places: [("\(etc)/default_configuration.toml", "CancelAutosolveDelay = \"1h\"", "StealthyInterval = 0")]),
            accounts,
            ExpectedStep(id: "3.39.0-engine-fifo", preparation: "engine disable fifo", changes: [wanted("fifo"): link]),
            queues("3.39.0-rabbitmq-init-core", .core, sample: "initialisation.toml.example", kept: "3.39.0"),
            queues("3.39.0-rabbitmq-init-cat", .cat, sample: "initialisation-cat.toml.example", kept: "3.39.0"),
            ExpectedStep(
                id: "3.39.0-alwaysflushentities", preparation: "start_with che '-d -alwaysFlushEntities'",
                changes: restyled("che", from: "-d -alwaysFlushEntities", to: "-d")),
            ExpectedStep(id: "3.39.0-engine-fifo-start", preparation: "engine stop fifo", changes: [unit("fifo"): running]),
        ] + templates + optional + others
    }

    private static var variables: ExpectedStep {
        ExpectedStep(
            id: "3.31.0-go-engines-vars",
            preparation: """
                mkdir -p $system/canopsis-engine-go@.service.d
                file=$system/canopsis-engine-go@.service.d/variables.conf
                printf '[Service]\\nEnvironment="CPS_MONGO_URL=mongodb://cpsmongo:hidden@localhost/canopsis"\\n' >$file
                printf 'Environment=TZ=UTC\\nEnvironment=CPS_OWN=5%%%%\\n' >>$file
                chmod 600 $file
                chmod 640 $etc/go-engines-vars.conf
                systemctl daemon-reload
                """,
            changes: [
                "\(etc)/go-engines-vars.conf": Change(
                    gone: ["CPS_MONGO_URL=\"mongodb://cpsmongo:canopsis@localhost:27017/canopsis\""],
                    new: ["CPS_MONGO_URL=\"mongodb://cpsmongo:hidden@localhost/canopsis\"", "CPS_OWN=\"5%\""]),
                "\(system)/canopsis-engine-go@.service.d/variables.conf": Change(
                    gone: ["Environment=\"CPS_MONGO_URL=mongodb://cpsmongo:hidden@localhost/canopsis\"", "Environment=CPS_OWN=5%%"]),
            ],
            secret: "hidden")
    }

    private static var accounts: ExpectedStep {
        ExpectedStep(
            id: "3.38.0-shadowpass-rename",
            preparation: """
                /usr/lib/fleet-lab/database server <<'SCRIPT'
                db.default_rights.update({_id: {$in: ['root', 'alice']}}, {$rename: {shadowpasswd: 'shadowpass'}}, {multi: true});
                db.default_rights.update({_id: 'canopsis'}, {$set: {shadowpass: 'old'}});
                SCRIPT
                """,
            documents: ["default_rights": (1, 0)],
            answers: [
                (
                    """
                    print(['root', 'canopsis', 'alice'].map(function (name) {
                        var user = db.default_rights.findOne({_id: name});
                        return [user.shadowpass, user.shadowpasswd, user.authkey.length, user.mail].join(' ');
                    }).join());
                    """,
                    " 824467EA1363234B5232CC873CF4C488A6838BCA 36 exploitation@customer.example,"
                        + "old E8E83AD6F27991DB7632F3A35709C9E86F67673C 36 supervision@customer.example,"
                        + "9ADB1B2C4A0E35DD8F4D0F4A0E9F3C5C8A1B7D33  36 alice@customer.example"
                )
            ])
    }

    /// The templates of service weathers. The views of a lab host have all that these steps look for; other views stay.
    private static var templates: [ExpectedStep] {
        func template(_ name: String) -> String {
            "print(db.views.findOne({_id: 'view.weather'}).tabs[0].rows[0].widgets[0].parameters.\(name))"
        }
        return [
            ExpectedStep(
                id: "3.30.0-weather-dates", isNeedless: false, documents: ["views": (1, 0), "backupviews_3_30_0": (0, 1)],
                answers: [
                    (template("blockTemplate"), "<p>{{entity.name}}</p><p>{{timestamp entity.stats.last_ko}}</p>"),
                    (template("modalTemplate"), "{{entities name=\"entity._id\"}} {{entity.last_event}}"),
                ]),
            ExpectedStep(
                id: "3.32.0-pbehavior-templates", isNeedless: false, documents: ["views": (1, 0), "backupviews_3_32_0": (0, 1)],
                answers: [
                    (template("entityTemplate"), "{{pbehavior.tstart}} {{pbehavior.name}} {{pbehavior.rrule}}"),
                    (template("blockTemplate"), "<p>{{entity.name}}</p><p>{{timestamp entity.stats.last_ko}}</p>"),
                ]),
        ]
    }

    /// The steps that are in no plan, for the vendor leaves the choice.
    private static var optional: [ExpectedStep] {
        let mail = "canopsis-engine@task_mail-task_mail.service"
        let wanted = "\(system)/multi-user.target.wants/\(mail)"
        let mailLink = "link to /lib/systemd/system/canopsis-engine@.service"
        return [
            ExpectedStep(
                id: "3.31.0-engine-stat-off", preparation: "engine enable stat; engine start stat",
                changes: [Self.wanted("stat"): Change(gone: link.new), unit("stat"): Change(gone: running.new)]),
            ExpectedStep(
                id: "3.31.0-task-mail-keep", isNeedless: false,
                changes: [
                    "\(etc)/amqp2engines.conf": Change(new: ["", "[engine:task_mail]"]), wanted: Change(new: [mailLink]),
                    "unit \(mail)": running,
                ],
                again: ["unit \(mail)": .again]),
            ExpectedStep(
                id: "3.31.0-task-mail-off", isNeedless: false,
                changes: [wanted: Change(gone: [mailLink]), "unit \(mail)": Change(gone: running.new)]),
        ]
    }

    /// Steps of other releases, tried on one of the hosts: a host of 3.39.0 can be made to need them, too.
    private static var others: [ExpectedStep] {
        let modules = [
            ("3.40.0-webserver-metaalarmrule", "metaalarmrule"), ("3.40.0-webserver-broadcast-message", "broadcast_message"),
            ("3.41.0-webserver-idle-rule", "idle_rule"), ("3.41.0-webserver-playlist", "playlist"),
        ].map { id, module in
            ExpectedStep(
                id: id, edition: .core, isNeedless: false,
                changes: ["\(etc)/webserver.conf": Change(new: ["canopsis.webcore.services.\(module)=1"])])
        }
        let interface = ExpectedStep(
            id: "3.45.0-ui-section", edition: .core, isNeedless: false,
            changes: ["\(etc)/webserver.conf": Change(new: ["", "[ui]", "url=/static/canopsis-next/dist/index.html"])])
        return otherDocuments + chains + modules + [interface]
    }

    private static func database(_ script: String) -> String { "/usr/lib/fleet-lab/database server <<'SCRIPT'\n\(script)\nSCRIPT" }

    private static var otherDocuments: [ExpectedStep] {
        [
            ExpectedStep(
                id: "3.7.0-views-to-tabs", edition: .core,
                preparation: database("db.views.insert({_id: 'view.old', title: 'Old', rows: [{_id: 'row'}]});"),
                documents: ["views": (1, 0), "backupviews": (0, 1)],
                answers: [
                    (
                        "var view = db.views.findOne({_id: 'view.old'}); print([view.rows, view.tabs[0].title, view.tabs[0].rows[0]._id]);",
                        ",Old,row"
                    )
                ]),
            ExpectedStep(
                id: "3.13.0-pbehavior-comments", edition: .core,
                preparation: database("db.default_pbehavior.update({_id: 'pbehavior-1'}, {$unset: {comments: ''}});"),
                documents: ["default_pbehavior": (1, 0)],
                answers: [("print(db.default_pbehavior.findOne({_id: 'pbehavior-1'}).comments.length)", "0")]),
            ExpectedStep(
                id: "3.18.0-login-page-description", edition: .core,
                preparation: database(
                    "db.configuration.update({_id: 'user_interface'}, {login_page: 'Hello', footer: 'Bye'}, {upsert: true});"),
                documents: ["configuration": (1, 0)],
                answers: [
                    (
                        "var page = db.configuration.findOne({_id: 'user_interface'}); print([page.login_page, page.login_page_description, page.footer]);",
                        ",Hello,Bye"
                    )
                ]),
            ExpectedStep(
                id: "3.48.0-eventfilter-patterns", edition: .core, isNeedless: false,
                documents: ["eventfilter": (3, 0), "backup_eventfilter_3_48_0": (0, 3)],
                answers: [
                    (
                        """
                        print(db.eventfilter.find().sort({_id: 1}).toArray().map(function (rule) {
                            return [rule._id, typeof rule.pattern, rule.patterns && rule.patterns.length].join(' ');
                        }).join());
                        """, "rule-all undefined ,rule-drop undefined 1,rule-enrich undefined 1"
                    )
                ]),
        ]
    }

    /// The chain of the Python engines, which 3.44.0 changes.
    private static var chains: [ExpectedStep] {
        let file = "\(etc)/amqp2engines.conf"
        return [
            ExpectedStep(
                id: "3.44.0-amqp2engines-keep", edition: .core,
                preparation: "cat $etc/amqp2engines-python-core.conf.example >$etc/amqp2engines.conf; chmod 640 $etc/amqp2engines.conf",
                copies: [file + ".before-3.44.0": file]),
            ExpectedStep(
                id: "3.44.0-amqp2engines-restore", edition: .core,
                preparation: "cat $etc/amqp2engines-go-core.conf.example >$etc/amqp2engines.conf",
                copies: [file + ".from-3.44.0": file], contents: [file: "\(etc)/amqp2engines-python-core.conf.example"]),
            ExpectedStep(
                id: "3.44.0-next-axe", edition: .core, isNeedless: false,
                preparation: """
                    cat $etc/amqp2engines-go-core.conf.example >$etc/amqp2engines.conf
                    rm $etc/amqp2engines.conf.before-3.44.0
                    """,
                changes: [file: Change(gone: ["next=metric,pbehavior,axe"], new: ["next = metric,pbehavior", "next = axe"])],
                copies: [file + ".before-3.44.0": file], places: [(file, "next = axe", "[engine:pbehavior]")]),
        ]
    }
}
