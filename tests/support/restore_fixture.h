#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/mutex.h"
#include "bson/builder.h"
#include "delivery/cluster_restore.h"
#include "delivery/internal/target_limits.h"

// Restores from memory into memory.
namespace tidemark::delivery {

inline Bytes Doc(std::int32_t id, std::string_view text = "x") {
  return bson::Builder().Append("_id", id).Append("text", text).Finish();
}

// Chunks in memory, without a repository around them.
class MemoryReader final : public repo::SnapshotReader {
 public:
  Bytes Load(const repo::ChunkRef& ref) override {
    ++loads_;
    return chunks_.at(ref.id);
  }

  std::vector<repo::SnapshotWriter::ListedChunk> LoadList(const repo::ChunkRef& ref) override {
    return lists_.at(ref.id);
  }

  repo::KeyBlock LoadKeys(const repo::ChunkRef&) override { return {}; }  // a restore needs none

  repo::NamespaceEntry Add(const std::string& collection,
                           const std::vector<Bytes>& documents,
                           const std::string& database = "shop") {
    repo::NamespaceEntry entry{.database = database, .collection = collection};
    entry.options = bson::Builder().Finish();
    Bytes plain;
    for (const Bytes& document : documents) {
      plain.insert(plain.end(), document.begin(), document.end());
      entry.digest.Add(document);
    }
    entry.logical_bytes = plain.size();
    if (!documents.empty()) {
      entry.runs.push_back(AddRun(plain, documents));
    }
    return entry;
  }

  // One run of one document per chunk, `per_list` of these in a list.
  repo::Run AddFineRun(const std::vector<Bytes>& documents, std::size_t per_list) {
    repo::Run run;
    run.documents = documents.size();
    run.first_id = IdOf(documents.front());
    run.last_id = IdOf(documents.back());
    for (std::size_t at = 0; at < documents.size(); at += per_list) {
      std::vector<repo::SnapshotWriter::ListedChunk> list;
      for (std::size_t i = at; i < std::min(at + per_list, documents.size()); ++i) {
        const repo::ChunkRef chunk = NextRef(static_cast<std::uint32_t>(documents[i].size()), 1);
        chunks_[chunk.id] = documents[i];
        list.push_back({chunk, IdOf(documents[i])});
      }
      run.lists.push_back(NextRef(0, static_cast<std::uint32_t>(list.size())));
      lists_[run.lists.back().id] = list;
    }
    return run;
  }

  std::size_t loads() const { return loads_; }

 private:
  static Bytes IdOf(const Bytes& document) {
    return bson::Builder().AppendElement("", bson::Document(document).Find("_id").value()).Finish();
  }

  repo::Run AddRun(const Bytes& plain, const std::vector<Bytes>& documents) {
    const auto count = static_cast<std::uint32_t>(documents.size());
    const repo::ChunkRef chunk = NextRef(static_cast<std::uint32_t>(plain.size()), count);
    chunks_[chunk.id] = plain;
    const repo::ChunkRef list = NextRef(0, count);
    lists_[list.id] = {{chunk, IdOf(documents.front())}};
    repo::Run run;
    run.documents = count;
    run.logical_bytes = plain.size();
    run.first_id = IdOf(documents.front());
    run.last_id = IdOf(documents.back());
    run.lists = {list};
    return run;
  }

  repo::ChunkRef NextRef(std::uint32_t size, std::uint32_t documents) {
    repo::ChunkRef ref{.plain_size = size, .documents = documents};
    ref.id[0] = ++next_;
    return ref;
  }

  std::uint8_t next_ = 0;
  std::atomic<std::size_t> loads_{0};
  std::map<repo::ChunkId, Bytes> chunks_;
  std::map<repo::ChunkId, std::vector<repo::SnapshotWriter::ListedChunk>> lists_;
};

// A cluster in memory that notes what is asked of it. Its documents come in MongoDB's order of _id
// unless `shuffled`. Synchronized.
class MemoryTarget final : public RestoreTarget {
 public:
  std::string flavor = "mongodb";
  std::set<std::string> databases;
  std::map<std::string, int> failures;  // step: how many times it fails from now on
  std::string lose_from;                // one document of this namespace gets lost
  std::string refuse;                   // this step fails for good, as a duplicate key does
  bool shuffled = false;
  std::vector<std::string> marks;  // of other jobs
  std::function<void(const std::string& step)> on_step;

  mongo::ServerFacts Facts() override { return {.version = "7.0.1", .flavor = flavor}; }

