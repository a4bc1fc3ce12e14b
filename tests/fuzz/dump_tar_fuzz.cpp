// A tar may hold any bytes: either an Error, or members whose paths stay below where they are and
// whose contents are as long as they say.
#include <cstdint>

#include "base/error.h"
#include "dump/internal/tar_reader.h"
#include "tests/support/dump_files.h"

using tidemark::Bytes;
using tidemark::ByteView;
using tidemark::Error;
using tidemark::ErrorCode;
namespace dump = tidemark::dump;

namespace {

void CheckPath(const dump::TarMember& member) {
  TIDEMARK_CHECK(member.folder || !member.path.empty());
  const std::string slashed = "/" + member.path + "/";
  TIDEMARK_CHECK(member.path.empty() || slashed.find("//") == std::string::npos);
  TIDEMARK_CHECK(slashed.find("/../") == std::string::npos);
  TIDEMARK_CHECK(slashed.find("/./") == std::string::npos);
  TIDEMARK_CHECK(slashed.find('\0') == std::string::npos);
}

void Read(dump::TarReader& tar) {
  Bytes piece(1000);
  while (const auto member = tar.Next()) {
    CheckPath(*member);
    std::uint64_t size = 0;
    // Every other one is left to Next.
    while (const std::size_t count = member->size % 2 == 0 ? tar.Read(piece) : 0) {
      size += count;
    }
    TIDEMARK_CHECK(member->size % 2 != 0 || size == member->size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dump::MemoryStream stream(ByteView(data, size), 700);
  dump::ByteReader reader(stream);
  dump::TarReader tar(reader);
  try {
    Read(tar);
    TIDEMARK_CHECK(reader.AtEnd());
  } catch (const Error& error) {
    TIDEMARK_CHECK(error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported);
  }
  return 0;
}
