#pragma once

#include <algorithm>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

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

// A parameter whose value is one of `allowed`; the first of them when it is not there. Throws
// INVALID_QUERY_PARAMETER.
std::string ParseChoice(std::string_view query,
                        std::string_view name,
                        std::initializer_list<std::string_view> allowed);

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

// The same: `render` makes the object of a row.
template <class Row, class Render>
Reply ListReply(const http::Request& request,
                const ListQuery& query,
                const domain::Listing<Row>& listing,
                const Render& render) {
  boost::json::array results;
  for (const Row& row : listing.rows) {
    results.push_back(render(row));
  }
  return ListReply(request, query, std::move(results), listing.total);
}

// One page of rows that are all there; behind them an empty one.
template <class Row>
domain::Listing<Row> PageOf(std::span<const Row> rows, const domain::Page& page) {
  const std::int64_t total = std::ssize(rows);
  const std::int64_t begin = std::min(page.Offset(), total);
  const std::int64_t end = std::min(begin + page.size, total);
  return {{rows.begin() + begin, rows.begin() + end}, total};
}

}  // namespace tidemark::api
