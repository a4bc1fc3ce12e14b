#include "http/router.h"

#include <algorithm>

#include "base/error.h"

namespace tidemark::http {
namespace {

// "/a/b" is {"a", "b"}; "/a/" is {"a", ""}: a trailing slash is another path. Empty without a
// leading slash.
std::vector<std::string> Split(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty() && path.front() == '/') {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool IsParameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::string_view ParameterName(std::string_view segment) {
  return segment.substr(1, segment.size() - 2);
}

bool Accepts(Method routed, Method asked) {
  return routed == asked || (routed == Method::kGet && asked == Method::kHead);
}

using Decoded = std::vector<std::optional<std::string>>;  // nullopt: a malformed escape

bool Fits(const std::vector<std::string>& pattern, const Decoded& path) {
  return std::ranges::equal(pattern, path, [](const std::string& wanted, const auto& given) {
    return given && (IsParameter(wanted) ? !given->empty() : wanted == *given);
  });
}

// True when `a` has a literal at the first place where only one of the two has.
bool IsMoreLiteral(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  const auto [at_a, at_b] = std::ranges::mismatch(
      a, b, [](const auto& x, const auto& y) { return IsParameter(x) == IsParameter(y); });
  return at_a != a.end() && !IsParameter(*at_a);
}

PathParameters Collect(const std::vector<std::string>& pattern, const Decoded& path) {
  PathParameters parameters;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (IsParameter(pattern[i])) {
      parameters.values.emplace_back(ParameterName(pattern[i]), path[i].value_or(std::string()));
    }
  }
  return parameters;
}

void AddAllowed(Method method, std::vector<Method>& allowed) {
  if (std::ranges::find(allowed, method) == allowed.end()) {
    allowed.push_back(method);
  }
}

}  // namespace

const std::string& PathParameters::Get(std::string_view name) const {
  const auto found = std::ranges::find(
      values, name, [](const auto& value) -> std::string_view { return value.first; });
  TIDEMARK_CHECK(found != values.end());
  return found->second;
}

void Router::Add(Method method, std::string_view pattern, std::size_t route) {
  std::vector<std::string> segments = Split(pattern);
  TIDEMARK_CHECK(!segments.empty());
  for (const Entry& entry : entries_) {
    TIDEMARK_CHECK(entry.method != method || entry.segments != segments);
  }
  entries_.push_back({method, std::move(segments), route});
}

Router::Match Router::Find(Method method, std::string_view path) const {
  Decoded decoded;
  for (const std::string& segment : Split(path)) {
    decoded.push_back(PercentDecode(segment, PlusSign::kLiteral));
  }
  Match match;
  const Entry* best = nullptr;
  for (const Entry& entry : entries_) {
    if (decoded.empty() || !Fits(entry.segments, decoded)) {
      continue;
    }
    AddAllowed(entry.method, match.allowed);
    if (Accepts(entry.method, method) &&
        (best == nullptr || IsMoreLiteral(entry.segments, best->segments))) {
      best = &entry;
    }
  }
  if (best != nullptr) {
    match.route = best->route;
    match.parameters = Collect(best->segments, decoded);
    match.allowed.clear();
  }
  return match;
}

}  // namespace tidemark::http
