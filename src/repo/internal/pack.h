#pragma once

#include <vector>

#include "repo/internal/key_ring.h"
#include "repo/internal/names.h"

namespace tidemark::repo {

// Where one chunk lies in a pack.
struct PackEntry {
  ObjectKind kind = ObjectKind::kDataChunk;
  ChunkId id{};
  std::uint32_t offset = 0;       // bytes from the start of the blob
  std::uint32_t stored_size = 0;  // bytes, sealed
  std::uint32_t plain_size = 0;   // bytes

  bool operator==(const PackEntry&) const = default;
};

// Offsets are 32 bits; a pack may overshoot its target by one chunk.
inline constexpr ByteCount kMaxPackTarget = MiB(1024);

// Assembles sealed chunks into one pack blob (docs/format.md, "Pack"). Confined.
class PackBuilder {
 public:
  // `expected`: stored bytes that it will have, about.
  explicit PackBuilder(const PackId& id, ByteCount expected = {});

  const PackId& id() const { return id_; }

  ByteView bytes() const { return bytes_; }

  // REQUIRES: fewer than kMaxPackTarget bytes so far.
  PackEntry Append(ObjectKind kind, const ChunkRef& ref, ByteView sealed);
  // Adds the footer, decodes it back and compares (I4). Only destruction is legal afterwards.
  Bytes Finish(const ProjectKeys& keys, RandomSource& random);

 private:
  PackId id_;
  Bytes bytes_;
  std::vector<PackEntry> entries_;
};

// The entries of a whole pack blob. Throws kCorrupt, kUnsupported.
std::vector<PackEntry> DecodePack(const ProjectKeys& keys, const PackId& id, ByteView blob);

// The same with three short reads of a stored pack of that size. kNotFound when it has gone.
std::vector<PackEntry> ReadPackFooter(const ProjectKeys& keys,
                                      const PackId& id,
                                      blob::BlobStore& store,
                                      ByteCount size);

// The footer's plaintext.
Bytes EncodePackFooter(const std::vector<PackEntry>& entries);
// `body_end` is where chunks end in the blob. Throws kCorrupt unless the entries tile [kHeaderSize,
// body_end) exactly.
std::vector<PackEntry> DecodePackFooter(ByteView plain, std::size_t body_end);

}  // namespace tidemark::repo
