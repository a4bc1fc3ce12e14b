#include "repo/internal/collection.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "repo/internal/chunk_codec.h"
#include "repo/internal/collection_plan.h"
#include "repo/internal/copier.h"
#include "repo/internal/maintenance.h"
#include "repo/internal/pack.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kDoing = "collecting garbage";

// Whether the place is in quarantine and the chunk has another.
bool IsSpentPlace(const Inventory& inventory, const ChunkId& chunk, const ChunkPlace& place) {
  if (!inventory.quarantine.Contains(place.pack, place.slot.offset)) {
    return false;
  }
  const std::optional<std::uint32_t> number = inventory.index.FindNumber(chunk);
  if (!number) {
    return true;
  }
  const ChunkPlace kept = PlaceOf(inventory.index, *number);
  return kept.pack != place.pack || kept.slot.offset != place.slot.offset;
}

// The steps of docs/format.md, "Collection".
class Collection {
 public:
  Collection(Project& project, const CollectionOptions& options, const std::stop_token& stop)
      : project_(project), options_(options), stop_(stop) {}

  CollectionResult Run() {
    project_.RemoveEndedSessions();
    RemoveLostWaitLists();
    DropSpentQuarantine(project_.store(), project_.keys());
    for (const GenerationId& earlier : Generations()) {
      if (Sweep(earlier) == Swept::kWaits) {
        return Waiting();
      }
      result_.state = CollectionState::kDone;
    }
    if (const std::optional<GenerationId> generation = Condemn()) {
      result_.state = CollectionState::kDone;
      if (Sweep(*generation) == Swept::kWaits) {
        return Waiting();
      }
    }
    return std::move(result_);
  }

 private:
  enum class Swept { kYes, kWaits };

  std::set<GenerationId> Generations() const {
    return ListIds<GenerationId>(project_.store(), CondemnedPrefix(Id()));
  }

  const ProjectId& Id() const { return project_.keys().project(); }

  CollectionResult Waiting() {
    result_.state = CollectionState::kWaiting;
    return std::move(result_);
  }

  std::optional<GenerationId> Condemn();
  std::set<PackId> CopyLiveChunks(const Inventory& inventory, const PackPlan& plan, Copier& copier);
  void CopyPack(const Inventory& inventory, const PackId& id, Copier& copier);
  void KeepEntries(const Inventory& inventory,
                   const SegmentId& id,
                   const std::set<PackId>& gone,
                   Copier& copier);
  GenerationId PutCondemned(const Condemned& condemned);

  Swept Sweep(const GenerationId& id);
  std::optional<Condemned> LoadOrForget(const GenerationId& id);
  std::vector<SessionId> WaitList(const GenerationId& id);
  std::size_t CountLiving(const std::vector<SessionId>& sessions) const;
  void DeleteCondemned(const Condemned& condemned, const Inventory& inventory);
  void RemoveGeneration(const GenerationId& id);
  void RemoveLostWaitLists();

  Project& project_;
  const CollectionOptions options_;
  const std::stop_token stop_;
  CollectionResult result_;
};

// Copies first, condemns last: until then nobody is affected. nullopt when there is no garbage.
std::optional<GenerationId> Collection::Condemn() {
  const Inventory inventory = TakeInventory(project_, {}, stop_);
  const PackPlan packs = PlanPacks(inventory, options_);
  std::set<PackId> gone(packs.dead.begin(), packs.dead.end());
  gone.insert(packs.rewritten.begin(), packs.rewritten.end());
  result_.plan = DescribePlan(inventory, packs, PlanSegments(inventory, gone));
  if (result_.plan.Empty()) {
    return std::nullopt;
  }
  Copier copier(project_, options_.pack_size);
  gone = CopyLiveChunks(inventory, packs, copier);
  const SegmentPlan segments = PlanSegments(inventory, gone);
  for (const SegmentId& id : segments.replaced) {
    ThrowIfStopped(stop_, kDoing);
    KeepEntries(inventory, id, gone, copier);
  }
  copier.Finish();
  if (gone.empty() && segments.removed.empty() && segments.replaced.empty()) {
    return std::nullopt;  // all that could be done was to rewrite damaged packs
  }
  Condemned condemned{{gone.begin(), gone.end()}, segments.removed};
  condemned.segments.insert(
      condemned.segments.end(), segments.replaced.begin(), segments.replaced.end());
  return PutCondemned(condemned);
}

