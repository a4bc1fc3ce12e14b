// A file may have any name. What is unescaped and escaped again names the same collection, and any
// name survives being escaped.
#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/collection_name.h"
#include "dump/internal/names.h"

using tidemark::AsText;
using tidemark::ByteView;
using tidemark::Error;
using tidemark::ErrorCode;
namespace codec = tidemark::codec;
namespace dump = tidemark::dump;

namespace {

void CheckNames(std::string_view name) {
  try {
    dump::CheckDatabaseName(name);
    TIDEMARK_CHECK(name.find('/') == std::string_view::npos && name != "." && name != "..");
    dump::CheckCollectionName("db", name);
    TIDEMARK_CHECK(name.find('\0') == std::string_view::npos);
  } catch (const Error& error) {
    TIDEMARK_CHECK(error.code() == ErrorCode::kCorrupt);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view name = AsText(ByteView(data, size));
  const std::string escaped = codec::EscapeCollection(name);
  TIDEMARK_CHECK(escaped.size() <= 238);
  TIDEMARK_CHECK(codec::IsHashedName(escaped) || codec::UnescapeCollection(escaped) == name);
  if (const auto plain = codec::UnescapeCollection(name)) {
    const std::string again = codec::EscapeCollection(*plain);
    TIDEMARK_CHECK(codec::IsHashedName(again) || codec::UnescapeCollection(again) == plain);
  }
  if (const auto file = dump::ParseFileInDatabase(name)) {
    TIDEMARK_CHECK(file->collection.size() < name.size());
  }
  CheckNames(name);
  dump::Printable(name);
  return 0;
}
