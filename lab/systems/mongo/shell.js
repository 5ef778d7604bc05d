// What a script finds in MongoDB's shell: db, collections, cursors, results, and the words that print them. Results and errors
// are those of the 3.6 shell: the old writing methods return an error, the new ones throw it.

var DB, DBCollection, DBQuery, Mongo, WriteResult, BulkWriteResult, WriteError, WriteCommandError;

// --- writing values down

function tojson(value, indent, oneLine) {
    if (value === null) return "null";
    switch (typeof value) {
    case "undefined": return "undefined";
    case "string": return JSON.stringify(value);
    case "number": case "boolean": return String(value);
    case "function": return value.toString();
    case "object": {
        var text = lab.objectText(value, indent || "", oneLine);
        return (oneLine === undefined || oneLine === null || oneLine === true) && text.length < 80 && !indent ? text.replace(/[\t\r\n]+/g, " ") : text;
    }
    }
    throw Error("tojson can't handle type " + typeof value);
}

lab.objectText = function (value, indent, oneLine) {
    var end = oneLine ? " " : "\n", tab = oneLine ? "" : "\t", inner = indent + tab;
    if (Array.isArray(value)) {
        if (value.length === 0) return "[ ]";
        return "[" + end + value.map(function (element) { return inner + tojson(element, inner, oneLine); }).join("," + end) + end + indent + "]";
    }
    if (typeof value.tojson === "function") return value.tojson(indent, oneLine);
    if (value instanceof Error) return value.toString();
    var fields = [];
    for (var key in value) fields.push(inner + '"' + key + '" : ' + tojson(value[key], inner, oneLine));
    return "{" + end + (fields.length ? fields.join("," + end) : inner) + end + indent + "}";
};

function tojsononeline(value) { return tojson(value, " ", true); }
function printjson(value) { print(tojson(value)); }
function printjsononeline(value) { print(tojsononeline(value)); }

// Prints the value of a statement.
function shellPrintHelper(value) {
    if (value === undefined) return;
    if (value === null || typeof value !== "object") print(value === null ? "null" : value);
    else if (typeof value.shellPrint === "function") value.shellPrint();
    else print(tojson(value));
}

// --- the server, as this session sees it

lab.session = { inside: false, users: [] };

// Refuses what the session may not do. The text of the command is what the server repeats.
lab.authorize = function (database, command) {
    if (lab.session.inside || lab.knob("auth") === null) return;
    if (lab.session.users.some(function (user) { return user.db === database || user.db === "admin"; })) return;
    command.$db = database;
    throw lab.error(13, "not authorized on " + database + " to execute command " + tojson(command, "", true).replace(/"([\w$]+)" :/g, "$1:").replace(/\{ +\}/g, "{}"));
};

lab.login = function (database, user, password) {
    var known = lab.store.documents("admin", "system.users").some(function (one) {
        return one.user === user && one.db === database && one.pwd === password;
    });
    if (known) lab.session.users = lab.session.users.filter(function (one) { return one.db !== database; }).concat([{ user: user, db: database }]);
    return known;
};

// Calls what does the work; what the server answers when it refuses becomes an error with words before it.
lab.orThrow = function (words, work) {
    try {
        return work();
    } catch (problem) {
        if (!problem.answer) throw problem;
        var error = Error(words + tojson(problem.answer));
        error.code = problem.answer.code;
        throw error;
    }
};

lab.query = function (query) {
    if (query === undefined || query === null) return {};
    if (query instanceof ObjectId) return { _id: query };
    if (typeof query === "function") return { $where: query };
    if (typeof query === "string") return /^[0-9a-f]{24}$/.test(query) ? { _id: new ObjectId(query) } : { $where: query };
    if (typeof query !== "object") throw Error("don't know how to massage : " + typeof query);
    return query;
};

lab.find = function (collection, query) {
    return lab.store.documents(collection.databaseName, collection.name).filter(function (doc) { return lab.matches(doc, query); });
};

