// The values a document can hold, how the shell writes them, and how they are kept in a file: a document is a line of JSON,
// what JSON lacks is written as {"$date": ...} and the like.
//
// Everything here ends up in `lab`, which main.js takes away before foreign code runs.

function ObjectId(text) {
    if (!(this instanceof ObjectId)) return text === undefined ? new ObjectId() : new ObjectId(text);
    if (text === undefined) text = lab.newId();
    text = String(text.str || text);
    if (!/^[0-9a-fA-F]{24}$/.test(text)) throw Error("invalid object id: length");
    this.str = text.toLowerCase();
}
ObjectId.prototype.valueOf = function () { return this.str; };
ObjectId.prototype.toString = ObjectId.prototype.tojson = function () { return 'ObjectId("' + this.str + '")'; };
ObjectId.prototype.getTimestamp = function () { return new Date(parseInt(this.str.slice(0, 8), 16) * 1000); };
ObjectId.prototype.equals = function (other) { return this.str === other.str; };

// A whole number of 64 bits. The lab keeps its digits and calculates with what a double holds of them.
function NumberLong(value) {
    if (!(this instanceof NumberLong)) return new NumberLong(value);
    if (value === undefined) value = 0;
    if (typeof value === "string" && !/^-?\d+$/.test(value)) throw Error('could not convert string "' + value + '" to a long long');
    this.digits = typeof value === "number" ? Math.trunc(value).toFixed(0) : String(value.digits || value);
}
NumberLong.prototype.valueOf = NumberLong.prototype.toNumber = function () { return Number(this.digits); };
NumberLong.prototype.toString = NumberLong.prototype.tojson = function () {
    return "NumberLong(" + (Math.abs(Number(this.digits)) < 0x80000000 ? this.digits : '"' + this.digits + '"') + ")";
};

function NumberInt(value) {
    if (!(this instanceof NumberInt)) return new NumberInt(value);
    this.value = value | 0;
}
NumberInt.prototype.valueOf = NumberInt.prototype.toNumber = function () { return this.value; };
NumberInt.prototype.toString = NumberInt.prototype.tojson = function () { return "NumberInt(" + this.value + ")"; };

function UUID(text) {
    if (!(this instanceof UUID)) return new UUID(text);
    text = text === undefined ? lab.hex(8) + "-" + lab.hex(4) + "-4" + lab.hex(3) + "-8" + lab.hex(3) + "-" + lab.hex(12) : String(text);
    if (!/^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(text)) throw Error("Error: Invalid UUID string: " + text);
    this.hidden = text.toLowerCase();
}
UUID.prototype.toString = UUID.prototype.tojson = function () { return 'UUID("' + this.hidden + '")'; };
UUID.prototype.hex = function () { return this.hidden.replace(/-/g, ""); };

