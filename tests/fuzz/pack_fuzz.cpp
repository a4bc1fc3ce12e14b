#include "base/error.h"
#include "repo/internal/chunk_codec.h"
#include "repo/internal/pack.h"

namespace {

template <class Decode>
void Try(const Decode& decode) {
  try {
    decode();
  } catch (const tidemark::Error&) {
    return;
  }
}

}  // namespace

// The frame of a pack, whose seal keeps arbitrary bytes out, and the decoders behind the seal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tidemark::ByteView bytes(data, size);
  const tidemark::repo::ProjectKeys keys(tidemark::ProjectId{}, {});
  Try([&] { tidemark::repo::DecodePack(keys, {}, bytes); });
  Try([&] { tidemark::repo::DecodePackFooter(bytes, bytes.size()); });
  Try([&] { tidemark::repo::DecodeList(bytes); });
  return 0;
}
