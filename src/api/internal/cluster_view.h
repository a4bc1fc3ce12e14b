#pragma once

#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "api/internal/call.h"

// What clusters and flex clusters have in common, and the placeholders for what Atlas knows of a
// cluster and a server that only backs it up does not (docs/api-compatibility.md, "Clusters").
namespace tidemark::api {

// Atlas' most common values. A real provider needs network containers, which clients then ask for;
// a tenant's does not.
inline constexpr std::string_view kPlaceholderProvider = "AWS";
inline constexpr std::string_view kPlaceholderRegion = "US_EAST_1";

// IDLE; UPDATING while its data are replaced; DELETING when it is registered no more.
std::string_view ClusterStateName(const Call& call, const domain::Cluster& cluster);

// connectionStrings: hosts and how to reach them, never a login.
boost::json::object RenderConnectionStrings(const mongo::PublicAddress& address);

// mongoDBVersion has the form 7.0.42 or is left out.
bool HasFullVersion(const domain::Cluster& cluster);

}  // namespace tidemark::api
