#include "repo/internal/inventory.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "repo/internal/chunk_codec.h"
#include "repo/internal/maintenance.h"
#include "repo/internal/roots.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kDoing = "looking for garbage";

class InventoryTaker {
 public:
  InventoryTaker(const Project& project, const Condemned& condemned, const std::stop_token& stop)
      : project_(project),
        condemned_packs_(condemned.packs.begin(), condemned.packs.end()),
        condemned_segments_(condemned.segments.begin(), condemned.segments.end()),
        stop_(stop) {}

  Inventory TakeStock() {
    ListEverything();
    ReadSegments(Pass::kLasting);
    if (!inventory_.quarantine.empty()) {
      ReadSegments(Pass::kQuarantined);
    }
    return std::move(inventory_);
  }

  Inventory Take() {
    ListEverything();
    ReadSegments(Pass::kLasting);
    lasting_entries_ = inventory_.index.entries().size();
    if (!condemned_packs_.empty() || !condemned_segments_.empty()) {
      ReadSegments(Pass::kCondemned);
    }
    if (!inventory_.quarantine.empty()) {
      ReadSegments(Pass::kQuarantined);
    }
    inventory_.live.resize(inventory_.index.entries().size());
    for (const SnapshotId& root : roots_) {
      MarkRoot(root);
    }
    return std::move(inventory_);
  }

 private:
  enum class Pass { kLasting, kCondemned, kQuarantined };

  void ListEverything();
  void ReadSegments(Pass pass);
  void AddSegment(Pass pass, const SegmentId& id, const IndexSegment& segment);
  Pass PassOf(const SegmentId& segment, const PackId& pack, std::uint32_t offset) const;
  void MarkRoot(const SnapshotId& id);
  void MarkList(const ListOfRun& list);
  // False when it was marked before.
  bool Mark(const ChunkId& id, ObjectKind kind);

  const Project& project_;
  const std::set<PackId> condemned_packs_;
  const std::set<SegmentId> condemned_segments_;
  const std::stop_token stop_;

  std::vector<SnapshotId> roots_;
  Unfinished unfinished_;
  std::size_t lasting_entries_ = 0;
  std::vector<SegmentId> sources_;  // of the entries behind lasting_entries_
  Inventory inventory_;
};

// The order matters. Packs, then sessions, then segments: without a session, a pack that no segment
// names never gets one. Manifests, then segments, then packs: what a manifest needs was stored
// before it (I2, I3), so all of it is listed.
void InventoryTaker::ListEverything() {
  blob::BlobStore& store = project_.store();
  const ProjectId& project = project_.keys().project();
  const auto early = ListIds<PackId>(store, PackPrefix(project));
  inventory_.sessions = ListIds<SessionId>(store, SessionPrefix(project)).size();
  roots_ = ListRoots(project_);
  inventory_.quarantine = LoadQuarantine(store, project_.keys());
  inventory_.roots = roots_.size();
  unfinished_ = ListUnfinished(project_);
  store.List(SegmentPrefix(project), [&](const std::string& name, ByteCount size) {
    if (const auto id = ParseRandomId(name)) {
      inventory_.segments[SegmentId{*id}].size = size;
    }
  });
  store.List(PackPrefix(project), [&](const std::string& name, ByteCount size) {
    if (const auto id = ParseRandomId(name)) {
      const PackId pack{*id};
      inventory_.packs[pack] = {.size = size, .listed_early = early.contains(pack)};
    }
  });
}

void InventoryTaker::ReadSegments(Pass pass) {
  for (auto& [id, stored] : inventory_.segments) {
    ThrowIfStopped(stop_, kDoing);
    const Bytes blob = project_.store().Get(SegmentName(project_.keys().project(), id));
    IndexSegment segment = OpenIndexSegment(project_.keys(), id, blob);
    AddSegment(pass, id, segment);
    stored.packs = std::move(segment.packs);
  }
}

