// The server through libmongoc, as the product's own code sees it.
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/memory_server_fixture.h"

namespace tidemark::memory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(MemoryServerTest, SaysWhatItIs) {
  const mongo::ServerFacts facts = connection_->Facts();
  EXPECT_EQ(facts.version, "6.0.16");
  EXPECT_EQ(facts.flavor, "mongodb");
  EXPECT_EQ(facts.replica_set_name, "rs0");
  EXPECT_TRUE(facts.has_oplog);
  EXPECT_EQ(facts.position_seconds, ToMicros(clock_.Now()) / 1'000'000);
  EXPECT_EQ(facts.position_increment, 1U);
  EXPECT_EQ(facts.max_wire_version, 17);
  EXPECT_THAT(connection_->ListDatabases(), ElementsAre("admin", "config", "local"));
}

TEST_F(MemoryServerTest, DocumentsComeBackInNaturalOrderOverManyBatches) {
  std::vector<Bytes> documents;
  const std::string text(200'000, 'x');
  for (std::int64_t id = 299; id >= 0; --id) {  // 60 MB: four batches at least
    documents.push_back(bson::Builder().Append("_id", id).Append("text", text).Finish());
  }
  Insert("large", documents);
  EXPECT_EQ(Read("shop", "large"), documents);
  EXPECT_EQ(connection_->Count("shop", "large"), 300U);
}

TEST_F(MemoryServerTest, DocumentWithoutIdGetsOneAndAnIdIsMovedToTheFront) {
  Run("shop", R"({"insert": "c", "documents": [{"a": 1}, {"a": 2, "_id": 7}, {"_id": 8}]})");
  const std::vector<Bytes> read = Read("shop", "c");
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(bson::Document(read[0]).begin()->type, bson::Type::kObjectId);
  EXPECT_EQ(bson::ToJson(bson::Document(read[1])), Canonical(R"({"_id": 7, "a": 2})"));
  EXPECT_EQ(bson::ToJson(bson::Document(read[2])), Canonical(R"({"_id": 8})"));
}

TEST_F(MemoryServerTest, DuplicateIdIsRefusedAndTheOthersAreTaken) {
  Insert("c", {Doc(1)});
  const Failure failure = FailureOf([&] { Insert("c", {Doc(1), Doc(2)}); });
  EXPECT_EQ(failure.code, ErrorCode::kConflict);
  EXPECT_THAT(failure.message, HasSubstr("E11000 duplicate key error collection: shop.c"));
  EXPECT_EQ(connection_->Count("shop", "c"), 2U);
}

TEST_F(MemoryServerTest, OrderedInsertStopsAtTheFirstRefusal) {
  const Bytes reply =
      Run("shop", R"({"insert": "c", "documents": [{"_id": 1}, {"_id": 1}, {"_id": 2}]})");
  const bson::Document body(reply);
  EXPECT_EQ(IntegerAt(body, "n", -1), 1);
  const bson::Document errors = DocumentAt(body, "writeErrors");
  EXPECT_EQ(IntegerAt(DocumentAt(errors, "0"), "index", -1), 1);
  EXPECT_EQ(IntegerAt(DocumentAt(errors, "0"), "code", -1), 11000);
}

TEST_F(MemoryServerTest, TooLargeDocumentIsRefused) {
  const Bytes large =
      bson::Builder().Append("_id", 1.0).Append("t", std::string(17U << 20, 'x')).Finish();
  EXPECT_THAT(FailureOf([&] { Insert("c", {large}); }).message,
              HasSubstr("object to insert too large"));
}

TEST_F(MemoryServerTest, FindsByIdRangesSortsSkipsAndLimits) {
  Insert("c", {Doc(4), Doc(2), Doc(9), Doc(7), Doc(1)});
  EXPECT_THAT(Ids(R"({"find": "c"})"), ElementsAre(4, 2, 9, 7, 1));
  EXPECT_THAT(Ids(R"({"find": "c", "sort": {"$natural": -1}})"), ElementsAre(1, 7, 9, 2, 4));
  EXPECT_THAT(Ids(R"({"find": "c", "filter": {"_id": 9}})"), ElementsAre(9));
  EXPECT_THAT(Ids(R"({"find": "c", "filter": {"_id": {"$in": [7, 2, 3]}}, "sort": {"_id": 1}})"),
              ElementsAre(2, 7));
  EXPECT_THAT(Ids(R"({"find": "c", "filter": {"_id": {"$gt": 1, "$lte": 7}}})"),
              ElementsAre(2, 4, 7));
  EXPECT_THAT(Ids(R"({"find": "c", "filter": {"_id": {"$lt": 9}}, "sort": {"_id": -1}})"),
              ElementsAre(7, 4, 2, 1));
  EXPECT_THAT(Ids(R"({"find": "c", "hint": {"_id": 1}, "min": {"_id": 2}, "max": {"_id": 9}})"),
              ElementsAre(2, 4, 7));
  EXPECT_THAT(Ids(R"({"find": "c", "sort": {"_id": 1}, "skip": 1, "limit": 2})"),
              ElementsAre(2, 4));
  EXPECT_THAT(Ids(R"({"find": "c", "hint": "_id_", "batchSize": 2})"), ElementsAre(1, 2));
  EXPECT_THAT(Ids(R"({"find": "absent"})"), ElementsAre());
}

TEST_F(MemoryServerTest, CursorOverIdsSurvivesDeletionsAroundIt) {
  Insert("c", {Doc(1), Doc(2), Doc(3), Doc(4), Doc(5)});
  const Bytes first = Run("shop", R"({"find": "c", "sort": {"_id": 1}, "batchSize": 2})");
  const std::int64_t cursor = IntegerAt(DocumentAt(bson::Document(first), "cursor"), "id", 0);
  Run("shop", R"({"delete": "c", "deletes": [{"q": {"_id": {"$in": [2, 3]}}, "limit": 0}]})");
  const Bytes command =
      bson::Builder().Append("getMore", cursor).Append("collection", "c").Finish();
  const Bytes next = connection_->RunCommand("shop", bson::Document(command));
  const bson::Document batch = DocumentAt(DocumentAt(bson::Document(next), "cursor"), "nextBatch");
  EXPECT_EQ(IntegerAt(DocumentAt(batch, "0"), "_id", -1), 4);
  EXPECT_EQ(IntegerAt(DocumentAt(batch, "1"), "_id", -1), 5);
}

TEST_F(MemoryServerTest, ProjectsCountsAndAggregates) {
  Insert("c", {Doc(1), Doc(2), Doc(3)});
  const Bytes found = Run("shop", R"({"find": "c", "projection": {"_id": 1}, "limit": 1})");
  EXPECT_EQ(bson::ToJson(DocumentAt(
                DocumentAt(DocumentAt(bson::Document(found), "cursor"), "firstBatch"), "0")),
            Canonical(R"({"_id": {"$numberLong": "1"}})"));
  const Bytes counted = Run("shop", R"({"aggregate": "c", "cursor": {}, "pipeline":
      [{"$match": {"_id": {"$gte": 2}}}, {"$group": {"_id": 1, "n": {"$sum": 1}}}]})");
  EXPECT_THAT(bson::ToJson(bson::Document(counted)), HasSubstr(R"("n" : { "$numberInt" : "2" })"));
  const Bytes stats = Run(
      "shop", R"({"aggregate": "c", "cursor": {}, "pipeline": [{"$collStats": {"count": {}}}]})");
  EXPECT_THAT(bson::ToJson(bson::Document(stats)),
              HasSubstr(R"("count" : { "$numberLong" : "3" })"));
  EXPECT_EQ(FailureOf([&] {
              Run("shop", R"({"aggregate": "c", "cursor": {}, "pipeline": [{"$lookup": {}}]})");
            }).message,
            "running aggregate on shop at 127.0.0.1:" + std::to_string(server_.port()) +
                ": Unrecognized pipeline stage name: '$lookup'");
}

