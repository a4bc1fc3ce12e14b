// Anything may come in; nothing but Error{kInvalidArgument} may come out, and a scope that was read
// answers for every value in it.
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "bson/builder.h"
#include "delivery/restore_scope.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tidemark::bson::Document;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto scope = tidemark::delivery::ParseScope(text);
    if (!text.empty() && scope.filter) {
      const tidemark::Bytes bytes = tidemark::bson::FromJson(text);
      for (const auto& element : Document(bytes)) {
        static_cast<void>(scope.filter->ids.Matches(element));
      }
    }
  } catch (const tidemark::Error& error) {
    TIDEMARK_CHECK(error.code() == tidemark::ErrorCode::kInvalidArgument);
  }
  return 0;
}
