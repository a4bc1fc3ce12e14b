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

// The walk through the patterns that fit one path: literals before parameters, so that the most
// literal pattern is met first.
class Router::Search {
 public:
  Search(Method method, const std::vector<std::string>& segments)
      : method_(method), segments_(segments) {}

  Match Run(const Node& root) {
    if (!segments_.empty()) {
      Visit(root, 0);
    }
    if (match_.route) {
      match_.allowed.clear();
    }
    return std::move(match_);
  }

 private:
  void Visit(const Node& node, std::size_t depth) {
    if (match_.route || !match_.allowed.empty()) {  // a pattern has been met
      return;
    }
    if (depth == segments_.size()) {
      End(node);
      return;
    }
    const std::string& segment = segments_[depth];
    if (const auto literal = node.literals.find(segment); literal != node.literals.end()) {
      Visit(literal->second, depth + 1);
    }
    if (node.parameter && !segment.empty()) {
      values_.push_back(&segment);
      Visit(*node.parameter, depth + 1);
      values_.pop_back();
    }
  }

  void End(const Node& node) {
    for (const Entry& entry : node.entries) {
      AddAllowed(entry.method, match_.allowed);
      if (!match_.route && Accepts(entry.method, method_)) {
        match_.route = entry.route;
        for (std::size_t i = 0; i < entry.names.size(); ++i) {
          match_.parameters.values.emplace_back(entry.names[i], *values_[i]);
        }
      }
    }
  }

  const Method method_;
  const std::vector<std::string>& segments_;
  std::vector<const std::string*> values_;
  Match match_;
};

void Router::Add(Method method, std::string_view pattern, std::size_t route) {
  const std::vector<std::string> segments = Split(pattern);
  TIDEMARK_CHECK(!segments.empty());
  Node* node = &root_;
  Entry entry{method, {}, route};
  for (const std::string& segment : segments) {
    if (!IsParameter(segment)) {
      node = &node->literals[segment];
      continue;
    }
    entry.names.emplace_back(ParameterName(segment));
    if (!node->parameter) {
      node->parameter = std::make_unique<Node>();
    }
    node = node->parameter.get();
  }
  for (const Entry& other : node->entries) {
    TIDEMARK_CHECK(other.method != method);
  }
  node->entries.push_back(std::move(entry));
}

Router::Match Router::Find(Method method, std::string_view path) const {
  std::vector<std::string> segments = Split(path);
  for (std::string& segment : segments) {
    if (segment.find('%') == std::string::npos) {
      continue;
    }
    auto decoded = PercentDecode(segment, PlusSign::kLiteral);
    if (!decoded) {
      return {};  // no pattern has a malformed escape
    }
    segment = std::move(*decoded);
  }
  return Search(method, segments).Run(root_);
}

}  // namespace tidemark::http
