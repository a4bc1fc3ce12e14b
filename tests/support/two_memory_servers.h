#pragma once

#include <memory>
#include <string_view>

#include <gtest/gtest.h>

#include "blob/blob_store.h"
#include "delivery/cluster_restore.h"
#include "engine/mongo_source.h"
#include "engine/snapshot.h"
#include "tests/support/memory_server_fixture.h"

namespace tidemark::memory {

// A memory server to take a snapshot of, a repository, and another server to restore into, through
// the product's own engines.
class TwoMemoryServers : public testing::Test {
 protected:
  explicit TwoMemoryServers(const ServerOptions& target = {.replica_set = "rs1"})
      : target_(target, clock_, random_) {
    const repo::MasterKey master{3};
    repo::Repository::Create(*blobs_, master, random_);
    repository_ = repo::Repository::Open(*blobs_, master, random_);
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    options_.project = ProjectId::Generate(clock_.Now(), random_);
    options_.cluster = ClusterId::Generate(clock_.Now(), random_);
  }

  static void Run(mongo::Connection& connection, std::string_view database, std::string_view json) {
    const Bytes command = bson::FromJson(json);
    connection.RunCommand(database, bson::Document(command));
  }

  engine::RunContext Context() { return {.clock = clock_, .log = *log_}; }

  void TakeSnapshot() {
    const auto source = engine::MakeMongoSource(*from_);
    engine::TakeSnapshot(*source, *repository_, options_, Context());
  }

  repo::Manifest Manifest() {
    return repository_->LoadManifest(options_.project, options_.snapshot);
  }

  delivery::RestoreSummary Restore(bool allow_lossy = false) {
    return RestoreWith(
        {.job = "job", .allow_lossy = allow_lossy, .retry_pause = std::chrono::milliseconds(0)},
        Context());
  }

  delivery::RestoreSummary RestoreWith(const delivery::RestoreOptions& options,
                                       const engine::RunContext& context) {
    const auto reader = repository_->NewReader(options_.project);
    const auto target = delivery::MakeClusterTarget(*to_);
    return delivery::RunRestore(Manifest(), *reader, *target, options, context);
  }

  ManualClock clock_{*ParseInstant("2026-11-25T10:00:00Z")};
  SystemRandom random_;
  std::unique_ptr<Log> log_ = MakeNullLog();
  MemoryServer source_{{.replica_set = "rs0"}, clock_, random_};
  MemoryServer target_;
  std::unique_ptr<mongo::Connection> from_ = mongo::Connection::Open(Secret(source_.Uri()), {});
  std::unique_ptr<mongo::Connection> to_ = mongo::Connection::Open(Secret(target_.Uri()), {});
  std::unique_ptr<blob::BlobStore> blobs_ = blob::MakeMemoryStore();
  std::unique_ptr<repo::Repository> repository_;
  engine::SnapshotOptions options_;
};

}  // namespace tidemark::memory
