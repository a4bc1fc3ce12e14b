#include "base/error.h"
#include "repo/internal/manifest_codec.h"

// What decodes must survive encoding and decoding once more.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto manifest = tidemark::repo::DecodeManifest({data, size});
    const tidemark::Bytes again = tidemark::repo::EncodeManifest(manifest);
    TIDEMARK_CHECK(tidemark::repo::EncodeManifest(tidemark::repo::DecodeManifest(again)) == again);
  } catch (const tidemark::Error&) {
    return 0;
  }
  return 0;
}