function ISODate(text) {
    if (!text) return new Date();
    var match = /^(\d{4})-?(\d\d)-?(\d\d)([T ](\d\d)(:?(\d\d)(:?(\d\d(\.\d+)?))?)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(text);
    if (!match) throw Error("invalid ISO date: " + text);
    var zone = match[11] && match[11] !== "Z" ? match[11].replace(/^(...)(\d\d)$/, "$1:$2") : "Z";
    var seconds = match[9] ? (match[9].indexOf(".") < 0 ? match[9] : match[9].slice(0, 6)) : "00";
    return new Date(match[1] + "-" + match[2] + "-" + match[3] + "T" + (match[5] || "00") + ":" + (match[7] || "00") + ":" + seconds + zone);
}
Object.defineProperty(Date.prototype, "tojson", { value: function () {
    return 'ISODate("' + this.toISOString().replace(/\.000Z$/, "Z") + '")';
} });
Object.defineProperty(RegExp.prototype, "tojson", { value: RegExp.prototype.toString });

var lab = {};

lab.hex = function (digits) {
    for (var text = ""; text.length < digits; ) text += Math.floor(Math.random() * 16).toString(16);
    return text;
};
lab.newId = function () { return ("0000000" + Math.floor(Date.now() / 1000).toString(16)).slice(-8) + lab.hex(16); };

lab.isDocument = function (value) {
    return typeof value === "object" && value !== null && !Array.isArray(value) && lab.rank(value) === 3;
};

// The order of kinds of values, lowest first; numbers are one kind.
lab.rank = function (value) {
    if (value === null || value === undefined) return 0;
    if (typeof value === "number" || value instanceof NumberLong || value instanceof NumberInt) return 1;
    if (typeof value === "string") return 2;
    if (Array.isArray(value)) return 4;
    if (value instanceof UUID) return 5;
    if (value instanceof ObjectId) return 6;
    if (typeof value === "boolean") return 7;
    if (value instanceof Date) return 8;
    if (value instanceof RegExp) return 10;
    if (typeof value === "object") return 3;
    throw lab.error(2, "the lab's database has no " + typeof value);
};

lab.compare = function (a, b) {
    var kind = lab.rank(a), difference = kind - lab.rank(b), keysA, keysB, i;
    if (difference) return difference;
    switch (kind) {
    case 0: return 0;
    case 2: return a < b ? -1 : a > b ? 1 : 0;
    case 4:
        for (i = 0; i < a.length && i < b.length; i++) {
            if ((difference = lab.compare(a[i], b[i]))) return difference;
        }
        return a.length - b.length;
    case 3:
        keysA = Object.keys(a);
        keysB = Object.keys(b);
        for (i = 0; i < keysA.length && i < keysB.length; i++) {
            if ((difference = lab.rank(a[keysA[i]]) - lab.rank(b[keysB[i]]))) return difference;
            if (keysA[i] !== keysB[i]) return keysA[i] < keysB[i] ? -1 : 1;
            if ((difference = lab.compare(a[keysA[i]], b[keysB[i]]))) return difference;
        }
        return keysA.length - keysB.length;
    case 5: case 6: case 10:
        a = a.toString();
        b = b.toString();
        return a < b ? -1 : a > b ? 1 : 0;
    default: return a - b;
    }
};

lab.equal = function (a, b) { return lab.rank(a) === lab.rank(b) && lab.compare(a, b) === 0; };

// A copy that shares nothing; what cannot be stored is refused here. Functions a document inherits are not part of it.
lab.copy = function (value) {
    if (Array.isArray(value)) return value.map(function (element) { return element === undefined ? null : lab.copy(element); });
    if (lab.rank(value) !== 3) return value instanceof Date ? new Date(value.getTime()) : value instanceof NumberInt ? value.value : value;
    var result = {};
    Object.keys(value).forEach(function (key) { if (value[key] !== undefined) result[key] = lab.copy(value[key]); });
    return result;
};

lab.toLine = function (value) {
    if (value === null || value === undefined) return "null";
    if (Array.isArray(value)) return "[" + value.map(lab.toLine).join(", ") + "]";
    switch (lab.rank(value)) {
    case 1:
        if (value instanceof NumberLong) return '{"$numberLong": "' + value.digits + '"}';
        return isFinite(value) ? String(Number(value)) : '{"$number": "' + value + '"}';
    case 3: return "{" + Object.keys(value).map(function (key) { return JSON.stringify(key) + ": " + lab.toLine(value[key]); }).join(", ") + "}";
    case 5: return '{"$uuid": "' + value.hidden + '"}';
    case 6: return '{"$oid": "' + value.str + '"}';
    case 8: return '{"$date": "' + value.toISOString() + '"}';
    case 10: return '{"$regex": ' + JSON.stringify(value.source) + ', "$options": "' + value.flags + '"}';
    default: return JSON.stringify(value);
    }
};

lab.fromLine = function (line) {
    return JSON.parse(line, function (key, value) {
        if (typeof value !== "object" || value === null) return value;
        if ("$oid" in value) return new ObjectId(value.$oid);
        if ("$date" in value) return new Date(value.$date);
        if ("$numberLong" in value) return new NumberLong(value.$numberLong);
        if ("$number" in value) return Number(value.$number);
        if ("$uuid" in value) return new UUID(value.$uuid);
        if ("$regex" in value) return new RegExp(value.$regex, value.$options || "");
        return value;
    });
};

// What the server answers when it refuses.
lab.names = {
    2: "BadValue", 9: "FailedToParse", 13: "Unauthorized", 14: "TypeMismatch", 18: "AuthenticationFailed", 26: "NamespaceNotFound",
    27: "IndexNotFound", 28: "PathNotViable", 40: "ConflictingUpdateOperators", 52: "DollarPrefixedFieldName", 56: "EmptyFieldName",
    59: "CommandNotFound", 66: "ImmutableField", 11000: "DuplicateKey",
};
lab.error = function (code, message) {
    var error = Error(message);
    error.answer = { ok: 0, errmsg: message, code: code, codeName: lab.names[code] || "Location" + code };
    return error;
};
