#pragma once

#include <vector>

#include "repo/internal/key_ring.h"
#include "repo/repository.h"

namespace tidemark::repo {

using ListedChunks = std::vector<SnapshotWriter::ListedChunk>;

// Compressed, then sealed under the chunk's kind and id.
Bytes SealChunk(const ProjectKeys& keys,
                ObjectKind kind,
                const ChunkId& id,
                ByteView plain,
                int level,
                RandomSource& random);
// Back, checked twice: by the seal's tag and by naming the plaintext again. Throws kCorrupt.
Bytes OpenChunk(const ProjectKeys& keys, ObjectKind kind, const ChunkRef& ref, ByteView sealed);
// The same for a data chunk, whose name is made of the hashes that it returns.
HashedChunk OpenDocuments(const ProjectKeys& keys, const ChunkRef& ref, ByteView sealed);

// The plaintext of a list chunk: docs/format.md, "List chunk". kInvalidArgument for more than
// kMaxRefsPerList.
Bytes EncodeList(const ListedChunks& chunks);
// Throws kCorrupt.
ListedChunks DecodeList(ByteView plain);
// The plaintext of a key chunk: docs/format.md, "Key chunk". kInvalidArgument for more than
// kMaxChunkPlain bytes.
Bytes EncodeKeys(const KeyBlock& block);
// Throws kCorrupt.
KeyBlock DecodeKeys(ByteView plain);
// Documents behind all of `chunks`. kInvalidArgument when they do not fit a ChunkRef.
std::uint32_t CountDocuments(const ListedChunks& chunks);

}  // namespace tidemark::repo
