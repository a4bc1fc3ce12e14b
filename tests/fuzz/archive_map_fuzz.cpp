// Anything may come in, with a right checksum behind it; nothing but Error{kCorrupt} may come out,
// and a map that was read is written as the same bytes.
#include <cstdint>

#include "archive/archive_map.h"
#include "base/error.h"
#include "codec/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tidemark::archive::ArchiveMap;
  tidemark::Bytes bytes(data, data + size);
  const tidemark::codec::Digest check = tidemark::codec::Sha256(bytes);
  bytes.insert(bytes.end(), check.begin(), check.begin() + 8);
  try {
    const ArchiveMap map = ArchiveMap::Decode(bytes);
    static_cast<void>(map.FindBefore(map.size().value_or(0)));
    TIDEMARK_CHECK(map.size() || map.Encode().size() == bytes.size());
    TIDEMARK_CHECK(!map.size() || map.Encode() == bytes);
  } catch (const tidemark::Error& error) {
    TIDEMARK_CHECK(error.code() == tidemark::ErrorCode::kCorrupt);
  }
  return 0;
}
