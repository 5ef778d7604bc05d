// What the stand-in for MongoDB's shell must do, asked through it: mongo --quiet scratch test-mongo.js, by lab/test.
// The expectations are those of MongoDB 3.6's manual and of its shell's source.

var failures = 0, asked = 0;

function is(sentence, actual, expected) {
    asked++;
    if (tojson(actual) === tojson(expected)) return;
    failures++;
    print("FAILED " + sentence + ": expected " + tojson(expected) + ", got " + tojson(actual));
}
function throws(sentence, words, work) {
    var message = "nothing thrown";
    try {
        work();
    } catch (problem) {
        message = String(problem.message || problem);
    }
    is(sentence + " (" + message + ")", message.indexOf(words) >= 0, true);
}
function ids(query) {
    return db.things.find(query, { _id: 1 }).sort({ _id: 1 }).map(function (doc) { return doc._id; });
}
function one(id) { return db.things.findOne({ _id: id }); }

db.things.drop();
is("nothing is dropped twice", db.things.drop(), false);
is("an insert counts", db.things.insert({ _id: 1, a: 5, tags: ["x", "y"], sub: { b: "one" } }).nInserted, 1);
is("many inserts count", db.things.insertMany([
    { _id: 2, a: 7, tags: [], sub: [{ b: "two", n: 1 }, { b: "three", n: 2 }] }, { _id: 3, a: null, when: ISODate("2020-03-19T10:00:00Z") }, { _id: 4, name: "Root", n: NumberLong(12) }]).insertedIds, [2, 3, 4]);
is("what is there is refused", db.things.insert({ _id: 1 }).getWriteError().code, 11000);
throws("and thrown by the newer method", "E11000", function () { db.things.insertOne({ _id: 1 }); });

is("equality", ids({ a: 5 }), [1]);
is("null is also what is missing", ids({ a: null }), [3, 4]);
is("$exists tells them apart", ids({ a: { $exists: true } }), [1, 2, 3]);
is("$ne", ids({ a: { $ne: 5 } }), [2, 3, 4]);
is("$gt $lte", ids({ a: { $gt: 4, $lte: 7 } }), [1, 2]);
is("$gte $lt", ids({ a: { $gte: 5, $lt: 7 } }), [1]);
is("$in and $nin", [ids({ _id: { $in: [1, 4, 9] } }), ids({ _id: { $nin: [1, 4] } })], [[1, 4], [2, 3]]);
is("$and $or $nor", [ids({ $and: [{ a: { $gt: 1 } }, { a: { $lt: 6 } }] }), ids({ $or: [{ a: 5 }, { name: "Root" }] }), ids({ $nor: [{ a: 5 }, { a: 7 }] })], [[1], [1, 4], [3, 4]]);
is("$not", ids({ a: { $not: { $gt: 5 } } }), [1, 3, 4]);
is("a regular expression", [ids({ name: /^ro/i }), ids({ name: { $regex: "^ro", $options: "i" } }), ids({ name: /^ro/ })], [[4], [4], []]);
is("$type", [ids({ a: { $type: "number" } }), ids({ a: { $type: 10 } }), ids({ tags: { $type: "string" } })], [[1, 2], [3], [1]]);
is("an element of an array", ids({ tags: "x" }), [1]);
is("a whole array", [ids({ tags: ["x", "y"] }), ids({ tags: [] })], [[1], [2]]);
is("$size $all", [ids({ tags: { $size: 2 } }), ids({ tags: { $all: ["y", "x"] } })], [[1], [1]]);
is("a dotted path", ids({ "sub.b": "one" }), [1]);
is("a dotted path into an array", [ids({ "sub.b": "three" }), ids({ "sub.0.b": "two" }), ids({ "sub.1.b": "two" })], [[2], [2], []]);
is("$elemMatch", [ids({ sub: { $elemMatch: { b: "two", n: 2 } } }), ids({ sub: { $elemMatch: { b: "two", n: 1 } } }), ids({ "sub.b": "two", "sub.n": 2 })], [[], [2], [2]]);
is("a document is equal field by field, in order", [ids({ sub: { b: "one" } }), ids({ sub: { b: "one", c: 1 } })], [[1], []]);
is("a date", ids({ when: { $gt: ISODate("2020-03-18"), $lt: new Date("2020-03-20") } }), [3]);
is("a long number", [ids({ n: 12 }), one(4).n], [[4], NumberLong(12)]);
throws("an unknown operator is refused", "unknown operator: $regexp", function () { db.things.find({ a: { $regexp: 1 } }).toArray(); });
throws("also on top", "unknown top level operator: $xor", function () { db.things.findOne({ $xor: [] }); });

