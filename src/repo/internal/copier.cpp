#include "repo/internal/copier.h"

#include <utility>

#include "base/error.h"

namespace tidemark::repo {

void Copier::CopyChunk(const PackEntry& entry, ByteView sealed) {
  if (copied_.Find(entry.id)) {
    return;
  }
  if (!open_) {
    const auto id = PackId::Generate(project_.random());
    number_ = copied_.AddPack(id);
    open_.emplace(id);
  }
  const PackEntry copy = open_->Append(entry.kind, {entry.id, entry.plain_size, 0}, sealed);
  copied_.Insert(copy.id, {number_, copy.offset, copy.stored_size, copy.plain_size});
  if (open_->bytes().size() >= pack_size_.value) {
    PutPack();
  }
}

void Copier::Finish() {
  if (open_) {
    PutPack();
  }
  PutSegments(std::exchange(copied_, {}));
  PutSegments(std::exchange(kept_, {}));
}

void Copier::KeepEntry(const ChunkId& id, ChunkSlot slot, const PackId& pack) {
  const bool same = !kept_.packs().empty() && kept_.packs().back() == pack;
  slot.pack = same ? static_cast<std::uint32_t>(kept_.packs().size() - 1) : kept_.AddPack(pack);
  kept_.Insert(id, slot);
  if (kept_.entries().size() == kMaxSegmentEntries) {
    PutSegments(std::exchange(kept_, {}));
  }
}

void Copier::PutPack() {
  TIDEMARK_CHECK(open_.has_value());
  const PackId id = open_->id();
  const Bytes pack = open_->Finish(project_.keys(), project_.random());
  open_.reset();
  project_.store().Put(PackName(project_.keys().project(), id), pack);
}

void Copier::PutSegments(const ChunkIndex& entries) {
  for (const IndexSegment& segment : SplitIntoSegments(entries)) {
    const auto id = SegmentId::Generate(project_.random());
    project_.store().Put(SegmentName(project_.keys().project(), id),
                         SealIndexSegment(project_.keys(), id, segment, project_.random()));
  }
}

}  // namespace tidemark::repo
