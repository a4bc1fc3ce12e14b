#include "api/internal/listing.h"

#include <charconv>
#include <optional>

#include "api/internal/failure.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMaxPage = 2147483647;
constexpr std::int64_t kMaxPageSize = 500;

using Parameters = std::vector<std::pair<std::string, std::string>>;

const std::string* FindParameter(const Parameters& parameters, std::string_view name) {
  for (const auto& [key, value] : parameters) {
    if (key == name) {
      return &value;
    }
  }
  return nullptr;
}

bool ParseFlag(const Parameters& parameters, std::string_view name, std::string_view fallback) {
  const std::string* value = FindParameter(parameters, name);
  const std::string_view text = value == nullptr ? fallback : std::string_view(*value);
  if (text != "true" && text != "false") {
    throw InvalidQueryParameter(name);
  }
  return text == "true";
}

std::int64_t ParseNumber(const Parameters& parameters,
                         std::string_view name,
                         std::int64_t fallback,
                         std::int64_t most) {
  const std::string* text = FindParameter(parameters, name);
  if (text == nullptr) {
    return fallback;
  }
  std::int64_t number = 0;
  const char* end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stop != end || number < 1 || number > most) {
    throw InvalidQueryParameter(name);
  }
  return number;
}

json::object Link(std::string_view rel, const std::string& href) {
  return json::object{{"href", href}, {"rel", rel}};
}

std::string PageHref(const std::string& resource, const ListQuery& query, std::int64_t number) {
  return resource + "?includeCount=" + (query.count == Count::kInclude ? "true" : "false") +
         query.filter + "&itemsPerPage=" + std::to_string(query.page.size) +
         "&pageNum=" + std::to_string(number);
}

std::string SelfHref(const std::string& resource, const ListQuery& query) {
  return resource + "?includeCount=" + (query.count == Count::kInclude ? "true" : "false") +
         query.filter + "&pageNum=" + std::to_string(query.page.number) +
         "&itemsPerPage=" + std::to_string(query.page.size);
}

json::array PageLinks(const std::string& resource, const ListQuery& query, std::int64_t total) {
  json::array links{Link("self", SelfHref(resource, query))};
  if (query.page.number > 1) {
    links.push_back(Link("previous", PageHref(resource, query, query.page.number - 1)));
  }
  if (query.page.Offset() + query.page.size < total) {
    links.push_back(Link("next", PageHref(resource, query, query.page.number + 1)));
  }
  return links;
}

}  // namespace

Style ParseStyle(std::string_view query) {
  const Parameters parameters = http::ParseQuery(query);
  const auto is_true = [&](std::string_view name) {
    const std::string* value = FindParameter(parameters, name);
    return value != nullptr && *value == "true";
  };
  return {is_true("pretty") ? Layout::kPretty : Layout::kCompact,
          is_true("envelope") ? Envelope::kStatus : Envelope::kNone};
}

ListQuery ParseListQuery(std::string_view query) {
  const Parameters parameters = http::ParseQuery(query);
  ListQuery parsed;
  const bool pretty = ParseFlag(parameters, "pretty", "false");
  const bool envelope = ParseFlag(parameters, "envelope", "false");
  const bool count = ParseFlag(parameters, "includeCount", "true");
  parsed.style.layout = pretty ? Layout::kPretty : Layout::kCompact;
  parsed.style.envelope = envelope ? Envelope::kStatus : Envelope::kNone;
  parsed.count = count ? Count::kInclude : Count::kLeaveOut;
  parsed.page.number = ParseNumber(parameters, "pageNum", parsed.page.number, kMaxPage);
  parsed.page.size = ParseNumber(parameters, "itemsPerPage", parsed.page.size, kMaxPageSize);
  return parsed;
}

std::string BaseUrl(const http::Request& request) {
  const auto host = request.Header("host");
  return host && !host->empty() ? request.scheme + "://" + std::string(*host) : std::string();
}

json::array SelfLink(const std::string& href) {
  return {Link("self", href)};
}

Reply ListReply(const http::Request& request,
                const ListQuery& query,
                json::array results,
                std::int64_t total) {
  Reply reply;
  reply.shape = Shape::kList;
  reply.body["links"] = PageLinks(BaseUrl(request) + request.path, query, total);
  reply.body["results"] = std::move(results);
  if (query.count == Count::kInclude) {
    reply.body["totalCount"] = total;
  }
  return reply;
}

}  // namespace tidemark::api
