#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "api/internal/call.h"
#include "domain/access.h"
#include "http/router.h"

namespace tidemark::api {

using HandlerFunction = Reply (*)(const Call& call);

struct Route {
  http::Method method = http::Method::kGet;
  std::string_view pattern;  // below the family's prefix
  unsigned families = 0;     // of Family
  domain::Permission permission = domain::Permission::kAnyKey;
  std::string_view deprecation;  // value of the Deprecation header; empty: none
  HandlerFunction handler = nullptr;
  std::span<const std::string_view> versions;  // of v2, ascending
};

// Every route there is.
std::span<const Route> Routes();

// The matcher over them.
class RouteTable {
 public:
  RouteTable();

  struct Match {
    const Route* route = nullptr;  // null: 404, or 405 when `allowed` names methods
    Family family = Family::kV2;
    http::PathParameters parameters;
    std::vector<http::Method> allowed;
  };

  Match Find(const http::Request& request) const;

 private:
  struct Target {
    const Route* route;
    Family family;
  };

  http::Router router_;
  std::vector<Target> targets_;
};

}  // namespace tidemark::api
