#include "base/error.h"
#include "repo/internal/key_export_codec.h"
#include "repo/internal/master_probe.h"

namespace {

// The frame of an export file, whose checksum keeps arbitrary bytes out.
void TryFrame(tidemark::ByteView bytes) {
  try {
    tidemark::repo::ParseExportFile(bytes);
    tidemark::repo::TryProbe({{}, 1}, {}, bytes);
  } catch (const tidemark::Error&) {
    return;
  }
}

// The frame again, of a file whose checksum is right.
void TrySummedFrame(tidemark::ByteView bytes) {
  tidemark::Bytes file(bytes.begin(), bytes.end());
  const tidemark::codec::Digest sum = tidemark::codec::Sha256(file);
  file.insert(file.end(), sum.begin(), sum.end());
  TryFrame(file);
}

// What decodes must encode back to the same bytes.
void TryKeys(tidemark::ByteView bytes) {
  try {
    const tidemark::repo::KeyExport keys = tidemark::repo::DecodeKeyExport(bytes);
    const tidemark::Bytes again = tidemark::repo::EncodeKeyExport(keys);
    TIDEMARK_CHECK(again == tidemark::Bytes(bytes.begin(), bytes.end()));
  } catch (const tidemark::Error&) {
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const tidemark::ByteView bytes(data, size);
  TryFrame(bytes);
  TrySummedFrame(bytes);
  TryKeys(bytes);
  return 0;
}
