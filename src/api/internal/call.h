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

namespace tidemark::api {

enum class Family : unsigned { kV2 = 1, kV10 = 2, kV15 = 4, kOwn = 8 };

std::string_view FamilyPrefix(Family family);

// One request on its way to a handler: credentials, version, project and right have been checked.
struct Call {
  const ApiParts& parts;
  const http::Request& request;
  const http::PathParameters& path;
  Family family = Family::kV2;
  service::Caller caller;
  std::optional<domain::Project> project;  // of paths that name one
  ListQuery query;
};

// A registered cluster of the call's project, named by that path parameter; CLUSTER_NOT_FOUND.
domain::Cluster FindCluster(const Call& call);

// Absolute address of `path` below the family's prefix.
std::string HrefOf(const Call& call, const std::string& path);
// "/groups/{project}/clusters/{name}".
std::string ClusterPath(const ProjectId& project, const std::string& name);

// Tenant, legacy: one function for each route.
Reply GetSystemStatus(const Call& call);
Reply ListGroups(const Call& call);
Reply GetGroup(const Call& call);
Reply ListTenantRestores(const Call& call);
Reply GetTenantRestore(const Call& call);
Reply CreateTenantRestore(const Call& call);
Reply ListTenantSnapshots(const Call& call);
Reply GetTenantSnapshot(const Call& call);
Reply GetLegacyRestore(const Call& call);

// Our own API, docs/own-api.md.
Reply ListProjects(const Call& call);
Reply CreateProject(const Call& call);
Reply ListClusters(const Call& call);
Reply CreateCluster(const Call& call);
Reply GetCluster(const Call& call);
Reply DeleteCluster(const Call& call);
Reply CheckCluster(const Call& call);
Reply ListSnapshots(const Call& call);
Reply CreateSnapshot(const Call& call);
Reply GetSnapshot(const Call& call);
Reply DeleteSnapshot(const Call& call);
Reply ListRestores(const Call& call);
Reply CreateRestore(const Call& call);
Reply GetRestore(const Call& call);
Reply ListKeys(const Call& call);
Reply CreateKey(const Call& call);
Reply DeleteKey(const Call& call);

}  // namespace tidemark::api
