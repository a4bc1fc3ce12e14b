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
  service::Caller caller;
  std::optional<domain::Project> project;  // of paths that name one
  ListQuery query;
};

// The project that the path names. REQUIRES: the route's path names one.
const domain::Project& ProjectOf(const Call& call);

// A registered cluster of the call's project, named by that path parameter; CLUSTER_NOT_FOUND.
domain::Cluster FindCluster(const Call& call);

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
Reply DownloadTenantSnapshot(const Call& call);
Reply ListLegacyRestores(const Call& call);
Reply CreateLegacyRestore(const Call& call);
Reply GetLegacyRestore(const Call& call);
Reply ListLegacySnapshots(const Call& call);
Reply GetLegacySnapshot(const Call& call);
Reply UpdateLegacySnapshot(const Call& call);
Reply DeleteLegacySnapshot(const Call& call);
Reply GetLegacySchedule(const Call& call);
Reply UpdateLegacySchedule(const Call& call);
Reply ListCheckpoints(const Call& call);
Reply GetCheckpoint(const Call& call);

// Our own API, docs/own-api.md.
Reply ListProjects(const Call& call);
Reply CreateProject(const Call& call);
Reply DeleteProject(const Call& call);
Reply ListClusters(const Call& call);
Reply CreateCluster(const Call& call);
Reply GetCluster(const Call& call);
Reply DeleteCluster(const Call& call);
Reply CheckCluster(const Call& call);
Reply ListSnapshots(const Call& call);
Reply CreateSnapshot(const Call& call);
Reply ImportSnapshot(const Call& call);
Reply GetSnapshot(const Call& call);
Reply DeleteSnapshot(const Call& call);
Reply DiffSnapshot(const Call& call);
Reply ExportSnapshot(const Call& call);
Reply ListRestores(const Call& call);
Reply CreateRestore(const Call& call);
Reply GetRestore(const Call& call);
Reply EndDownload(const Call& call);
Reply GetSchedule(const Call& call);
Reply UpdateSchedule(const Call& call);
Reply ListKeys(const Call& call);
Reply CreateKey(const Call& call);
Reply DeleteKey(const Call& call);
Reply CheckRepository(const Call& call);
Reply CollectGarbage(const Call& call);
Reply RepairRepository(const Call& call);
Reply GetRepositoryTask(const Call& call);
Reply GetRepositoryStats(const Call& call);
Reply ListNotifications(const Call& call);
Reply CreateNotification(const Call& call);
Reply GetNotification(const Call& call);
Reply DeleteNotification(const Call& call);
Reply TestNotification(const Call& call);
Reply ListProjectAudit(const Call& call);
Reply ListAudit(const Call& call);
Reply VerifyAudit(const Call& call);

}  // namespace tidemark::api