  std::vector<std::string> ListUserDatabases() override {
    return {databases.begin(), databases.end()};
  }

  void DropDatabase(const std::string& database) override {
    Step("drop database " + database);
    databases.erase(database);
  }

  void DropCollection(const std::string& database, const std::string& collection) override {
    Step("drop " + database + "." + collection);
    const MutexLock lock(mutex_);
    collections_.erase(database + "." + collection);
  }

  void CreateCollection(const repo::NamespaceEntry& entry) override {
    Step("create " + NameOf(entry));
    Keep(entry, {});
  }

  void InsertMany(const repo::NamespaceEntry& entry,
                  const std::vector<ByteView>& documents) override {
    Step("insert " + NameOf(entry) + " " + std::to_string(documents.size()));
    const MutexLock lock(mutex_);
    Documents& there = collections_[NameOf(entry)].documents;
    for (const ByteView document : documents) {
      if (!there.emplace(KeyOf(document), Bytes(document.begin(), document.end())).second) {
        throw Error(ErrorCode::kConflict, "duplicate _id");
      }
    }
  }

  void CreateIndexes(const repo::NamespaceEntry& entry) override {
    Step("index " + NameOf(entry));
    const MutexLock lock(mutex_);
    collections_[NameOf(entry)].found.indexes = entry.indexes;
  }

  repo::NamespaceDigest ReadDigest(const repo::NamespaceEntry& entry,
                                   const std::stop_token&) override {
    Step("digest " + NameOf(entry));
    const MutexLock lock(mutex_);
    Documents& documents = collections_[NameOf(entry)].documents;
    if (lose_from == NameOf(entry)) {
      documents.erase(documents.begin());
    }
    repo::NamespaceDigest digest;
    for (const auto& [id, document] : documents) {
      digest.Add(document);
    }
    return digest;
  }

  std::optional<FoundNamespace> FindNamespace(const std::string& database,
                                              const std::string& collection) override {
    const MutexLock lock(mutex_);
    const auto found = collections_.find(database + "." + collection);
    return found == collections_.end() ? std::nullopt : std::optional(found->second.found);
  }

