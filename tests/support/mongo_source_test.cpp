// How the engine reads a MongoDB server, and outlasts its losses.
#include "engine/mongo_source.h"

#include <algorithm>
#include <atomic>

#include <gmock/gmock.h>

#include "engine/document_reader.h"
#include "engine/snapshot.h"
#include "tests/support/memory_server_fixture.h"

namespace tidemark::memory {
namespace {

constexpr std::int64_t kCount = 3000;  // documents; a first batch holds 101

class MongoSourceTest : public MemoryServerTest {
 protected:
  MongoSourceTest() {
    repo::Repository::Create(*store_, key_, random_);
    repository_ = repo::Repository::Open(*store_, key_, random_);
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    options_.project = ProjectId::Generate(clock_.Now(), random_);
    options_.pause = [this](std::chrono::milliseconds, const std::stop_token&) { OnPause(); };
  }

  virtual void OnPause() { ++pauses_; }

  static Bytes WithId(std::string_view json) { return bson::FromJson(json); }

  void InsertAscending(std::string_view collection) {
    std::vector<Bytes> documents;
    for (std::int64_t id = 0; id < kCount; ++id) {
      documents.push_back(Large(id));
    }
    Insert(collection, documents);
  }

  // 16 KiB, so that replies end before the collection does.
  static Bytes Large(std::int64_t id) {
    return bson::Builder().Append("_id", id).Append("text", std::string(16U << 10, 'x')).Finish();
  }

  engine::SourceNamespace Listed(std::string_view collection) {
    for (const engine::SourceNamespace& ns : source_->ReadCatalog().namespaces) {
      if (ns.collection == collection) {
        return ns;
      }
    }
    ADD_FAILURE() << collection << " is not listed";
    return {};
  }

  bool ReadsById(std::string_view collection) { return source_->ReadsById(Listed(collection)); }

  std::vector<Bytes> ScanFrom(const engine::SourceNamespace& ns, ByteView after) {
    std::vector<Bytes> documents;
    source_->ScanById(ns, after, {}, [&](ByteView document) {
      documents.emplace_back(document.begin(), document.end());
    });
    return documents;
  }

  engine::SnapshotSummary Take() {
    return engine::TakeSnapshot(*source_, *repository_, options_, {.clock = clock_, .log = *log_});
  }

  void ExpectWhole(std::int64_t count = kCount) {
    const repo::Manifest manifest = repository_->LoadManifest(options_.project, options_.snapshot);
    std::int64_t next = 0;
    engine::ReadDocuments(*repository_->NewReader(options_.project),
                          manifest.namespaces.at(0),
                          {},
                          [&next](ByteView document) {
                            EXPECT_EQ(bson::Document(document).Find("_id")->AsInteger(), next++);
                          });
    EXPECT_EQ(next, count);
    EXPECT_EQ(manifest.namespaces.at(0).runs.size(), 1U);
  }