TEST_F(MemoryServerTest, CatalogIsKeptVerbatim) {
  const std::string options =
      R"({"validator": {"a": {"$gt": 1}}, "validationAction": "warn", "collation": {"locale": "fr"}})";
  Run("shop", R"({"create": "c", "validator": {"a": {"$gt": 1}}, "validationAction": "warn",
                  "collation": {"locale": "fr"}, "writeConcern": {"w": 1}})");
  Run("shop", R"({"create": "v", "viewOn": "c", "pipeline": [{"$match": {"a": 1}}]})");
  Run("shop", R"({"createIndexes": "c", "indexes": [
        {"key": {"z": 1, "a": -1.0}, "name": "za", "sparse": true, "expireAfterSeconds": 5.5},
        {"key": {"t": "text"}}]})");
  const std::vector<Bytes> infos = connection_->ListCollections("shop");
  ASSERT_EQ(infos.size(), 3U);
  EXPECT_EQ(TextAt(bson::Document(infos[0]), "name"), "c");
  EXPECT_EQ(bson::ToJson(DocumentAt(bson::Document(infos[0]), "options")), Canonical(options));
  EXPECT_EQ(TextAt(bson::Document(infos[1]), "name"), "system.views");
  EXPECT_EQ(TextAt(bson::Document(infos[2]), "type"), "view");
  const std::vector<Bytes> indexes = connection_->ListIndexes("shop", "c");
  ASSERT_EQ(indexes.size(), 3U);
  EXPECT_EQ(bson::ToJson(bson::Document(indexes[1])),
            Canonical(R"({"v": 2, "key": {"z": 1, "a": {"$numberDouble": "-1.0"}}, "name": "za",
                          "sparse": true, "expireAfterSeconds": 5.5})"));
  EXPECT_EQ(bson::ToJson(bson::Document(indexes[2])),
            Canonical(R"({"v": 2, "key": {"t": "text"}, "name": "t_text"})"));
}

