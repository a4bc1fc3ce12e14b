#include "archive/internal/block.h"

#include <utility>

namespace tidemark::archive {

BlockBuilder::BlockBuilder(ArchivePlace start,
                           std::size_t block_size,
                           std::function<void(Block)> emit)
    : block_size_(block_size), emit_(std::move(emit)) {
  Begin(std::move(start), true);
}

void BlockBuilder::Begin(ArchivePlace start, bool resumable) {
  constexpr std::size_t kUsualExcess = 64U << 10;  // bytes: most documents are smaller
  block_ = Block{};
  block_.start = std::move(start);
  block_.resumable = resumable;
  block_.plain.reserve(block_size_ + kUsualExcess);
}

void BlockBuilder::AppendDocument(std::uint32_t index,
                                  ByteView document,
                                  const codec::Digest& hash,
                                  const std::string& lines_path) {
  if (!in_span_) {
    in_span_ = true;
    const std::size_t begin = block_.plain.size();
    block_.spans.push_back({.index = index, .begin = begin, .lines_path = lines_path});
  }
  Append(document);
  DocumentSpan& span = block_.spans.back();
  span.end = block_.plain.size();
  span.digest.AddHash(hash);
}

void BlockBuilder::EndDocuments(std::uint32_t index) {
  if (!in_span_) {
    const std::size_t at = block_.plain.size();
    block_.spans.push_back({.index = index, .begin = at, .end = at});
  }
  block_.spans.back().last = true;
  in_span_ = false;
}

void BlockBuilder::Cut(ArchivePlace next, bool resumable) {
  Finish();
  Begin(std::move(next), resumable);
}

void BlockBuilder::Finish() {
  in_span_ = false;
  emit_(std::move(block_));
}

}  // namespace tidemark::archive
