// Any Accept or Content-Type header may come in; a version comes out only if the operation has it.
#include <algorithm>
#include <array>
#include <cstdint>

#include "api/internal/versions.h"
#include "base/bytes.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr std::array<std::string_view, 3> kVersions{
      "2023-01-01", "2023-02-01", "2024-08-05"};
  const std::string_view text = tidemark::AsText({data, size});
  const auto version = tidemark::api::ResolveVersion(text, kVersions);
  TIDEMARK_CHECK(!version || std::ranges::find(kVersions, *version) != kVersions.end());
  static_cast<void>(tidemark::api::IsJsonMediaType(text));
  return 0;
}
