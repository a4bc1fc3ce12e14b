#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>

#include "api/internal/call.h"

// What the files of the cloud backup family share: contract.md 7.4.
namespace tidemark::api {

inline constexpr std::string_view kClusterRel = "https://cloud.mongodb.com/cluster";
inline constexpr std::string_view kGroupRel = "https://cloud.mongodb.com/group";
inline constexpr std::string_view kSnapshotRel = "https://cloud.mongodb.com/snapshot";

struct CloudLink {
  std::string_view rel;
  std::string path;  // below the family's prefix
};

boost::json::array CloudLinks(const Call& call, std::initializer_list<CloudLink> links);

// "/groups/{project}/clusters/{name}/backup/snapshots/{id}".
std::string CloudSnapshotPath(const ProjectId& project,
                              const std::string& cluster,
                              const SnapshotId& id);

// The id of a snapshot in the path; INVALID_SNAPSHOT_ID.
SnapshotId CloudSnapshotId(const Call& call);

}  // namespace tidemark::api
