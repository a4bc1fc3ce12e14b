// A metadata.json or prelude.json may hold any text: either Error{kCorrupt, kResourceExhausted}, or
// options and indexes that are whole BSON.
#include <cstdint>

#include "base/error.h"
#include "bson/document.h"
#include "dump/internal/metadata.h"

using tidemark::AsText;
using tidemark::Bytes;
using tidemark::ByteView;
using tidemark::Error;
using tidemark::ErrorCode;
namespace dump = tidemark::dump;

namespace {

template <class Call>
void Expect(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    TIDEMARK_CHECK(error.code() == ErrorCode::kCorrupt ||
                   error.code() == ErrorCode::kResourceExhausted);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = AsText(ByteView(data, size));
  Expect([&] {
    const dump::Metadata metadata = dump::ReadMetadata(text);
    tidemark::bson::Validate(metadata.options);
    for (const Bytes& index : metadata.indexes) {
      tidemark::bson::Validate(index);
    }
  });
  Expect([&] { dump::ReadPrelude(text); });
  return 0;
}
