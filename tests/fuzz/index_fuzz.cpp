#include "base/error.h"
#include "repo/internal/index_segment.h"

// What decodes must encode back to the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tidemark::ByteView bytes(data, size);
  try {
    const tidemark::repo::IndexSegment segment = tidemark::repo::DecodeIndexSegment(bytes);
    const tidemark::Bytes again = tidemark::repo::EncodeIndexSegment(segment);
    TIDEMARK_CHECK(again == tidemark::Bytes(bytes.begin(), bytes.end()));
  } catch (const tidemark::Error&) {
    return 0;
  }
  return 0;
}