TEST_F(MemoryServerTest, ListsByFilterAndByNameOnly) {
  Insert("a", {Doc(1)});
  Insert("b", {Doc(1)});
  const Bytes databases =
      Run("admin", R"({"listDatabases": 1, "nameOnly": true, "filter": {"name": "shop"}})");
  EXPECT_THAT(bson::ToJson(bson::Document(databases)),
              StartsWith(R"({ "databases" : [ { "name" : "shop" } ], "ok")"));
  const Bytes collections =
      Run("shop", R"({"listCollections": 1, "nameOnly": true, "filter": {"name": "b"}})");
  EXPECT_THAT(bson::ToJson(bson::Document(collections)),
              StartsWith(R"({ "cursor" : { "firstBatch" : [ { "name" : "b", "type" : )"
                         R"("collection" } ], "id" : { "$numberLong" : "0" })"));
}

TEST_F(MemoryServerTest, CollModChangesOptionsIndexesAndViews) {
  Run("shop", R"({"create": "c", "validator": {"a": 1}})");
  Run("shop", R"({"create": "v", "viewOn": "c", "pipeline": []})");
  Run("shop", R"({"createIndexes": "c", "indexes": [{"key": {"t": 1}, "name": "t"}]})");
  Run("shop", R"({"collMod": "c", "validator": {"a": 2}, "validationLevel": "off",
                  "index": {"keyPattern": {"t": 1}, "expireAfterSeconds": 5}})");
  Run("shop", R"({"collMod": "v", "viewOn": "c", "pipeline": [{"$match": {"_id": 2}}]})");
  Insert("c", {Doc(1), Doc(2)});
  const std::vector<Bytes> infos = connection_->ListCollections("shop");
  EXPECT_EQ(bson::ToJson(DocumentAt(bson::Document(infos[0]), "options")),
            Canonical(R"({"validator": {"a": 2}, "validationLevel": "off"})"));
  EXPECT_EQ(bson::ToJson(bson::Document(connection_->ListIndexes("shop", "c").at(1))),
            Canonical(R"({"v": 2, "key": {"t": 1}, "name": "t", "expireAfterSeconds": 5})"));
  EXPECT_EQ(Read("shop", "v"), std::vector<Bytes>{Doc(2)});
  EXPECT_EQ(connection_->Count("shop", "v"), 1U);
}