lab.insert = function (collection, docs) {
    var all = lab.store.documents(collection.databaseName, collection.name).slice();
    docs.forEach(function (doc) {
        lab.refuseNames(doc);
        if (all.some(function (other) { return lab.equal(other._id, doc._id); })) {
            throw lab.error(11000, "E11000 duplicate key error collection: " + collection + " index: _id_ dup key: { : " + tojson(doc._id) + " }");
        }
        all.push(lab.copy(doc));
    });
    lab.store.replace(collection.databaseName, collection.name, all);
};

// The shell itself refuses some names of fields, the server a few more.
lab.refuseNames = function (value) {
    if (Array.isArray(value)) value.forEach(lab.refuseNames);
    else if (lab.isDocument(value)) Object.keys(value).forEach(function (key) {
        if (key.indexOf(".") >= 0) throw Error("can't have . in field names [" + key + "]");
        if (key[0] === "$" && ["$ref", "$id", "$db"].indexOf(key) < 0) throw Error("field names cannot start with $ [" + key + "]");
        lab.refuseNames(value[key]);
    });
};

lab.withId = function (doc) {
    if ("_id" in doc && doc._id !== undefined) return doc;
    var result = { _id: new ObjectId() };
    Object.keys(doc).forEach(function (key) { result[key] = doc[key]; });
    return result;
};

// The one that changes documents. Returns {matched, modified, upserted (an _id, if any), before, after (of the first)}.
lab.change = function (collection, query, change, options) {
    var all = lab.store.documents(collection.databaseName, collection.name).slice(), result = { matched: 0, modified: 0 };
    var operators = lab.isOperators(change);
    if (!operators) {
        lab.refuseNames(change);
        if (options.multi) throw lab.error(9, "multi update only works with $ operators");
    }
    function changed(doc, inserting) {
        var copy = lab.copy(doc);
        if (operators) {
            lab.update(copy, change, query, inserting);
            return copy;
        }
        var replacement = lab.copy(change);
        if ("_id" in replacement && "_id" in copy && !lab.equal(replacement._id, copy._id)) {
            throw lab.error(66, "The _id field cannot be changed from {_id: " + lab.toLine(copy._id) + "} to {_id: " + lab.toLine(replacement._id) + "}.");
        }
        return "_id" in copy ? lab.withId(Object.assign({ _id: copy._id }, replacement)) : lab.withId(replacement);
    }
    var places = [];
    all.forEach(function (doc, i) { if (lab.matches(doc, query)) places.push(i); });
    if (options.sort) {
        var sorted = lab.sort(places.map(function (i) { return all[i]; }), options.sort);
        places = sorted.map(function (doc) { return all.indexOf(doc); });
    }
    if (!options.multi) places = places.slice(0, 1);
    places.forEach(function (i) {
        var before = all[i];
        result.matched++;
        all[i] = changed(before, false);
        if (result.matched === 1) { result.before = before; result.after = all[i]; }
        if (!lab.equal(before, all[i])) result.modified++;
    });
    if (result.matched === 0 && options.upsert) {
        var fresh = lab.withId(changed(lab.seed(query, {}), true));
        result.upserted = fresh._id;
        result.after = fresh;
        if (all.some(function (doc) { return lab.equal(doc._id, fresh._id); })) {
            throw lab.error(11000, "E11000 duplicate key error collection: " + collection + " index: _id_ dup key: { : " + tojson(fresh._id) + " }");
        }
        all.push(fresh);
    }
    if (result.modified || result.upserted !== undefined) lab.store.replace(collection.databaseName, collection.name, all);
    return result;
};

lab.remove = function (collection, query, one) {
    var kept = [], removed = [];
    lab.store.documents(collection.databaseName, collection.name).forEach(function (doc) {
        (one && removed.length ? kept : lab.matches(doc, query) ? removed : kept).push(doc);
    });
    if (removed.length) lab.store.replace(collection.databaseName, collection.name, kept);
    return removed;
};

// --- results