  const repo::MasterKey key_{7};
  std::unique_ptr<Log> log_ = MakeNullLog();
  std::unique_ptr<blob::BlobStore> store_ = blob::MakeMemoryStore();
  std::unique_ptr<repo::Repository> repository_;
  std::unique_ptr<engine::SnapshotSource> source_ =
      engine::MakeMongoSource(*connection_, ByteCount{1});
  engine::SnapshotOptions options_;
  std::atomic<int> pauses_ = 0;
};

// $gt would stop at the end of a type.
TEST_F(MongoSourceTest, I26GoesOnBehindAnIdOfAnyType) {
  Insert("c",
         {WithId(R"({"_id": {"$maxKey": 1}})"),
          WithId(R"({"_id": {"$numberInt": "3"}})"),
          WithId(R"({"_id": {"$numberDouble": "-Infinity"}})"),
          WithId(R"({"_id": {"$numberDecimal": "2.5"}})"),
          WithId(R"({"_id": {"$numberLong": "9007199254740993"}})"),
          WithId(R"({"_id": "text"})"),
          WithId(R"({"_id": {"a": 1, "b": "x"}})"),
          WithId(R"({"_id": {"$oid": "6553f10067ec8e65a18debbe"}})"),
          WithId(R"({"_id": {"$binary": {"base64": "AAEC", "subType": "04"}}})"),
          WithId(R"({"_id": true})"),
          WithId(R"({"_id": {"$date": "2026-11-25T10:00:00Z"}})"),
          WithId(R"({"_id": {"$timestamp": {"t": 4, "i": 2}}})"),
          WithId(R"({"_id": null})"),
          WithId(R"({"_id": {"$minKey": 1}})")});
  const engine::SourceNamespace ns = Listed("c");
  const std::vector<Bytes> all = ScanFrom(ns, {});
  ASSERT_EQ(all.size(), 14U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bson::Element id = *bson::Document(all[i]).Find("_id");
    const Bytes after = bson::Builder().AppendElement("", id).Finish();
    EXPECT_EQ(ScanFrom(ns, after), std::vector<Bytes>(all.begin() + i + 1, all.end()))
        << bson::ToJson(bson::Document(all[i]));
  }
}

TEST_F(MongoSourceTest, I26GoesOnBehindAnIdThatIsGone) {
  Insert("c", {Doc(1), Doc(2), Doc(3)});
  const engine::SourceNamespace ns = Listed("c");
  Run("shop", R"({"delete": "c", "deletes": [{"q": {"_id": 2}, "limit": 1}]})");
  const Bytes after = bson::Builder().Append("", std::int64_t{2}).Finish();
  EXPECT_EQ(ScanFrom(ns, after), std::vector<Bytes>{Doc(3)});
}

TEST_F(MongoSourceTest, ReadsByIdWhereDocumentsLieSo) {
  InsertAscending("ascending");
  EXPECT_TRUE(ReadsById("ascending"));
  std::vector<Bytes> scattered;
  for (std::int64_t i = 0; i < 5000; ++i) {
    scattered.push_back(Doc(i * 2654435761 % 4294967296));
  }
  Insert("scattered", scattered);
  EXPECT_FALSE(ReadsById("scattered"));
  // Several writers at once swap neighbours.
  for (std::size_t i = 0; i < scattered.size(); ++i) {
    scattered[i] = Doc(static_cast<std::int64_t>(i ^ 7U));
  }
  Insert("nearly", scattered);
  EXPECT_TRUE(ReadsById("nearly"));
}

TEST_F(MongoSourceTest, ReadsByIdWhereTheIndexHasOurOrder) {
  Run("shop", R"({"create": "german", "collation": {"locale": "de"}})");
  Run("shop", R"({"create": "capped", "capped": true, "size": 100000})");
  Run("shop", R"({"create": "clustered", "clusteredIndex": {"key": {"_id": 1}, "unique": true}})");
  Run("shop", R"({"create": "plain"})");
  for (const char* collection : {"german", "capped", "clustered", "plain"}) {
    Insert(collection, {Doc(1), Doc(2), Doc(3)});
  }
  EXPECT_FALSE(ReadsById("german"));
  EXPECT_FALSE(ReadsById("capped"));
  EXPECT_FALSE(ReadsById("clustered"));
  EXPECT_TRUE(ReadsById("plain"));
  source_ = engine::MakeMongoSource(*connection_);
  EXPECT_FALSE(ReadsById("plain"));  // not worth two questions
}

TEST_F(MongoSourceTest, NamesACollectionByItsUuid) {
  Insert("c", {Doc(1)});
  const Bytes before = Listed("c").uuid;
  EXPECT_EQ(before.size(), 16U);
  Run("shop", R"({"drop": "c"})");
  Insert("c", {Doc(1)});
  EXPECT_NE(Listed("c").uuid, before);
}

// ---- losses in the middle

TEST_F(MongoSourceTest, OutlastsAKilledCursor) {
  InsertAscending("c");
  server_.faults().Add(
      {.action = FaultAction::kKillCursor, .commands = {"getMore"}, .ns = "shop.c", .skip = 1});
  Take();
  EXPECT_EQ(pauses_, 1);
  ExpectWhole();
}

TEST_F(MongoSourceTest, OutlastsALostConnection) {
  InsertAscending("c");
  server_.faults().DropAfterBytes(20U << 20);
  Take();
  EXPECT_EQ(pauses_, 1);
  ExpectWhole();
}

class ElectionTest : public MongoSourceTest {
 protected:
  void OnPause() override {
    MongoSourceTest::OnPause();
    if (pauses_ == 3) {
      server_.StepUp();
    }
  }
};

TEST_F(ElectionTest, OutlastsAStepDown) {
  InsertAscending("c");
  const auto impatient = mongo::Connection::Open(
      Secret(server_.Uri()), {.connect_timeout = std::chrono::milliseconds(200)});
  source_ = engine::MakeMongoSource(*impatient, ByteCount{1});
  // Its own: the server may still call the hook when the test has ended.
  const auto reads = std::make_shared<std::atomic<int>>(0);
  server_.faults().SetHook([this, reads](std::string_view command, std::string_view ns) {
    if (command == "getMore" && ns == "shop.c" && ++*reads == 2) {
      server_.StepDown();
    }
  });
  server_.faults().Add(
      {.action = FaultAction::kKillCursor, .commands = {"getMore"}, .ns = "shop.c", .skip = 1});
  Take();
  EXPECT_GE(pauses_, 3);
  ExpectWhole();
  source_.reset();
}

TEST_F(MongoSourceTest, WhatWasReadIsNotAskedForAgain) {
  InsertAscending("c");
  const auto finds = std::make_shared<std::atomic<int>>(0);
  server_.faults().SetHook([finds](std::string_view command, std::string_view ns) {
    *finds += command == "find" && ns == "shop.c" ? 1 : 0;
  });
  server_.faults().Add(
      {.action = FaultAction::kKillCursor, .commands = {"getMore"}, .ns = "shop.c", .skip = 1});
  std::atomic<std::uint64_t> shown = 0;
  engine::TakeSnapshot(
      *source_,
      *repository_,
      options_,
      {.on_progress = [&](const engine::Progress& progress) { shown = progress.documents_done; },
       .clock = clock_,
       .log = *log_});
  EXPECT_EQ(*finds, 4);  // two looks at the order, two reads
  EXPECT_EQ(shown, kCount);
  ExpectWhole();
}

}  // namespace
}  // namespace tidemark::memory
