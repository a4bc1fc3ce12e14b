#include "repo/internal/damage_survey.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "repo/internal/maintenance.h"
#include "repo/internal/roots.h"

namespace tidemark::repo {
namespace {

ChunkKind ListedKind(bool of_keys) {
  return of_keys ? ChunkKind::kKeys : ChunkKind::kData;
}

}  // namespace

void DamageSurvey::WalkRoots(const std::vector<SnapshotId>& roots, const std::stop_token& stop) {
  stop_ = stop;
  for (const SnapshotId& id : roots) {
    has_new_index_.reset();
    WalkRoot(id);
  }
}

void DamageSurvey::WalkRoot(const SnapshotId& id) {
  std::optional<Manifest> manifest;
  try {
    manifest = LoadRoot(project_, id);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt && error.code() != ErrorCode::kUnsupported) {
      throw;
    }
    manifests_.push_back({id, std::string(error.message())});
  }
  if (!manifest) {
    return;
  }
  VisitEntries(*manifest, [&](const NamespaceEntry& entry) {
    for (std::size_t number = 1; number <= entry.runs.size(); ++number) {
      WalkRun(id, *manifest, entry, number);
    }
  });
}

void DamageSurvey::WalkRun(const SnapshotId& snapshot,
                           const Manifest& manifest,
                           const NamespaceEntry& entry,
                           std::size_t number) {
  const auto use = std::make_shared<const RunUse>(RunUse{.cluster = manifest.cluster,
                                                         .cluster_name = manifest.cluster_name,
                                                         .database = entry.database,
                                                         .collection = entry.collection,
                                                         .kind = entry.kind,
                                                         .number = number,
                                                         .run = entry.runs[number - 1]});
  WalkLists(snapshot, use, false);
  WalkLists(snapshot, use, true);
}

std::optional<ListedChunks> DamageSurvey::LoadList(const ChunkRef& list) {
  const auto places = book_.Of(list.id);
  const auto sound = std::ranges::find_if(places, [](const Place& place) { return place.sound; });
  if (sound == places.end()) {
    return std::nullopt;
  }
  return DecodeList(
      OpenChunk(project_.keys(), ObjectKind::kListChunk, list, book_.ReadSealed(*sound)));
}

void DamageSurvey::WalkLists(const SnapshotId& snapshot,
                             const std::shared_ptr<const RunUse>& use,
                             bool of_keys) {
  const std::vector<ChunkRef>& lists = of_keys ? use->run.key_lists : use->run.lists;
  ListUse list{.run = use, .of_keys = of_keys, .first_id = use->run.first_id};
  const auto begin_of = [&](std::size_t number) -> Bytes {
    if (number == lists.size() || walked_.contains(lists[number - 1].id)) {
      return {};
    }
    const std::optional<ListedChunks> chunks = LoadList(lists[number]);
    return chunks && !chunks->empty() ? chunks->front().first_id : Bytes();
  };
  for (std::size_t i = 0; i < lists.size(); ++i) {
    ThrowIfStopped(stop_, "repairing the repository");
    list.end_id = begin_of(i + 1);
    WalkList(snapshot, lists[i], list);
    list.first_document += lists[i].documents;
    list.first_id = list.end_id;
  }
}

void DamageSurvey::WalkList(const SnapshotId& snapshot, const ChunkRef& list, const ListUse& use) {
  if (const auto walked = walked_.find(list.id); walked != walked_.end()) {
    for (const std::size_t number : walked->second) {
      AddSnapshot(number, snapshot);
    }
    return;
  }
  std::vector<std::size_t> damaged;
  const auto lost = Need({.kind = ChunkKind::kList,
                          .ref = list,
                          .snapshots = {snapshot},
                          .use = use.run,
                          .of_keys = use.of_keys,
                          .first_document = use.first_document,
                          .first_id = use.first_id,
                          .end_id = use.end_id});
  if (lost) {
    damaged.push_back(*lost);
  } else if (const std::optional<ListedChunks> chunks = LoadList(list)) {
    WalkListed({snapshot}, use, *chunks, damaged);
  }
  walked_.emplace(list.id, std::move(damaged));
}

void DamageSurvey::WalkHealedList(std::size_t number, const ListedChunks& chunks) {
  const DamagedChunk list = damage_[number];
  WalkListed(list.snapshots,
             {.run = list.use,
              .of_keys = list.of_keys,
              .first_document = list.first_document,
              .first_id = list.first_id,
              .end_id = list.end_id},
             chunks,
             walked_[list.ref.id]);
}

void DamageSurvey::WalkListed(const std::vector<SnapshotId>& snapshots,
                              const ListUse& use,
                              const ListedChunks& chunks,
                              std::vector<std::size_t>& damaged) {
  std::uint64_t first_document = use.first_document;
  for (std::size_t at = 0; at < chunks.size(); ++at) {
    const bool last = at + 1 == chunks.size();
    const auto lost = Need({.kind = ListedKind(use.of_keys),
                            .ref = chunks[at].ref,
                            .snapshots = snapshots,
                            .use = use.run,
                            .of_keys = use.of_keys,
                            .first_document = first_document,
                            .first_id = chunks[at].first_id,
                            .end_id = last ? use.end_id : chunks[at + 1].first_id});
    if (lost) {
      damaged.push_back(*lost);
    }
    first_document += chunks[at].ref.documents;
  }
}

// False when the index is damaged itself.
bool DamageSurvey::RefreshIndex() {
  try {
    project_.Refresh();
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt) {
      throw;
    }
    return false;
  }
}

bool DamageSurvey::IsStoredSince(const ChunkId& id) {
  if (!has_new_index_.has_value()) {
    has_new_index_ = RefreshIndex();
  }
  return *has_new_index_ && project_.Find(id).has_value();
}

std::optional<std::size_t> DamageSurvey::Need(DamagedChunk chunk) {
  const auto places = book_.Of(chunk.ref.id);
  for (Place& place : places) {
    place.live = true;
  }
  if (std::ranges::any_of(places, [](const Place& place) { return place.sound; })) {
    return std::nullopt;
  }
  if (const auto known = Find(chunk.ref.id)) {
    for (const SnapshotId& snapshot : chunk.snapshots) {
      AddSnapshot(*known, snapshot);
    }
    return known;
  }
  if (places.empty() && IsStoredSince(chunk.ref.id)) {
    return std::nullopt;
  }
  if (damage_.size() == RepairReport::kMaxChunks) {
    passed_over_ += beyond_.insert(chunk.ref.id).second ? 1 : 0;
    return std::nullopt;
  }
  chunk.fault = places.empty() ? "it is in no pack" : "it does not open";
  numbers_.emplace(chunk.ref.id, damage_.size());
  damage_.push_back(std::move(chunk));
  return damage_.size() - 1;
}

std::optional<std::size_t> DamageSurvey::Find(const ChunkId& id) const {
  const auto found = numbers_.find(id);
  return found == numbers_.end() ? std::nullopt : std::optional(found->second);
}

void DamageSurvey::AddSnapshot(std::size_t number, const SnapshotId& snapshot) {
  std::vector<SnapshotId>& snapshots = damage_[number].snapshots;
  if (snapshots.size() < DamagedChunk::kMaxSnapshots &&
      std::ranges::find(snapshots, snapshot) == snapshots.end()) {
    snapshots.push_back(snapshot);
  }
}

}  // namespace tidemark::repo
