// Snapshots of a memory server, and restores into another one, through the product's own engines:
// what FerretDB has not (views, validators, special indexes), and faults at exact moments.
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/two_memory_servers.h"

namespace tidemark::memory {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// What a namespace is, in comparable form.
struct Kept {
  std::string type;
  std::string options;
  std::vector<std::string> indexes;
  std::set<Bytes> documents;

  bool operator==(const Kept&) const = default;
};

void PrintTo(const Kept& kept, std::ostream* out) {
  *out << kept.type << " " << kept.options << " " << testing::PrintToString(kept.indexes) << " "
       << kept.documents.size() << " documents";
}

using Content = std::map<std::string, Kept>;

// Without `ns`, which no server since 4.4 keeps.
std::string Comparable(const Bytes& index) {
  const Bytes without = Without(bson::Document(index), {"ns"});
  return bson::ToJson(bson::Document(without));
}

std::set<Bytes> DocumentsOf(const Namespace& ns) {
  std::set<Bytes> documents;
  for (Documents::Position at = ns.documents.begin(); at < ns.documents.end(); ++at) {
    if (const ByteView document = ns.documents.At(at); !document.empty()) {
      documents.emplace(document.begin(), document.end());
    }
  }
  return documents;
}

// All but what every server has of its own.
Content ContentOf(MemoryServer& server) {
  Content content;
  server.WithStore([&](Store& store) {
    for (const std::string& database : store.DatabaseNames()) {
      if (database == "local" || database == "admin" || database == "config") {
        continue;
      }
      for (const NamespacePtr& ns : store.Collections(database)) {
        Kept& kept = content[ns->FullName()];
        kept.type = ns->type;
        kept.options = bson::ToJson(bson::Document(ns->options));
        for (const Bytes& index : ns->indexes) {
          kept.indexes.push_back(Comparable(index));
        }
        kept.documents = DocumentsOf(*ns);
      }
    }
  });
  return content;
}

class MemoryRestoreTest : public TwoMemoryServers {
 protected:
  void Run(std::string_view database, std::string_view json) {
    TwoMemoryServers::Run(*from_, database, json);
  }

  void ExpectSameAfterRestore() {
    TakeSnapshot();
    Restore();
    const Content expected = ContentOf(source_);
    const Content found = ContentOf(target_);
    for (const auto& [name, kept] : expected) {
      SCOPED_TRACE(name);
      ASSERT_TRUE(found.contains(name));
      EXPECT_EQ(found.at(name), kept);
    }
    EXPECT_EQ(found.size(), expected.size());
  }

  bool TargetIsMarked() {
    return ContentOf(target_).contains(std::string(mongo::kMarkerDatabase) + "." +
                                       std::string(mongo::kMarkerCollection));
  }
};

TEST_F(MemoryRestoreTest, EveryCollectionOptionSurvives) {
  Run("shop", R"({"create": "checked", "validator": {"$jsonSchema": {"required": ["a"]}},
                  "validationLevel": "moderate", "validationAction": "warn"})");
  Run("shop", R"({"create": "capped", "capped": true, "size": 1048576, "max": 5000})");
  Run("shop",
      R"({"create": "sorted", "collation": {"locale": "fr", "strength": 2, "caseLevel": false}})");
  Run("shop", R"({"create": "clustered", "expireAfterSeconds": {"$numberLong": "3600"},
                  "clusteredIndex": {"key": {"_id": 1}, "unique": true, "name": "by id", "v": 2}})");
  Run("shop",
      R"({"create": "tuned", "storageEngine": {"wiredTiger": {"configString": "block_compressor=zlib"}},
                  "changeStreamPreAndPostImages": {"enabled": true}})");
  Run("shop", R"({"insert": "capped", "documents": [{"_id": 3}, {"_id": 1}, {"_id": 2}]})");
  Run("shop", R"({"insert": "clustered", "documents": [{"_id": 3}, {"_id": 1}]})");
  ExpectSameAfterRestore();
}

TEST_F(MemoryRestoreTest, EveryKindOfIndexSurvives) {
  Run("shop", R"({"createIndexes": "places", "indexes": [
        {"key": {"_fts": "text", "_ftsx": 1}, "name": "words", "weights": {"a": 10, "b": 1},
         "default_language": "french", "language_override": "idioma", "textIndexVersion": 3},
        {"key": {"at": "2dsphere"}, "name": "at", "2dsphereIndexVersion": 3},
        {"key": {"flat": "2d"}, "name": "flat", "bits": 20, "min": -10.5, "max": 10.5},
        {"key": {"user": "hashed"}, "name": "user"},
        {"key": {"n": 1, "m": -1}, "name": "compound"},
        {"key": {"n": {"$numberDouble": "1.0"}}, "name": "as double"},
        {"key": {"s": {"$numberLong": "-1"}}, "name": "as long", "sparse": true},
        {"key": {"u": 1}, "name": "only", "unique": true,
         "partialFilterExpression": {"u": {"$exists": true}}},
        {"key": {"expires": 1}, "name": "ttl", "expireAfterSeconds": {"$numberLong": "86400"}},
        {"key": {"name": 1}, "name": "folded", "collation": {"locale": "en", "strength": 1}},
        {"key": {"$**": 1}, "name": "wild", "wildcardProjection": {"secret": 0}},
        {"key": {"h": 1}, "name": "hidden", "hidden": true}]})");
  Run("shop", R"({"insert": "places", "documents": [{"_id": 1, "a": "mot"}, {"_id": 2}]})");
  ExpectSameAfterRestore();
}

