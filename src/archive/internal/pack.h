#pragma once

#include <vector>

#include "archive/internal/block.h"
#include "archive/internal/layout.h"
#include "codec/gzip.h"

namespace tidemark::archive {

// What a span holds.
struct SpanDigest {
  std::uint32_t index = 0;
  bool last = false;
  repo::NamespaceDigest digest;
};

// A block as the archive holds it.
struct PackedBlock {
  ArchivePlace start;
  bool resumable = true;
  Bytes bytes;
  std::uint32_t checksum = 0;  // Crc32 of `bytes`
  std::vector<SpanDigest> spans;
};

// Writes lines of JSON where asked for and compresses. Confined to one thread; several work at
// once.
class Packer {
 public:
  explicit Packer(const ArchiveContents& contents) : contents_(contents) {}

  // kCorrupt, naming the namespace, when documents cannot be read.
  PackedBlock Pack(Block block);

 private:
  Bytes WithLines(const Block& block) const;
  void AppendLines(const DocumentSpan& span, ByteView documents, Bytes& out) const;

  const ArchiveContents& contents_;
  codec::Gzip gzip_;
};

}  // namespace tidemark::archive