// Returns the packs that may go. One with a damaged chunk stays as it is: the damage can still be
// looked at, and what is whole in it can still be read.
std::set<PackId> Collection::CopyLiveChunks(const Inventory& inventory,
                                            const PackPlan& plan,
                                            Copier& copier) {
  std::set<PackId> gone(plan.dead.begin(), plan.dead.end());
  for (const PackId& id : plan.rewritten) {
    try {
      CopyPack(inventory, id, copier);
      gone.insert(id);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorrupt) {
        throw;
      }
      ++result_.damaged_packs;
    }
  }
  return gone;
}

// Sealed bytes as they are, after all of them have been opened once: damage is not carried on.
// Holds the live part of one pack.
void Collection::CopyPack(const Inventory& inventory, const PackId& id, Copier& copier) {
  const std::string name = PackName(Id(), id);
  const ByteCount size = inventory.packs.at(id).size;
  std::vector<std::pair<PackEntry, Bytes>> live;
  for (const PackEntry& entry : ReadPackFooter(project_.keys(), id, project_.store(), size)) {
    ThrowIfStopped(stop_, kDoing);
    const std::optional<std::uint32_t> number = inventory.index.FindNumber(entry.id);
    if (!number || !inventory.live[*number]) {
      continue;
    }
    const ChunkPlace place = PlaceOf(inventory.index, *number);
    if (place.pack != id || place.slot.offset != entry.offset) {
      continue;
    }
    Bytes sealed = project_.store().GetRange(name, entry.offset, entry.stored_size);
    OpenChunk(project_.keys(), entry.kind, {entry.id, entry.plain_size, 0}, sealed);
    live.emplace_back(entry, std::move(sealed));
  }
  for (const auto& [entry, sealed] : live) {
    copier.CopyChunk(entry, sealed);
  }
}

// What the segment says about packs that stay. A place in quarantine only when the chunk has no
// other: one of the new segments has one place of a chunk, and it must not be the bad one.
void Collection::KeepEntries(const Inventory& inventory,
                             const SegmentId& id,
                             const std::set<PackId>& gone,
                             Copier& copier) {
  const Bytes blob = project_.store().Get(SegmentName(Id(), id));
  const IndexSegment segment = OpenIndexSegment(project_.keys(), id, blob);
  for (const auto& [chunk, slot] : segment.entries) {
    const PackId& pack = segment.packs[slot.pack];
    const bool stays = inventory.packs.contains(pack) && !gone.contains(pack);
    if (stays && !IsSpentPlace(inventory, chunk, {pack, slot})) {
      copier.KeepEntry(chunk, slot, pack);
    }
  }
}

GenerationId Collection::PutCondemned(const Condemned& condemned) {
  const auto id = GenerationId::Generate(project_.random());
  project_.store().Put(CondemnedName(Id(), id),
                       SealCondemned(project_.keys(), id, condemned, project_.random()));
  return id;
}

Collection::Swept Collection::Sweep(const GenerationId& id) {
  const std::optional<Condemned> condemned = LoadOrForget(id);
  if (!condemned) {
    return Swept::kYes;
  }
  result_.waiting_for = CountLiving(WaitList(id));
  if (result_.waiting_for > 0) {
    return Swept::kWaits;
  }
  // Only now: a session that has ended since may have committed a snapshot that needs something.
  const Inventory inventory = TakeInventory(project_, *condemned, stop_);
  DeleteCondemned(*condemned, inventory);
  RemoveGeneration(id);
  return Swept::kYes;
}

