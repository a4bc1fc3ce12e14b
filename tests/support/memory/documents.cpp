#include "tests/support/memory/documents.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tidemark::memory {
namespace {

constexpr std::size_t kSegmentSize = 1U << 20;  // bytes, or one whole message if that is larger

}  // namespace

Documents::Kept Documents::Keep(ByteView bytes) {
  if (segments_.empty() || segments_.back().capacity - segments_.back().used < bytes.size()) {
    if (!segments_.empty() && segments_.back().documents == 0) {
      segments_.back().bytes.reset();
    }
    Segment segment;
    segment.capacity = std::max(kSegmentSize, bytes.size());
    segment.bytes = std::make_unique_for_overwrite<std::uint8_t[]>(segment.capacity);
    segments_.push_back(std::move(segment));
  }
  Segment& segment = segments_.back();
  std::uint8_t* at = segment.bytes.get() + segment.used;
  if (!bytes.empty()) {
    std::memcpy(at, bytes.data(), bytes.size());
  }
  segment.used += bytes.size();
  return {ByteView(at, bytes.size()), static_cast<std::uint32_t>(segments_.size() - 1)};
}

Documents::Position Documents::Append(const Kept& document) {
  const auto size = static_cast<std::uint32_t>(document.bytes.size());
  slots_.push_back({document.bytes.data(), size, document.segment});
  ++segments_[document.segment].documents;
  ++count_;
  bytes_ += size;
  return end() - 1;
}

void Documents::Replace(Position position, ByteView document) {
  IndexUpToEnd();
  const Slot old = SlotAt(position);
  Unindex(old);
  const Kept kept = Keep(document);
  const auto size = static_cast<std::uint32_t>(kept.bytes.size());
  SlotAt(position) = {kept.bytes.data(), size, kept.segment};
  ++segments_[kept.segment].documents;
  bytes_ += size;
  bytes_ -= old.size;
  Release(old.segment);
  if (const auto id = bson::Document(kept.bytes).Find("_id")) {
    by_id_.emplace(ValueRef::Of(*id), position);
  }
}

void Documents::Erase(Position position) {
  const Slot old = SlotAt(position);
  if (indexed_ && position < indexed_to_) {
    Unindex(old);
  }
  SlotAt(position).data = nullptr;
  --count_;
  bytes_ -= old.size;
  Release(old.segment);
  while (!slots_.empty() && slots_.front().data == nullptr) {
    slots_.pop_front();
    ++first_;
  }
}

ByteView Documents::At(Position position) const {
  if (position < first_ || position >= end()) {
    return {};
  }
  const Slot& slot = slots_[position - first_];
  return slot.data == nullptr ? ByteView() : ByteView(slot.data, slot.size);
}

std::optional<Documents::Position> Documents::FindId(const bson::Element& id) {
  IndexUpToEnd();
  const auto found = by_id_.find(ValueRef::Of(id));
  return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

const Documents::IdOrder& Documents::ById() {
  IndexUpToEnd();
  return by_id_;
}

void Documents::IndexUpToEnd() {
  indexed_ = true;
  for (Position at = std::max(indexed_to_, first_); at < end(); ++at) {
    const ByteView document = At(at);
    const auto id = document.empty() ? std::nullopt : bson::Document(document).Find("_id");
    if (id) {
      by_id_.emplace_hint(by_id_.end(), ValueRef::Of(*id), at);
    }
  }
  indexed_to_ = end();
}

void Documents::Unindex(const Slot& slot) {
  const auto id = bson::Document(ByteView(slot.data, slot.size)).Find("_id");
  if (id) {
    by_id_.erase(ValueRef::Of(*id));
    ++erasures_;
  }
}

// The newest segment is still being filled.
void Documents::Release(std::uint32_t number) {
  Segment& segment = segments_[number];
  if (--segment.documents == 0 && number + 1 != segments_.size()) {
    segment.bytes.reset();
  }
}

}  // namespace tidemark::memory
