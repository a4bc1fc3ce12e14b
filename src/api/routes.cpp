#include "api/internal/routes.h"

#include <array>

#include "base/error.h"

namespace tidemark::api {
namespace {

using domain::Permission;
using enum http::Method;

constexpr unsigned kAtlas = static_cast<unsigned>(Family::kV2) |
                            static_cast<unsigned>(Family::kV10) |
                            static_cast<unsigned>(Family::kV15);
constexpr unsigned kOwn = static_cast<unsigned>(Family::kOwn);

constexpr std::array<std::string_view, 1> kFirstVersion{"2023-01-01"};

// Release dates of what replaced them: flex clusters, and cloud backups
// (docs/api-compatibility.md).
constexpr std::string_view kTenantDeprecation = "Wed, 13 Nov 2024 00:00:00 GMT";
constexpr std::string_view kLegacyDeprecation = "Sun, 1 Jan 2023 00:00:00 GMT";

constexpr std::string_view kTenantRestores =
    "/groups/{groupId}/clusters/{clusterName}/backup/tenant/restores";
constexpr std::string_view kTenantRestore =
    "/groups/{groupId}/clusters/{clusterName}/backup/tenant/restores/{restoreId}";
constexpr std::string_view kTenantPost =
    "/groups/{groupId}/clusters/{clusterName}/backup/tenant/restore";
constexpr std::string_view kTenantDownload =
    "/groups/{groupId}/clusters/{clusterName}/backup/tenant/download";
constexpr std::string_view kTenantSnapshots =
    "/groups/{groupId}/clusters/{clusterName}/backup/tenant/snapshots";
constexpr std::string_view kTenantSnapshot =
    "/groups/{groupId}/clusters/{clusterName}/backup/tenant/snapshots/{snapshotId}";
constexpr std::string_view kLegacyRestores = "/groups/{groupId}/clusters/{clusterName}/restoreJobs";
constexpr std::string_view kLegacyRestore =
    "/groups/{groupId}/clusters/{clusterName}/restoreJobs/{jobId}";

constexpr std::string_view kLegacySnapshots = "/groups/{groupId}/clusters/{clusterName}/snapshots";
constexpr std::string_view kLegacySnapshot =
    "/groups/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}";
constexpr std::string_view kLegacySchedule =
    "/groups/{groupId}/clusters/{clusterName}/snapshotSchedule";
constexpr std::string_view kCheckpoints =
    "/groups/{groupId}/clusters/{clusterName}/backupCheckpoints";
constexpr std::string_view kCheckpoint =
    "/groups/{groupId}/clusters/{clusterName}/backupCheckpoints/{checkpointId}";

constexpr std::string_view kClusters = "/projects/{groupId}/clusters";
constexpr std::string_view kCluster = "/projects/{groupId}/clusters/{clusterName}";
constexpr std::string_view kCheck = "/projects/{groupId}/clusters/{clusterName}/check";
constexpr std::string_view kSnapshots = "/projects/{groupId}/clusters/{clusterName}/snapshots";
constexpr std::string_view kSnapshot =
    "/projects/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}";
constexpr std::string_view kSnapshotDiff =
    "/projects/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}/diff";
constexpr std::string_view kSnapshotExport =
    "/projects/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}/export";
constexpr std::string_view kImport = "/projects/{groupId}/clusters/{clusterName}/snapshots/import";
constexpr std::string_view kRestores = "/projects/{groupId}/clusters/{clusterName}/restoreJobs";
constexpr std::string_view kRestore =
    "/projects/{groupId}/clusters/{clusterName}/restoreJobs/{jobId}";

constexpr std::string_view kSchedule = "/projects/{groupId}/clusters/{clusterName}/schedule";

constexpr std::string_view kRepoCheck = "/projects/{groupId}/repository/check";
constexpr std::string_view kRepoGc = "/projects/{groupId}/repository/gc";
constexpr std::string_view kRepoRepair = "/projects/{groupId}/repository/repair";
constexpr std::string_view kRepoTask = "/projects/{groupId}/repository/tasks/{taskId}";
constexpr std::string_view kRepoStats = "/projects/{groupId}/repository/stats";

constexpr std::string_view kNotices = "/projects/{groupId}/notifications";
constexpr std::string_view kNotice = "/projects/{groupId}/notifications/{notificationId}";
constexpr std::string_view kNoticeTest = "/projects/{groupId}/notifications/{notificationId}/test";
constexpr std::string_view kAudit = "/projects/{groupId}/audit";

constexpr auto kNobody = Permission::kAnyKey;
constexpr auto kRead = Permission::kProjectRead;
constexpr auto kOwner = Permission::kProjectOwner;
constexpr auto kBackup = Permission::kSnapshotCreate;
constexpr auto kManage = Permission::kClusterManage;
constexpr auto kAdmin = Permission::kOrganizationOwner;

// clang-format off
constexpr std::array kRoutes{
    Route{kGet,    "",                  kAtlas, kNobody, "",                 GetSystemStatus,     kFirstVersion},
    Route{kGet,    "/groups",           kAtlas, kNobody, "",                 ListGroups,          kFirstVersion},
    Route{kGet,    "/groups/{groupId}", kAtlas, kRead,   "",                 GetGroup,            kFirstVersion},
    Route{kGet,    kTenantRestores,     kAtlas, kRead,   kTenantDeprecation, ListTenantRestores,  kFirstVersion},
    Route{kGet,    kTenantRestore,      kAtlas, kRead,   kTenantDeprecation, GetTenantRestore,    kFirstVersion},
    Route{kPost,   kTenantPost,         kAtlas, kOwner,  kTenantDeprecation, CreateTenantRestore, kFirstVersion},
    Route{kGet,    kTenantSnapshots,    kAtlas, kRead,   kTenantDeprecation, ListTenantSnapshots, kFirstVersion},
    Route{kGet,    kTenantSnapshot,     kAtlas, kRead,   kTenantDeprecation, GetTenantSnapshot,   kFirstVersion},
    Route{kPost,   kTenantDownload,     kAtlas, kOwner,  kTenantDeprecation, DownloadTenantSnapshot, kFirstVersion},
    Route{kGet,    kLegacyRestores,     kAtlas, kRead,   kLegacyDeprecation, ListLegacyRestores,  kFirstVersion},
    Route{kPost,   kLegacyRestores,     kAtlas, kOwner,  kLegacyDeprecation, CreateLegacyRestore, kFirstVersion},
    Route{kGet,    kLegacyRestore,      kAtlas, kRead,   kLegacyDeprecation, GetLegacyRestore,    kFirstVersion},
    Route{kGet,    kLegacySnapshots,    kAtlas, kRead,   kLegacyDeprecation, ListLegacySnapshots,  kFirstVersion},
    Route{kGet,    kLegacySnapshot,     kAtlas, kRead,   kLegacyDeprecation, GetLegacySnapshot,    kFirstVersion},
    Route{kPatch,  kLegacySnapshot,     kAtlas, kOwner,  kLegacyDeprecation, UpdateLegacySnapshot, kFirstVersion},
    Route{kDelete, kLegacySnapshot,     kAtlas, kOwner,  kLegacyDeprecation, DeleteLegacySnapshot, kFirstVersion},
    Route{kGet,    kLegacySchedule,     kAtlas, kRead,   kLegacyDeprecation, GetLegacySchedule,    kFirstVersion},
    Route{kPatch,  kLegacySchedule,     kAtlas, kOwner,  kLegacyDeprecation, UpdateLegacySchedule, kFirstVersion},
    Route{kGet,    kCheckpoints,        kAtlas, kRead,   kLegacyDeprecation, ListCheckpoints,      kFirstVersion},
    Route{kGet,    kCheckpoint,         kAtlas, kRead,   kLegacyDeprecation, GetCheckpoint,        kFirstVersion},

    Route{kGet,    "/projects",         kOwn,   kNobody, "", ListProjects,   {}},
    Route{kPost,   "/projects",         kOwn,   kAdmin,  "", CreateProject,  {}},
    Route{kDelete, "/projects/{groupId}", kOwn, kAdmin,  "", DeleteProject,  {}},
    Route{kGet,    kClusters,           kOwn,   kRead,   "", ListClusters,   {}},
    Route{kPost,   kClusters,           kOwn,   kManage, "", CreateCluster,  {}},
    Route{kGet,    kCluster,            kOwn,   kRead,   "", GetCluster,     {}},
    Route{kDelete, kCluster,            kOwn,   kManage, "", DeleteCluster,  {}},
    Route{kPost,   kCheck,              kOwn,   kManage, "", CheckCluster,   {}},
    Route{kGet,    kSnapshots,          kOwn,   kRead,   "", ListSnapshots,  {}},
    Route{kPost,   kSnapshots,          kOwn,   kBackup, "", CreateSnapshot, {}},
    Route{kPost,   kImport,             kOwn,   kBackup, "", ImportSnapshot, {}},
    Route{kGet,    kSnapshot,           kOwn,   kRead,   "", GetSnapshot,    {}},
    Route{kDelete, kSnapshot,           kOwn,   kOwner,  "", DeleteSnapshot, {}},
    Route{kPost,   kSnapshotDiff,       kOwn,   kOwner,  "", DiffSnapshot,   {}},
    Route{kGet,    kSnapshotExport,     kOwn,   kOwner,  "", ExportSnapshot, {}},
    Route{kGet,    kRestores,           kOwn,   kRead,   "", ListRestores,   {}},
    Route{kPost,   kRestores,           kOwn,   kOwner,  "", CreateRestore,  {}},
    Route{kGet,    kRestore,            kOwn,   kRead,   "", GetRestore,     {}},
    Route{kDelete, kRestore,            kOwn,   kOwner,  "", EndDownload,    {}},
    Route{kGet,    kSchedule,           kOwn,   kRead,   "", GetSchedule,    {}},
    Route{kPatch,  kSchedule,           kOwn,   kOwner,  "", UpdateSchedule, {}},
    Route{kGet,    "/keys",             kOwn,   kAdmin,  "", ListKeys,       {}},
    Route{kPost,   "/keys",             kOwn,   kAdmin,  "", CreateKey,      {}},
    Route{kDelete, "/keys/{keyId}",     kOwn,   kAdmin,  "", DeleteKey,      {}},
    Route{kPost,   kRepoCheck,          kOwn,   kBackup, "", CheckRepository, {}},
    Route{kPost,   kRepoGc,             kOwn,   kOwner,  "", CollectGarbage, {}},
    Route{kPost,   kRepoRepair,         kOwn,   kBackup, "", RepairRepository, {}},
    Route{kGet,    kRepoTask,           kOwn,   kRead,   "", GetRepositoryTask, {}},
    Route{kGet,    kRepoStats,          kOwn,   kRead,   "", GetRepositoryStats, {}},
    Route{kGet,    kNotices,            kOwn,   kRead,   "", ListNotifications, {}},
    Route{kPost,   kNotices,            kOwn,   kOwner,  "", CreateNotification, {}},
    Route{kGet,    kNotice,             kOwn,   kRead,   "", GetNotification, {}},
    Route{kDelete, kNotice,             kOwn,   kOwner,  "", DeleteNotification, {}},
    Route{kPost,   kNoticeTest,         kOwn,   kOwner,  "", TestNotification, {}},
    Route{kGet,    kAudit,              kOwn,   kOwner,  "", ListProjectAudit, {}},
    Route{kGet,    "/audit",            kOwn,   kAdmin,  "", ListAudit,      {}},
    Route{kGet,    "/audit/verification", kOwn, kAdmin,  "", VerifyAudit,    {}},
};
// clang-format on

}  // namespace

std::string_view FamilyPrefix(Family family) {
  switch (family) {
    case Family::kV2:
      return "/api/atlas/v2";
    case Family::kV10:
      return "/api/atlas/v1.0";
    case Family::kV15:
      return "/api/atlas/v1.5";
    case Family::kOwn:
      return "/api/tidemark/v1";
  }
  CheckFailed("every family has a prefix", __FILE__, __LINE__);
}

std::span<const Route> Routes() {
  return kRoutes;
}

RouteTable::RouteTable() {
  for (const Route& route : kRoutes) {
    for (const Family family : {Family::kV2, Family::kV10, Family::kV15, Family::kOwn}) {
      if ((route.families & static_cast<unsigned>(family)) == 0) {
        continue;
      }
      router_.Add(route.method,
                  std::string(FamilyPrefix(family)) + std::string(route.pattern),
                  targets_.size());
      targets_.push_back({&route, family});
    }
  }
}

RouteTable::Match RouteTable::Find(const http::Request& request) const {
  http::Router::Match found = router_.Find(request.method, request.path);
  Match match;
  match.parameters = std::move(found.parameters);
  match.allowed = std::move(found.allowed);
  if (found.route) {
    match.route = targets_[*found.route].route;
    match.family = targets_[*found.route].family;
  }
  return match;
}

}  // namespace tidemark::api
