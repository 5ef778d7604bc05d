// The files: /var/lib/canopsis-db/DATABASE/COLLECTION.json, a document a line, replaced as a whole by a rename.
//
// Whoever reads or writes holds the store's lock, taken at the first access of a statement and given back after it, so no write
// is lost. The engine can't lock: descriptor 9 comes from the caller, and a child that locks it locks it for this process too.

lab.store = {
    folder: "/var/lib/canopsis-db/",
    held: false,
    read: {},

    hold: function () {
        if (this.held) return;
        if (os.system("flock 9") !== 0) throw Error("the lab's database cannot be locked");
        this.held = true;
    },

    release: function () {
        if (this.held) os.system("flock -u 9");
        this.held = false;
        this.read = {};
    },

    path: function (database, collection) {
        if (!/^[\w-]+$/.test(database) || !/^[\w.-]+$/.test(collection) || collection[0] === ".") {
            throw lab.error(73, "Invalid namespace specified '" + database + "." + collection + "' (in the lab)");
        }
        return this.folder + database + "/" + collection + ".json";
    },

    documents: function (database, collection) {
        var path = this.path(database, collection), text;
        this.hold();
        if (!this.read.hasOwnProperty(path)) {
            text = lab.file(path) || "";
            this.read[path] = text.split("\n").filter(function (line) { return line !== ""; }).map(lab.fromLine);
        }
        return this.read[path];
    },

    exists: function (database, collection) {
        this.hold();
        return lab.file(this.path(database, collection)) !== null;
    },

    replace: function (database, collection, documents) {
        var path = this.path(database, collection), part = path + "." + os.getpid();
        var text = documents.map(function (doc) { return lab.toLine(doc) + "\n"; }).join("");
        this.hold();
        try {
            this.write(part, text);
        } catch (problem) {
            if (os.system("mkdir -p -m 777 '" + path.replace(/\/[^/]*$/, "") + "'") !== 0) throw problem;
            this.write(part, text);
        }
        if (os.system("mv -fT '" + part + "' '" + path + "'") !== 0) throw Error("the lab's database cannot replace " + path);
        this.read[path] = documents;
    },

    // Reads back what it wrote: a full disk may show only then.
    write: function (path, text) {
        var bytes = unescape(encodeURIComponent(text)), array = new Uint8Array(bytes.length), i;
        for (i = 0; i < bytes.length; i++) array[i] = bytes.charCodeAt(i);
        os.file.writeTypedArrayToFile(path, array);
        if (os.file.readFile(path) !== text) {
            os.system("rm -f '" + path + "'");
            throw Error("the lab's database cannot write " + path);
        }
    },

    drop: function (database, collection) {
        var path = this.path(database, collection);
        this.hold();
        os.system("rm -f '" + path + "'");
        delete this.read[path];
    },

    collections: function (database) {
        this.hold();
        return lab.list(this.folder + database).filter(function (name) { return /\.json$/.test(name); })
            .map(function (name) { return name.slice(0, -5); }).sort();
    },

    databases: function () {
        this.hold();
        return lab.list(this.folder).filter(function (name) { return /^[\w-]+$/.test(name) && name !== "lock" && lab.list(lab.store.folder + name).length; }).sort();
    },
};

// The text of a file, null if there is none; a knob without its line end.
lab.file = function (path) {
    try {
        return os.file.readFile(path);
    } catch (problem) {
        return null;
    }
};
lab.knob = function (name) {
    var text = lab.file("/etc/fleet-test/mongo." + name);
    return text === null ? null : text.trim();
};
lab.list = function (folder) {
    try {
        return os.file.listDir(folder).filter(function (name) { return name[0] !== "."; });
    } catch (problem) {
        return [];
    }
};
