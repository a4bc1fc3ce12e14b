#include "engine/internal/chunk_cutter.h"

#include <utility>

#include "engine/internal/run_builder.h"

namespace tidemark::engine {

void ListCutter::Add(const repo::ChunkRef& ref, Bytes first_id) {
  bytes_ += first_id.size();
  chunks_.push_back({.ref = ref, .first_id = std::move(first_id)});
  if (chunks_.size() == repo::kMaxRefsPerList || bytes_ >= kMaxListBytes) {
    Finish();
  }
}

void ListCutter::Finish() {
  if (!chunks_.empty()) {
    full_(std::exchange(chunks_, {}));
    bytes_ = 0;
  }
}

void ChunkCutter::Add(ByteView document, const codec::Digest& hash) {
  if (document.size() >= chunk_size_) {
    Close();
  }
  if (hashes_.empty()) {
    first_id_ = EncodeKey(KeyOf(bson::Document(document)));
  }
  hashes_.push_back(hash);
  size_ += document.size();
  if (size_ >= chunk_size_) {
    Close();
  }
}

std::optional<ListedChunks> ChunkCutter::Finish() {
  Close();
  return too_many_ ? std::nullopt : std::optional(std::move(listed_));
}

void ChunkCutter::Close() {
  if (hashes_.empty()) {
    return;
  }
  too_many_ = too_many_ || listed_.size() == repo::kMaxRefsPerList;
  if (!too_many_) {
    listed_.push_back({.ref = damaged_->NameDocuments(hashes_, size_), .first_id = first_id_});
  }
  hashes_.clear();
  size_ = 0;
}

std::set<std::size_t> ChunkSizes(ByteCount todays) {
  std::set<std::size_t> sizes{todays.value};
  for (std::size_t kib = 4; kib <= 4096; kib *= 2) {
    sizes.insert(kib << 10U);
  }
  return sizes;
}

}  // namespace tidemark::engine
