#include "repo/internal/project.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "repo/internal/chunk_codec.h"
#include "repo/internal/condemned.h"

namespace tidemark::repo {
bool Project::AddSegment(Chunks& chunks,
                         const IndexSegment& segment,
                         const std::set<PackId>& packs) const {
  struct Target {
    ChunkIndex* index = nullptr;
    std::uint32_t number = 0;
    std::optional<std::uint32_t> quarantined;  // its number among packs with bad places
  };

  bool complete = true;
  std::vector<Target> targets;
  for (const PackId& pack : segment.packs) {
    Target& target = targets.emplace_back();
    if (packs.contains(pack)) {
      target.index = condemned_.contains(pack) ? &chunks.condemned : &chunks.lasting;
      target.number = target.index->AddPack(pack);
      if (quarantine_.Names(pack)) {
        target.quarantined = chunks.quarantined.AddPack(pack);
      }
    }
    complete &= target.index != nullptr;
  }
  for (const auto& [chunk, slot] : segment.entries) {
    const Target& target = targets[slot.pack];
    if (target.index == nullptr) {
      continue;
    }
    const bool bad =
        target.quarantined && quarantine_.Contains(segment.packs[slot.pack], slot.offset);
    ChunkSlot renumbered = slot;
    renumbered.pack = bad ? *target.quarantined : target.number;
    (bad ? chunks.quarantined : *target.index).Insert(chunk, renumbered);
  }
  return complete;
}

bool Project::ReadQuarantine() {
  const auto lists = ListIds<QuarantineId>(store_, QuarantinePrefix(keys_.project()));
  if (lists == quarantine_lists_) {
    return false;
  }
  quarantine_ = LoadQuarantine(store_, keys_);
  quarantine_lists_ = lists;
  return true;
}

bool Project::ReadCondemned() {
  std::map<GenerationId, Generation> read;
  for (const auto& id : ListIds<GenerationId>(store_, CondemnedPrefix(keys_.project()))) {
    if (const auto known = generations_.find(id); known != generations_.end()) {
      read.insert(*known);
    } else if (std::optional<Condemned> condemned = LoadCondemned(store_, keys_, id)) {
      read.emplace(id, Generation{std::move(condemned->packs), epoch_});
    }
  }
  generations_ = std::move(read);
  std::set<PackId> packs;
  for (const auto& [id, generation] : generations_) {
    packs.insert(generation.packs.begin(), generation.packs.end());
  }
  const bool changed = packs != condemned_;
  condemned_ = std::move(packs);
  return changed;
}

void Project::NoteCondemned() {
  std::map<PackId, Epoch> since;
  for (const auto& [id, generation] : generations_) {
    for (const PackId& pack : generation.packs) {
      const auto [at, added] = since.emplace(pack, generation.since);
      at->second = std::min(at->second, generation.since);
    }
  }
  const MutexLock lock(mutex_);
  condemned_since_ = std::move(since);
}

Epoch Project::Refresh() {
  const MutexLock lock(refresh_mutex_);
  ++epoch_;
  // Condemned lists first: a pack of a list that has gone meanwhile is not listed either, and a
  // list that comes later waits for the sessions of today.
  outdated_ |= ReadCondemned();
  NoteCondemned();
  // Before segments as well: what a repair has healed is indexed before the bad place is listed.
  outdated_ |= ReadQuarantine();
  // Segments next: a pack is durable before the segment that names it (I2), so every pack of these
  // segments is listed.
  const auto segments = ListIds<SegmentId>(store_, SegmentPrefix(keys_.project()));
  const auto packs = ListIds<PackId>(store_, PackPrefix(keys_.project()));
  if (!outdated_ && IsCurrent(segments, packs)) {
    ReadNew(segments, packs);
  } else {
    ReadAll(segments, packs);
  }
  return epoch_;
}

bool Project::IsCurrent(const std::set<SegmentId>& segments, const std::set<PackId>& packs) const {
  const MutexLock lock(mutex_);
  const auto is_there = [&packs](const PackId& pack) { return packs.contains(pack); };
  return !packs_missing_ && std::ranges::includes(segments, loaded_) &&
         std::ranges::all_of(chunks_.lasting.packs(), is_there) &&
         std::ranges::all_of(chunks_.condemned.packs(), is_there) &&
         std::ranges::all_of(chunks_.quarantined.packs(), is_there);
}

std::optional<IndexSegment> Project::ReadSegment(const SegmentId& id) const {
  try {
    return OpenIndexSegment(keys_, id, store_.Get(SegmentName(keys_.project(), id)));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
    return std::nullopt;
  }
}

void Project::ReadNew(const std::set<SegmentId>& segments, const std::set<PackId>& packs) {
  for (const SegmentId& id : segments) {
    if (loaded_.contains(id)) {
      continue;
    }
    if (const std::optional<IndexSegment> segment = ReadSegment(id)) {
      const MutexLock lock(mutex_);
      packs_missing_ |= !AddSegment(chunks_, *segment, packs);
      loaded_.insert(id);
    }
  }
}

// Into a new index that takes the old one's place at the end: readers at work never miss a chunk
// meanwhile.
void Project::ReadAll(const std::set<SegmentId>& segments, const std::set<PackId>& packs) {
  Chunks chunks;
  std::set<SegmentId> loaded;
  bool packs_missing = false;
  for (const SegmentId& id : segments) {
    if (const std::optional<IndexSegment> segment = ReadSegment(id)) {
      packs_missing |= !AddSegment(chunks, *segment, packs);
      loaded.insert(id);
    }
  }
  const MutexLock lock(mutex_);
  chunks_ = std::move(chunks);
  loaded_ = std::move(loaded);
  packs_missing_ = packs_missing;
  outdated_ = false;
}

namespace {

std::optional<ChunkPlace> PlaceIn(const ChunkIndex& index, const ChunkId& id) {
  const std::optional<ChunkSlot> slot = index.Find(id);
  return slot ? std::optional(ChunkPlace{index.pack(slot->pack), *slot}) : std::nullopt;
}

}  // namespace

std::optional<ChunkPlace> Project::Find(const ChunkId& id) const {
  const MutexLock lock(mutex_);
  for (const ChunkIndex* index : {&chunks_.lasting, &chunks_.condemned, &chunks_.quarantined}) {
    if (const std::optional<ChunkPlace> place = PlaceIn(*index, id)) {
      return place;
    }
  }
  return std::nullopt;
}

std::optional<ChunkPlace> Project::FindLasting(const ChunkId& id, Epoch since) const {
  const MutexLock lock(mutex_);
  if (const std::optional<ChunkPlace> place = PlaceIn(chunks_.lasting, id)) {
    return place;
  }
  const std::optional<ChunkPlace> place = PlaceIn(chunks_.condemned, id);
  if (!place) {
    return std::nullopt;
  }
  const auto condemned = condemned_since_.find(place->pack);
  const bool lasting = condemned != condemned_since_.end() && condemned->second > since;
  return lasting ? place : std::nullopt;
}

void Project::RememberEndedSession(const SessionId& session) {
  constexpr std::size_t kMaxRemembered = 4096;  // beyond it they stay until DropSessions
  const MutexLock lock(mutex_);
  if (ended_sessions_.size() < kMaxRemembered) {
    ended_sessions_.push_back(session);
  }
}

void Project::RemoveEndedSessions() {
  std::vector<SessionId> ended;
  {
    const MutexLock lock(mutex_);
    ended = ended_sessions_;
  }
  for (const SessionId& session : ended) {
    store_.Delete(SessionName(keys_.project(), session));
    const MutexLock lock(mutex_);
    std::erase(ended_sessions_, session);
  }
}

namespace {

Bytes ReadSealed(const Project& project,
                 ObjectKind kind,
                 const ChunkRef& ref,
                 const ChunkPlace& place) {
  const ChunkSlot& slot = place.slot;
  try {
    return project.store().GetRange(
        PackName(project.keys().project(), place.pack), slot.offset, slot.stored_size);
  } catch (const Error& error) {
    throw error.WithContext("reading " + DescribeObject(kind, ref.id));
  }
}

}  // namespace

namespace {

// What `open` makes of the sealed chunk.
template <class Open>
auto OpenStored(const Project& project,
                ObjectKind kind,
                const ChunkRef& ref,
                const ChunkPlace& place,
                const Open& open) {
  try {
    if (place.slot.plain_size != ref.plain_size) {
      throw Error(ErrorCode::kCorrupt,
                  "reading " + DescribeObject(kind, ref.id) +
                      ": the index and its list differ in its size");
    }
    return open(ReadSealed(project, kind, ref, place));
  } catch (const Error& error) {
    throw error.WithContext(DescribeObject(ObjectKind::kPackFooter, place.pack.bytes));
  }
}

}  // namespace

Bytes LoadStoredChunk(const Project& project,
                      ObjectKind kind,
                      const ChunkRef& ref,
                      const ChunkPlace& place) {
  return OpenStored(project, kind, ref, place, [&](ByteView sealed) {
    return OpenChunk(project.keys(), kind, ref, sealed);
  });
}

namespace {

// True when the chunk should be looked for once more.
bool IsElsewhere(const std::optional<ChunkPlace>& now, const std::optional<ChunkPlace>& before) {
  return now && (!before || now->pack != before->pack);
}

// What `load` reads from where the chunk is found.
template <class Load>
auto FindAndLoad(Project& project, ObjectKind kind, const ChunkRef& ref, const Load& load) {
  const std::optional<ChunkPlace> place = project.Find(ref.id);
  try {
    if (!place) {
      ThrowNoSuchChunk(kind, ref.id);
    }
    return load(*place);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
    project.Refresh();
    const std::optional<ChunkPlace> moved = project.Find(ref.id);
    if (!IsElsewhere(moved, place)) {
      throw;
    }
    return load(*moved);
  }
}

}  // namespace

Bytes FindAndLoadChunk(Project& project, ObjectKind kind, const ChunkRef& ref) {
  return FindAndLoad(project, kind, ref, [&](const ChunkPlace& place) {
    return LoadStoredChunk(project, kind, ref, place);
  });
}

HashedChunk FindAndLoadDocuments(Project& project, const ChunkRef& ref) {
  constexpr ObjectKind kKind = ObjectKind::kDataChunk;
  return FindAndLoad(project, kKind, ref, [&](const ChunkPlace& place) {
    return OpenStored(project, kKind, ref, place, [&](ByteView sealed) {
      return OpenDocuments(project.keys(), ref, sealed);
    });
  });
}

void ThrowNoSuchChunk(ObjectKind kind, const ChunkId& id) {
  throw Error(ErrorCode::kNotFound,
              "reading " + DescribeObject(kind, id) + ": it is in no pack",
              "a pack or index segment was deleted; put it back from a copy of the repository");
}

}  // namespace tidemark::repo
