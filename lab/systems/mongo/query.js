// What the server does with documents: finding, changing, adding up. Operators it does not know are refused, as MongoDB does.

// The values a dotted path leads to; an array on the way stands for each of its documents. undefined: nothing there.
lab.leaves = function (value, parts, from, found) {
    if (from === parts.length) {
        found.push(value);
    } else if (Array.isArray(value)) {
        if (/^\d+$/.test(parts[from]) && parts[from] < value.length) lab.leaves(value[parts[from]], parts, from + 1, found);
        value.forEach(function (element) { if (lab.isDocument(element)) lab.leaves(element, parts, from, found); });
    } else if (lab.isDocument(value) && value.hasOwnProperty(parts[from])) {
        lab.leaves(value[parts[from]], parts, from + 1, found);
    } else {
        found.push(undefined);
    }
    return found;
};

lab.isOperators = function (value) {
    return lab.isDocument(value) && Object.keys(value).length > 0 && Object.keys(value)[0][0] === "$";
};

lab.matches = function (doc, query) {
    return Object.keys(query).every(function (key) {
        var wanted = query[key];
        switch (key) {
        case "$and": return lab.clauses(key, wanted).every(function (clause) { return lab.matches(doc, clause); });
        case "$or": return lab.clauses(key, wanted).some(function (clause) { return lab.matches(doc, clause); });
        case "$nor": return !lab.clauses(key, wanted).some(function (clause) { return lab.matches(doc, clause); });
        case "$comment": return true;
        case "$where":
            return (typeof wanted === "function" ? wanted : Function("return " + wanted)).call(doc);
        }
        if (key[0] === "$") throw lab.error(2, "unknown top level operator: " + key);
        return lab.satisfies(lab.leaves(doc, key.split("."), 0, []), wanted);
    });
};

lab.clauses = function (key, clauses) {
    if (!Array.isArray(clauses) || clauses.length === 0) throw lab.error(2, key + " must be a nonempty array");
    return clauses;
};

// Whether what a path led to satisfies a value or an object of operators.
lab.satisfies = function (values, wanted) {
    if (!lab.isOperators(wanted)) return lab.anyEqual(values, wanted);
    return Object.keys(wanted).every(function (operator) { return lab.operator(values, operator, wanted[operator], wanted); });
};

// Whether a test holds for one of the values, or for an element of one that is an array.
lab.any = function (values, test) {
    return values.some(function (value) { return test(value) || Array.isArray(value) && value.some(test); });
};

lab.anyEqual = function (values, wanted) {
    return lab.any(values, function (value) {
        if (wanted instanceof RegExp && typeof value === "string") return lab.regExpMatches(wanted, value);
        return lab.equal(value, wanted);
    });
};

lab.regExpMatches = function (expression, text) {
    expression.lastIndex = 0;
    return expression.test(text);
};

lab.operator = function (values, operator, wanted, all) {
    function ordered(test) {
        return lab.any(values, function (value) {
            return value !== undefined && lab.rank(value) === lab.rank(wanted) && test(lab.compare(value, wanted));
        });
    }
    function list() {
        if (!Array.isArray(wanted)) throw lab.error(2, operator + " needs an array");
        return wanted;
    }
    switch (operator) {
    case "$eq": return lab.any(values, function (value) { return lab.equal(value, wanted); });
    case "$ne": return !lab.any(values, function (value) { return lab.equal(value, wanted); });
    case "$gt": return ordered(function (order) { return order > 0; });
    case "$gte": return ordered(function (order) { return order >= 0; });
    case "$lt": return ordered(function (order) { return order < 0; });
    case "$lte": return ordered(function (order) { return order <= 0; });
    case "$in": return list().some(function (one) { return lab.anyEqual(values, one); });
    case "$nin": return !list().some(function (one) { return lab.anyEqual(values, one); });
    case "$exists": return values.some(function (value) { return value !== undefined; }) === Boolean(wanted);
    case "$not":
        if (!(wanted instanceof RegExp) && !lab.isOperators(wanted)) throw lab.error(2, "$not needs a regex or a document");
        return !lab.satisfies(values, wanted);
    case "$regex": {
        var expression = new RegExp(wanted instanceof RegExp ? wanted.source : wanted, (all.$options || wanted.flags || "").replace(/[xs]/g, ""));
        return lab.any(values, function (value) { return typeof value === "string" && lab.regExpMatches(expression, value); });
    }
    case "$options":
        if (!("$regex" in all)) throw lab.error(2, "$options needs a $regex");
        return true;
    case "$type": {
        var kinds = (Array.isArray(wanted) ? wanted : [wanted]).map(lab.typeNumber);
        return lab.any(values, function (value) { return value !== undefined && kinds.indexOf(lab.typeOf(value)) >= 0 ||
            kinds.indexOf("number") >= 0 && value !== undefined && lab.rank(value) === 1; });
    }
    case "$size": return values.some(function (value) { return Array.isArray(value) && value.length === Number(wanted); });
    case "$all":
        return list().length > 0 && wanted.every(function (one) {
            return lab.isOperators(one) ? lab.satisfies(values, one) : lab.anyEqual(values, one);
        });
    case "$elemMatch":
        return values.some(function (value) {
            return Array.isArray(value) && value.some(function (element) { return lab.elementMatches(element, wanted); });
        });
    case "$mod":
        return lab.any(values, function (value) { return lab.rank(value) === 1 && Math.trunc(value) % list()[0] === Number(wanted[1]); });
    }
    throw lab.error(2, "unknown operator: " + operator);
};

