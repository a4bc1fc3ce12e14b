#include "repo/internal/project.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "repo/internal/chunk_codec.h"

namespace tidemark::repo {
namespace {

// False when a pack that the segment names is not among `packs`; its chunks are left out.
bool AddSegment(ChunkIndex& index, const IndexSegment& segment, const std::set<PackId>& packs) {
  bool complete = true;
  std::vector<std::optional<std::uint32_t>> numbers;
  for (const PackId& pack : segment.packs) {
    const bool present = packs.contains(pack);
    complete &= present;
    numbers.push_back(present ? std::optional(index.AddPack(pack)) : std::nullopt);
  }
  for (const auto& [chunk, slot] : segment.entries) {
    if (const std::optional<std::uint32_t> number = numbers[slot.pack]) {
      ChunkSlot renumbered = slot;
      renumbered.pack = *number;
      index.Insert(chunk, renumbered);
    }
  }
  return complete;
}

}  // namespace

template <class Id>
std::set<Id> Project::ListIds(const std::string& prefix) const {
  std::set<Id> ids;
  store_.List(prefix, [&ids](const std::string& name, ByteCount) {
    if (const auto id = ParseRandomId(name)) {
      ids.insert(Id{*id});
    }
  });
  return ids;
}

void Project::Refresh() {
  const MutexLock lock(refresh_mutex_);
  // Segments first: a pack is durable before the segment that names it (I2), so every pack of these
  // segments is listed.
  const auto segments = ListIds<SegmentId>(SegmentPrefix(keys_.project()));
  const auto packs = ListIds<PackId>(PackPrefix(keys_.project()));
  if (IsCurrent(segments, packs)) {
    ReadNew(segments, packs);
  } else {
    ReadAll(segments, packs);
  }
}

bool Project::IsCurrent(const std::set<SegmentId>& segments, const std::set<PackId>& packs) const {
  const MutexLock lock(mutex_);
  return !packs_missing_ && std::ranges::includes(segments, loaded_) &&
         std::ranges::all_of(index_.packs(),
                             [&packs](const PackId& pack) { return packs.contains(pack); });
}

IndexSegment Project::ReadSegment(const SegmentId& id) const {
  return OpenIndexSegment(keys_, id, store_.Get(SegmentName(keys_.project(), id)));
}

void Project::ReadNew(const std::set<SegmentId>& segments, const std::set<PackId>& packs) {
  for (const SegmentId& id : segments) {
    if (!loaded_.contains(id)) {
      const IndexSegment segment = ReadSegment(id);
      const MutexLock lock(mutex_);
      packs_missing_ |= !AddSegment(index_, segment, packs);
      loaded_.insert(id);
    }
  }
}

// Into a new index that takes the old one's place at the end: readers at work never miss a chunk
// meanwhile.
void Project::ReadAll(const std::set<SegmentId>& segments, const std::set<PackId>& packs) {
  ChunkIndex index;
  bool packs_missing = false;
  for (const SegmentId& id : segments) {
    packs_missing |= !AddSegment(index, ReadSegment(id), packs);
  }
  const MutexLock lock(mutex_);
  index_ = std::move(index);
  loaded_ = segments;
  packs_missing_ = packs_missing;
}

std::optional<ChunkPlace> Project::Find(const ChunkId& id) const {
  const MutexLock lock(mutex_);
  const std::optional<ChunkSlot> slot = index_.Find(id);
  return slot ? std::optional(ChunkPlace{index_.pack(slot->pack), *slot}) : std::nullopt;
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

Bytes LoadStoredChunk(const Project& project,
                      ObjectKind kind,
                      const ChunkRef& ref,
                      const ChunkPlace& place) {
  try {
    if (place.slot.plain_size != ref.plain_size) {
      throw Error(ErrorCode::kCorrupt,
                  "reading " + DescribeObject(kind, ref.id) +
                      ": the index and its list differ in its size");
    }
    return OpenChunk(project.keys(), kind, ref, ReadSealed(project, kind, ref, place));
  } catch (const Error& error) {
    throw error.WithContext(DescribeObject(ObjectKind::kPackFooter, place.pack.bytes));
  }
}

void ThrowNoSuchChunk(ObjectKind kind, const ChunkId& id) {
  throw Error(ErrorCode::kNotFound,
              "reading " + DescribeObject(kind, id) + ": it is in no pack",
              "a pack or index segment was deleted; put it back from a copy of the repository");
}

}  // namespace tidemark::repo
