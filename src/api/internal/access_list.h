#pragma once

#include <vector>

#include <boost/json/array.hpp>

#include "domain/access.h"

namespace tidemark::api {

// AccessListItemView of openapi.json. Its patterns know IPv6 addresses only with all eight groups.
boost::json::array RenderAtlasAccessList(const domain::Key& key);

// Our own form: an array of CIDR blocks as text.
boost::json::array RenderAccessList(const domain::Key& key);
// Throws VALIDATION_ERROR that says which entry is no block.
std::vector<domain::Network> ReadAccessList(const boost::json::array& entries);

}  // namespace tidemark::api