WriteResult = function (fields, error) {
    Object.assign(this, { nInserted: 0, nMatched: 0, nModified: 0, nUpserted: 0, nRemoved: 0 }, fields);
    this.shown = Object.keys(fields);
    this.getUpsertedId = function () { return this._id === undefined ? null : { index: 0, _id: this._id }; };
    this.hasWriteError = function () { return error !== undefined; };
    this.getWriteError = function () { return error; };
    this.hasWriteConcernError = function () { return false; };
    this.getWriteConcernError = function () { return undefined; };
};
WriteResult.prototype.tojson = function (indent, oneLine) {
    var result = {}, self = this;
    this.shown.forEach(function (key) { result[key] = self[key]; });
    if (this.hasWriteError()) result.writeError = { code: this.getWriteError().code, errmsg: this.getWriteError().errmsg };
    return "WriteResult(" + tojson(result, indent, oneLine) + ")";
};
WriteResult.prototype.toString = WriteResult.prototype.tojson;

WriteError = function (answer) {
    this.name = "WriteError";
    this.code = answer.code;
    this.errmsg = this.message = answer.errmsg;
    this.stack = "";
};
WriteCommandError = function (answer) {
    Object.assign(this, answer);
    this.message = answer.errmsg;
    this.stack = "";
};
WriteError.prototype = Object.create(Error.prototype);
WriteCommandError.prototype = Object.create(Error.prototype);
WriteError.prototype.tojson = function (indent, oneLine) { return "WriteError(" + tojson({ code: this.code, errmsg: this.errmsg }, indent, oneLine) + ")"; };
WriteCommandError.prototype.tojson = function (indent, oneLine) {
    return "WriteCommandError(" + tojson({ ok: this.ok, errmsg: this.errmsg, code: this.code, codeName: this.codeName }, indent, oneLine) + ")";
};
WriteCommandError.prototype.name = "WriteCommandError";
WriteCommandError.prototype.shellPrint = WriteError.prototype.shellPrint = function () { print(this.tojson()); };
WriteError.prototype.toString = WriteCommandError.prototype.toString = function () { return this.tojson(); };

BulkWriteResult = function (fields) { Object.assign(this, fields); };
BulkWriteResult.prototype.tojson = function (indent, oneLine) { return "BulkWriteResult(" + tojson(Object.assign({}, this), indent, oneLine) + ")"; };

// The old methods: a refusal is returned, not thrown.
lab.returned = function (work) {
    try {
        return work();
    } catch (problem) {
        if (!problem.answer) throw problem;
        if (problem.answer.code === 13) return new WriteCommandError(problem.answer);
        return new WriteResult(problem.fields || { nMatched: 0, nUpserted: 0, nModified: 0 }, new WriteError(problem.answer));
    }
};
// The new methods: it is thrown.
lab.thrown = function (work) {
    try {
        return work();
    } catch (problem) {
        if (!problem.answer) throw problem;
        throw problem.answer.code === 13 ? new WriteCommandError(problem.answer) : new WriteError(problem.answer);
    }
};

// --- databases

Mongo = function (host) { this.host = host || "127.0.0.1:27017"; };
Mongo.prototype.getDB = function (name) { return new DB(this, name); };
Mongo.prototype.getDBNames = function () {
    lab.authorize("admin", { listDatabases: 1 });
    return lab.store.databases();
};
Mongo.prototype.setSlaveOk = Mongo.prototype.setReadPref = function () {};
Mongo.prototype.toString = Mongo.prototype.tojson = function () { return "connection to " + this.host; };

function connect(url) {
    var match = /^(?:mongodb:\/\/)?(?:([^/]*)\/)?([^/?]*)/.exec(url), host = match[1] || "127.0.0.1:27017";
    lab.connect(host);
    return new Mongo(host).getDB(match[2] || "test");
}

// What is asked of a database and is not there is a collection. These names are asked by the language itself.
lab.isName = function (key) { return typeof key === "string" && key[0] !== "_" && ["toJSON", "then", "shellPrint", "inspect"].indexOf(key) < 0; };