InventoryTaker::Pass InventoryTaker::PassOf(const SegmentId& segment,
                                            const PackId& pack,
                                            std::uint32_t offset) const {
  if (inventory_.quarantine.Contains(pack, offset)) {
    return Pass::kQuarantined;
  }
  const bool condemned = condemned_segments_.contains(segment) || condemned_packs_.contains(pack);
  return condemned ? Pass::kCondemned : Pass::kLasting;
}

void InventoryTaker::AddSegment(Pass pass, const SegmentId& id, const IndexSegment& segment) {
  std::map<std::uint32_t, std::uint32_t> numbers;  // of packs: in the segment, in the index
  for (const auto& [chunk, slot] : segment.entries) {
    const PackId& pack = segment.packs[slot.pack];
    const auto stored = inventory_.packs.find(pack);
    if (stored == inventory_.packs.end() || PassOf(id, pack, slot.offset) != pass) {
      continue;
    }
    stored->second.payload_end =
        std::max(stored->second.payload_end, slot.offset + slot.stored_size);
    const auto [number, added] = numbers.try_emplace(slot.pack, 0);
    if (added) {
      number->second = inventory_.index.AddPack(pack);
    }
    ChunkSlot renumbered = slot;
    renumbered.pack = number->second;
    const bool inserted = inventory_.index.Insert(chunk, renumbered);
    inventory_.segments[id].says_something |= inserted;
    if (inserted && pass != Pass::kLasting) {
      sources_.push_back(id);
    }
  }
}

void InventoryTaker::MarkRoot(const SnapshotId& id) {
  ThrowIfStopped(stop_, kDoing);
  const std::optional<Manifest> manifest = LoadRoot(project_, id, unfinished_);
  if (!manifest) {
    return;
  }
  VisitLists(*manifest, [&](const ListOfRun& list) {
    try {
      MarkList(list);
    } catch (const Error& error) {
      throw error.WithContext("snapshot " + id.ToString() + " " + DescribeRun(list));
    }
  });
}

// A list that was marked before has had its chunks marked as well.
void InventoryTaker::MarkList(const ListOfRun& list) {
  if (!Mark(list.ref.id, ObjectKind::kListChunk)) {
    return;
  }
  ThrowIfStopped(stop_, kDoing);
  const auto listed = LoadList(project_, inventory_.index, list.ref);
  TIDEMARK_CHECK(listed.has_value());
  for (const auto& [ref, first_id] : *listed) {
    Mark(ref.id, list.listed);
  }
}

bool InventoryTaker::Mark(const ChunkId& id, ObjectKind kind) {
  const std::optional<std::uint32_t> number = inventory_.index.FindNumber(id);
  if (!number) {
    throw Error(ErrorCode::kCorrupt,
                "reading " + DescribeObject(kind, id) + ": it is in no pack",
                "nothing was deleted; find what is damaged with: tidemark repo check");
  }
  if (inventory_.live[*number]) {
    return false;
  }
  inventory_.live[*number] = true;
  const ChunkPlace place = PlaceOf(inventory_.index, *number);
  inventory_.packs[place.pack].live_bytes += place.slot.stored_size;
  if (*number >= lasting_entries_) {
    inventory_.needed_packs.insert(place.pack);
    inventory_.needed_segments.insert(sources_[*number - lasting_entries_]);
  }
  return true;
}

}  // namespace

ChunkPlace PlaceOf(const ChunkIndex& index, std::uint32_t number) {
  const ChunkSlot& slot = index.entries()[number].slot;
  return {index.pack(slot.pack), slot};
}

std::optional<ListedChunks> LoadList(const Project& project,
                                     const ChunkIndex& index,
                                     const ChunkRef& list) {
  const std::optional<std::uint32_t> number = index.FindNumber(list.id);
  if (!number) {
    return std::nullopt;
  }
  return DecodeList(
      LoadStoredChunk(project, ObjectKind::kListChunk, list, PlaceOf(index, *number)));
}

Inventory TakeInventory(const Project& project,
                        const Condemned& condemned,
                        const std::stop_token& stop) {
  return InventoryTaker(project, condemned, stop).Take();
}

Inventory TakeStock(const Project& project, const std::stop_token& stop) {
  return InventoryTaker(project, {}, stop).TakeStock();
}

}  // namespace tidemark::repo