is("projection in", db.things.findOne({ _id: 1 }, { a: 1, "sub.b": 1 }), { _id: 1, a: 5, sub: { b: "one" } });
is("projection out", db.things.findOne({ _id: 1 }, { tags: 0, sub: 0, _id: 0 }), { a: 5 });
throws("projection is one or the other", "mix of inclusion and exclusion", function () { db.things.findOne({}, { a: 1, b: 0 }); });
is("sort, skip, limit", db.things.find({}, { _id: 1 }).sort({ a: -1 }).skip(1).limit(2).toArray(), [{ _id: 1 }, { _id: 3 }]);
is("count and size", [db.things.count(), db.things.find({ a: null }).count(), db.things.find().limit(2).count(), db.things.find().limit(2).size()], [4, 2, 4, 2]);
is("a cursor by number", db.things.find().sort({ _id: 1 })[1]._id, 2);
is("distinct", [db.things.distinct("tags"), db.things.distinct("sub.b", { a: { $gt: 0 } })], [["x", "y"], ["one", "two", "three"]]);

is("an update of one", db.things.update({ a: null }, { $set: { a: 1 } }).tojson(), 'WriteResult({ "nMatched" : 1, "nUpserted" : 0, "nModified" : 1 })');
is("which was the first", [one(3).a, one(4).a], [1, undefined]);
is("an update of all, by position of its arguments", db.things.update({}, { $set: { all: true } }, false, true).nModified, 4);
is("what is there already is not modified", tojson(db.things.update({}, { $set: { all: true } }, { multi: true })), 'WriteResult({ "nMatched" : 4, "nUpserted" : 0, "nModified" : 0 })');
is("updateMany", db.things.updateMany({}, { $unset: { all: "" } }), { acknowledged: true, matchedCount: 4, modifiedCount: 4 });
is("updateOne", db.things.updateOne({ _id: 9 }, { $set: { a: 1 } }), { acknowledged: true, matchedCount: 0, modifiedCount: 0 });
throws("updateOne takes operators only", "must contain atomic operators", function () { db.things.updateOne({ _id: 1 }, { a: 1 }); });
throws("replaceOne takes none", "must not contain atomic operators", function () { db.things.replaceOne({ _id: 1 }, { $set: { a: 1 } }); });
is("an upsert begins with what was asked", [db.things.update({ _id: 5, kind: { $gt: 1 }, b: 2 }, { $set: { c: 3 }, $setOnInsert: { d: 4 } }, { upsert: true }).nUpserted, one(5)], [1, { _id: 5, b: 2, c: 3, d: 4 }]);
is("$setOnInsert is for inserts", [db.things.update({ _id: 5 }, { $setOnInsert: { d: 5 } }, true).nModified, one(5).d], [0, 4]);
is("a replacement keeps the id", [db.things.update({ _id: 5 }, { x: 1 }).nModified, one(5)], [1, { _id: 5, x: 1 }]);
is("it is for one document", db.things.update({}, { x: 1 }, { multi: true }).getWriteError().code, 9);
is("the id stays", db.things.update({ _id: 5 }, { $set: { _id: 6 } }).getWriteError().code, 66);
is("an unknown modifier is an error in the result", db.things.update({ _id: 5 }, { $sett: { a: 1 } }).getWriteError().errmsg, "Unknown modifier: $sett");
throws("and thrown by the newer method", "Unknown modifier: $sett", function () { db.things.updateOne({ _id: 5 }, { $sett: { a: 1 } }); });
is("paths in conflict", db.things.update({ _id: 5 }, { $set: { "a.b": 1 }, $unset: { a: "" } }).getWriteError().code, 40);
is("a field below a value", db.things.update({ _id: 5 }, { $set: { "x.y": 1 } }).getWriteError().code, 28);

db.things.update({ _id: 5 }, { $set: { "m.n.o": 1, old: "o", kept: "k" }, $inc: { x: 2, fresh: 1 }, $mul: { zero: 5 } });
is("$set makes the way, $inc and $mul begin with 0", one(5), { _id: 5, x: 3, fresh: 1, kept: "k", m: { n: { o: 1 } }, old: "o", zero: 0 });
db.things.update({ _id: 5 }, { $rename: { old: "kept" } });
is("$rename overwrites what is there", [one(5).old, one(5).kept], [undefined, "o"]);
is("$rename of nothing does nothing", db.things.update({ _id: 5 }, { $rename: { nothing: "kept" } }).nModified, 0);
db.things.update({ _id: 5 }, { $rename: { kept: "m.kept" } });
is("$rename into a document", one(5).m, { n: { o: 1 }, kept: "o" });
db.things.update({ _id: 5 }, { $min: { x: 1 }, $max: { fresh: 9 }, $unset: { zero: 1, m: 1 } });
is("$min $max $unset", one(5), { _id: 5, x: 1, fresh: 9 });
db.things.update({ _id: 5 }, { $push: { list: 1 } });
db.things.update({ _id: 5 }, { $push: { list: { $each: [2, 3, 3] } } });
db.things.update({ _id: 5 }, { $addToSet: { list: 3 } });
db.things.update({ _id: 5 }, { $addToSet: { list: { $each: [4, 1] } } });
is("$push $addToSet $each", one(5).list, [1, 2, 3, 3, 4]);
db.things.update({ _id: 5 }, { $pull: { list: { $gte: 3 } } });
is("$pull", one(5).list, [1, 2]);
is("$push to what is no array", db.things.update({ _id: 5 }, { $push: { x: 1 } }).getWriteError().code, 2);
db.things.update({ _id: 2, "sub.b": "three" }, { $set: { "sub.$.n": 22 } });
db.things.update({ _id: 1, tags: "y" }, { $set: { "tags.$": "z" } });
is("the position that was found", [one(2).sub, one(1).tags], [[{ b: "two", n: 1 }, { b: "three", n: 22 }], ["x", "z"]]);
db.things.update({ _id: 2 }, { $set: { "sub.$[].n": 0 }, $pull: { tags: 1 } });
is("all positions", one(2).sub, [{ b: "two", n: 0 }, { b: "three", n: 0 }]);
db.things.update({ _id: 2 }, { $pull: { sub: { b: "two" } } });
is("$pull by a field", one(2).sub, [{ b: "three", n: 0 }]);

