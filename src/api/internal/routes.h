#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "api/internal/call.h"
#include "api/internal/versions.h"
#include "domain/access.h"
#include "http/router.h"

// The surface. Each file of handlers ends with the rows of what it serves; everything else follows
// from the rows: matching, versions, rights, the audit log's names, docs/api-compatibility.md and
// the conformance tests.
namespace tidemark::api {

using HandlerFunction = Reply (*)(const Call& call);

// What an answer holds. kData, the documents of a snapshot, is written into the audit log like a
// change.
enum class Gives { kFacts, kData };

struct Route {
  http::Method method = http::Method::kGet;
  std::string_view pattern;  // below the family's prefix
  unsigned families = 0;     // of Family
  domain::Permission permission = domain::Permission::kAnyKey;
  std::string_view operation;  // Atlas' operationId, or our own name; unique
  HandlerFunction handler = nullptr;
  std::span<const Version> versions = {};  // of the Atlas families, ascending; none in our own
  Gives gives = Gives::kFacts;
};

inline constexpr unsigned kAtlas = static_cast<unsigned>(Family::kV2) |
                                   static_cast<unsigned>(Family::kV10) |
                                   static_cast<unsigned>(Family::kV15);
// Operations that came after the unversioned families.
inline constexpr unsigned kV2Only = static_cast<unsigned>(Family::kV2);
inline constexpr unsigned kOwn = static_cast<unsigned>(Family::kOwn);

inline constexpr std::array kFirstVersion{Version{"2023-01-01"}};
// Deprecated since the release of what replaced them, flex clusters and cloud backups
// (docs/api-compatibility.md).
inline constexpr std::array kTenantVersions{Version{"2023-01-01", "Wed, 13 Nov 2024 00:00:00 GMT"}};
inline constexpr std::array kLegacyVersions{Version{"2023-01-01", "Sun, 1 Jan 2023 00:00:00 GMT"}};

// Collection restores and the names in a snapshot.
inline constexpr std::array kCollectionVersions{Version{"2025-03-12"}};

// The rows of each file.
std::span<const Route> CloudRestoreRoutes();
std::span<const Route> CloudShardedRoutes();
std::span<const Route> CloudSnapshotRoutes();
std::span<const Route> ProjectRoutes();
std::span<const Route> ClusterRoutes();
std::span<const Route> FlexClusterRoutes();
std::span<const Route> FlexBackupRoutes();
std::span<const Route> TenantRestoreRoutes();
std::span<const Route> TenantSnapshotRoutes();
std::span<const Route> LegacyCreateRoutes();
std::span<const Route> LegacyRestoreRoutes();
std::span<const Route> LegacySnapshotRoutes();
std::span<const Route> LegacyScheduleRoutes();
std::span<const Route> CloudScheduleRoutes();
std::span<const Route> CompliancePolicyRoutes();
std::span<const Route> ExportBucketRoutes();
std::span<const Route> CloudExportRoutes();
std::span<const Route> OwnExportTargetRoutes();
std::span<const Route> OwnExportJobRoutes();
std::span<const Route> CloudNamespaceRoutes();
std::span<const Route> CollectionRestoreRoutes();
std::span<const Route> OwnAuditRoutes();
std::span<const Route> OwnClusterRoutes();
std::span<const Route> OwnDiffRoutes();
std::span<const Route> OwnDrillRoutes();
std::span<const Route> OwnExportRoutes();
std::span<const Route> OwnJobRoutes();
std::span<const Route> OwnKeyRoutes();
std::span<const Route> OwnNoticeRoutes();
std::span<const Route> OwnOrganizationRoutes();
std::span<const Route> OwnRepositoryRoutes();
std::span<const Route> OwnScheduleRoutes();
std::span<const Route> OwnSecretRoutes();

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
