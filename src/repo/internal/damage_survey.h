#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <vector>

#include "repo/internal/chunk_codec.h"
#include "repo/internal/place_book.h"
#include "repo/repair.h"

namespace tidemark::repo {

// Finds out which chunks manifests need and which of these can be read nowhere; marks the places of
// needed chunks as live. Confined. Both must outlive it.
class DamageSurvey {
 public:
  DamageSurvey(Project& project, PlaceBook& book) : project_(project), book_(book) {}

  // Every list of these snapshots. REQUIRES: they were listed before the book was made, so that it
  // has what they need (I2, I3). Blocks.
  void WalkRoots(const std::vector<SnapshotId>& roots, const std::stop_token& stop);
  // Of a damaged list, once its bytes are known.
  void WalkHealedList(std::size_t number, const ListedChunks& chunks);

  std::deque<DamagedChunk>& damage() { return damage_; }

  const std::deque<DamagedChunk>& damage() const { return damage_; }

  // By what it is: a list chunk and a data chunk never share a name.
  std::optional<std::size_t> Find(const ChunkId& id) const;

  // Whether a list that can be read names the chunk.
  bool IsListed(const ChunkId& id) { return !book_.Of(id).empty() && book_.Of(id)[0].live; }

  const std::vector<RepairReport::DamagedManifest>& manifests() const { return manifests_; }

  std::uint64_t passed_over() const { return passed_over_; }

 private:
  // A list in its place in a run.
  struct ListUse {
    std::shared_ptr<const RunUse> run;
    bool of_keys = false;
    std::uint64_t first_document = 0;
    Bytes first_id;
    Bytes end_id;
  };

  void WalkRoot(const SnapshotId& id);
  void WalkRun(const SnapshotId& snapshot,
               const Manifest& manifest,
               const NamespaceEntry& entry,
               std::size_t number);
  void WalkLists(const SnapshotId& snapshot,
                 const std::shared_ptr<const RunUse>& use,
                 bool of_keys);
  void WalkList(const SnapshotId& snapshot, const ChunkRef& list, const ListUse& use);
  // What the list lists; nullopt when it cannot be read.
  std::optional<ListedChunks> LoadList(const ChunkRef& list);
  // A snapshot that was cut may have gone on since the book was made.
  bool IsStoredSince(const ChunkId& id);
  bool RefreshIndex();
  // Marks it live; when it can be read nowhere it becomes one of damage(). Its number then.
  std::optional<std::size_t> Need(DamagedChunk chunk);
  void AddSnapshot(std::size_t number, const SnapshotId& snapshot);
  void WalkListed(const std::vector<SnapshotId>& snapshots,
                  const ListUse& use,
                  const ListedChunks& chunks,
                  std::vector<std::size_t>& damaged);

  Project& project_;
  PlaceBook& book_;
  std::stop_token stop_;
  std::deque<DamagedChunk> damage_;
  std::map<ChunkId, std::size_t> numbers_;  // of damage_
  // Of lists that were walked: what is damaged of them and of what they list.
  std::map<ChunkId, std::vector<std::size_t>> walked_;
  std::optional<bool> has_new_index_;  // since the manifest at hand was read
  std::vector<RepairReport::DamagedManifest> manifests_;
  std::set<ChunkId> beyond_;  // damaged, but there are too many
  std::uint64_t passed_over_ = 0;
};

}  // namespace tidemark::repo
