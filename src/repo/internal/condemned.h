#pragma once

#include <optional>
#include <vector>

#include "repo/internal/key_ring.h"
#include "repo/internal/names.h"

namespace tidemark::repo {

// What a collection is about to delete.
struct Condemned {
  std::vector<PackId> packs;
  std::vector<SegmentId> segments;

  bool operator==(const Condemned&) const = default;
};

// Whole blobs: header, sealed body. Open throws kCorrupt, kUnsupported.
Bytes SealCondemned(const ProjectKeys& keys,
                    const GenerationId& id,
                    const Condemned& condemned,
                    RandomSource& random);
Condemned OpenCondemned(const ProjectKeys& keys, const GenerationId& id, ByteView blob);
Bytes SealWaitList(const ProjectKeys& keys,
                   const GenerationId& id,
                   const std::vector<SessionId>& sessions,
                   RandomSource& random);
std::vector<SessionId> OpenWaitList(const ProjectKeys& keys, const GenerationId& id, ByteView blob);

// The plaintext bodies.
Bytes EncodeCondemned(const Condemned& condemned);
Condemned DecodeCondemned(ByteView plain);
Bytes EncodeWaitList(const std::vector<SessionId>& sessions);
std::vector<SessionId> DecodeWaitList(ByteView plain);

// From the store; nullopt when there is none.
std::optional<Condemned> LoadCondemned(blob::BlobStore& store,
                                       const ProjectKeys& keys,
                                       const GenerationId& id);
std::optional<std::vector<SessionId>> LoadWaitList(blob::BlobStore& store,
                                                   const ProjectKeys& keys,
                                                   const GenerationId& id);

}  // namespace tidemark::repo
