// The shell: its options, what it does with statements, and its exit statuses. See ../../README.md for what is faithful.
//
// Knobs in /etc/fleet-test: mongo.down (if there: connections are refused), mongo.auth (if there: who is not logged in may do
// nothing), mongo.slow (seconds before it connects).
//
// Source: src/mongo/shell/dbshell.cpp, shell_utils.cpp, linenoise.cpp and db.js of MongoDB 3.6.

(function () {
    var evaluate = this.evaluate, parse = Reflect.parse, end = this.quit, readline = this.readline, say = this.print, complain = this.printErr, pause = this.sleep;
    var mode = scriptArgs[0], argv = scriptArgs.slice(1), global = this;

    // What foreign code finds of ours. All else is out of its sight: parts and names of the lab, and what the engine brings.
    var ours = ("ObjectId NumberLong NumberInt UUID ISODate tojson tojsononeline printjson printjsononeline shellPrintHelper DB DBCollection DBQuery " +
        "Mongo WriteResult BulkWriteResult WriteError WriteCommandError connect version hostname assert").split(" ");

    var folder = "/usr/lib/fleet-lab/mongo/";
    var parts = ["types", "store", "query", "shell"].map(function (part) { return os.file.readFile(folder + part + ".js"); });
    var lab = evaluate("(function (os, global) {" + parts.join("\n") + "\n" +
        ours.map(function (name) { return "global." + name + " = " + name + ";"; }).join("\n") + "return lab; })", { fileName: folder + "parts.js" })(os, this);
    lab.version = "3.6.23";

    var WriteError = this.WriteError, WriteCommandError = this.WriteCommandError, Mongo = this.Mongo;

    // The caller turns 125 to 127 into the statuses that the engine does not allow; see `database`.
    function leave(status) {
        lab.store.release();
        end({ "-4": 125, "-3": 126, "-1": 127 }[status] || status & 127);
    }

    function log(level, words) {
        say(new Date().toISOString().replace("Z", "+0000") + " " + level + " [thread1] " + words);
    }

    // --- running code

    // What later versions of the language brought and the engine of MongoDB 3.6 does not understand.
    function tooNew(node) {
        if (node === null || typeof node !== "object") return false;
        if (Array.isArray(node)) return node.some(tooNew);
        switch (node.type) {
        case "OptionalExpression": case "OptionalMemberExpression": case "OptionalCallExpression": case "ClassField": case "StaticClassBlock": return true;
        case "LogicalExpression": if (node.operator === "??") return true; break;
        case "BinaryExpression": case "AssignmentExpression": if (/^(\*\*=?|\?\?=|\|\|=|&&=)$/.test(node.operator)) return true; break;
        case "ObjectExpression": case "ObjectPattern":
            if (node.properties.some(function (one) { return one.type === "SpreadExpression" || one.type === "SpreadProperty"; })) return true;
            break;
        case "CatchClause": if (!node.param) return true; break;
        case "Literal": return typeof node.value === "bigint";
        }
        return node.async === true || Object.keys(node).some(function (key) { return key !== "loc" && tooNew(node[key]); });
    }

    function run(code, name) {
        if (tooNew(parse(code, { source: name }))) throw SyntaxError("the JavaScript of MongoDB 3.6 does not know this yet");
        return evaluate(code, { fileName: name });
    }

    // Runs it and says what went wrong. Returns whether nothing did.
    function execute(code, name, print) {
        try {
            var value = run(code, name);
            if (print) shellPrintHelper(value);
            return true;
        } catch (problem) {
            report(problem);
            return false;
        } finally {
            lab.store.release();
        }
    }

    function report(problem) {
        if (problem instanceof Error) {
            var stack = String(problem.stack || "").split("\n").filter(function (line) { return line !== "" && !/fleet-lab/.test(line); });
            var text = problem instanceof WriteError || problem instanceof WriteCommandError ? problem.name + ": " + problem.message : String(problem);
            log("E QUERY   ", text + " :\n" + stack.join("\n"));
        } else {
            log("E QUERY   ", "uncaught exception: " + (typeof problem === "object" && problem !== null ? tojson(problem) : problem));
        }
    }

    function runFile(path, name) {
        var text = lab.file(path);
        if (text === null) throw Error("error loading js file: " + name);
        return run(text, name);
    }

    // --- options

    var valued = ["host", "port", "username", "password", "authenticationDatabase", "authenticationMechanism", "eval"];
    var plain = ["quiet", "norc", "nodb", "shell", "version", "help", "ipv6", "verbose", "disableJavaScriptJIT"];
    var short = { u: "username", p: "password", h: "help" };

    function refuse(words) {
        complain("Error parsing command line: " + words);
        complain("try 'mongo --help' for more information");
        leave(2);
    }

    function readOptions(words) {
        var options = { files: [] }, word, name, value, others = [];
        while (words.length) {
            word = words.shift();
            if (word[0] !== "-" || word === "-") {
                others.push(word);
                continue;
            }
            value = undefined;
            if (word.slice(0, 2) === "--") {
                name = word.slice(2).split("=")[0];
                if (word.indexOf("=") > 0) value = word.slice(word.indexOf("=") + 1);
            } else {
                name = short[word[1]] || word;
                if (word.length > 2) value = word.slice(2);
            }
            if (plain.indexOf(name) >= 0) options[name] = true;
            else if (valued.indexOf(name) < 0) refuse("unrecognised option '" + word + "'");
            else if (value === undefined && words.length === 0 && name !== "password") refuse("the required argument for option '--" + name + "' is missing");
            else options[name] = value === undefined ? words.shift() || "" : value;
        }
        if (others.length && !/\.js$/.test(others[0])) options.address = others.shift();
        options.files = others;
        return options;
    }

    // {host, port, database, user, password} of what the options say.
    function target(options) {
        var address = options.address || "", to = { host: options.host || "127.0.0.1", port: options.port || "27017", database: "test" };
        var uri = /^mongodb:\/\/(?:([^:@\/]*)(?::([^@]*))?@)?([^\/:?]*)(?::(\d+))?(?:\/([^?]*))?/.exec(address || to.host);
        if (uri) {
            to = { host: uri[3], port: uri[4] || "27017", database: uri[5] || "test" };
            if (uri[1]) to.user = decodeURIComponent(uri[1]), to.password = decodeURIComponent(uri[2] || "");
            return to;
        }
        if (address.indexOf("/") >= 0) {
            if (options.host || options.port) {
                complain("If a full URI is provided, you cannot also specify --host or --port");
                leave(-1);
            }
            to.host = address.split("/")[0];
            to.database = address.split("/")[1];
        } else if (address.indexOf(".") >= 0 || /:\d/.test(address)) to.host = address;
        else if (address) to.database = address;
        if (/:\d+$/.test(to.host)) {
            to.port = to.host.split(":")[1];
            to.host = to.host.split(":")[0];
        }
        return to;
    }

    lab.connect = function (host) {
        var name = host.replace(/:\d+$/, ""), port = (/:(\d+)$/.exec(host) || [0, "27017"])[1], slow = lab.knob("slow");
        if (slow !== null) pause(Number(slow));
        if (port === "27017" && ["127.0.0.1", "localhost", (lab.file("/etc/hostname") || "").trim()].indexOf(name) >= 0 && lab.knob("down") === null) return;
        log("W NETWORK ", "Failed to connect to " + name + ":" + port + ", in(checking socket for error after poll), reason: Connection refused");
        throw Error("couldn't connect to server " + name + ":" + port + ", connection attempt failed");
    };

    // --- statements from standard input

    // Lines as the shell reads them from what is no terminal: at most 4095 bytes, a longer line is several.
    var pending = [];
    function nextLine() {
        if (pending.length === 0) {
            var line = readline();
            if (line === null) return null;
            for (line += "\n"; line.length > 4095; line = line.slice(4095)) pending.push(line.slice(0, 4095));
            pending.push(line.slice(0, -1));
        }
        var bytes = pending.shift();
        try {
            return decodeURIComponent(escape(bytes));
        } catch (problem) {
            return bytes;
        }
    }

    // Whether a statement is complete: the shell counts brackets, and waits for more after an operator.
    function isComplete(code) {
        var open = { "{": 0, "[": 0, "(": 0 }, closing = { "}": "{", "]": "[", ")": "(" }, waits = false, i, c;
        if (code.split(" ")[0] === "use") return true;
        for (i = 0; i < code.length; i++) {
            c = code[i];
            if (c === "/") {
                if (code[i + 1] === "/") while (i < code.length && code[i] !== "\n") i++;
                continue;
            }
            if (c in open) open[c]++;
            else if (c in closing) {
                if (open[closing[c]] === 0) return true;
                open[closing[c]]--;
            } else if (c === '"' || c === "'") {
                for (i++; i < code.length && code[i] !== c; i++) if (code[i] === "\\") i++;
                if (i >= code.length) return true;
            } else if (c === "\\" && code[i + 1] === "/") i++;
            else if ((c === "+" || c === "-") && code[i + 1] === c) {
                i++;
                continue;
            }
            if ("~!%^&*-+=|:,<>/?.".indexOf(code[i]) >= 0) waits = true;
            else if (!/\s/.test(code[i])) waits = false;
        }
        return !waits && open["{"] === 0 && open["["] === 0 && open["("] === 0;
    }

    var helpers = {
        use: function (name) {
            global.db = global.db.getMongo().getDB(name);
            print("switched to db " + name);
        },
        show: function (what) {
            if (what === "collections" || what === "tables") print(global.db.getCollectionNames().join("\n"));
            else if (what === "dbs" || what === "databases") print(global.db.getMongo().getDBNames().join("\n"));
            else throw Error("don't know how to show [" + what + "]");
        },
        it: function () {
            if (lab.shown && lab.shown.hasNext()) lab.shown.shellPrint(); else print("no cursor");
        },
    };

    function readStatements(quiet) {
        var fine = true, line, code, word;
        while (true) {
            line = nextLine();
            code = line === null ? null : line.replace(/^ +| +$/g, "");
            if (code === null || /^exit;?$/.test(code)) {
                if (!quiet && code !== "exit;") say("bye");
                return fine;
            }
            if (code === "") continue;
            while (code !== null && !isComplete(code)) {
                code += "\n";
                // Two empty lines give an unfinished statement up.
                if (code.indexOf("\n\n\n") >= 0) {
                    code = ";";
                    break;
                }
                line = nextLine();
                code = line === null ? null : code + line.replace(/^(\.\.\. )+/, "");
            }
            // An unfinished statement at the end is not run, and is no failure.
            if (code === null) {
                say("");
                continue;
            }
            word = code.split(" ")[0];
            if (helpers.hasOwnProperty(word)) {
                try {
                    helpers[word](code.slice(word.length).replace(/;$/, "").trim());
                    fine = true;
                } catch (problem) {
                    report(problem);
                    fine = false;
                }
                lab.store.release();
            } else {
                fine = execute(code, "(shell)", true);
            }
        }
    }

    // --- what foreign code does not find

    var known = ("undefined Boolean Date Math Number InternalError EvalError RangeError TypeError URIError ArrayBuffer Int8Array Int16Array Uint16Array Int32Array " +
        "Uint32Array Float32Array Float64Array Uint8ClampedArray Proxy WeakMap Map DataView Symbol Intl WeakSet Promise NaN Infinity isNaN isFinite parseFloat " +
        "parseInt Function Object eval Reflect Error Array RegExp JSON escape unescape uneval decodeURI encodeURI decodeURIComponent encodeURIComponent String Set " +
        "SyntaxError ReferenceError Uint8Array print").split(" ").concat(ours);
    var news = [[Object, "values entries fromEntries getOwnPropertyDescriptors hasOwn"], [Reflect, "parse"],
        [Array.prototype, "flat flatMap at findLast findLastIndex group groupToMap"], [Promise, "allSettled any"], [Promise.prototype, "finally"],
        [String.prototype, "padStart padEnd matchAll replaceAll at trimStart trimEnd"]];

    function hideTheRest() {
        news.forEach(function (one) { one[1].split(" ").forEach(function (name) { delete one[0][name]; }); });
        Object.getOwnPropertyNames(global).forEach(function (name) {
            if (known.indexOf(name) >= 0) return;
            // A name of ours can't be deleted, but need not be of any use.
            if (!delete global[name]) global[name] = undefined;
        });
        global.quit = function (status) { leave(status === undefined ? 0 : Number(status)); };
        global.load = function (path) {
            runFile(path, path);
            return true;
        };
        global.sleep = function (milliseconds) {
            lab.store.release();
            pause(Number(milliseconds) / 1000);
        };
    }

    function serve() {
        var text = "", line;
        lab.session.inside = true;
        while ((line = readline()) !== null) text += line + "\n";
        global.db = new Mongo().getDB("canopsis");
        global.argv = argv;
        global.readFile = lab.file;
        try {
            run(decodeURIComponent(escape(text)), "(server)");
        } catch (problem) {
            complain(problem + "\n" + (problem.stack || ""));
            leave(1);
        }
        leave(0);
    }

    function shell() {
        var options = readOptions(argv), to = target(options), i, fine = true;
        if (options.version) {
            say("MongoDB shell version v" + lab.version);
            leave(0);
        }
        if (options.help) {
            say("MongoDB shell version v" + lab.version + "\nusage: mongo [options] [db address] [file names (ending in .js)]");
            leave(0);
        }
        if (!options.quiet) say("MongoDB shell version v" + lab.version);
        if (!options.nodb) {
            if (!options.quiet) say("connecting to: mongodb://" + to.host + ":" + to.port + "/" + (to.database === "test" ? "" : to.database));
            try {
                lab.connect(to.host + ":" + to.port);
            } catch (problem) {
                problem.stack = "connect@src/mongo/shell/mongo.js:251:13\n@(connect):1:6";
                report(problem);
                complain("exception: connect failed");
                leave(1);
            }
            global.db = new Mongo(to.host + ":" + to.port).getDB(to.database);
            if (!options.quiet) say("MongoDB server version: " + lab.version);
            if (options.username !== undefined) to.user = options.username;
            if (options.password !== undefined) to.password = options.password;
            if (to.user !== undefined && !lab.login(options.authenticationDatabase || to.database, to.user, to.password || "")) {
                var refused = Error("Authentication failed.");
                refused.stack = "DB.prototype._authOrThrow@src/mongo/shell/db.js:1608:20\n@(auth):6:1\n@(auth):1:2";
                report(refused);
                complain("exception: login failed");
                leave(1);
            }
            lab.store.release();
        }
        if (options.eval !== undefined && !execute(options.eval, "(shell eval)", true)) leave(-4);
        for (i = 0; i < options.files.length; i++) {
            if (options.files.length > 1) say("loading file: " + options.files[i]);
            try {
                runFile(options.files[i], options.files[i]);
                lab.store.release();
            } catch (problem) {
                report(problem);
                say("failed to load: " + options.files[i]);
                leave(-3);
            }
        }
        if (options.shell || options.files.length === 0 && options.eval === undefined) fine = readStatements(options.quiet);
        leave(fine ? 0 : 1);
    }

    hideTheRest();
    if (mode === "server") serve(); else shell();
}).call(this);
