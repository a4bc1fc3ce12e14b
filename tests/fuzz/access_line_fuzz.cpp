// The key in a download's path never gets into the access log, whatever stands around it.
#include <algorithm>
#include <cstdint>
#include <string>

#include "api/access_line.h"
#include "base/bytes.h"
#include "base/error.h"

using tidemark::Instant;
using tidemark::http::Method;
using tidemark::http::Request;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string key = "KEYKEYKEYKEYKEYK";
  const std::string text(tidemark::AsText({data, size}));
  if (text.find(key.substr(0, 4)) != std::string::npos) {
    return 0;
  }
  const std::size_t half = text.size() / 2;
  Request request;
  request.method = size % 2 == 0 ? Method::kGet : Method::kOther;
  request.other_method = text.substr(0, 20);
  request.path = "/backup/restore/v2/pull/" + text.substr(0, half) + key + text.substr(half);
  request.query = text + "&" + key + "&x=" + key + "&=" + key;
  const std::string line =
      tidemark::api::FormatAccessLine({Instant(), {}, request, text, 200, size});
  TIDEMARK_CHECK(line.find(key) == std::string::npos);
  TIDEMARK_CHECK(std::ranges::count(line, ' ') == 8 && line.size() < 2000);
  TIDEMARK_CHECK(std::ranges::all_of(line, [](unsigned char c) { return c >= ' ' && c < 0x7f; }));
  return 0;
}
