#pragma once

#include "base/random.h"
#include "repo/repository.h"

namespace tidemark::repo {

// The text of a new repository's format blob (docs/format.md, "Format blob").
std::string MakeFormatBlob(const MasterKey& master, RandomSource& random);
// kCorrupt when damaged, kUnsupported for another version, kUnauthenticated for another master key.
void CheckFormatBlob(const MasterKey& master, std::string_view text);

}  // namespace tidemark::repo
