#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "repo/repair.h"
#include "repo/repository.h"

namespace tidemark::repo {

struct CollectionOptions {
  // A pack whose live chunks are less than this share of it is rewritten: at 50 a collection copies
  // at most as much as it frees.
  int rewrite_below_percent = 50;
  ByteCount pack_size = MiB(16);  // of the packs that rewritten chunks go to
};

// What a collection would do. Plain data, for people and programs.
struct CollectionPlan {
  struct Pack {
    std::string id;
    ByteCount size;
    ByteCount live;  // 0: the pack is deleted; otherwise its live chunks are copied first
  };

  std::vector<Pack> deleted;
  std::vector<Pack> rewritten;
  std::vector<std::string> removed_segments;
  std::vector<std::string> replaced_segments;  // what they still say goes to new ones
  std::size_t kept_packs = 0;
  // Packs that no segment names, while sessions live: a snapshot may be about to name them.
  std::size_t left_packs = 0;
  ByteCount freed;   // stored bytes that go
  ByteCount copied;  // stored bytes that are written anew before
  // Sessions that an earlier collection still waits for; 0 when there is none.
  std::size_t waiting_for = 0;

  bool Empty() const { return deleted.empty() && rewritten.empty() && Segments() == 0; }

  std::size_t Segments() const { return removed_segments.size() + replaced_segments.size(); }
};

// For people: one line for each pack (at most 100) and a summary.
std::string FormatPlan(const CollectionPlan& plan);

enum class CollectionState {
  kNothingToDo,
  // Everything is condemned, nothing is deleted yet: sessions that began before still live. The
  // next collection goes on.
  kWaiting,
  kDone,
};

struct CollectionResult {
  CollectionState state = CollectionState::kNothingToDo;
  CollectionPlan plan;
  std::size_t waiting_for = 0;    // sessions
  std::size_t deleted_packs = 0;  // those of an earlier collection that was waiting included
  ByteCount deleted_bytes;
  std::size_t spared_packs = 0;   // condemned, but a snapshot that ended since needs them
  std::size_t damaged_packs = 0;  // not rewritten, because a chunk in them does not open
};

// One fault that a check found.
struct Finding {
  std::optional<SnapshotId> snapshot;  // absent: an object that belongs to none in particular
  std::string name_space;              // "db.collection"; empty when the whole snapshot is meant
  std::size_t run = 0;                 // counts from 1; 0: no run in particular
  // Documents {"": _id}: the damage is in [first, end). Empty: from the start, to the end.
  Bytes first_id;
  Bytes end_id;
  std::string message;
};

// Collects findings up to a bound and counts the others. Confined.
class FindingList {
 public:
  static constexpr std::size_t kMax = 1000;

  void Add(Finding finding) {
    ++total_;
    if (findings_.size() < kMax) {
      findings_.push_back(std::move(finding));
    }
  }

  const std::vector<Finding>& findings() const { return findings_; }

  std::uint64_t total() const { return total_; }

 private:
  std::vector<Finding> findings_;
  std::uint64_t total_ = 0;
};

struct StructureCheck {
  FindingList findings;
  std::uint64_t snapshots = 0;
  std::uint64_t chunks = 0;  // each once, however many snapshots share it
  std::uint64_t packs = 0;
  std::uint64_t segments = 0;
};

struct SnapshotStats {
  SnapshotId snapshot;
  Instant created;
  std::string cluster_name;
  ByteCount logical;    // BSON
  ByteCount exclusive;  // stored bytes that would go if this snapshot were deleted
  ByteCount added;      // stored bytes that no older snapshot of the project references
};

struct RepositoryStats {
  std::vector<SnapshotStats> snapshots;  // oldest first
  ByteCount logical;                     // of all snapshots
  ByteCount packs;
  ByteCount index;
  ByteCount manifests;
  ByteCount unreferenced;  // chunks in packs that no snapshot references
  std::uint64_t chunks = 0;

  ByteCount stored() const { return packs + index + manifests; }
};

// Looks after one project's part of the repository. Synchronized; every call blocks, and throws
// kCancelled soon after `stop`. The repository must outlive it. Memory: 60 bytes per stored chunk
// and 100 bytes per pack while a call runs.
class Maintenance {
 public:
  virtual ~Maintenance() = default;

  // Reads only. kCorrupt when a manifest, list chunk or index segment is damaged or a referenced
  // chunk is in no pack: then nobody knows what is garbage.
  virtual CollectionPlan PlanCollection(const CollectionOptions& options,
                                        const std::stop_token& stop) = 0;
  // Goes on with an earlier collection that had to wait; otherwise plans, copies, condemns and,
  // when no session lives, deletes. Safe beside writers and readers, and safe to repeat after any
  // failure. One at a time: a second call waits. Throws as PlanCollection and what the store
  // throws.
  virtual CollectionResult Collect(const CollectionOptions& options,
                                   const std::stop_token& stop) = 0;
  // Every manifest, list chunk, index segment and pack footer opens and they agree with each other.
  // Does not read data chunks. What is damaged is a finding, never an exception.
  virtual StructureCheck CheckStructure(const std::stop_token& stop) = 0;
  // Reads every chunk and lets `heal` look for the bytes of those that can be read nowhere; then
  // makes the index whole, copies what lies in bad places, puts the healed chunks into new packs
  // and the bad places into quarantine. A dry run writes nothing and gives the plan. Damage is in
  // the report, never an exception. Safe beside writers and readers, and safe to repeat after any
  // failure. Collections wait meanwhile. Memory: 60 bytes for each place of a chunk, 64 MiB of
  // offers, one pack. What the store and `heal` throw; kCancelled.
  virtual RepairReport Repair(const RepairOptions& options,
                              const Healer& heal,
                              const std::stop_token& stop) = 0;
  // Throws as PlanCollection.
  virtual RepositoryStats ReadStats(const std::stop_token& stop) = 0;
};

}  // namespace tidemark::repo