  std::vector<std::string> ListCollections(const std::string& database) override {
    const MutexLock lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, kept] : collections_) {
      if (name.starts_with(database + ".")) {
        names.push_back(name.substr(database.size() + 1));
      }
    }
    return names;
  }

  // Later writes do not show in what is being read.
  void ReadById(const repo::NamespaceEntry& entry,
                const std::stop_token&,
                const std::function<void(ByteView document)>& visit) override {
    Step("read " + NameOf(entry));
    std::vector<Bytes> documents = DocumentsOf(NameOf(entry));
    if (shuffled) {
      std::ranges::reverse(documents);
    }
    for (const Bytes& document : documents) {
      visit(document);
    }
  }

  void FindByIds(const repo::NamespaceEntry& entry,
                 const std::vector<Bytes>& ids,
                 const std::function<void(ByteView document)>& visit) override {
    Step("find " + NameOf(entry) + " " + std::to_string(ids.size()));
    const MutexLock lock(mutex_);
    const Documents& documents = collections_[NameOf(entry)].documents;
    for (const Bytes& id : ids) {
      if (const auto found = documents.find(id); found != documents.end()) {
        visit(found->second);
      }
    }
  }

  void ReplaceMany(const repo::NamespaceEntry& entry,
                   const std::vector<ByteView>& documents) override {
    Step("replace " + NameOf(entry) + " " + std::to_string(documents.size()));
    const MutexLock lock(mutex_);
    for (const ByteView document : documents) {
      collections_[NameOf(entry)].documents[KeyOf(document)] =
          Bytes(document.begin(), document.end());
    }
  }

  void DeleteMany(const repo::NamespaceEntry& entry, const std::vector<Bytes>& ids) override {
    Step("delete " + NameOf(entry) + " " + std::to_string(ids.size()));
    const MutexLock lock(mutex_);
    for (const Bytes& id : ids) {
      collections_[NameOf(entry)].documents.erase(id);
    }
  }

  void CheckAccountsWritable() override { Step("check accounts"); }

  void ReplaceAccounts(const repo::Accounts& accounts) override {
    Step("accounts " + std::to_string(accounts.users.size()) + " " +
         std::to_string(accounts.roles.size()));
  }

  void DropIndex(const repo::NamespaceEntry& entry, const std::string& index) override {
    Step("drop index " + NameOf(entry) + " " + index);
  }

  void ChangeOptions(const repo::NamespaceEntry& entry, const Bytes& options) override {
    Step("options " + NameOf(entry) + " " + bson::ToJson(bson::Document(options)));
  }

  void MarkIncomplete(const std::string& job, const std::string&) override {
    Step("incomplete " + job);
  }

  std::vector<std::string> ListMarks() override { return marks; }

  void TakeMark(const std::string& job) override { Step("take mark " + job); }

  void TakeAllMarks() override { Step("complete"); }

  // A collection that is there before the restore.
  void Keep(const repo::NamespaceEntry& entry, const std::vector<Bytes>& documents) {
    const MutexLock lock(mutex_);
    databases.insert(entry.database);
    const bool view = entry.kind == repo::NamespaceKind::kView;
    Kept& kept = collections_[NameOf(entry)];
    kept.found = {view ? "view" : "collection", entry.options, entry.indexes};
    for (const Bytes& document : documents) {
      kept.documents[KeyOf(document)] = document;
    }
  }

  std::vector<std::string> Steps() {
    const MutexLock lock(mutex_);
    return steps_;
  }

  std::size_t Count(const std::string& name) { return DocumentsOf(name).size(); }

  std::vector<Bytes> DocumentsOf(const std::string& name) {
    const MutexLock lock(mutex_);
    std::vector<Bytes> documents;
    for (const auto& [id, document] : collections_[name].documents) {
      documents.push_back(document);
    }
    return documents;
  }

  FoundNamespace FoundOf(const std::string& name) {
    const MutexLock lock(mutex_);
    return collections_.at(name).found;
  }

 private:
  struct ById {
    bool operator()(const Bytes& a, const Bytes& b) const {
      return bson::CompareValues(*bson::Document(a).begin(), *bson::Document(b).begin()) < 0;
    }
  };

  using Documents = std::map<Bytes, Bytes, ById>;

  struct Kept {
    FoundNamespace found;
    Documents documents;
  };

  static Bytes KeyOf(ByteView document) {
    return bson::Builder().AppendElement("", bson::Document(document).Find("_id").value()).Finish();
  }

  void Step(const std::string& step) {
    if (on_step) {
      on_step(step);
    }
    const MutexLock lock(mutex_);
    steps_.push_back(step);
    if (step == refuse) {
      throw Error(ErrorCode::kConflict, "duplicate key");
    }
    if (failures[step] > 0) {
      --failures[step];
      throw Error(ErrorCode::kUnavailable, "the connection broke");
    }
  }

  Mutex mutex_;
  std::vector<std::string> steps_ TIDEMARK_GUARDED_BY(mutex_);
  std::map<std::string, Kept> collections_ TIDEMARK_GUARDED_BY(mutex_);
};

class RestoreTest : public testing::Test {
 protected:
  RestoreTest() {
    options_.job = "j1";
    options_.parallel_namespaces = 1;
    options_.writers = 1;
    options_.attempts = 3;
    options_.pause = [this](std::chrono::milliseconds pause, const std::stop_token&) {
      const MutexLock lock(mutex_);
      pauses_.push_back(pause);
    };
    target_.databases = {"old", "shop"};
  }

  void Add(const std::string& collection, const std::vector<Bytes>& documents) {
    manifest_.namespaces.push_back(reader_.Add(collection, documents));
  }

  void AddView(const std::string& name) {
    Add(name, {});
    manifest_.namespaces.back().kind = repo::NamespaceKind::kView;
    manifest_.namespaces.back().options = bson::FromJson(R"({"viewOn":"orders","pipeline":[]})");
  }

  RestoreSummary Restore() {
    return RunRestore(manifest_,
                      reader_,
                      target_,
                      options_,
                      {stop_.get_token(),
                       [this](const engine::Progress& now) {
                         const MutexLock lock(mutex_);
                         progress_ = now;
                       },
                       [this](const std::string& text) { checkpoints_.push_back(text); },
                       checkpoint_,
                       clock_,
                       *log_});
  }

  Error Failure() {
    try {
      Restore();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return Error(ErrorCode::kInternal, "nothing");
  }

  MemoryReader reader_;
  MemoryTarget target_;
  repo::Manifest manifest_;
  RestoreOptions options_;
  std::stop_source stop_;
  Mutex mutex_;
  std::vector<std::chrono::milliseconds> pauses_;
  engine::Progress progress_;  // read when the run has ended
  std::vector<std::string> checkpoints_;
  std::string checkpoint_;
  ManualClock clock_{Instant{}};
  std::unique_ptr<Log> log_ = MakeNullLog();
};

}  // namespace tidemark::delivery
