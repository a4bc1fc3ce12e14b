#include <string_view>

#include "base/error.h"
#include "http/message.h"
#include "http/router.h"

namespace {

using tidemark::http::Method;
using tidemark::http::PlusSign;

tidemark::http::Router MakeRouter() {
  tidemark::http::Router router;
  router.Add(Method::kGet, "/groups/{groupId}/clusters/{clusterName}", 0);
  router.Add(Method::kPost, "/groups/{groupId}/clusters", 1);
  router.Add(Method::kGet, "/groups/{groupId}/clusters/all", 2);
  return router;
}

}  // namespace

// Decoding never grows a text, and what matches a route has all of its parameters.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tidemark::http::Router kRouter = MakeRouter();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const PlusSign plus : {PlusSign::kLiteral, PlusSign::kSpace}) {
    const auto decoded = tidemark::http::PercentDecode(text, plus);
    TIDEMARK_CHECK(!decoded || decoded->size() <= size);
  }
  std::size_t total = 0;
  for (const auto& [name, value] : tidemark::http::ParseQuery(text)) {
    total += name.size() + value.size();
  }
  TIDEMARK_CHECK(total <= size);
  const auto match = kRouter.Find(Method::kHead, text);
  if (match.route) {
    TIDEMARK_CHECK(!match.parameters.Get("groupId").empty());
  }
  return 0;
}
