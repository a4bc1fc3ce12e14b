#include <bson/bson.h>

#include "base/c_handle.h"
#include "base/error.h"
#include "bson/builder.h"
#include "bson/document.h"

namespace tidemark::bson {
namespace {

using OwnedBson = CHandle<bson_t, bson_destroy>;
using OwnedText = CHandle<char, bson_free>;

}  // namespace

std::string ToJson(const Document& document) {
  bson_t view;
  std::size_t length = 0;
  OwnedText text;
  if (bson_init_static(&view, document.bytes().data(), document.size())) {
    text.reset(bson_as_canonical_extended_json(&view, &length));
  }
  if (!text) {
    throw Error(ErrorCode::kCorrupt,
                "writing BSON as JSON: the document is malformed or holds text that is not UTF-8");
  }
  return {text.get(), length};
}

Bytes FromJson(std::string_view json) {
  if (json.empty()) {  // libbson aborts on it
    throw Error(ErrorCode::kInvalidArgument, "reading extended JSON: no document");
  }
  bson_error_t error{};
  const ByteView text = AsBytes(json);
  const OwnedBson parsed(
      bson_new_from_json(text.data(), static_cast<ssize_t>(text.size()), &error));
  if (!parsed) {
    const std::string_view why = error.message[0] == '\0' ? "no document" : error.message;
    throw Error(ErrorCode::kInvalidArgument, "reading extended JSON: " + std::string(why));
  }
  const std::uint8_t* data = bson_get_data(parsed.get());
  return Bytes(data, data + parsed->len);
}

}  // namespace tidemark::bson