lab.elementMatches = function (element, wanted) {
    if (lab.isOperators(wanted) && ["$and", "$or", "$nor"].indexOf(Object.keys(wanted)[0]) < 0) return lab.satisfies([element], wanted);
    return (lab.isDocument(element) || Array.isArray(element)) && lab.matches(element, wanted);
};

lab.typeNames = { double: 1, string: 2, object: 3, array: 4, binData: 5, undefined: 6, objectId: 7, bool: 8, date: 9, null: 10, regex: 11, int: 16, long: 18 };
lab.typeNumber = function (type) {
    if (type === "number") return type;
    if (typeof type === "string" && !(type in lab.typeNames)) throw lab.error(2, "Unknown type name alias: " + type);
    return typeof type === "string" ? lab.typeNames[type] : Number(type);
};
// A whole number counts as a double: what the shell itself stores is one.
lab.typeOf = function (value) {
    if (value instanceof NumberLong) return 18;
    return [10, 1, 2, 3, 4, 5, 7, 8, 9, 0, 11][lab.rank(value)];
};

// --- changing

// Applies an update to a document in place; positions holds what "$" in a path stands for. inserting: $setOnInsert counts.
lab.update = function (doc, change, query, inserting) {
    var work = [];
    Object.keys(change).forEach(function (operator) {
        if (!lab.changes.hasOwnProperty(operator)) throw lab.error(9, "Unknown modifier: " + operator);
        if (!lab.isDocument(change[operator])) {
            throw lab.error(9, "Modifiers operate on fields but we found type " + typeof change[operator] + " instead. For example: {$mod: {<field>: ...}} not {" +
                operator + ": " + lab.toLine(change[operator]) + "}");
        }
        if (Object.keys(change[operator]).length === 0) {
            throw lab.error(9, "'" + operator + "' is empty. You must specify a field like so: {" + operator + ": {<field>: ...}}");
        }
        Object.keys(change[operator]).forEach(function (path) {
            if (operator === "$rename") work.push({ path: String(change.$rename[path]), operator: "", argument: null });
            work.push({ path: path, operator: operator, argument: change[operator][path] });
        });
    });
    work.sort(function (a, b) { return a.path < b.path ? -1 : a.path > b.path ? 1 : 0; });
    work.forEach(function (one, i) {
        if (one.path === "" || /(^\.|\.\.|\.$)/.test(one.path)) throw lab.error(56, "The update path '" + one.path + "' contains an empty field name, which is not allowed.");
        var next = work[i + 1];
        if (next && (next.path === one.path || next.path.indexOf(one.path + ".") === 0)) {
            throw lab.error(40, "Updating the path '" + next.path + "' would create a conflict at '" + one.path + "'");
        }
    });
    var id = doc._id;
    work.forEach(function (one) {
        if (one.operator === "" || one.operator === "$setOnInsert" && !inserting) return;
        lab.paths(doc, one.path, query).forEach(function (path) {
            lab.changes[one.operator](doc, path, lab.copy(one.argument), one.path);
        });
    });
    if (id !== undefined && !lab.equal(id, doc._id)) {
        throw lab.error(66, "Performing an update on the path '_id' would modify the immutable field '_id'");
    }
};

