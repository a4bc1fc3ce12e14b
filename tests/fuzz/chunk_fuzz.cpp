#include "base/error.h"
#include "repo/internal/chunk_codec.h"

// What decodes as a list of chunks, or as keys, must encode back to the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tidemark::ByteView bytes(data, size);
  const tidemark::Bytes plain(bytes.begin(), bytes.end());
  try {
    TIDEMARK_CHECK(tidemark::repo::EncodeList(tidemark::repo::DecodeList(bytes)) == plain);
  } catch (const tidemark::Error&) {  // the other kind may still take it
  }
  try {
    TIDEMARK_CHECK(tidemark::repo::EncodeKeys(tidemark::repo::DecodeKeys(bytes)) == plain);
  } catch (const tidemark::Error&) {
    return 0;
  }
  return 0;
}
