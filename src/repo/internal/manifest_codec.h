#pragma once

#include "repo/internal/key_ring.h"
#include "repo/internal/names.h"
#include "repo/repository.h"

namespace tidemark::repo {

// Authenticated, so this only bounds what a decoder may allocate: about 250,000 namespaces.
inline constexpr std::size_t kMaxManifestPlain = 256U << 20;  // bytes

// The whole blob: header, sealed {plain size (8), zstd}. kInvalidArgument when larger than
// kMaxManifestPlain.
Bytes SealManifest(const ProjectKeys& keys, const Manifest& manifest, RandomSource& random);
// The same as a partial manifest, under the name `id`.
Bytes SealPartial(const ProjectKeys& keys,
                  const PartialId& id,
                  const Manifest& manifest,
                  RandomSource& random);
// Throws kCorrupt, kUnsupported.
Manifest OpenPartial(const ProjectKeys& keys, const PartialId& id, ByteView blob);
// Throws kCorrupt, kUnsupported.
Manifest OpenManifest(const ProjectKeys& keys, const SnapshotId& snapshot, ByteView blob);

// The plaintext: one BSON document for the snapshot, then one for each namespace (docs/format.md,
// "Manifest").
Bytes EncodeManifest(const Manifest& manifest);
// Throws kCorrupt.
Manifest DecodeManifest(ByteView plain);

}  // namespace tidemark::repo