DB = function (mongo, name) {
    if (!/^[^\/\\. "$*<>:|?\0]{1,63}$/.test(name)) throw Error("[" + name + "] is not a valid database name");
    this._mongo = mongo;
    this._name = name;
    return new Proxy(this, { get: function (target, key) {
        if (key in target || !lab.isName(key)) return target[key];
        return target.getCollection(key);
    } });
};
Object.assign(DB.prototype, {
    getName: function () { return this._name; },
    getMongo: function () { return this._mongo; },
    getSiblingDB: function (name) { return this._mongo.getDB(name); },
    getSisterDB: function (name) { return this._mongo.getDB(name); },
    getCollection: function (name) { return new DBCollection(this, name); },
    getCollectionNames: function () {
        var name = this._name;
        return lab.orThrow("listCollections failed: ", function () {
            lab.authorize(name, { listCollections: 1, filter: {} });
            return lab.store.collections(name).filter(function (one) { return one.indexOf("system.") !== 0; });
        });
    },
    getCollectionInfos: function () { return this.getCollectionNames().map(function (name) { return { name: name, type: "collection" }; }); },
    createCollection: function (name) {
        var self = this;
        return lab.answer(function () {
            lab.authorize(self._name, { create: name });
            if (lab.store.exists(self._name, name)) throw lab.error(48, "a collection '" + self._name + "." + name + "' already exists");
            lab.store.replace(self._name, name, []);
            return {};
        });
    },
    dropDatabase: function () {
        var self = this;
        return lab.answer(function () {
            lab.authorize(self._name, { dropDatabase: 1 });
            lab.store.collections(self._name).forEach(function (name) { lab.store.drop(self._name, name); });
            return { dropped: self._name };
        });
    },
    auth: function (user, password) {
        var name = this._name;
        if (typeof user === "object") {
            password = user.pwd;
            user = user.user;
        }
        if (typeof user !== "string" || typeof password !== "string") throw Error("auth expects either (username, password) or ({ user: username, pwd: password })");
        if (lab.login(name, user, password)) return 1;
        print("Error: Authentication failed.");
        return 0;
    },
    logout: function () {
        var name = this._name;
        lab.session.users = lab.session.users.filter(function (one) { return one.db !== name; });
        return { ok: 1 };
    },
    version: function () { return lab.version; },
    isMaster: function () { return this.runCommand({ isMaster: 1 }); },
    serverBuildInfo: function () { return this.runCommand({ buildInfo: 1 }); },
    adminCommand: function (command) { return this.getSiblingDB("admin").runCommand(command); },
    runCommand: function (command) {
        var self = this;
        if (typeof command === "string") {
            var name = command;
            command = {};
            command[name] = 1;
        }
        return lab.answer(function () { return lab.command(self, command); });
    },
    getLastError: function () { return null; },
    getLastErrorObj: function () { return { err: null, ok: 1 }; },
    toString: function () { return this._name; },
    tojson: function () { return this._name; },
});

// What a command answers, a refusal included.
lab.answer = function (work) {
    try {
        return Object.assign(work(), { ok: 1 });
    } catch (problem) {
        if (!problem.answer) throw problem;
        return problem.answer;
    }
};

lab.command = function (db, command) {
    var name = Object.keys(command)[0], collection = typeof command[name] === "string" ? db.getCollection(command[name]) : null;
    switch (name.toLowerCase()) {
    case "ping": return {};
    case "ismaster": return { ismaster: true, maxBsonObjectSize: 16777216, maxWireVersion: 6, minWireVersion: 0, readOnly: false };
    case "buildinfo": return { version: lab.version, versionArray: lab.version.split(".").map(Number).concat([0]) };
    case "connectionstatus": return { authInfo: { authenticatedUsers: lab.session.users, authenticatedUserRoles: [] } };
    case "logout": return db.logout();
    }
    lab.authorize(db.getName(), Object.assign({}, command));
    switch (name) {
    case "count": return { n: lab.find(collection, command.query || {}).length };
    case "distinct": return { values: lab.distinct(lab.find(collection, command.query || {}), command.key) };
    case "drop":
        if (!lab.store.exists(db.getName(), command.drop)) throw lab.error(26, "ns not found");
        lab.store.drop(db.getName(), command.drop);
        return { ns: db.getName() + "." + command.drop };
    case "listDatabases": return { databases: lab.store.databases().map(function (one) { return { name: one }; }) };
    case "findAndModify": case "findandmodify": return lab.findAndModify(collection, command);
    }
    throw lab.error(59, "no such command: '" + name + "', bad cmd: '" + tojsononeline(command) + "' (in the lab)");
};

lab.distinct = function (docs, key) {
    return docs.reduce(function (found, doc) {
        lab.leaves(doc, key.split("."), 0, []).forEach(function (value) {
            (Array.isArray(value) ? value : [value]).forEach(function (one) {
                if (one !== undefined && !found.some(function (other) { return lab.equal(other, one); })) found.push(one);
            });
        });
        return found;
    }, []);
};

lab.findAndModify = function (collection, options) {
    var query = options.query || {};
    if (options.remove) {
        var first = options.sort ? lab.sort(lab.find(collection, query), options.sort)[0] : lab.find(collection, query)[0];
        if (first) lab.remove(collection, { _id: first._id }, true);
        return { value: first ? lab.project(first, options.fields) : null };
    }
    var result = lab.change(collection, query, options.update, { upsert: options.upsert, sort: options.sort });
    var doc = options.new ? result.after : result.before;
    return { value: doc ? lab.project(lab.copy(doc), options.fields) : null };
};

// --- collections

DBCollection = function (db, name) {
    if (typeof name !== "string" || name === "") throw Error("no name");
    this._db = db;
    this.databaseName = db.getName();
    this.name = name;
    return new Proxy(this, { get: function (target, key) {
        if (key in target || !lab.isName(key)) return target[key];
        return target._db.getCollection(target.name + "." + key);
    } });
};
lab.need = function (object) {
    if (object === undefined || object === null || typeof object !== "object") throw Error("need an object");
};
lab.needOperators = function (change) {
    if (!lab.isOperators(change)) throw Error("the update operation document must contain atomic operators");
};
Object.assign(DBCollection.prototype, {
    getName: function () { return this.name; },
    getFullName: function () { return this.databaseName + "." + this.name; },
    getDB: function () { return this._db; },
    getMongo: function () { return this._db.getMongo(); },
    getCollection: function (name) { return this._db.getCollection(this.name + "." + name); },
    exists: function () { return lab.store.exists(this.databaseName, this.name) ? { name: this.name } : null; },
    toString: function () { return this.getFullName(); },
    tojson: function () { return this.getFullName(); },

    find: function (query, projection) { return new DBQuery(this, lab.query(query), projection); },
    findOne: function (query, projection) {
        var cursor = this.find(query, projection).limit(-1);
        return cursor.hasNext() ? cursor.next() : null;
    },
    count: function (query) {
        var self = this;
        query = lab.query(query);
        return lab.orThrow("count failed: ", function () {
            lab.authorize(self.databaseName, { count: self.name, query: query });
            return lab.find(self, query).length;
        });
    },
    distinct: function (key, query) {
        var self = this;
        return lab.orThrow("distinct failed: ", function () {
            lab.authorize(self.databaseName, { distinct: self.name, key: key });
            return lab.distinct(lab.find(self, lab.query(query)), key).map(lab.copy);
        });
    },
    aggregate: function (pipeline) {
        var self = this;
        if (!Array.isArray(pipeline)) pipeline = Array.prototype.slice.call(arguments);
        return lab.orThrow("aggregate failed: ", function () {
            lab.authorize(self.databaseName, { aggregate: self.name });
            return new DBQuery(self, {}, undefined, lab.aggregate(lab.find(self, {}), pipeline).map(lab.copy));
        });
    },

    insert: function (docs) {
        var self = this, many = Array.isArray(docs);
        if (!docs || typeof docs !== "object") throw Error("no object passed to insert!");
        var list = (many ? docs : [docs]).map(lab.withId);
        return lab.returned(function () {
            lab.authorize(self.databaseName, { insert: self.name });
            try {
                lab.insert(self, list);
            } catch (problem) {
                problem.fields = { nInserted: 0 };
                throw problem;
            }
            if (many) return new BulkWriteResult({ writeErrors: [], writeConcernErrors: [], nInserted: list.length, nUpserted: 0, nMatched: 0, nModified: 0, nRemoved: 0, upserted: [] });
            return new WriteResult({ nInserted: 1 });
        });
    },
    save: function (doc) {
        if (!doc || typeof doc !== "object") throw Error("can't save a " + typeof doc);
        if (doc._id === undefined) return this.insert(doc);
        return this.update({ _id: doc._id }, doc, true);
    },
    insertOne: function (doc) {
        var self = this;
        doc = lab.withId(doc);
        return lab.thrown(function () {
            lab.authorize(self.databaseName, { insert: self.name });
            lab.insert(self, [doc]);
            return { acknowledged: true, insertedId: doc._id };
        });
    },
    insertMany: function (docs) {
        var self = this;
        docs = docs.map(lab.withId);
        return lab.thrown(function () {
            lab.authorize(self.databaseName, { insert: self.name });
            lab.insert(self, docs);
            return { acknowledged: true, insertedIds: docs.map(function (doc) { return doc._id; }) };
        });
    },

    update: function (query, change, upsert, multi) {
        var self = this, options = typeof upsert === "object" && upsert !== null ? upsert : { upsert: Boolean(upsert), multi: Boolean(multi) };
        if (!query) throw Error("need a query");
        if (!change) throw Error("need an object");
        return lab.returned(function () {
            lab.authorize(self.databaseName, { update: self.name });
            var done = lab.change(self, lab.query(query), change, options), fields = { nMatched: done.matched, nUpserted: done.upserted === undefined ? 0 : 1, nModified: done.modified };
            if (done.upserted !== undefined) fields._id = done.upserted;
            return new WriteResult(fields);
        });
    },
    updateOne: function (query, change, options) { return lab.changeAs(this, query, change, options, false, lab.needOperators); },
    updateMany: function (query, change, options) { return lab.changeAs(this, query, change, options, true, lab.needOperators); },
    replaceOne: function (query, change, options) {
        return lab.changeAs(this, query, change, options, false, function (doc) {
            if (lab.isOperators(doc)) throw Error("the replace operation document must not contain atomic operators");
        });
    },
    remove: function (query, options) {
        var self = this, one = typeof options === "object" && options !== null ? options.justOne : options;
        if (query === undefined) throw Error("remove needs a query");
        return lab.returned(function () {
            lab.authorize(self.databaseName, { delete: self.name });
            try {
                return new WriteResult({ nRemoved: lab.remove(self, lab.query(query), one).length });
            } catch (problem) {
                problem.fields = { nRemoved: 0 };
                throw problem;
            }
        });
    },
    deleteOne: function (query) { return lab.deleteAs(this, query, true); },
    deleteMany: function (query) { return lab.deleteAs(this, query, false); },
    findAndModify: function (options) {
        var self = this;
        return lab.orThrow("findAndModifyFailed failed: ", function () {
            lab.authorize(self.databaseName, { findandmodify: self.name });
            return lab.findAndModify(self, options).value;
        });
    },
    findOneAndUpdate: function (query, change, options) {
        lab.needOperators(change);
        return this.findAndModify(Object.assign({ query: query, update: change }, lab.returning(options)));
    },
    findOneAndReplace: function (query, change, options) { return this.findAndModify(Object.assign({ query: query, update: change }, lab.returning(options))); },
    findOneAndDelete: function (query, options) { return this.findAndModify(Object.assign({ query: query, remove: true }, lab.returning(options))); },
    bulkWrite: function (operations) {
        var self = this, result = { acknowledged: true, deletedCount: 0, insertedCount: 0, matchedCount: 0, upsertedCount: 0, insertedIds: {}, upsertedIds: {} };
        operations.forEach(function (operation, i) {
            var name = Object.keys(operation)[0], one = operation[name], done;
            switch (name) {
            case "insertOne":
                done = self.insertOne(one.document);
                result.insertedCount++;
                result.insertedIds[i] = done.insertedId;
                return;
            case "updateOne": case "updateMany": case "replaceOne":
                done = self[name](one.filter, name === "replaceOne" ? one.replacement : one.update, one);
                result.matchedCount += done.matchedCount;
                if (done.upsertedId !== undefined) {
                    result.upsertedCount++;
                    result.upsertedIds[i] = done.upsertedId;
                }
                return;
            case "deleteOne": case "deleteMany":
                result.deletedCount += self[name](one.filter).deletedCount;
                return;
            }
            throw Error("the lab's bulkWrite does not know " + name);
        });
        return result;
    },

    drop: function () {
        var answer = this._db.runCommand({ drop: this.name });
        if (answer.ok) return true;
        if (answer.errmsg === "ns not found") return false;
        throw Error("drop failed: " + tojson(answer));
    },
    renameCollection: function (name, dropTarget) {
        var self = this;
        return lab.answer(function () {
            lab.authorize(self.databaseName, { renameCollection: self.getFullName() });
            if (!lab.store.exists(self.databaseName, self.name)) throw lab.error(26, "source namespace does not exist");
            if (lab.store.exists(self.databaseName, name) && !dropTarget) throw lab.error(48, "target namespace exists");
            lab.store.replace(self.databaseName, name, lab.store.documents(self.databaseName, self.name));
            lab.store.drop(self.databaseName, self.name);
            return {};
        });
    },
    getIndexes: function () {
        var ns = this.getFullName();
        lab.authorize(this.databaseName, { listIndexes: this.name });
        return [{ v: 2, key: { _id: 1 }, name: "_id_", ns: ns }].concat(lab.store.documents(this.databaseName, "system.indexes").filter(function (index) {
            return index.ns === ns;
        }).map(lab.copy));
    },
    // Kept and shown, and of no effect.
    createIndex: function (key, options) {
        var self = this, before = this.getIndexes(), name = (options || {}).name || Object.keys(key).map(function (field) { return field + "_" + key[field]; }).join("_");
        lab.need(key);
        return lab.answer(function () {
            var there = before.some(function (index) { return index.name === name; });
            if (!there) {
                lab.store.replace(self.databaseName, "system.indexes", lab.store.documents(self.databaseName, "system.indexes").concat([
                    Object.assign({ v: 2, key: lab.copy(key), name: name, ns: self.getFullName() }, options || {})]));
            }
            return { numIndexesBefore: before.length, numIndexesAfter: before.length + (there ? 0 : 1) };
        });
    },
    dropIndex: function (which) {
        var self = this, before = this.getIndexes();
        return lab.answer(function () {
            var kept = lab.store.documents(self.databaseName, "system.indexes").filter(function (index) {
                return index.ns !== self.getFullName() || which !== "*" && index.name !== which && !lab.equal(index.key, which);
            });
            if (which !== "*" && kept.length === lab.store.documents(self.databaseName, "system.indexes").length) {
                throw lab.error(27, "index not found with name [" + (typeof which === "string" ? which : tojson(which)) + "]");
            }
            lab.store.replace(self.databaseName, "system.indexes", kept);
            return { nIndexesWas: before.length };
        });
    },
    dropIndexes: function () { return this.dropIndex("*"); },
});
DBCollection.prototype.countDocuments = DBCollection.prototype.count;
DBCollection.prototype.ensureIndex = DBCollection.prototype.createIndex;
DBCollection.prototype.getIndices = DBCollection.prototype.getIndexes;

lab.changeAs = function (collection, query, change, options, multi, check) {
    lab.need(query);
    lab.need(change);
    check(change);
    return lab.thrown(function () {
        lab.authorize(collection.databaseName, { update: collection.name });
        var done = lab.change(collection, lab.query(query), change, { multi: multi, upsert: (options || {}).upsert });
        var result = { acknowledged: true, matchedCount: done.matched, modifiedCount: done.modified };
        if (done.upserted !== undefined) result.upsertedId = done.upserted;
        return result;
    });
};

lab.deleteAs = function (collection, query, one) {
    if (query === undefined) throw Error("find() requires query criteria");
    return lab.thrown(function () {
        lab.authorize(collection.databaseName, { delete: collection.name });
        return { acknowledged: true, deletedCount: lab.remove(collection, lab.query(query), one).length };
    });
};

lab.returning = function (options) {
    options = options || {};
    return { fields: options.projection, sort: options.sort, upsert: options.upsert, new: options.returnNewDocument };
};

// --- cursors

DBQuery = function (collection, query, projection, docs) {
    this._collection = collection;
    this._query = query;
    this._projection = projection;
    this._docs = docs;
    this._at = 0;
    this._skip = this._limit = 0;
    return new Proxy(this, { get: function (target, key) {
        return typeof key === "string" && /^\d+$/.test(key) ? target.toArray()[key] : target[key];
    } });
};
Object.assign(DBQuery.prototype, {
    _run: function () {
        var self = this;
        if (this._docs) return this._docs;
        return this._docs = lab.orThrow("error: ", function () {
            lab.authorize(self._collection.databaseName, { find: self._collection.name, filter: self._query });
            var found = lab.find(self._collection, self._query);
            if (self._order) found = lab.sort(found, self._order);
            found = found.slice(self._skip);
            if (self._limit) found = found.slice(0, Math.abs(self._limit));
            return found.map(function (doc) { return lab.copy(lab.project(doc, self._projection)); });
        });
    },
    sort: function (order) { this._order = order; return this; },
    limit: function (number) { this._limit = Number(number); return this; },
    skip: function (number) { this._skip = Number(number); return this; },
    hasNext: function () { return this._at < this._run().length; },
    next: function () {
        if (!this.hasNext()) throw Error("error hasNext: false");
        return this._docs[this._at++];
    },
    toArray: function () {
        this._run();
        this._at = this._docs.length;
        return this._docs;
    },
    forEach: function (work) { while (this.hasNext()) work(this.next()); },
    map: function (work) {
        var result = [];
        while (this.hasNext()) result.push(work(this.next()));
        return result;
    },
    count: function (limited) { return limited ? this.size() : this._collection.count(this._query); },
    size: function () { return new DBQuery(this._collection, this._query).skip(this._skip).limit(this._limit).itcount(); },
    itcount: function () {
        for (var number = 0; this.hasNext(); number++) this.next();
        return number;
    },
    length: function () { return this.toArray().length; },
    objsLeftInBatch: function () { return this._run().length - this._at; },
    pretty: function () { this._pretty = true; return this; },
    close: function () {},
    shellPrint: function () {
        for (var shown = 0; shown < 20 && this.hasNext(); shown++) print(tojson(this.next(), "", this._pretty ? false : true));
        if (this.hasNext()) print('Type "it" for more');
        lab.shown = this;
    },
});
["batchSize", "hint", "noCursorTimeout", "addOption", "maxTimeMS", "readPref", "comment", "snapshot"].forEach(function (name) {
    DBQuery.prototype[name] = function () { return this; };
});

// --- other words of the shell

function version() { return lab.version; }
function hostname() { return lab.file("/etc/hostname").trim(); }
function assert(condition, message) { if (!condition) throw Error("assert failed" + (message ? " : " + message : "")); }
Array.contains = function (array, value) { return array.some(function (one) { return one === value; }); };
Array.unique = function (array) { return array.filter(function (one, i) { return array.indexOf(one) === i; }); };
Object.extend = function (to, from) {
    for (var key in from) to[key] = from[key];
    return to;
};
