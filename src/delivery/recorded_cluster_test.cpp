// A snapshot of what a genuine MongoDB 4.0 listed and held, restored into another cluster: FerretDB
// has no validators, views, collations or special indexes, so their way through source, repository
// and target is shown here.

#include <algorithm>
#include <filesystem>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/mutex.h"
#include "bson/builder.h"
#include "codec/collection_name.h"
#include "delivery/cluster_restore.h"
#include "engine/mongo_source.h"
#include "engine/snapshot.h"

namespace tidemark::delivery {
namespace {

// What a server keeps of one namespace.
struct Kept {
  std::string type = "collection";
  Bytes options = bson::Builder().Finish();
  std::vector<Bytes> indexes;
  std::vector<Bytes> documents;
};

Bytes CopyOf(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

std::string TextOf(const bson::Document& document, std::string_view name) {
  return std::string(document.Find(name).value().AsString().value());
}

// A cluster in memory that keeps every option and index as it was given. Synchronized.
class RecordedConnection final : public mongo::Connection {
 public:
  std::map<std::string, std::map<std::string, Kept>> databases;

  mongo::ServerFacts Facts() override {
    return {.version = "4.0.3",
            .flavor = "mongodb",
            .replica_set_name = "rs0",
            .has_oplog = true,
            .position_seconds = 7,
            .position_increment = 2};
  }

  std::vector<std::string> ListDatabases() override {
    std::vector<std::string> names{"admin", "config", "local"};
    for (const auto& [name, collections] : databases) {
      names.push_back(name);
    }
    return names;
  }

  std::vector<Bytes> ListCollections(std::string_view database) override {
    std::vector<Bytes> infos;
    for (const auto& [name, kept] : databases[std::string(database)]) {
      infos.push_back(bson::Builder()
                          .Append("name", name)
                          .Append("type", kept.type)
                          .Append("options", bson::Document(kept.options))
                          .Finish());
    }
    return infos;
  }

  std::vector<Bytes> ListIndexes(std::string_view database, std::string_view collection) override {
    return Find(database, collection).indexes;
  }

  Bytes RunCommand(std::string_view database, const bson::Document& command) override {
    const MutexLock lock(mutex_);
    auto& collections = databases[std::string(database)];
    const std::string_view name = command.begin()->name;
    if (name == "dropDatabase") {
      databases.erase(std::string(database));
    } else if (name == "drop") {
      collections.erase(TextOf(command, "drop"));
    } else if (name == "create") {
      Create(collections, command);
    } else if (name == "createIndexes") {
      Kept& kept = collections.at(TextOf(command, "createIndexes"));
      const bson::Document specs(command.Find("indexes")->value);
      for (const bson::Element& spec : specs) {
        kept.indexes.push_back(CopyOf(spec.value));
      }
    } else {
      throw Error(ErrorCode::kUnsupported, "no such command: " + std::string(name));
    }
    return bson::Builder().Append("ok", 1.0).Finish();
  }

  void ForEachDocument(std::string_view database,
                       std::string_view collection,
                       const std::stop_token&,
                       const std::function<void(ByteView document)>& visit) override {
    for (const Bytes& document : Find(database, collection).documents) {
      visit(document);
    }
  }

  void InsertMany(std::string_view database,
                  std::string_view collection,
                  const std::vector<ByteView>& documents) override {
    const MutexLock lock(mutex_);
    for (const ByteView document : documents) {
      databases[std::string(database)][std::string(collection)].documents.push_back(
          CopyOf(document));
    }
  }

  void ForEachById(std::string_view database,
                   std::string_view collection,
                   const std::stop_token& stop,
                   const std::function<void(ByteView document)>& visit) override {
    ForEachDocument(database, collection, stop, visit);
  }

  void ForEachFromId(std::string_view,
                     std::string_view,
                     ByteView,
                     const std::stop_token&,
                     const std::function<void(ByteView document)>&) override {
    throw Error(ErrorCode::kUnsupported, "no such command: find with min");
  }

  void FindByIds(std::string_view,
                 std::string_view,
                 const std::vector<Bytes>&,
                 const std::function<void(ByteView document)>&) override {
    throw Error(ErrorCode::kUnsupported, "no such command: find by _id");
  }

  void ReplaceMany(std::string_view, std::string_view, const std::vector<ByteView>&) override {
    throw Error(ErrorCode::kUnsupported, "no such command: update");
  }

  void DeleteMany(std::string_view, std::string_view, const std::vector<Bytes>&) override {
    throw Error(ErrorCode::kUnsupported, "no such command: delete");
  }

  std::uint64_t Count(std::string_view database, std::string_view collection) override {
    return Find(database, collection).documents.size();
  }

 private:
  static void Create(std::map<std::string, Kept>& collections, const bson::Document& command) {
    Kept kept;
    bson::Builder options;
    for (const bson::Element& option : command) {
      if (option.name != "create") {
        options.AppendElement(option.name, option);
      }
    }
    kept.options = options.Finish();
    kept.type = command.Find("viewOn") ? "view" : "collection";
    collections[TextOf(command, "create")] = kept;
  }

  Kept Find(std::string_view database, std::string_view collection) {
    const MutexLock lock(mutex_);
    return databases[std::string(database)][std::string(collection)];
  }

  Mutex mutex_;
};

std::vector<Bytes> SplitDocuments(const Bytes& bytes) {
  std::vector<Bytes> documents;
  for (ByteView rest = bytes; !rest.empty(); rest = rest.subspan(documents.back().size())) {
    documents.push_back(CopyOf(rest.first(bson::FrontDocumentSize(rest))));
  }
  return documents;
}

void LoadRecorded(RecordedConnection& cluster) {
  const std::filesystem::path folder =
      std::filesystem::path(TIDEMARK_SOURCE_DIR) / "tests/data/mongod-4.0/dump-state";
  const Bytes catalog = bson::FromJson(AsText(ReadFile(folder / "catalog.json", 1U << 20)));
  for (const bson::Element& database : bson::Document(catalog)) {
    const bson::Document entries(database.value);
    for (const bson::Element& entry : entries) {
      const bson::Document info = entry.AsDocument()->Find("info")->AsDocument().value();
      const std::string name = TextOf(info, "name");
      Kept& kept = cluster.databases[std::string(database.name)][name];
      kept.type = TextOf(info, "type");
      kept.options = CopyOf(info.Find("options")->value);
      if (const auto indexes = entry.AsDocument()->Find("indexes")) {
        const bson::Document specs(indexes->value);
        for (const bson::Element& index : specs) {
          kept.indexes.push_back(CopyOf(index.value));
        }
      }
      const std::filesystem::path file =
          folder / std::string(database.name) / (codec::EscapeCollection(name) + ".bson");
      if (std::filesystem::exists(file)) {
        kept.documents = SplitDocuments(ReadFile(file, 16U << 20));
      }
    }
  }
}

// An index as a target shows it: without `ns`, which no modern server takes. The one on _id comes
// by itself.
std::vector<std::string> ComparableIndexes(const std::vector<Bytes>& indexes) {
  std::vector<std::string> comparable;
  for (const Bytes& index : indexes) {
    bson::Builder cleaned;
    for (const bson::Element& option : bson::Document(index)) {
      if (option.name != "ns") {
        cleaned.AppendElement(option.name, option);
      }
    }
    const Bytes bytes = cleaned.Finish();
    if (TextOf(bson::Document(bytes), "name") != "_id_") {
      comparable.push_back(bson::ToJson(bson::Document(bytes)));
    }
  }
  return comparable;
}

class RecordedClusterTest : public testing::Test {
 protected:
  RecordedClusterTest() {
    const repo::MasterKey master{3};
    repo::Repository::Create(*blobs_, master, random_);
    repository_ = repo::Repository::Open(*blobs_, master, random_);
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    options_.project = ProjectId::Generate(clock_.Now(), random_);
    LoadRecorded(source_);
    target_.databases["stale"]["things"].documents = {bson::Builder().Append("_id", 1).Finish()};
  }

  engine::RunContext Context() { return {.clock = clock_, .log = *log_}; }

  void SnapshotAndRestore() {
    const auto source = engine::MakeMongoSource(source_);
    engine::TakeSnapshot(*source, *repository_, options_, Context());
    const repo::Manifest manifest = repository_->LoadManifest(options_.project, options_.snapshot);
    const auto reader = repository_->NewReader(options_.project);
    const auto target = MakeClusterTarget(target_);
    RunRestore(manifest, *reader, *target, {.job = "job"}, Context());
  }

  SystemRandom random_;
  ManualClock clock_{*ParseInstant("2026-11-25T10:00:00Z")};
  std::unique_ptr<Log> log_ = MakeNullLog();
  std::unique_ptr<blob::BlobStore> blobs_ = blob::MakeMemoryStore();
  std::unique_ptr<repo::Repository> repository_;
  engine::SnapshotOptions options_;
  RecordedConnection source_;
  RecordedConnection target_;
};

TEST_F(RecordedClusterTest, RestoredClusterHasEveryOptionIndexViewAndDocument) {
  SnapshotAndRestore();
  std::size_t compared = 0;
  for (const auto& [database, collections] : source_.databases) {
    for (const auto& [name, kept] : collections) {
      if (name.starts_with("system.")) {
        continue;  // the server's own
      }
      SCOPED_TRACE(database + "." + name);
      ASSERT_TRUE(target_.databases[database].contains(name));
      const Kept& restored = target_.databases[database][name];
      EXPECT_EQ(restored.type, kept.type);
      EXPECT_EQ(bson::ToJson(bson::Document(restored.options)),
                bson::ToJson(bson::Document(kept.options)));
      EXPECT_EQ(ComparableIndexes(restored.indexes), ComparableIndexes(kept.indexes));
      EXPECT_THAT(restored.documents, testing::UnorderedElementsAreArray(kept.documents));
      ++compared;
    }
  }
  EXPECT_GE(compared, 19U);
}

TEST_F(RecordedClusterTest, WhatTheSnapshotHasNotIsGone) {
  SnapshotAndRestore();
  EXPECT_FALSE(target_.databases.contains("stale"));
  EXPECT_FALSE(target_.databases.contains(std::string(mongo::kMarkerDatabase)));
}

}  // namespace
}  // namespace tidemark::delivery
