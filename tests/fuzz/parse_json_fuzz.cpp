// Metadata of a dump may hold any text: either Error{kCorrupt}, or BSON that is whole and, written
// as canonical Extended JSON, reads back as the same bytes.
#include <cstdint>

#include "base/error.h"
#include "bson/document.h"
#include "bson/parse_json.h"

using tidemark::AsText;
using tidemark::Bytes;
using tidemark::ByteView;
using tidemark::Error;
using tidemark::ErrorCode;
namespace bson = tidemark::bson;

namespace {

// Text that is not UTF-8 has no canonical form.
void CheckRoundTrip(const Bytes& bytes) {
  std::string text;
  try {
    text = bson::ToJson(bson::Document(bytes));
  } catch (const Error&) {
    return;
  }
  const Bytes again = bson::ParseJson(text);
  TIDEMARK_CHECK(bson::ToJson(bson::Document(again)) == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView text(data, size);
  for (const bson::RegexForm form : {bson::RegexForm::kDocument, bson::RegexForm::kStrictMode}) {
    try {
      const Bytes bytes = bson::ParseJson(AsText(text), form);
      bson::Validate(bytes);
      CheckRoundTrip(bytes);
    } catch (const Error& error) {
      TIDEMARK_CHECK(error.code() == ErrorCode::kCorrupt);
    }
  }
  return 0;
}