is("save inserts and replaces", [db.things.save({ _id: 7, a: 1 }).nUpserted, db.things.save({ _id: 7, b: 1 }).nModified, one(7)], [1, 1, { _id: 7, b: 1 }]);
is("an id is made", [db.things.insertOne({ k: 1 }).insertedId.str.length, db.things.findOne({ k: 1 })._id instanceof ObjectId], [24, true]);
throws("dots in names are refused", "can't have . in field names", function () { db.things.save({ _id: 8, "a.b": 1 }); });
is("findAndModify", [db.things.findAndModify({ query: { _id: 7 }, update: { $inc: { b: 1 } } }), db.things.findOneAndUpdate({ _id: 7 }, { $inc: { b: 1 } }, { returnNewDocument: true })], [{ _id: 7, b: 1 }, { _id: 7, b: 3 }]);
is("remove one, remove all", [db.things.remove({ k: 1 }, true).nRemoved, db.things.deleteOne({ _id: 7 }).deletedCount, db.things.deleteMany({ _id: { $gt: 4 } }).deletedCount, db.things.count()], [1, 1, 1, 4]);
is("bulkWrite", db.things.bulkWrite([{ insertOne: { document: { _id: 8 } } }, { updateOne: { filter: { _id: 8 }, update: { $set: { a: 1 } } } }, { deleteOne: { filter: { _id: 8 } } }]).deletedCount, 1);
is("aggregate", db.things.aggregate([{ $match: { a: { $gt: 0 } } }, { $group: { _id: null, sum: { $sum: "$a" }, number: { $sum: 1 } } }, { $project: { _id: 0, sum: 1, number: 1 } }]).toArray(), [{ sum: 13, number: 3 }]);
throws("an unknown stage is refused", "Unrecognized pipeline stage name: '$facet'", function () { db.things.aggregate([{ $facet: {} }]); });
is("indexes are remembered", [db.things.createIndex({ a: 1 }).numIndexesAfter, db.things.getIndexes().length, db.things.dropIndex("a_1").ok, db.things.getIndexes().length], [2, 2, 1, 1]);

is("collections by name", [db.getCollection("a.b").insert({}).nInserted, db.a.b.count(), db["a.b"].drop()], [1, 1, true]);
is("names of collections", db.getCollectionNames(), ["things"]);
is("another database", [db.getSiblingDB("other").getName(), db.getSiblingDB("other").getCollectionNames()], ["other", []]);
is("ping, version, an unknown command", [db.runCommand({ ping: 1 }), db.version(), db.runCommand({ pong: 1 }).code], [{ ok: 1 }, "3.6.23", 59]);
is("a document written down", tojson({ a: [1, { b: null }], e: [], d: ISODate("2020-01-02T03:04:05.006Z"), id: ObjectId("0123456789abcdef01234567"), long: NumberLong("9007199254740993"), u: UUID("00112233-4455-6677-8899-aabbccddeeff") }),
    '{\n\t"a" : [\n\t\t1,\n\t\t{\n\t\t\t"b" : null\n\t\t}\n\t],\n\t"e" : [ ],\n\t"d" : ISODate("2020-01-02T03:04:05.006Z"),\n\t"id" : ObjectId("0123456789abcdef01234567"),\n\t"long" : NumberLong("9007199254740993"),\n\t"u" : UUID("00112233-4455-6677-8899-aabbccddeeff")\n}');
db.things.insert({ _id: "types", d: ISODate("2020-01-02"), o: ObjectId("0123456789abcdef01234567"), l: NumberLong(5), u: UUID("00112233-4455-6677-8899-aabbccddeeff"), r: /x"y/i, s: "é\u2028\n\"", f: 1.5, b: false });
is("values are what they were", one("types"), { _id: "types", d: ISODate("2020-01-02"), o: ObjectId("0123456789abcdef01234567"), l: NumberLong(5), u: UUID("00112233-4455-6677-8899-aabbccddeeff"), r: /x"y/i, s: "é\u2028\n\"", f: 1.5, b: false });
is("nor in its library", [typeof Object.entries, typeof "".padStart, typeof globalThis, typeof os, typeof lab], ["undefined", "undefined", "undefined", "undefined", "undefined"]);
db.dropDatabase();

print(asked - failures + " of " + asked + " expectations hold");
quit(failures ? 1 : 0);
