#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/archive_map.h"
#include "base/bytes.h"
#include "repo/repository.h"

namespace tidemark::archive {

// Documents back to back within a block.
struct DocumentSpan {
  std::uint32_t index = 0;  // of their namespace
  std::size_t begin = 0;    // bytes of the block
  std::size_t end = 0;
  bool last = false;  // none of the namespace follows
  repo::NamespaceDigest digest;
  std::string lines_path;  // not empty: the tar member that they become, as lines of JSON
};

// What becomes one member of the archive: plaintext that begins where packing can begin.
struct Block {
  ArchivePlace start;     // its `digest` is filled in when the block is packed and in its turn
  bool resumable = true;  // `start` says enough to begin there
  Bytes plain;
  std::vector<DocumentSpan> spans;  // in order
};

// Fills block after block. Confined.
class BlockBuilder {
 public:
  // A block is full at `block_size` bytes; it may be larger by a document and what belongs to it.
  // `emit` takes the finished ones.
  BlockBuilder(ArchivePlace start, std::size_t block_size, std::function<void(Block)> emit);

  bool full() const { return block_.plain.size() >= block_size_; }

  // Where bytes are appended that are no documents.
  Bytes& bytes() { return block_.plain; }

  void Append(ByteView bytes) {
    block_.plain.insert(block_.plain.end(), bytes.begin(), bytes.end());
  }

  void Append(std::string_view text) { Append(AsBytes(text)); }

  // A document of that namespace and its SHA-256. `lines_path` names the span that it begins;
  // unused otherwise. REQUIRES: since the first one nothing else was appended, but for Cut().
  void AppendDocument(std::uint32_t index,
                      ByteView document,
                      const codec::Digest& hash,
                      const std::string& lines_path);
  // All documents of the namespace are there.
  void EndDocuments(std::uint32_t index);
  // Emits the block; the next one begins at `next`.
  void Cut(ArchivePlace next, bool resumable);
  // Emits the last one.
  void Finish();

 private:
  void Begin(ArchivePlace start, bool resumable);

  const std::size_t block_size_;
  const std::function<void(Block)> emit_;
  Block block_;
  bool in_span_ = false;
};

}  // namespace tidemark::archive