TEST_F(MemoryServerTest, RenameNeedsAFreeNameOrLeaveToDropIt) {
  Insert("a", {Doc(1)});
  Insert("b", {Doc(2)});
  EXPECT_EQ(
      FailureOf([&] { Run("admin", R"({"renameCollection": "shop.a", "to": "shop.b"})"); }).code,
      ErrorCode::kConflict);
  Run("admin", R"({"renameCollection": "shop.a", "to": "shop.b", "dropTarget": true})");
  EXPECT_THAT(Read("shop", "b"), ElementsAre(Doc(1)));
  EXPECT_EQ(
      FailureOf([&] { Run("admin", R"({"renameCollection": "shop.a", "to": "shop.c"})"); }).code,
      ErrorCode::kNotFound);
}

TEST_F(MemoryServerTest, KilledCursorIsGone) {
  Insert("c", {Doc(1), Doc(2)});
  const Bytes first = Run("shop", R"({"find": "c", "batchSize": 1})");
  const std::int64_t id = IntegerAt(DocumentAt(bson::Document(first), "cursor"), "id", 0);
  const Bytes cursors = bson::Builder().Append("0", id).Finish();
  const Bytes kill = bson::Builder()
                         .Append("killCursors", "c")
                         .AppendArray("cursors", bson::Document(cursors))
                         .Finish();
  connection_->RunCommand("shop", bson::Document(kill));
  const Bytes more = bson::Builder().Append("getMore", id).Append("collection", "c").Finish();
  EXPECT_THAT(FailureOf([&] { connection_->RunCommand("shop", bson::Document(more)); }).message,
              HasSubstr("cursor id " + std::to_string(id) + " not found"));
}

TEST_F(MemoryServerTest, CappedCollectionKeepsItsNewestDocuments) {
  Run("shop", R"({"create": "c", "capped": true, "size": 100000, "max": 2})");
  Insert("c", {Doc(1)});
  Insert("c", {Doc(2)});
  Insert("c", {Doc(3)});
  EXPECT_THAT(Read("shop", "c"), ElementsAre(Doc(2), Doc(3)));
}