TEST_F(MemoryRestoreTest, ViewsAndTimeSeriesSurvive) {
  Run("shop", R"({"insert": "orders", "documents": [{"_id": 1, "a": 1}, {"_id": 2, "a": 2}]})");
  Run("shop", R"({"create": "ones", "viewOn": "orders", "pipeline": [{"$match": {"a": 1}}],
                  "collation": {"locale": "de"}})");
  Run("shop", R"({"create": "of view", "viewOn": "ones", "pipeline": []})");
  Run("shop", R"({"create": "weather", "expireAfterSeconds": {"$numberLong": "7200"},
                  "timeseries": {"timeField": "t", "metaField": "place", "granularity": "minutes"}})");
  Run("shop", R"({"createIndexes": "weather",
                  "indexes": [{"key": {"place": 1, "t": 1}, "name": "place_1_t_1"}]})");
  Run("shop", R"({"insert": "system.buckets.weather", "documents": [
        {"_id": {"$oid": "65a000000000000000000001"}, "control": {"version": 1}, "meta": "x",
         "data": {"v": {"0": 1.5}}}]})");
  ExpectSameAfterRestore();
}

TEST_F(MemoryRestoreTest, RecordedMongodbSurvives) {
  source_.LoadDump(std::filesystem::path(TIDEMARK_SOURCE_DIR) / "tests/data/mongod-4.0/dump-state");
  EXPECT_GE(ContentOf(source_).size(), 19U);
  ExpectSameAfterRestore();
}

TEST_F(MemoryRestoreTest, WhatTheSnapshotHasNotIsGone) {
  Run("shop", R"({"insert": "orders", "documents": [{"_id": 1}]})");
  target_.Generate("stale.things", 10, 100);
  ExpectSameAfterRestore();
  EXPECT_FALSE(TargetIsMarked());
}

// ---- faults at exact moments