// The paths, as lists of keys, that a path with "$" or "$[]" stands for.
lab.paths = function (doc, path, query) {
    var parts = path.split("."), i = parts.findIndex(function (part) { return part[0] === "$"; });
    if (i < 0) return [parts];
    var before = parts.slice(0, i), array = lab.get(doc, before), rest = parts.slice(i + 1);
    if (parts[i] === "$[]") {
        if (!Array.isArray(array)) throw lab.error(2, "The path '" + before.join(".") + "' must exist in the document in order to apply array updates.");
        return array.reduce(function (all, element, index) { return all.concat(lab.paths(doc, before.concat(index, rest).join("."), query)); }, []);
    }
    if (parts[i] !== "$") throw lab.error(9, "the lab's database has no arrayFilters");
    i = Array.isArray(array) ? array.findIndex(function (element) { return lab.isPosition(element, before.join("."), query); }) : -1;
    if (i < 0) throw lab.error(2, "The positional operator did not find the match needed from the query.");
    return lab.paths(doc, before.concat(i, rest).join("."), query);
};

// Whether an element is what the query found in the array at that path.
lab.isPosition = function (element, path, query) {
    var asked = false;
    var fits = Object.keys(query).every(function (key) {
        var wanted = query[key];
        if (key === "$and") return wanted.every(function (clause) {
            var inner = lab.isPosition(element, path, clause);
            asked = asked || inner;
            return inner || !lab.asks(clause, path);
        });
        if (key === path) {
            asked = true;
            if (lab.isDocument(wanted) && "$elemMatch" in wanted) return lab.elementMatches(element, wanted.$elemMatch);
            return lab.satisfies([element], wanted);
        }
        if (key.indexOf(path + ".") === 0) {
            asked = true;
            return lab.isDocument(element) && lab.satisfies(lab.leaves(element, key.slice(path.length + 1).split("."), 0, []), wanted);
        }
        return true;
    });
    return asked && fits;
};
lab.asks = function (query, path) {
    return Object.keys(query).some(function (key) { return key === path || key.indexOf(path + ".") === 0; });
};

lab.get = function (doc, parts) {
    return parts.reduce(function (value, part) {
        if (Array.isArray(value)) return /^\d+$/.test(part) ? value[part] : undefined;
        return lab.isDocument(value) && value.hasOwnProperty(part) ? value[part] : undefined;
    }, doc);
};

// The document or array that holds the last part of a path; made if it is to be there, undefined if it is not.
lab.holder = function (doc, parts, make) {
    var value = doc, i, next;
    for (i = 0; i < parts.length - 1; i++) {
        next = lab.get(value, [parts[i]]);
        if (next === undefined) {
            if (!make) return undefined;
            lab.put(value, parts[i], next = {}, parts);
        }
        if (!lab.isDocument(next) && !Array.isArray(next)) {
            if (!make) return undefined;
            throw lab.error(28, "Cannot create field '" + parts[i + 1] + "' in element {" + parts[i] + ": " + lab.toLine(next) + "}");
        }
        value = next;
    }
    return value;
};

lab.put = function (holder, key, value, parts) {
    if (Array.isArray(holder)) {
        if (!/^\d+$/.test(key)) throw lab.error(28, "Cannot create field '" + key + "' in element {" + (parts[parts.length - 2] || "") + ": " + lab.toLine(holder) + "}");
        while (holder.length < key) holder.push(null);
    }
    holder[key] = value;
};

lab.set = function (doc, parts, value) { lab.put(lab.holder(doc, parts, true), parts[parts.length - 1], value, parts); };

lab.unset = function (doc, parts) {
    var holder = lab.holder(doc, parts, false), key = parts[parts.length - 1];
    if (Array.isArray(holder)) {
        if (/^\d+$/.test(key) && key < holder.length) holder[key] = null;
    } else if (holder !== undefined) {
        delete holder[key];
    }
};

lab.number = function (doc, parts, argument, operator, calculate) {
    var old = lab.get(doc, parts);
    if (lab.rank(argument) !== 1) throw lab.error(14, "Cannot " + operator + " with non-numeric argument: {" + parts.join(".") + ": " + lab.toLine(argument) + "}");
    if (old !== undefined && lab.rank(old) !== 1) {
        throw lab.error(14, "Cannot apply " + operator + " to a value of non-numeric type. {_id: " + lab.toLine(doc._id) + "} has the field '" + parts[parts.length - 1] + "' of non-numeric type");
    }
    var value = calculate(Number(old === undefined ? 0 : old), Number(argument));
    lab.set(doc, parts, old instanceof NumberLong || argument instanceof NumberLong ? new NumberLong(value) : value);
};