TEST_F(MemoryServerTest, OplogTellsEveryChangeInOrder) {
  Run("shop", R"({"create": "c", "validator": {"a": 1}})");
  Run("shop", R"({"createIndexes": "c", "indexes": [{"key": {"a": 1}, "name": "a"}]})");
  Run("shop", R"({"insert": "c", "documents": [{"_id": 1, "a": 1}]})");
  Run("shop", R"({"update": "c", "updates": [{"q": {"_id": 1}, "u": {"$set": {"a": 2}}}]})");
  Run("shop", R"({"update": "c", "updates": [{"q": {"_id": 1}, "u": {"b": 3}}]})");
  Run("shop", R"({"update": "c", "updates": [{"q": {"_id": 2}, "u": {"b": 4}, "upsert": true}]})");
  Run("shop", R"({"delete": "c", "deletes": [{"q": {"_id": 1}, "limit": 1}]})");
  Run("shop", R"({"dropIndexes": "c", "index": "a"})");
  Run("shop", R"({"collMod": "c", "validator": {}})");
  Run("admin", R"({"renameCollection": "shop.c", "to": "shop.d"})");
  Run("shop", R"({"drop": "d"})");
  Run("shop", R"({"insert": "e", "documents": [{"_id": 1}]})");
  Run("shop", R"({"dropDatabase": 1})");
  const std::string create = R"("idIndex": {"v": 2, "key": {"_id": 1}, "name": "_id_"}}})";
  const std::vector<std::string> expected{
      R"({"op": "c", "ns": "shop.$cmd", "o": {"create": "c", "validator": {"a": 1}, )" + create,
      R"({"op": "c", "ns": "shop.$cmd",
          "o": {"createIndexes": "c", "v": 2, "key": {"a": 1}, "name": "a"}})",
      R"({"op": "i", "ns": "shop.c", "o": {"_id": 1, "a": 1}, "o2": {"_id": 1}})",
      R"({"op": "u", "ns": "shop.c", "o": {"$v": 2, "diff": {"u": {"a": 2}}}, "o2": {"_id": 1}})",
      R"({"op": "u", "ns": "shop.c", "o": {"_id": 1, "b": 3}, "o2": {"_id": 1}})",
      R"({"op": "i", "ns": "shop.c", "o": {"_id": 2, "b": 4}, "o2": {"_id": 2}})",
      R"({"op": "d", "ns": "shop.c", "o": {"_id": 1}})",
      R"({"op": "c", "ns": "shop.$cmd", "o": {"dropIndexes": "c", "index": "a"},
          "o2": {"v": 2, "key": {"a": 1}, "name": "a"}})",
      R"({"op": "c", "ns": "shop.$cmd", "o": {"collMod": "c", "validator": {}}})",
      R"({"op": "c", "ns": "shop.$cmd", "o": {"renameCollection": "shop.c", "to": "shop.d",
          "stayTemp": false, "dropTarget": false}})",
      R"({"op": "c", "ns": "shop.$cmd", "o": {"drop": "d"}, "o2": {"numRecords": 1}})",
      R"({"op": "c", "ns": "shop.$cmd", "o": {"create": "e", )" + create,
      R"({"op": "i", "ns": "shop.e", "o": {"_id": 1}, "o2": {"_id": 1}})",
      R"({"op": "c", "ns": "shop.$cmd", "o": {"drop": "e"}, "o2": {"numRecords": 1}})",
      R"({"op": "c", "ns": "shop.$cmd", "o": {"dropDatabase": 1}})"};
  const std::vector<std::string> entries = Oplog("shop");
  ASSERT_EQ(entries.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(entries[i], Canonical(expected[i]));
  }
}

TEST_F(MemoryServerTest, OplogTimesGrowWithinAndAcrossSeconds) {
  Insert("c", {Doc(1), Doc(2)});
  clock_.Advance(std::chrono::seconds(5));
  Insert("c", {Doc(3)});
  const mongo::ServerFacts facts = connection_->Facts();
  EXPECT_EQ(facts.position_seconds, ToMicros(clock_.Now()) / 1'000'000);
  EXPECT_EQ(facts.position_increment, 1U);
}

TEST_F(MemoryServerTest, TailableCursorWaitsForTheNextEntry) {
  const Bytes first = Run("local", R"({"find": "oplog.rs", "tailable": true, "awaitData": true})");
  const std::int64_t cursor = IntegerAt(DocumentAt(bson::Document(first), "cursor"), "id", 0);
  ASSERT_NE(cursor, 0);
  std::promise<void> asked;
  server_.faults().SetHook([&](std::string_view command, std::string_view) {
    if (command == "getMore") {
      asked.set_value();
    }
  });
  const std::jthread writer([&] {
    asked.get_future().wait();
    server_.WithStore([](Store& store) {
      const Bytes note = bson::Builder().Append("msg", "later").Finish();
      store.AppendNoop(bson::Document(note));
    });
  });
  const Bytes command = bson::Builder()
                            .Append("getMore", cursor)
                            .Append("collection", "oplog.rs")
                            .Append("maxTimeMS", std::int32_t{30'000})
                            .Finish();
  const Bytes next = connection_->RunCommand("local", bson::Document(command));
  EXPECT_THAT(bson::ToJson(bson::Document(next)), HasSubstr("later"));
  server_.faults().Clear();
  const Bytes brief = bson::Builder()
                          .Append("getMore", cursor)
                          .Append("collection", "oplog.rs")
                          .Append("maxTimeMS", std::int32_t{1})
                          .Finish();
  const Bytes nothing = connection_->RunCommand("local", bson::Document(brief));
  EXPECT_TRUE(DocumentAt(DocumentAt(bson::Document(nothing), "cursor"), "nextBatch").empty());
}

TEST_F(MemoryServerTest, UsersAndRolesAreKept) {
  Run("shop",
      R"({"createUser": "app", "pwd": "x", "roles": ["readWrite", {"role": "r", "db": "b"}]})");
  Run("admin", R"({"createRole": "r", "privileges": [{"resource": {"db": "", "collection": ""},
                   "actions": ["find"]}], "roles": []})");
  const Bytes users = Run("shop", R"({"usersInfo": 1})");
  EXPECT_THAT(bson::ToJson(bson::Document(users)),
              HasSubstr(R"("roles" : [ { "role" : "readWrite", "db" : "shop" }, )"
                        R"({ "role" : "r", "db" : "b" } ])"));
  const Bytes roles = Run("admin", R"({"rolesInfo": "r"})");
  EXPECT_THAT(bson::ToJson(bson::Document(roles)), HasSubstr(R"("actions" : [ "find" ])"));
  EXPECT_EQ(FailureOf([&] { Run("admin", R"({"dropUser": "nobody"})"); }).code,
            ErrorCode::kPermissionDenied);
}

