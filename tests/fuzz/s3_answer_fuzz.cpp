// Anything may come back from an object store: ParseXml gives a tree or Error{kCorrupt}, and text
// that it has given survives being written and read again.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "objectstore/xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto root = tidemark::objectstore::ParseXml(text);
    const std::string again = "<k>" + tidemark::objectstore::EscapeXml(root.text) + "</k>";
    TIDEMARK_CHECK(tidemark::objectstore::ParseXml(again).text == root.text);
  } catch (const tidemark::Error& error) {
    TIDEMARK_CHECK(error.code() == tidemark::ErrorCode::kCorrupt);
  }
  return 0;
}
