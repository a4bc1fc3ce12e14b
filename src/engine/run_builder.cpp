#include "engine/internal/run_builder.h"

#include <algorithm>

#include "base/error.h"
#include "bson/builder.h"

namespace tidemark::engine {
namespace {

constexpr std::size_t kPendingChunks = 64;

}  // namespace

Bytes PlaceOf(const bson::Element& id) {
  return bson::Builder().AppendElement("", id).Finish();
}

void RunWriter::Append(ByteView document, const bson::Element& id) {
  const bool overfull = open_.size() + document.size() > repo::kMaxChunkPlain;
  if (open_documents_ > 0 && overfull) {
    CloseChunk();
  }
  if (!options_.natural_order) {
    last_id_ = PlaceOf(id);
    if (open_documents_ == 0) {
      open_first_id_ = last_id_;
    }
  }
  open_.insert(open_.end(), document.begin(), document.end());
  ++open_documents_;
  ++run_.documents;
  run_.logical_bytes += document.size();
  if (open_.size() >= options_.chunk_size) {
    CloseChunk();
  }
}

void RunWriter::CloseChunk() {
  if (run_.first_id.empty()) {
    run_.first_id = open_first_id_;
  }
  while (pending_.size() >= kPendingChunks) {
    TakeOldest();
  }
  pending_.push_back(
      {encoders_.Submit(std::exchange(open_, Bytes()), std::exchange(open_documents_, 0U)),
       std::exchange(open_first_id_, Bytes())});
}

void RunWriter::TakeOldest() {
  const EncodedChunk chunk = pending_.front().chunk.get();
  listed_.push_back({chunk.ref, std::move(pending_.front().first_id)});
  digest_.Merge(chunk.digest);
  pending_.pop_front();
  if (listed_.size() == repo::kMaxRefsPerList) {
    StoreList();
  }
}

void RunWriter::StoreList() {
  run_.lists.push_back(writer_.StoreList(listed_));
  listed_.clear();
}

RunWriter::Result RunWriter::Finish() {
  if (open_documents_ > 0) {
    CloseChunk();
  }
  while (!pending_.empty()) {
    TakeOldest();
  }
  if (!listed_.empty()) {
    StoreList();
  }
  run_.last_id = std::move(last_id_);
  return {std::move(run_), digest_};
}

bool SortBuffer::IsFullFor(std::size_t size) const {
  return !entries_.empty() &&
         arena_.size() + size + (entries_.size() + 1) * sizeof(Entry) > budget_;
}

bson::Element SortBuffer::IdOf(const Entry& entry) const {
  return {entry.id_type,
          "_id",
          ByteView(arena_).subspan(entry.offset + entry.id_offset, entry.id_size)};
}

void SortBuffer::Add(ByteView document) {
  if (arena_.capacity() == 0) {
    arena_.reserve(
        budget_);  // growth by doubling would hold up to three times the budget for a moment
  }
  const auto id = bson::Document(document).Find("_id");
  if (!id) {
    throw Error(ErrorCode::kUnsupported,
                "a document has no _id, and the collection is not capped",
                "give it one, or drop it");
  }
  const Entry entry{arena_.size(),
                    static_cast<std::uint32_t>(document.size()),
                    static_cast<std::uint32_t>(id->value.data() - document.data()),
                    static_cast<std::uint32_t>(id->value.size()),
                    id->type};
  sorted_ = sorted_ && (entries_.empty() || bson::CompareValues(IdOf(entries_.back()), *id) < 0);
  arena_.insert(arena_.end(), document.begin(), document.end());
  entries_.push_back(entry);
}

void SortBuffer::FlushTo(RunWriter& writer) {
  if (!sorted_) {
    std::sort(entries_.begin(), entries_.end(), [this](const Entry& a, const Entry& b) {
      const auto order = bson::CompareValues(IdOf(a), IdOf(b));
      return order != 0 ? order < 0 : a.offset < b.offset;
    });
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const bson::Element id = IdOf(entries_[i]);
    const bool overridden =
        i + 1 < entries_.size() && bson::CompareValues(id, IdOf(entries_[i + 1])) == 0;
    if (!overridden) {
      writer.Append(ByteView(arena_).subspan(entries_[i].offset, entries_[i].size), id);
    }
  }
  arena_.clear();
  entries_.clear();
  sorted_ = true;
}

}  // namespace tidemark::engine
