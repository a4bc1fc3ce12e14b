// Any Range header may come in; what comes out lies within the bytes that there are.
#include <cstdint>

#include "api/internal/byte_range.h"
#include "base/bytes.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto range = tidemark::api::ParseByteRange(tidemark::AsText({data, size}));
  if (!range) {
    return 0;
  }
  TIDEMARK_CHECK(range->first || range->last);
  for (const std::uint64_t bytes :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{size}, UINT64_MAX}) {
    const auto span = tidemark::api::Resolve(*range, bytes);
    TIDEMARK_CHECK(!span || (span->first <= span->last && span->last < bytes));
  }
  return 0;
}