// The array a path leads to, made if there is nothing.
lab.array = function (doc, parts, operator) {
    var array = lab.get(doc, parts);
    if (array === undefined) lab.set(doc, parts, array = []);
    if (!Array.isArray(array)) throw lab.error(2, "The field '" + parts.join(".") + "' must be an array but is of type " + typeof array + " in document {_id: " + lab.toLine(doc._id) + "}");
    return array;
};

lab.each = function (argument, others) {
    if (!lab.isDocument(argument) || !("$each" in argument)) return [argument];
    Object.keys(argument).forEach(function (key) {
        if (key !== "$each" && others.indexOf(key) < 0) throw lab.error(2, "Unrecognized clause in $push: " + key);
    });
    return argument.$each;
};

lab.changes = {
    $set: function (doc, parts, argument) { lab.set(doc, parts, argument); },
    $setOnInsert: function (doc, parts, argument) { lab.set(doc, parts, argument); },
    $unset: function (doc, parts) { lab.unset(doc, parts); },
    $rename: function (doc, parts, to) {
        var value = lab.get(doc, parts);
        if (typeof to !== "string") throw lab.error(2, "The 'to' field for $rename must be a string: " + parts.join(".") + ": " + lab.toLine(to));
        if (value === undefined) return;
        lab.unset(doc, parts);
        lab.set(doc, to.split("."), value);
    },
    $inc: function (doc, parts, argument) { lab.number(doc, parts, argument, "$inc", function (a, b) { return a + b; }); },
    $mul: function (doc, parts, argument) { lab.number(doc, parts, argument, "$mul", function (a, b) { return a * b; }); },
    $min: function (doc, parts, argument) {
        var old = lab.get(doc, parts);
        if (old === undefined || lab.compare(argument, old) < 0) lab.set(doc, parts, argument);
    },
    $max: function (doc, parts, argument) {
        var old = lab.get(doc, parts);
        if (old === undefined || lab.compare(argument, old) > 0) lab.set(doc, parts, argument);
    },
    $currentDate: function (doc, parts) { lab.set(doc, parts, new Date()); },
    $push: function (doc, parts, argument) {
        var array = lab.array(doc, parts, "$push"), more = lab.each(argument, ["$position", "$slice"]);
        array.splice.apply(array, [more !== argument && argument.$position !== undefined && lab.isDocument(argument) ? Number(argument.$position) : array.length, 0].concat(more));
        if (lab.isDocument(argument) && "$each" in argument && "$slice" in argument) {
            var kept = argument.$slice < 0 ? array.slice(argument.$slice) : array.slice(0, argument.$slice);
            array.splice.apply(array, [0, array.length].concat(kept));
        }
    },
    $addToSet: function (doc, parts, argument) {
        var array = lab.array(doc, parts, "$addToSet");
        lab.each(argument, []).forEach(function (value) {
            if (!array.some(function (element) { return lab.equal(element, value); })) array.push(value);
        });
    },
    $pop: function (doc, parts, argument) {
        if (lab.get(doc, parts) === undefined) return;
        var array = lab.array(doc, parts, "$pop");
        if (argument < 0) array.shift(); else array.pop();
    },
    $pull: function (doc, parts, argument) {
        if (lab.get(doc, parts) === undefined) return;
        var array = lab.array(doc, parts, "$pull"), kept = array.filter(function (element) {
            if (lab.isDocument(argument) && !lab.isOperators(argument)) return !(lab.isDocument(element) && lab.matches(element, argument));
            return !lab.satisfies([element], argument);
        });
        array.splice.apply(array, [0, array.length].concat(kept));
    },
    $pullAll: function (doc, parts, argument) {
        if (lab.get(doc, parts) === undefined) return;
        var array = lab.array(doc, parts, "$pullAll"), kept = array.filter(function (element) {
            return !argument.some(function (value) { return lab.equal(element, value); });
        });
        array.splice.apply(array, [0, array.length].concat(kept));
    },
};

// The document an upsert begins with: what the query says a field equals.
lab.seed = function (query, doc) {
    Object.keys(query).forEach(function (key) {
        if (key === "$and") query.$and.forEach(function (clause) { lab.seed(clause, doc); });
        if (key[0] === "$") return;
        var wanted = query[key];
        if (lab.isOperators(wanted)) {
            if (!("$eq" in wanted)) return;
            wanted = wanted.$eq;
        }
        if (!(wanted instanceof RegExp)) lab.set(doc, key.split("."), lab.copy(wanted));
    });
    return doc;
};

