#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/random.h"

namespace tidemark::repo {

inline constexpr std::size_t kRepositoryIdSize = 16;  // bytes

bool IsRepositoryId(std::string_view text);
// The id of a new repository: 32 hex digits.
std::string NewRepositoryId(RandomSource& random);
// The text of the format blob of that repository (docs/format.md, "Format blob"), the only one.
std::string MakeFormatBlob(std::string_view repository);
// The repository's id. kCorrupt when damaged, kUnsupported for another version.
std::string ReadFormatBlob(std::string_view text);

}  // namespace tidemark::repo
