#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace tidemark::http {

// Path parameters of a match, percent-decoded, in the pattern's order.
struct PathParameters {
  std::vector<std::pair<std::string, std::string>> values;
  // REQUIRES: the pattern names it.
  const std::string& Get(std::string_view name) const;
};

// Matches a method and path against patterns such as "/groups/{groupId}/clusters/{clusterName}".
// Literal segments win over parameters, whatever the method. Immutable after construction of the
// table; thread-safe to match.
class Router {
 public:
  // `route` is the caller's number for it. REQUIRES: method and pattern not added before.
  void Add(Method method, std::string_view pattern, std::size_t route);

  struct Match {
    std::optional<std::size_t> route;  // set when path and method fit (HEAD fits GET)
    PathParameters parameters;
    std::vector<Method> allowed;  // when only the path fits: for 405 and Allow. Empty: 404
  };

  Match Find(Method method, std::string_view path) const;

 private:
  struct Entry {
    Method method;
    std::vector<std::string> names;  // of the parameters, in order
    std::size_t route;
  };

  // One segment of the patterns that share those before it.
  struct Node {
    std::map<std::string, Node, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::vector<Entry> entries;  // of patterns that end here
  };

  class Search;

  Node root_;
};

}  // namespace tidemark::http
