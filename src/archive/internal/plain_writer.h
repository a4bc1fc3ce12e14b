#pragma once

#include <functional>
#include <stop_token>

#include "archive/internal/block.h"
#include "archive/internal/layout.h"

namespace tidemark::archive {

// Writes the archive's plaintext from `place` on into blocks, one namespace after the other. Blocks
// are cut by what is in them only, so that they are the same wherever the writing begins. Blocks
// on storage and on `emit`. Throws kCorrupt naming the namespace when it does not hold as many
// documents and bytes as the manifest says, what ReadDocuments throws, and what `emit` throws.
void WritePlain(const ArchiveContents& contents,
                repo::SnapshotReader& reader,
                const ArchivePlace& place,
                const std::stop_token& stop,
                const std::function<void(Block)>& emit);

}  // namespace tidemark::archive