// --- shaping and adding up

lab.project = function (doc, projection) {
    var keys = Object.keys(projection || {}), result = {};
    if (keys.length === 0) return doc;
    keys.forEach(function (key) {
        if (lab.isDocument(projection[key])) throw lab.error(2, "Unsupported projection option: " + key + ": " + lab.toLine(projection[key]) + " (in the lab)");
    });
    var including = keys.some(function (key) { return key !== "_id" && projection[key]; }) || keys.length === 1 && keys[0] === "_id" && Boolean(projection._id);
    keys.forEach(function (key) {
        if (key !== "_id" && Boolean(projection[key]) !== including) throw lab.error(2, "Projection cannot have a mix of inclusion and exclusion.");
    });
    if (!including) {
        result = lab.copy(doc);
        keys.forEach(function (key) { if (!projection[key]) lab.drop(result, key.split("."), 0); });
        return result;
    }
    var paths = keys.filter(function (key) { return projection[key]; }).map(function (key) { return key.split("."); });
    if (projection._id === undefined) paths.push(["_id"]);
    return lab.keep(doc, paths);
};

lab.keep = function (value, paths) {
    if (Array.isArray(value)) {
        return value.filter(function (one) { return lab.isDocument(one) || Array.isArray(one); }).map(function (one) { return lab.keep(one, paths); });
    }
    var result = {};
    Object.keys(value).forEach(function (key) {
        var deeper = paths.filter(function (path) { return path[0] === key; }).map(function (path) { return path.slice(1); });
        if (deeper.length === 0) return;
        if (deeper.some(function (path) { return path.length === 0; })) result[key] = value[key];
        else if (lab.isDocument(value[key]) || Array.isArray(value[key])) result[key] = lab.keep(value[key], deeper);
    });
    return result;
};

lab.drop = function (value, parts, from) {
    if (Array.isArray(value)) value.forEach(function (element) { lab.drop(element, parts, from); });
    else if (!lab.isDocument(value)) return;
    else if (from === parts.length - 1) delete value[parts[from]];
    else lab.drop(value[parts[from]], parts, from + 1);
};

lab.sort = function (docs, order) {
    var keys = Object.keys(order);
    function value(doc, key, direction) {
        var values = lab.leaves(doc, key.split("."), 0, []).reduce(function (all, one) { return all.concat(Array.isArray(one) && one.length ? one : [one]); }, []);
        return values.sort(function (a, b) { return direction * lab.compare(a, b); })[0];
    }
    return docs.map(function (doc, i) { return { doc: doc, i: i }; }).sort(function (a, b) {
        for (var k = 0, difference; k < keys.length; k++) {
            var direction = Number(order[keys[k]]);
            difference = direction * lab.compare(value(a.doc, keys[k], direction), value(b.doc, keys[k], direction));
            if (difference) return difference;
        }
        return a.i - b.i;
    }).map(function (one) { return one.doc; });
};

// An expression of the aggregation: a path, a literal, a document of them, or one of a few operators.
lab.evaluate = function (doc, expression) {
    if (typeof expression === "string" && expression[0] === "$") {
        if (expression === "$$ROOT") return doc;
        if (expression[1] === "$") throw lab.error(17276, "the lab's database does not know the variable " + expression);
        var values = lab.leaves(doc, expression.slice(1).split("."), 0, []);
        return values.length === 1 ? values[0] : values.length === 0 ? [] : values.filter(function (value) { return value !== undefined; });
    }
    if (Array.isArray(expression)) return expression.map(function (one) { return lab.evaluate(doc, one); });
    if (!lab.isDocument(expression)) return expression;
    if (lab.isOperators(expression)) {
        var operator = Object.keys(expression)[0], argument = expression[operator];
        if (operator === "$literal") return argument;
        var list = lab.evaluate(doc, argument);
        switch (operator) {
        case "$concat": return list.some(function (one) { return one === null || one === undefined; }) ? null : list.join("");
        case "$ifNull": return list[0] === null || list[0] === undefined ? list[1] : list[0];
        case "$size": return (Array.isArray(list) && list.length === 1 && Array.isArray(list[0]) ? list[0] : list).length;
        case "$eq": return lab.equal(list[0], list[1]);
        }
        throw lab.error(168, "Unrecognized expression '" + operator + "'");
    }
    var result = {};
    Object.keys(expression).forEach(function (key) {
        var value = lab.evaluate(doc, expression[key]);
        if (value !== undefined) result[key] = value;
    });
    return result;
};

