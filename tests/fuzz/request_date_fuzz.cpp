// Dates as clients write them.
#include <cstdint>

#include "api/internal/request_values.h"
#include "base/bytes.h"
#include "base/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = tidemark::api::ParseDate(tidemark::AsText({data, size}));
  if (parsed) {  // what we write ourselves means the same
    TIDEMARK_CHECK(tidemark::api::ParseDate(tidemark::FormatInstant(*parsed)) == parsed);
  }
  return 0;
}
