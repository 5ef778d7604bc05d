// What canopsinit of @VERSION@ does to the database; argv says which part.

function setting(name) {
    var line = readFile("/opt/canopsis/etc/common/mongo_store.conf").split("\n").filter(function (one) { return one.indexOf(name + "=") === 0; })[0];
    return (line || "").slice(name.length + 1).trim();
}

// Without the right password the driver fails at its first question.
if (readFile("/etc/fleet-test/mongo.auth") !== null &&
    db.getSiblingDB("admin").getCollection("system.users").findOne({ user: setting("user"), pwd: setting("pwd"), db: setting("db") }) === null) {
    throw Error("OperationFailure: Authentication failed.");
}

function start(version, edition, stack) {
    var fields = { version: version };
    fields.edition = edition; // @FROM 3.18.0@
    fields.stack = stack; // @FROM 3.18.0@
    if (db.configuration.findOne({ _id: "canopsis_version" }) === null) {
        fields._id = "canopsis_version";
        db.configuration.insertOne(fields);
    } else {
        db.configuration.updateOne({ _id: "canopsis_version" }, { $set: fields });
    }
    print(db.initialized.findOne({ _id: "initialized" }) === null ? "absent" : "present");
}

function purge() {
    ["cache", "events", "events_log", "object", "userpreferences"].forEach(function (name) {
        print("dropping " + name);
        db.getCollection(name).drop();
    });
}

// The users that come with Canopsis, made if they are missing, and what a release sets back of those that are there.
function rights() {
    JSON.parse(readFile("/opt/canopsis/opt/mongodb/load.d/rights/default_users/default.json")).forEach(function (shipped) {
        var query = { _id: shipped._id, crecord_type: "user" }, reset = {};
        shipped.authkey = String(UUID()).slice(6, 42);
        if (db.default_rights.findOne(query) === null) {
            db.default_rights.insertOne(shipped);
            return;
        }
        reset.shadowpasswd = shipped.shadowpasswd; // @BEFORE 3.38.0@
        ["authkey", "mail", "enable", "external"].forEach(function (field) { reset[field] = shipped[field]; }); // @BEFORE 3.27.0@
        if (Object.keys(reset).length > 0) db.default_rights.updateOne(query, { $set: reset });
    });
    db.default_rights.updateMany({ _id: { $in: ["admin", "Manager"] }, crecord_type: "role" }, { $set: { defaultview: "view.default" } });
}

function mark() {
    db.initialized.save({ _id: "initialized", at: Math.floor(Date.now() / 1000) });
}

({ start: start, purge: purge, rights: rights, mark: mark })[argv[0]].apply(null, argv.slice(1));
