#pragma once

#include <string>
#include <string_view>

#include <boost/json/array.hpp>

#include "api/internal/render.h"
#include "domain/page.h"
#include "http/message.h"

namespace tidemark::api {

enum class Count { kLeaveOut, kInclude };

// The query switches of contract.md 5.
struct ListQuery {
  domain::Page page;
  Count count = Count::kInclude;
  Style style;
  std::string filter;  // the operation's own parameters as links carry them: "&completed=all"
};

// Throws INVALID_QUERY_PARAMETER. Unknown parameters are ignored; the first of a name counts.
ListQuery ParseListQuery(std::string_view query);
// How to render whatever comes, even a refusal of the query itself.
Style ParseStyle(std::string_view query);

// Scheme and host as the client called them; empty without a Host header.
std::string BaseUrl(const http::Request& request);

// links of one object: self.
boost::json::array SelfLink(const std::string& href);

// The list document of one page, with its links; contract.md 5.
Reply ListReply(const http::Request& request,
                const ListQuery& query,
                boost::json::array results,
                std::int64_t total);

}  // namespace tidemark::api
