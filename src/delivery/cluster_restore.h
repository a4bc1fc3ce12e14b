#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "engine/run_context.h"
#include "mongo/cluster.h"
#include "repo/repository.h"

namespace tidemark::delivery {

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
  // The marker that says an unfinished restore has been here.
  virtual void MarkIncomplete(const std::string& job, const std::string& snapshot) = 0;
  virtual void MarkComplete() = 0;
};

std::unique_ptr<RestoreTarget> MakeClusterTarget(mongo::Connection& connection);

struct RestoreOptions {
  std::string job;  // written into the marker
  bool allow_lossy = false;
  int writers = 4;  // unordered bulk writers per namespace
  int parallel_namespaces = 2;
  std::chrono::milliseconds retry_pause{1000};  // before a namespace is tried again
};

// What a restore would do, as a value that can be printed (dry run). Pure: made from manifest and
// target facts.
struct RestorePlan {
  SnapshotId snapshot;
  std::vector<std::string> drop_databases;  // on the target now, all of them

  struct Write {
    std::string database;
    std::string collection;
    std::string kind;
    std::uint64_t documents = 0;
    std::uint64_t bytes = 0;
    std::uint64_t indexes = 0;
  };

  std::vector<Write> writes;  // largest first
  std::vector<std::string>
      losses;  // "shop.orders: the target (ferretdb) has no validators", one a line
};

RestorePlan PlanRestore(const repo::Manifest& manifest, RestoreTarget& target);
std::string FormatPlan(const RestorePlan& plan);

struct RestoreSummary {
  std::uint64_t collections = 0;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
};

// Wipes the target's user databases and writes the snapshot: mark incomplete, drop, create, load,
// verify count and digest, build indexes of every namespace, mark complete. Throws kUnsupported
// before anything is dropped when the plan has losses and allow_lossy is not set. May be repeated
// from the start or continued from run.checkpoint.
RestoreSummary RunRestore(const repo::Manifest& manifest,
                          repo::SnapshotReader& reader,
                          RestoreTarget& target,
                          const RestoreOptions& options,
                          const engine::RunContext& run);

}  // namespace tidemark::delivery
