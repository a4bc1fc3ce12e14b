// Any Accept or Content-Type header may come in; a version comes out only if the operation has it.
#include <array>
#include <cstdint>

#include "api/internal/versions.h"
#include "base/bytes.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tidemark::api::Version;
  static constexpr std::array kVersions{
      Version{"2023-01-01"}, Version{"2023-02-01"}, Version{"2024-08-05"}};
  const std::string_view text = tidemark::AsText({data, size});
  const Version* version = tidemark::api::ResolveVersion(text, kVersions);
  TIDEMARK_CHECK(version == nullptr ||
                 (version >= kVersions.data() && version < kVersions.data() + kVersions.size()));
  static_cast<void>(tidemark::api::IsJsonMediaType(text));
  return 0;
}
