#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/pause.h"
#include "delivery/restore_scope.h"
#include "domain/restore_job.h"
#include "engine/run_context.h"
#include "mongo/cluster.h"
#include "repo/repository.h"

namespace tidemark::delivery {

// A namespace as a target has it now.
struct FoundNamespace {
  std::string type;            // of listCollections: "collection", "view", "timeseries"
  Bytes options;               // listCollections' `options`
  std::vector<Bytes> indexes;  // listIndexes' documents
};

// Where restored documents go: a cluster over the wire, or memory in tests and benchmarks.
// Synchronized: InsertMany is called from several threads. Every call may be repeated.
class RestoreTarget {
 public:
  virtual ~RestoreTarget() = default;
  virtual mongo::ServerFacts Facts() = 0;
  virtual std::vector<std::string> ListUserDatabases() = 0;
  virtual void DropDatabase(const std::string& database) = 0;
  virtual void DropCollection(const std::string& database, const std::string& collection) = 0;
  // `entry.options` verbatim; views too.
  virtual void CreateCollection(const repo::NamespaceEntry& entry) = 0;
  virtual void InsertMany(const repo::NamespaceEntry& entry,
                          const std::vector<ByteView>& documents) = 0;
  // All indexes but _id's in one command.
  virtual void CreateIndexes(const repo::NamespaceEntry& entry) = 0;
  // Count and digest read back from the target.
  virtual repo::NamespaceDigest ReadDigest(const repo::NamespaceEntry& entry,
                                           const std::stop_token& stop) = 0;
  // What it has of that name; nullopt when nothing.
  virtual std::optional<FoundNamespace> FindNamespace(const std::string& database,
                                                      const std::string& collection) = 0;
  // All but the server's own.
  virtual std::vector<std::string> ListCollections(const std::string& database) = 0;
  // The documents in the target's order of _id.
  virtual void ReadById(const repo::NamespaceEntry& entry,
                        const std::stop_token& stop,
                        const std::function<void(ByteView document)>& visit) = 0;
  // The documents with these _ids (each a document {"": _id}), in any order.
  virtual void FindByIds(const repo::NamespaceEntry& entry,
                         const std::vector<Bytes>& ids,
                         const std::function<void(ByteView document)>& visit) = 0;
  // Each document replaces the one with its _id, or is inserted.
  virtual void ReplaceMany(const repo::NamespaceEntry& entry,
                           const std::vector<ByteView>& documents) = 0;
  virtual void DeleteMany(const repo::NamespaceEntry& entry, const std::vector<Bytes>& ids) = 0;
  virtual void DropIndex(const repo::NamespaceEntry& entry, const std::string& index) = 0;
  // collMod with `options` (BSON).
  virtual void ChangeOptions(const repo::NamespaceEntry& entry, const Bytes& options) = 0;
  // Throws unless the login may replace users and roles: kPermissionDenied with a hint.
  virtual void CheckAccountsWritable() = 0;
  // Users and roles become those of the snapshot, each where it has any; our own login stays.
  // kConflict when what is read back differs.
  virtual void ReplaceAccounts(const repo::Accounts& accounts) = 0;
  // The markers that say which unfinished restores have been here, by their jobs.
  virtual void MarkIncomplete(const std::string& job, const std::string& snapshot) = 0;
  virtual std::vector<std::string> ListMarks() = 0;
  virtual void TakeMark(const std::string& job) = 0;  // away; the others' stay
  virtual void TakeAllMarks() = 0;
};

std::unique_ptr<RestoreTarget> MakeClusterTarget(mongo::Connection& connection);

// Which of the snapshot's indexes a restore builds, beside those on _id.
enum class IndexChoice { kAll, kNone, kAllButTtl };

enum class NamespaceStage {
  kLoading,    // its documents are being written
  kVerifying,  // all are written and are being read back
  kIndexing,   // they are the snapshot's; its indexes are being built
  kDone,       // and will not be written again, whatever happens to the run
  kLeftOut,    // the target knows no such namespaces
  kFailed,     // for good
};

// How far one namespace is. An attempt that has to be repeated begins with kLoading again.
struct NamespaceEvent {
  std::string source;  // "shop.orders", the name in the snapshot
  NamespaceStage stage = NamespaceStage::kLoading;
  std::uint64_t documents = 0;                          // on the target so far
  NamespaceStage failed_in = NamespaceStage::kLoading;  // of kFailed
  std::string failure;                                  // of kFailed
};

struct RestoreOptions {
  std::string job;  // written into the marker
  bool allow_lossy = false;
  bool accounts = true;  // false: users and roles of the target stay as they are
  int writers = 4;       // unordered bulk writers per namespace
  int parallel_namespaces = 2;
  // A step that the target was out of reach for is tried again: this often in all, after pauses
  // that double up to 16 times the first one. 31 s with these values, more than an election takes.
  int attempts = 6;
  std::chrono::milliseconds retry_pause{1000};
  std::function<void(std::chrono::milliseconds, const std::stop_token&)> pause = PauseFor;
  // A collection of so many BSON bytes that was cut goes on with what is on the target: documents
  // are compared in order of _id, which costs a read of them. A smaller one is written anew.
  ByteCount go_on_from = MiB(64);
  RestoreScope scope;
  IndexChoice indexes = IndexChoice::kAll;
  // Whether another job that has marked the target is still at work, on this target under another
  // name: one server may be registered twice. Empty: no other one is.
  std::function<bool(const std::string& job)> is_at_work;
  // Called from several threads, for one namespace in order; with kLoading at most once a second.
  // What it throws ends the attempt.
  std::function<void(const NamespaceEvent&)> on_namespace;
};

// What a restore would do, as a value that can be printed (dry run). Pure: made from manifest,
// scope and target facts.
struct RestorePlan {
  SnapshotId snapshot;
  std::vector<std::string> drop_databases;    // on the target now
  std::vector<std::string> drop_collections;  // "shop.orders", in databases that stay