lab.accumulators = {
    $sum: function (values) { return values.reduce(function (sum, value) { return value !== undefined && lab.rank(value) === 1 ? sum + Number(value) : sum; }, 0); },
    $avg: function (values) {
        values = values.filter(function (value) { return value !== undefined && lab.rank(value) === 1; });
        return values.length ? lab.accumulators.$sum(values) / values.length : null;
    },
    $first: function (values) { return values[0]; },
    $last: function (values) { return values[values.length - 1]; },
    $min: function (values) { return values.slice().sort(lab.compare)[0]; },
    $max: function (values) { return values.slice().sort(lab.compare).pop(); },
    $push: function (values) { return values.filter(function (value) { return value !== undefined; }); },
    $addToSet: function (values) {
        return values.reduce(function (set, value) {
            return value === undefined || set.some(function (one) { return lab.equal(one, value); }) ? set : set.concat([value]);
        }, []);
    },
};

lab.stages = {
    $match: function (docs, query) { return docs.filter(function (doc) { return lab.matches(doc, query); }); },
    $sort: function (docs, order) { return lab.sort(docs, order); },
    $limit: function (docs, number) { return docs.slice(0, number); },
    $skip: function (docs, number) { return docs.slice(number); },
    $count: function (docs, name) {
        var result = {};
        result[name] = docs.length;
        return docs.length ? [result] : [];
    },
    $unwind: function (docs, path) {
        var parts = (path.path || path).slice(1).split(".");
        return docs.reduce(function (all, doc) {
            var value = lab.get(doc, parts);
            if (value === undefined || value === null || Array.isArray(value) && value.length === 0) return path.preserveNullAndEmptyArrays ? all.concat([doc]) : all;
            return all.concat((Array.isArray(value) ? value : [value]).map(function (element) {
                var one = lab.copy(doc);
                lab.set(one, parts, element);
                return one;
            }));
        }, []);
    },
    $project: function (docs, shape) {
        var plain = {}, computed = {};
        Object.keys(shape).forEach(function (key) {
            if (typeof shape[key] === "number" || typeof shape[key] === "boolean") plain[key] = shape[key]; else computed[key] = shape[key];
        });
        return docs.map(function (doc) {
            var names = Object.keys(plain), result = names.length === 0 || names.length === 1 && plain._id === 0 || names.length === 1 && names[0] === "_id" && Object.keys(computed).length
                ? Object.keys(computed).length ? plain._id === 0 || doc._id === undefined ? {} : { _id: doc._id } : lab.project(doc, plain) : lab.copy(lab.project(doc, plain));
            Object.keys(computed).forEach(function (key) {
                var value = lab.evaluate(doc, computed[key]);
                if (value !== undefined) lab.set(result, key.split("."), value);
            });
            return result;
        });
    },
    $group: function (docs, shape) {
        var groups = [];
        if (!("_id" in shape)) throw lab.error(15955, "a group specification must include an _id");
        docs.forEach(function (doc) {
            var id = lab.evaluate(doc, shape._id), group;
            if (id === undefined) id = null;
            group = groups.find(function (one) { return lab.equal(one.id, id); });
            if (!group) groups.push(group = { id: id, docs: [] });
            group.docs.push(doc);
        });
        return groups.map(function (group) {
            var result = { _id: group.id };
            Object.keys(shape).forEach(function (key) {
                if (key === "_id") return;
                var operator = Object.keys(shape[key])[0];
                if (!lab.accumulators.hasOwnProperty(operator)) throw lab.error(15952, "unknown group operator '" + operator + "'");
                result[key] = lab.accumulators[operator](group.docs.map(function (doc) { return lab.evaluate(doc, shape[key][operator]); }));
            });
            return result;
        });
    },
};

lab.aggregate = function (docs, pipeline) {
    return pipeline.reduce(function (found, stage) {
        var name = Object.keys(stage)[0];
        if (!lab.stages.hasOwnProperty(name)) throw lab.error(40324, "Unrecognized pipeline stage name: '" + name + "'");
        return lab.stages[name](found, stage[name]);
    }, docs);
};
