#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "blob/blob_store.h"
#include "engine/snapshot.h"
#include "repo/maintenance.h"
#include "repo/repository.h"
#include "tests/support/memory_source.h"

// What all campaigns do to a repository, and what has to be true of it afterwards.
namespace tidemark::fault {

// Documents by namespace "db.collection", each in order of _id.
using Content = std::map<std::string, std::vector<Bytes>>;

// The documents of a cluster, as they have to be.
class Model {
 public:
  struct Shape {
    std::size_t collections = 3;
    std::size_t documents = 120;  // in each
    std::size_t text = 120;       // bytes of each, about
  };

  Model(std::uint64_t seed, const Shape& shape);

  // Changes, adds and removes about one document in ten, spread over all _ids.
  void Churn();
  Content Now() const;
  // REQUIRES: the model outlives the source and does not change meanwhile.
  engine::MemorySource Source() const;

 private:
  Bytes NewDocument(std::int64_t id);

  SeededRandom random_;
  const Shape shape_;
  std::vector<std::map<std::int64_t, Bytes>> collections_;
};

// What a repository has to hold.
struct Expected {
  std::map<SnapshotId, Content> committed;
  // May be there, and whole, or not: the process that wrote or deleted them has not come back.
  std::map<SnapshotId, Content> possible;
};

// Names and settings that all campaigns share.
struct Names {
  repo::MasterKey master{};
  repo::MasterKey next_master{};  // of a rotation
  ProjectId project;
  ClusterId cluster;
};

const Names& TestNames();

// A process's view of a repository: its own store, clock, randomness.
class Session {
 public:
  explicit Session(std::unique_ptr<blob::BlobStore> store) : store_(std::move(store)) {}

  blob::BlobStore& store() { return *store_; }

  // Opens it as a server that starts does: sessions of the dead are dropped.
  repo::Repository& OpenAsOwner(const repo::MasterKey& key = TestNames().master);
  repo::Repository& Open(const repo::MasterKey& key = TestNames().master);

  repo::Repository& repository() { return *repository_; }

  RandomSource& random() { return random_; }

  engine::RunContext Context() const { return {.clock = clock_, .log = *log_}; }

  // As the service does: what an earlier run may have committed is replaced. A source that is lost
  // is asked again without a pause, so often in all.
  void Take(engine::SnapshotSource& source,
            const SnapshotId& id,
            const std::optional<SnapshotId>& base,
            int attempts = 1);
  // Until there is nothing left to do. Throws what collections throw.
  void CollectAll();
  repo::CollectionResult Collect();

 private:
  std::unique_ptr<blob::BlobStore> store_;
  SystemRandom random_;
  SystemClock clock_;
  std::unique_ptr<Log> log_ = MakeNullLog();
  std::unique_ptr<repo::Repository> repository_;
};

SnapshotId NextSnapshotId(RandomSource& random);

// Small chunks, a partial manifest after each collection, one thread of each kind.
engine::SnapshotOptions SmallOptions(const SnapshotId& id, const std::optional<SnapshotId>& base);

// What is wrong, as one text; empty when nothing is. `read_data` reads every chunk as a check does,
// too.
std::string FaultOf(Session& session, const Expected& expected, bool read_data);

// The documents of a snapshot as they read back.
Content ReadContent(repo::Repository& repository, const SnapshotId& id);

}  // namespace tidemark::fault