  struct Write {
    std::string database;
    std::string collection;
    std::string kind;
    std::uint64_t documents = 0;  // at most, when an _id filter picks some
    std::uint64_t bytes = 0;
    std::uint64_t indexes = 0;
    std::string source;  // "shop.orders", the name in the snapshot; empty: the same
  };

  std::vector<Write> writes;  // largest first
  std::vector<std::string>
      losses;  // "shop.orders: the target (ferretdb) has no validators", one a line
  std::vector<std::string> notes;
};

// kInvalidArgument when the snapshot does not hold what the scope names, or it cannot be written
// under the names that the scope gives.
RestorePlan PlanRestore(const repo::Manifest& manifest,
                        RestoreTarget& target,
                        const RestoreScope& scope = {});
// The part of it that needs no target: throws as PlanRestore does.
void CheckScope(const repo::Manifest& manifest, const RestoreScope& scope);
std::string FormatPlan(const RestorePlan& plan);

struct RestoreSummary {
  std::uint64_t collections = 0;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  std::optional<domain::RestoreChanges> changes;  // of a scope that compares
  std::vector<std::string> notes;
};

// Makes the target what options.scope says: mark incomplete, drop what goes, then of every
// namespace drop, create, load, verify count and digest, build indexes; users and roles, when the
// whole snapshot is restored and has any; at last take the mark away: with all of the snapshot
// there, those of earlier restores too, else only this job's. kConflict, before anything is
// dropped, when another job that is at work has marked the target. A
// delta changes a collection in place where it can; what it cannot compare it writes anew and says
// so in a note. With kCreate it is kConflict when the target has a namespace of that name that this
// run has not created. With an _id filter the selected documents are written and read back, nothing
// else is touched. Throws kUnsupported before anything is dropped when the plan has losses and
// allow_lossy is not set, kInvalidArgument as PlanRestore does. May be repeated from the start or
// continued from run.checkpoint, with the same manifest and scope.
RestoreSummary RunRestore(const repo::Manifest& manifest,
                          repo::SnapshotReader& reader,
                          RestoreTarget& target,
                          const RestoreOptions& options,
                          const engine::RunContext& run);

}  // namespace tidemark::delivery
