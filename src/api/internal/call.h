#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "api/api.h"
#include "api/internal/listing.h"
#include "api/internal/render.h"
#include "domain/project.h"
#include "http/message.h"
#include "http/router.h"
#include "service/caller.h"
#include "service/refusal.h"

namespace tidemark::api {

enum class Family : unsigned { kV2 = 1, kV10 = 2, kV15 = 4, kOwn = 8 };

std::string_view FamilyPrefix(Family family);

// One request on its way to a handler: credentials, version, project and right have been checked.
struct Call {
  const ApiParts& parts;
  const http::Request& request;
  const http::PathParameters& path;
  Family family = Family::kV2;
  std::string_view version;  // that answers, "2023-01-01"; empty in our own API
  service::Caller caller;
  std::optional<domain::Project> project;  // of paths that name one
  ListQuery query;
};

// The project that the path names. REQUIRES: the route's path names one.
const domain::Project& ProjectOf(const Call& call);

// A registered cluster of the call's project, named by that path parameter; CLUSTER_NOT_FOUND.
domain::Cluster FindCluster(const Call& call);

// The same for the operations on clusters and their cloud backups, which refuse a flex cluster
// (CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API), and for those on flex clusters, whose paths call it
// {name}, and which refuse any other (CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API). Clients try one and
// go by the code to the other (contract.md 10). Tenant and legacy operations take every cluster.
domain::Cluster FindCloudCluster(const Call& call);
domain::Cluster FindFlexCluster(const Call& call);

// What a path or body names in `cluster` and is not there: a Refusal with `reason`.
[[noreturn]] void RefuseAbsent(service::Reason reason,
                               const std::string& id,
                               const domain::Cluster& cluster);

// The snapshot of `cluster` that the path names, the restore job of it that `text` names; `reason`
// when there is none or the text is no id.
domain::Snapshot FindSnapshot(const Call& call,
                              const domain::Cluster& cluster,
                              service::Reason reason);
domain::RestoreJob FindRestoreJob(const Call& call,
                                  const domain::Cluster& cluster,
                                  const std::string& text,
                                  service::Reason reason);

// As FindRestoreJob with TENANT_RESTORE_NOT_FOUND, without archives that are pushed: the shared
// tier and flex have no word for these (contract.md 8).
domain::RestoreJob FindTenantRestore(const Call& call,
                                     const domain::Cluster& cluster,
                                     const std::string& text);

// Absolute address of `path` below the family's prefix.
std::string HrefOf(const Call& call, const std::string& path);
// "/groups/{project}/clusters/{name}".
std::string ClusterPath(const ProjectId& project, const std::string& name);

}  // namespace tidemark::api