TEST_F(MemoryServerTest, UnknownCommandAndTransactionsAreRefusedClearly) {
  const std::string at = " at 127.0.0.1:" + std::to_string(server_.port()) + ": ";
  const Failure unknown = FailureOf([&] { Run("admin", R"({"mapReduce": "c"})"); });
  EXPECT_EQ(unknown.code, ErrorCode::kUnsupported);
  EXPECT_EQ(unknown.message, "running mapReduce on admin" + at + "no such command: 'mapReduce'");
  EXPECT_EQ(FailureOf([&] { Run("admin", R"({"commitTransaction": 1})"); }).message,
            "running commitTransaction on admin" + at +
                "this server has no transactions: commitTransaction");
}

class SmallOplogTest : public MemoryServerTest {
 protected:
  SmallOplogTest() : MemoryServerTest({.replica_set = "rs0", .oplog_size = ByteCount{10'000}}) {}
};

TEST_F(SmallOplogTest, OldestEntriesFallOff) {
  server_.Generate("shop.c", 1000, 100);
  const std::vector<Bytes> entries = Read("local", "oplog.rs");
  EXPECT_LT(entries.size(), 100U);
  const bson::Document newest(entries.back());
  EXPECT_EQ(IntegerAt(DocumentAt(newest, "o"), "_id", -1), 999);
}

class CrowdedTest : public MemoryServerTest {
 protected:
  CrowdedTest() : MemoryServerTest({.max_connections = 2}) {}
};

TEST_F(CrowdedTest, TurnsAwayConnectionsBeyondItsBound) {
  // A client has one connection to watch the server and one to work with.
  EXPECT_EQ(connection_->Count("shop", "c"), 0U);
  mongo::ConnectionOptions hasty;
  hasty.connect_timeout = std::chrono::milliseconds(300);
  const auto other = mongo::Connection::Open(Secret(server_.Uri()), hasty);
  EXPECT_EQ(FailureOf([&] { other->Count("shop", "c"); }).code, ErrorCode::kUnavailable);
  EXPECT_EQ(connection_->Count("shop", "c"), 0U);
}

class StandaloneTest : public MemoryServerTest {
 protected:
  StandaloneTest() : MemoryServerTest({.version = "7.0.5", .checks = false}) {}
};

TEST_F(StandaloneTest, HasNoOplogAndTakesWhatComes) {
  const mongo::ServerFacts facts = connection_->Facts();
  EXPECT_EQ(facts.version, "7.0.5");
  EXPECT_EQ(facts.replica_set_name, "");
  EXPECT_FALSE(facts.has_oplog);
  Insert("c", {Doc(1), Doc(1)});
  EXPECT_EQ(connection_->Count("shop", "c"), 2U);
}

}  // namespace
}  // namespace tidemark::memory
