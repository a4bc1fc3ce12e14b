#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/units.h"
#include "tests/support/memory/command_error.h"
#include "tests/support/memory/documents.h"
#include "tests/support/memory/values.h"

namespace tidemark::memory {

// One collection or view. Options and index specs are the bytes that the client sent.
struct Namespace {
  std::string database;
  std::string collection;
  std::string type = "collection";  // as listCollections says: collection, view, timeseries
  Uuid uuid{};
  Bytes options;               // BSON
  std::vector<Bytes> indexes;  // BSON, the one on _id first if there is one
  Documents documents;
  bool dropped = false;  // for the cursors that are still on it
  bool capped = false;
  std::uint64_t capped_bytes = 0;
  std::uint64_t capped_documents = 0;  // 0: no bound

  std::string FullName() const { return database + "." + collection; }

  bool IsView() const { return type == "view"; }
};

// Shared by the store and by the cursors that read it.
using NamespacePtr = std::shared_ptr<Namespace>;

// Throws CommandError 166 for a view or a time-series collection.
void CheckIsNoView(const Namespace& ns);

struct StoreOptions {
  bool has_oplog = false;  // a member of a replica set
  ByteCount oplog_size = MiB(64);
  bool checks = true;  // of duplicate _id and malformed documents; without, inserts only copy
};

struct OplogTime {
  std::uint32_t seconds = 0;
  std::uint32_t increment = 0;

  auto operator<=>(const OplogTime&) const = default;
};

// Databases, collections and the oplog. Every change appends its entry in MongoDB's form, as one
// step with the change. Refusals are CommandErrors with the server's codes. Confined: the server's
// lock guards it. `clock` and `random` must outlive it.
class Store {
 public:
  Store(const StoreOptions& options, const Clock& clock, RandomSource& random);

  std::vector<std::string> DatabaseNames() const;
  // By name. Empty for a database that is not there.
  std::vector<NamespacePtr> Collections(std::string_view database) const;
  // Null when it is not there.
  NamespacePtr Find(std::string_view database, std::string_view collection) const;

  // `options` verbatim. 48 NamespaceExists.
  NamespacePtr Create(std::string_view database,
                      std::string_view collection,
                      const bson::Document& options);
  // The collection to write to, made when it is not there; 166 for a view.
  NamespacePtr ForWriting(std::string_view database, std::string_view collection);
  void Drop(const NamespacePtr& ns);
  void DropDatabase(std::string_view database);

  // 26, 48 as renameCollection.
  struct Rename {
    std::string_view from_database, from_collection;
    std::string_view to_database, to_collection;
    bool drop_target = false;
  };

  void RenameCollection(const Rename& rename);
  // Merges `change` into the options (validator, viewOn, pipeline, ...) or an index's spec.
  void Modify(const NamespacePtr& ns, const bson::Document& change);

  // Completes the spec (v, name) and keeps it; nothing happens when it is there. 86
  // IndexKeySpecsConflict for another one of that name.
  void CreateIndex(const NamespacePtr& ns, const bson::Document& spec);
  // 27 IndexNotFound.
  void DropIndex(const NamespacePtr& ns, std::string_view name);
  void DropAllIndexes(const NamespacePtr& ns);

  // `documents`, one after the other, are copied at once; `on_refused` gets the number of each
  // that is not taken. Stops at the first such when ordered.
  using OnRefused = std::function<void(std::int32_t number, const CommandError& why)>;
  enum class Order { kOrdered, kUnordered };

  struct Inserted {
    std::int32_t taken = 0;
    std::int32_t seen = 0;
  };

  Inserted Insert(const NamespacePtr& ns,
                  ByteView documents,
                  std::int32_t first_number,
                  Order order,
                  const OnRefused& on_refused);
  // `entry` is the oplog's `o`: the whole document or a diff.
  void Update(const NamespacePtr& ns,
              Documents::Position position,
              ByteView document,
              const bson::Document& entry);
  void Delete(const NamespacePtr& ns, Documents::Position position);

  OplogTime LastTime() const { return last_time_; }

  void NextTerm() { ++term_; }

  // Adds a no-op entry, as an election and an idle primary do.
  void AppendNoop(const bson::Document& message);

 private:
  using Database = std::map<std::string, NamespacePtr, std::less<>>;

  NamespacePtr Add(std::string_view database,
                   std::string_view collection,
                   const bson::Document& options);
  void CreateView(const NamespacePtr& view, const bson::Document& options);
  void CreateTimeseries(const NamespacePtr& ns, const bson::Document& options);
  void AddViewDefinition(const NamespacePtr& ns, const bson::Document& definition);
  void RemoveViewDefinition(const NamespacePtr& ns);
  void ReplaceViewDefinition(const NamespacePtr& ns);
  void Erase(const NamespacePtr& ns);
  void InsertOne(const NamespacePtr& ns, const Documents::Kept& document);
  Documents::Kept WithId(const NamespacePtr& ns, const Documents::Kept& document);
  void KeepWithinCap(Namespace& ns);
  void LogCommand(const NamespacePtr& ns, const Bytes& command, const Bytes& old = {});
  void LogDocument(const char* op,
                   const NamespacePtr& ns,
                   const bson::Document& object,
                   const bson::Document* key);
  void Log(bson::Builder& entry);
  OplogTime NextTime();
  void LogIndexBuild(const NamespacePtr& ns, const Bytes& spec);
  void ModifyIndex(const NamespacePtr& ns, const bson::Document& change);

  const StoreOptions options_;
  const Clock& clock_;
  RandomSource& random_;
  std::map<std::string, Database, std::less<>> databases_;
  NamespacePtr oplog_;
  OplogTime last_time_;
  std::int64_t term_ = 1;
};

}  // namespace tidemark::memory
