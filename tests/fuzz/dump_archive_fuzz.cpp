// An archive may hold any bytes, and be a gzip of any: either an Error, or documents that are whole
// and of namespaces that the archive announced.
#include <cstdint>

#include "base/error.h"
#include "bson/document.h"
#include "dump/internal/archive_reader.h"
#include "tests/support/dump_files.h"

using tidemark::ByteView;
using tidemark::Error;
using tidemark::ErrorCode;
namespace dump = tidemark::dump;

namespace {

class CheckingSink final : public dump::ArchiveSink {
 public:
  void OnPrelude(const dump::ArchivePrelude& prelude) override {
    namespaces_ = prelude.namespaces.size();
  }

  void OnDocument(std::size_t index, ByteView document) override {
    TIDEMARK_CHECK(index < namespaces_);
    tidemark::bson::Validate(document);
  }

  void OnOplogEntry(ByteView entry) override { tidemark::bson::Validate(entry); }

 private:
  std::size_t namespaces_ = 0;
};

void Read(dump::ByteStream& stream) {
  try {
    dump::ByteReader reader(stream);
    CheckingSink sink;
    dump::ReadArchive(reader, sink);
    TIDEMARK_CHECK(reader.AtEnd());
  } catch (const Error& error) {
    TIDEMARK_CHECK(error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported ||
                   error.code() == ErrorCode::kResourceExhausted);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  dump::MemoryStream plain(bytes);
  Read(plain);
  dump::MemoryStream packed(bytes, 7);
  dump::UnpackedStream unpacked(packed, {.free_bytes = 1U << 20, .ratio = 100});
  Read(unpacked);
  return 0;
}