// A condemned list that does not open condemns nothing: it is removed, the next plan finds the same
// garbage.
std::optional<Condemned> Collection::LoadOrForget(const GenerationId& id) {
  try {
    return LoadCondemned(project_.store(), project_.keys(), id);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt) {
      throw;
    }
    RemoveGeneration(id);
    return std::nullopt;
  }
}

// Listed after the condemned list became visible: whoever began later has seen it. A list that is
// missing or damaged is made anew, which can only make it longer.
std::vector<SessionId> Collection::WaitList(const GenerationId& id) {
  const std::string name = WaitListName(Id(), id);
  try {
    if (auto sessions = LoadWaitList(project_.store(), project_.keys(), id)) {
      return *sessions;
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorrupt) {
      throw;
    }
    project_.store().Delete(name);
  }
  const auto living = ListIds<SessionId>(project_.store(), SessionPrefix(Id()));
  std::vector<SessionId> sessions(living.begin(), living.end());
  if (!sessions.empty()) {
    project_.store().Put(name, SealWaitList(project_.keys(), id, sessions, project_.random()));
  }
  return sessions;
}

std::size_t Collection::CountLiving(const std::vector<SessionId>& sessions) const {
  const auto living = ListIds<SessionId>(project_.store(), SessionPrefix(Id()));
  return static_cast<std::size_t>(std::ranges::count_if(
      sessions, [&living](const SessionId& session) { return living.contains(session); }));
}

// Segments before the packs they name (docs/format.md, "Order of writes, reads and deletes").
void Collection::DeleteCondemned(const Condemned& condemned, const Inventory& inventory) {
  for (const SegmentId& id : condemned.segments) {
    if (!inventory.needed_segments.contains(id)) {
      project_.store().Delete(SegmentName(Id(), id));
    }
  }
  for (const PackId& id : condemned.packs) {
    const auto stored = inventory.packs.find(id);
    if (stored == inventory.packs.end()) {
      continue;  // deleted by a collection that was interrupted
    }
    if (inventory.needed_packs.contains(id)) {
      ++result_.spared_packs;
      continue;
    }
    project_.store().Delete(PackName(Id(), id));
    ++result_.deleted_packs;
    result_.deleted_bytes += stored->second.size;
  }
}

// The wait list first: a condemned list without one waits for more sessions, never for fewer.
void Collection::RemoveGeneration(const GenerationId& id) {
  project_.store().Delete(WaitListName(Id(), id));
  project_.store().Delete(CondemnedName(Id(), id));
}

void Collection::RemoveLostWaitLists() {
  const auto waits = ListIds<GenerationId>(project_.store(), WaitListPrefix(Id()));
  const auto generations = Generations();
  for (const GenerationId& id : waits) {
    if (!generations.contains(id)) {
      project_.store().Delete(WaitListName(Id(), id));
    }
  }
}

// Of earlier collections, without writing anything.
std::size_t CountWaitedFor(const Project& project) {
  const ProjectId& id = project.keys().project();
  const auto generations = ListIds<GenerationId>(project.store(), CondemnedPrefix(id));
  return generations.empty() ? 0 : ListIds<SessionId>(project.store(), SessionPrefix(id)).size();
}

}  // namespace

CollectionPlan PlanGarbage(Project& project,
                           const CollectionOptions& options,
                           const std::stop_token& stop) {
  const MutexLock lock(project.collection_mutex());
  const Inventory inventory = TakeInventory(project, {}, stop);
  const PackPlan packs = PlanPacks(inventory, options);
  std::set<PackId> gone(packs.dead.begin(), packs.dead.end());
  gone.insert(packs.rewritten.begin(), packs.rewritten.end());
  CollectionPlan plan = DescribePlan(inventory, packs, PlanSegments(inventory, gone));
  plan.waiting_for = CountWaitedFor(project);
  return plan;
}

CollectionResult CollectGarbage(Project& project,
                                const CollectionOptions& options,
                                const std::stop_token& stop) {
  const MutexLock lock(project.collection_mutex());
  return Collection(project, options, stop).Run();
}

}  // namespace tidemark::repo
