#include "base/error.h"
#include "repo/internal/quarantine.h"

// What decodes must encode back to the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tidemark::ByteView bytes(data, size);
  try {
    const auto places = tidemark::repo::DecodeQuarantine(bytes);
    TIDEMARK_CHECK(tidemark::repo::EncodeQuarantine(places) ==
                   tidemark::Bytes(bytes.begin(), bytes.end()));
  } catch (const tidemark::Error&) {
    return 0;
  }
  return 0;
}