TEST_F(MemoryRestoreTest, CursorThatDiesAmidAScanFailsTheSnapshotAndSaysWhy) {
  options_.attempts = 1;
  source_.Generate("shop.orders", 20'000, 1000);  // the first batch and two more
  source_.faults().Add({.action = FaultAction::kKillCursor,
                        .commands = {"getMore"},
                        .ns = "shop.orders",
                        .skip = 1});
  const Failure failure = FailureOf([&] { TakeSnapshot(); });
  EXPECT_EQ(failure.code, ErrorCode::kUnavailable);
  EXPECT_THAT(failure.message, HasSubstr("reading shop.orders at 127.0.0.1:"));
  EXPECT_THAT(failure.message, HasSubstr("cursor id "));
  EXPECT_THAT(failure.message, testing::EndsWith(" not found"));
  EXPECT_EQ(FailureOf([&] { repository_->LoadManifest(options_.project, options_.snapshot); }).code,
            ErrorCode::kNotFound);
}

TEST_F(MemoryRestoreTest, ConnectionThatBreaksAmidAScanFailsTheSnapshot) {
  options_.attempts = 1;
  source_.Generate("shop.orders", 20'000, 1000);
  from_->Facts();
  source_.faults().DropAfterBytes(9'000'000);
  const Failure failure = FailureOf([&] { TakeSnapshot(); });
  EXPECT_EQ(failure.code, ErrorCode::kUnavailable);
  EXPECT_THAT(failure.message, HasSubstr("reading shop.orders at 127.0.0.1:"));
}

TEST_F(MemoryRestoreTest, SlowAnswersChangeNothing) {
  source_.Generate("shop.orders", 1000, 100);
  source_.faults().Add({.action = FaultAction::kDelay,
                        .commands = {"find", "getMore"},
                        .times = 3,
                        .delay = std::chrono::milliseconds(50)});
  ExpectSameAfterRestore();
}

TEST_F(MemoryRestoreTest, FullDiskFailsTheRestoreAndTheTargetStaysMarked) {
  source_.Generate("shop.orders", 1000, 100);
  TakeSnapshot();
  Fault full = FullDisk();
  full.commands = {"insert"};
  full.ns = "shop.orders";
  target_.faults().Add(full);
  const Failure failure = FailureOf([&] { Restore(); });
  EXPECT_EQ(failure.code, ErrorCode::kResourceExhausted);
  EXPECT_THAT(failure.message, StartsWith("loading shop.orders: writing to shop.orders at "));
  EXPECT_THAT(failure.message, HasSubstr("No space left on device"));
  EXPECT_TRUE(TargetIsMarked());
  target_.faults().Clear();
  Restore();
  EXPECT_FALSE(TargetIsMarked());
  EXPECT_EQ(ContentOf(target_), ContentOf(source_));
}

TEST_F(MemoryRestoreTest, RefusedDocumentsFailTheRestoreAndTheTargetStaysMarked) {
  source_.Generate("shop.orders", 10, 100);
  TakeSnapshot();
  target_.faults().Add({.action = FaultAction::kRefuseDocuments,
                        .commands = {"insert"},
                        .ns = "shop.orders",
                        .times = -1,
                        .code = 121,
                        .code_name = "DocumentValidationFailure",
                        .message = "Document failed validation"});
  const Failure failure = FailureOf([&] { Restore(); });
  EXPECT_EQ(failure.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(failure.message, HasSubstr("10 of 10 documents refused: Document failed validation"));
  EXPECT_TRUE(TargetIsMarked());
}

TEST_F(MemoryRestoreTest, WriteThatIsLostOnceIsTriedAgainFromNothing) {
  source_.Generate("shop.orders", 5000, 1000);
  TakeSnapshot();
  to_->Facts();
  target_.faults().Add({.action = FaultAction::kDropAfterwards,
                        .commands = {"insert"},
                        .ns = "shop.orders",
                        .skip = 1});
  Restore();
  EXPECT_EQ(ContentOf(target_), ContentOf(source_));
}

TEST_F(MemoryRestoreTest, StepDownThatLastsFailsTheRestoreAfterItsAttempts) {
  source_.Generate("shop.orders", 1000, 100);
  TakeSnapshot();
  target_.faults().Add({.commands = {"insert"},
                        .ns = "shop.orders",
                        .times = -1,
                        .code = 10107,
                        .code_name = "NotWritablePrimary",
                        .message = "not primary",
                        .labels = {"RetryableWriteError"}});
  const Failure failure = FailureOf([&] { Restore(); });
  EXPECT_EQ(failure.code, ErrorCode::kUnavailable);
  EXPECT_THAT(failure.message, StartsWith("6 attempts, the last: loading shop.orders: "));
  EXPECT_TRUE(TargetIsMarked());
}

// An election could take back what only the primary has.
TEST_F(MemoryRestoreTest, WriteThatNoMajorityHasFailsTheRestore) {
  Run("shop", R"({"createIndexes": "orders", "indexes": [{"key": {"a": 1}, "name": "a"}]})");
  source_.Generate("shop.orders", 10, 100);
  TakeSnapshot();
  for (const std::string command : {"insert", "create", "createIndexes", "dropDatabase"}) {
    target_.faults().Add(
        {.action = FaultAction::kUnreplicated, .commands = {command}, .times = -1});
    const Failure failure = FailureOf([&] { Restore(); });
    EXPECT_EQ(failure.code, ErrorCode::kTimeout) << command;
    EXPECT_THAT(failure.message, HasSubstr("waiting for replication timed out")) << command;
    target_.faults().Clear();
    Restore();
    EXPECT_EQ(ContentOf(target_), ContentOf(source_)) << command;
  }
}

TEST_F(MemoryRestoreTest, ConnectionStringMaySayHowManyMembersAreToHaveAWrite) {
  const std::string uri =
      target_.Uri() + (target_.Uri().find('?') == std::string::npos ? "?" : "&");
  target_.faults().Add({.action = FaultAction::kUnreplicated, .commands = {"insert"}, .times = -1});
  const Bytes document = Doc(1);
  const auto insert = [&](const std::string& option, const std::string& collection) {
    mongo::Connection::Open(Secret(uri + option), {})
        ->InsertMany("shop", collection, {ByteView(document)});
  };
  EXPECT_NO_THROW(insert("w=1", "one"));
  EXPECT_EQ(FailureOf([&] { insert("w=majority", "all"); }).code, ErrorCode::kTimeout);
  EXPECT_EQ(FailureOf([&] { insert("w=0", "none"); }).code, ErrorCode::kTimeout);
}

TEST_F(MemoryRestoreTest, IndexThatCannotBeBuiltFailsTheRestore) {
  Run("shop", R"({"createIndexes": "orders", "indexes": [{"key": {"a": 1}, "name": "a"}]})");
  TakeSnapshot();
  target_.faults().Add({.commands = {"createIndexes"},
                        .code = 67,
                        .code_name = "CannotCreateIndex",
                        .message = "no such index today"});
  const Failure failure = FailureOf([&] { Restore(); });
  EXPECT_THAT(failure.message, StartsWith("building the indexes of shop.orders: "));
  EXPECT_THAT(failure.message, HasSubstr("no such index today"));
  EXPECT_TRUE(TargetIsMarked());
}

}  // namespace
}  // namespace tidemark::memory
