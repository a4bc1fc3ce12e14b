#include "api/internal/routes.h"

#include <vector>

#include "base/error.h"

namespace tidemark::api {
namespace {

std::vector<Route> Collect() {
  std::vector<Route> all;
  for (const auto rows : {ProjectRoutes,          ClusterRoutes,
                          FlexClusterRoutes,      FlexBackupRoutes,
                          TenantRestoreRoutes,    TenantSnapshotRoutes,
                          CloudRestoreRoutes,     CloudShardedRoutes,
                          CloudSnapshotRoutes,    LegacyCreateRoutes,
                          LegacyRestoreRoutes,    LegacySnapshotRoutes,
                          LegacyScheduleRoutes,   CloudScheduleRoutes,
                          CompliancePolicyRoutes, ExportBucketRoutes,
                          CloudExportRoutes,      OwnExportTargetRoutes,
                          CloudNamespaceRoutes,   CollectionRestoreRoutes,
                          OwnAuditRoutes,         OwnClusterRoutes,
                          OwnDiffRoutes,          OwnDrillRoutes,
                          OwnExportRoutes,        OwnJobRoutes,
                          OwnKeyRoutes,           OwnNoticeRoutes,
                          OwnOrganizationRoutes,  OwnRepositoryRoutes,
                          OwnSecretRoutes,        OwnScheduleRoutes,
                          OwnExportJobRoutes}) {
    const auto some = rows();
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

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
  static const std::vector<Route> all = Collect();
  return all;
}

RouteTable::RouteTable() {
  for (const Route& route : Routes()) {
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
