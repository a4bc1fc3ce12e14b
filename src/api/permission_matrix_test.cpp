// Who may call what: every route, with every role, in the project itself and elsewhere. The table
// is written by hand from contract.md 3 and docs/own-api.md, never from the code: a new route makes
// the test fail until somebody has written down who may call it.
#include <array>
#include <cstdlib>
#include <iostream>
#include <map>
#include <set>

#include "api/internal/routes.h"
#include "base/file.h"
#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

enum class Who {
  kAnybody,            // any valid key
  kReader,             // Project Read Only
  kOwner,              // Project Owner; also what Atlas calls Project Atlas Admin
  kSnapshotCreator,    // Project Backup Manager or Backup Creator
  kManager,            // Project Backup Manager
  kRestoreOperator,    // Project Backup Manager, Recovery Operator or Export Operator
  kFlexRestorer,       // Project Owner or Backup Recovery Operator
  kFlexDownloader,     // Project Owner or Backup Export Operator
  kExporter,           // Project Backup Export Operator
  kClusterManager,     // Project Cluster Manager
  kOrganizationOwner,  // Organization Owner
};

constexpr std::array<std::string_view, 10> kAllRoles{"ORG_OWNER",
                                                     "ORG_READ_ONLY",
                                                     "GROUP_OWNER",
                                                     "GROUP_READ_ONLY",
                                                     "GROUP_BACKUP_MANAGER",
                                                     "GROUP_CLUSTER_MANAGER",
                                                     "GROUP_BACKUP_CREATOR",
                                                     "GROUP_BACKUP_RECOVERY_OPERATOR",
                                                     "GROUP_BACKUP_EXPORT_OPERATOR",
                                                     "GROUP_DATA_ACCESS_ADMIN"};

std::set<std::string_view> RolesOf(Who who) {
  std::set<std::string_view> roles{"ORG_OWNER", "GROUP_OWNER"};
  switch (who) {
    case Who::kAnybody:
    case Who::kReader:
      return {kAllRoles.begin(), kAllRoles.end()};
    case Who::kOwner:
      return roles;
    case Who::kSnapshotCreator:
      roles.insert({"GROUP_BACKUP_MANAGER", "GROUP_BACKUP_CREATOR"});
      return roles;
    case Who::kManager:
      roles.insert("GROUP_BACKUP_MANAGER");
      return roles;
    case Who::kRestoreOperator:
      roles.insert({"GROUP_BACKUP_MANAGER",
                    "GROUP_BACKUP_RECOVERY_OPERATOR",
                    "GROUP_BACKUP_EXPORT_OPERATOR"});
      return roles;
    case Who::kFlexRestorer:
      roles.insert("GROUP_BACKUP_RECOVERY_OPERATOR");
      return roles;
    case Who::kFlexDownloader:
    case Who::kExporter:
      roles.insert("GROUP_BACKUP_EXPORT_OPERATOR");
      return roles;
    case Who::kClusterManager:
      roles.insert("GROUP_CLUSTER_MANAGER");
      return roles;
    case Who::kOrganizationOwner:
      return {"ORG_OWNER"};
  }
  return {};
}

using enum Who;

const std::map<std::string_view, Who> kRows{
    // contract.md 3
    {"getSystemStatus", kAnybody},
    {"listGroups", kAnybody},  // lists what the key reaches: docs/access.md
    {"getGroup", kReader},
    {"listGroupClusters", kReader},
    {"getGroupCluster", kReader},
    {"listGroupFlexClusters", kReader},
    {"getGroupFlexCluster", kReader},
    {"listGroupClusterBackupTenantRestores", kReader},
    {"getGroupClusterBackupTenantRestore", kReader},
    {"createGroupClusterBackupTenantRestore", kOwner},
    {"listGroupClusterBackupTenantSnapshots", kReader},
    {"getGroupClusterBackupTenantSnapshot", kReader},
    {"downloadGroupClusterBackupTenant", kOwner},
    {"listGroupClusterRestoreJobs", kReader},
    {"createGroupClusterRestoreJob", kOwner},
    {"getGroupClusterRestoreJob", kReader},
    {"listGroupClusterSnapshots", kReader},
    {"getGroupClusterSnapshot", kReader},
    {"updateGroupClusterSnapshot", kOwner},
    {"deleteGroupClusterSnapshot", kOwner},
    {"getGroupClusterSnapshotSchedule", kReader},
    {"updateGroupClusterSnapshotSchedule", kOwner},
    {"listGroupClusterBackupCheckpoints", kReader},
    {"getGroupClusterBackupCheckpoint", kReader},
    {"listGroupFlexClusterBackupSnapshots", kReader},
    {"getGroupFlexClusterBackupSnapshot", kReader},
    {"downloadGroupFlexClusterBackup", kFlexDownloader},
    {"listGroupFlexClusterBackupRestoreJobs", kReader},
    {"createGroupFlexClusterBackupRestoreJob", kFlexRestorer},
    {"getGroupFlexClusterBackupRestoreJob", kReader},
    {"listGroupClusterBackupRestoreJobs", kManager},
    {"createGroupClusterBackupRestoreJob", kRestoreOperator},
    {"getGroupClusterBackupRestoreJob", kManager},
    {"cancelGroupClusterBackupRestoreJob", kRestoreOperator},
    {"listGroupClusterBackupSnapshots", kReader},
    {"takeGroupClusterBackupSnapshots", kSnapshotCreator},
    {"getGroupClusterBackupSnapshot", kReader},
    {"updateGroupClusterBackupSnapshot", kManager},
    {"deleteGroupClusterBackupSnapshot", kManager},
    {"listGroupClusterBackupSnapshotShardedClusters", kReader},
    {"getGroupClusterBackupSnapshotShardedCluster", kReader},
    {"deleteGroupClusterBackupSnapshotShardedCluster", kManager},
    {"getGroupClusterBackupSchedule", kReader},
    {"updateGroupClusterBackupSchedule", kOwner},
    {"deleteGroupClusterBackupSchedule", kOwner},
    {"listGroupClusterBackupExports", kOwner},
    {"createGroupClusterBackupExport", kExporter},
    {"getGroupClusterBackupExport", kOwner},
    {"listGroupBackupExportBuckets", kReader},
    {"createGroupBackupExportBucket", kOwner},
    {"getGroupBackupExportBucket", kReader},
    {"updateGroupBackupExportBucket", kOwner},
    {"deleteGroupBackupExportBucket", kManager},
    {"listGroupClusterBackupSnapshotDatabases", kReader},
    {"getGroupClusterBackupSnapshotDatabase", kReader},
    {"listGroupClusterBackupSnapshotDatabaseCollections", kReader},
    {"getGroupClusterBackupSnapshotDatabaseCollection", kReader},
    {"listGroupClusterCollectionRestoreJobs", kReader},
    {"createGroupClusterCollectionRestoreJob", kManager},
    {"getGroupClusterCollectionRestoreJob", kReader},
    {"listGroupClusterCollectionRestoreJobCollections", kReader},
    {"getGroupClusterCollectionRestoreJobCollection", kReader},
    // Of Atlas, beyond the document: clients ask for them.
    {"getGroupClusterProcessArgs", kReader},
    {"getOrgGroups", kAnybody},  // lists what the key reaches
    {"getDataProtectionSettings", kOwner},
    {"updateDataProtectionSettings", kOwner},
    {"disableDataProtectionSettings", kOwner},
    // docs/own-api.md
    {"listProjects", kAnybody},
    {"createProject", kOrganizationOwner},
    {"deleteProject", kOrganizationOwner},
    {"listClusters", kReader},
    {"createCluster", kClusterManager},
    {"getCluster", kReader},
    {"updateCluster", kClusterManager},
    {"deleteCluster", kClusterManager},
    {"checkCluster", kClusterManager},
    {"listSnapshots", kReader},
    {"createSnapshot", kSnapshotCreator},
    {"importSnapshot", kManager},
    {"getSnapshot", kReader},
    {"deleteSnapshot", kOwner},
    {"diffSnapshot", kOwner},
    {"exportSnapshot", kOwner},
    {"getSchedule", kReader},
    {"updateSchedule", kOwner},
    {"listRestores", kReader},
    {"createRestore", kOwner},
    {"getRestore", kReader},
    {"endDownload", kOwner},
    {"checkRepository", kManager},
    {"collectGarbage", kOwner},
    {"repairRepository", kManager},
    {"getRepositoryTask", kReader},
    {"getRepositoryStats", kReader},
    {"listExports", kReader},
    {"cancelExport", kExporter},
    {"listExportTargets", kReader},
    {"createExportTarget", kOwner},
    {"getExportTarget", kReader},
    {"deleteExportTarget", kOwner},
    {"getDrillSettings", kReader},
    {"updateDrillSettings", kOwner},
    {"updateScratchTarget", kOwner},
    {"listDrills", kReader},
    {"createDrill", kOwner},
    {"getDrill", kReader},
    {"listNotifications", kReader},
    {"createNotification", kOwner},
    {"getNotification", kReader},
    {"deleteNotification", kOwner},
    {"testNotification", kOwner},
    {"listProjectAudit", kOwner},
    {"listAudit", kOrganizationOwner},
    {"verifyAudit", kOrganizationOwner},
    {"listOrganizations", kAnybody},
    {"createOrganization", kOrganizationOwner},
    {"getOrganization", kAnybody},
    {"listKeys", kOrganizationOwner},
    {"createKey", kOrganizationOwner},
    {"getKey", kOrganizationOwner},
    {"updateKey", kOrganizationOwner},
    {"deleteKey", kOrganizationOwner},
    {"listSecrets", kOrganizationOwner},
    {"createSecret", kOrganizationOwner},
    {"deleteSecret", kOrganizationOwner},
};

constexpr std::string_view kAllowed = "allowed";
constexpr std::string_view kTooLow = "USER_UNAUTHORIZED";
constexpr std::string_view kStranger = "USER_CANNOT_ACCESS_GROUP";
constexpr std::string_view kNoProject = "GROUP_NOT_FOUND";

bool IsOrganizationRoleName(std::string_view role) {
  return role.starts_with("ORG_");
}

bool NamesProject(const Route& route) {
  return route.pattern.find("{groupId}") != std::string_view::npos;
}

// Where the key's one role is.
enum class Place { kHere, kOtherProject, kOtherOrganization };

class PermissionMatrix : public ApiFixture {
 protected:
  PermissionMatrix() {
    AddCluster("Kept");  // so that nobody's right to delete the project deletes it
    neighbour_ = access_->CreateProject({first_.key.key}, "Neighbour").id;
    const auto other = access_->CreateOrganization({first_.key.key}, "Other");
    other_owner_ = other.key.key;
    foreign_ = access_->CreateProject({other_owner_}, "Foreign").id;
    for (const std::string_view role : kAllRoles) {
      for (const Place place : {Place::kHere, Place::kOtherProject, Place::kOtherOrganization}) {
        tokens_[{role, place}] = MakeToken(role, place);
      }
    }
    bare_ = TokenOf({first_.key.key}, {});
  }

  std::string TokenOf(const service::Caller& owner, const std::vector<domain::Grant>& grants) {
    const auto made = access_->CreateKey(owner, domain::KeyKind::kServiceAccount, "matrix", grants);
    return access_->IssueToken(made.key.public_name, made.secret.Reveal())->Reveal();
  }

  std::string MakeToken(std::string_view name, Place place) {
    const domain::Role role = domain::ParseRole(name).value();
    const bool elsewhere = place == Place::kOtherOrganization;
    const service::Caller owner{elsewhere ? other_owner_ : first_.key.key};
    if (IsOrganizationRoleName(name)) {
      return TokenOf(owner, {{role, owner.key.organization, {}}});
    }
    const ProjectId project =
        elsewhere ? foreign_ : (place == Place::kHere ? first_.project.id : neighbour_);
    return TokenOf(owner, {{role, {}, project}});
  }

  // A request that does no harm even to whoever may send it.
  http::Request RequestOf(const Route& route, Family family, const std::string& project) {
    std::string path = std::string(FamilyPrefix(family)) + std::string(route.pattern);
    for (std::size_t open = path.find('{'); open != std::string::npos; open = path.find('{')) {
      const std::string name = path.substr(open + 1, path.find('}') - open - 1);
      const bool own = route.operation == "getOrgGroups";  // of any other it tells nothing
      const std::string value = name == "groupId"         ? project
                                : own && name == "orgId"  ? first_.organization.id.ToString()
                                : name.ends_with("Id")    ? std::string(24, '0')
                                : name.ends_with("Space") ? "db.collection"
                                                          : "Absent";
      path.replace(open, name.size() + 2, value);
    }
    http::Request request = MakeRequest(route.method, path);
    request.headers.emplace_back("accept", "application/vnd.atlas.2025-03-12+json");
    if (route.method != http::Method::kGet) {
      request.headers.emplace_back("content-type", "application/json");
      request.body = "{}";
    }
    return request;
  }

  std::string Ask(http::Request request, const std::string& token) {
    request.headers.emplace_back("authorization", "Bearer " + token);
    const http::Response response = api_->Handle(request);
    const std::string code = response.status >= 400 ? CodeOf(response) : "";
    const bool refused = response.status == 401 || code == kNoProject;
    if (refused) {
      EXPECT_EQ(HeaderOf(response, "WWW-Authenticate"), "") << request.path;
      EXPECT_EQ(response.status, code == kNoProject ? 404 : 401) << request.path;
      return code;
    }
    // The handler was reached.
    EXPECT_TRUE(response.status < 405 || response.status == 409) << request.path << response.body;
    return std::string(kAllowed);
  }

  void CheckProjectRoute(const Route& route, Family family, Who who) {
    const http::Request here = RequestOf(route, family, Group());
    const http::Request nowhere = RequestOf(route, family, std::string(24, 'f'));
    const std::set<std::string_view> allowed = RolesOf(who);
    for (const std::string_view role : kAllRoles) {
      SCOPED_TRACE(std::string(role));
      EXPECT_EQ(Ask(here, tokens_.at({role, Place::kHere})),
                allowed.contains(role) ? kAllowed : kTooLow);
      EXPECT_EQ(Ask(here, tokens_.at({role, Place::kOtherOrganization})), kStranger);
      EXPECT_EQ(Ask(nowhere, tokens_.at({role, Place::kHere})), kNoProject);
      if (!IsOrganizationRoleName(role)) {
        EXPECT_EQ(Ask(here, tokens_.at({role, Place::kOtherProject})), kStranger);
      }
    }
    EXPECT_EQ(Ask(here, bare_), kStranger);
    EXPECT_EQ(Ask(nowhere, bare_), kNoProject);
  }

  void CheckOtherRoute(const Route& route, Family family, Who who) {
    const http::Request request = RequestOf(route, family, "");
    const std::set<std::string_view> allowed = RolesOf(who);
    for (const auto& [key, token] : tokens_) {
      SCOPED_TRACE(std::string(key.first));
      const bool foreign =
          route.operation == "getOrgGroups" && key.second == Place::kOtherOrganization;
      const std::string_view own = allowed.contains(key.first) ? kAllowed : kTooLow;
      EXPECT_EQ(Ask(request, token), foreign ? "USER_CANNOT_ACCESS_ORG" : own);
    }
    EXPECT_EQ(Ask(request, bare_), who == kAnybody ? kAllowed : kTooLow);
  }

  ProjectId neighbour_;
  ProjectId foreign_;
  domain::Key other_owner_;
  std::map<std::pair<std::string_view, Place>, std::string> tokens_;
  std::string bare_;  // of a key without roles
};

}  // namespace

TEST_F(PermissionMatrix, EveryRouteWithEveryRole) {
  std::set<std::string_view> served;
  for (const Route& route : Routes()) {
    served.insert(route.operation);
    const auto row = kRows.find(route.operation);
    if (row == kRows.end()) {
      ADD_FAILURE() << route.operation << ": write a row that says who may call it";
      continue;
    }
    for (const Family family : {Family::kV2, Family::kV10, Family::kV15, Family::kOwn}) {
      if ((route.families & static_cast<unsigned>(family)) == 0) {
        continue;
      }
      SCOPED_TRACE(std::string(route.operation) + " of " + std::string(FamilyPrefix(family)));
      const http::Response unknown = api_->Handle(RequestOf(route, family, Group()));
      EXPECT_EQ(unknown.status, 401);
      EXPECT_TRUE(HeaderOf(unknown, "WWW-Authenticate").starts_with("Digest "));
      if (NamesProject(route)) {
        CheckProjectRoute(route, family, row->second);
      } else {
        CheckOtherRoute(route, family, row->second);
      }
    }
  }
  for (const auto& [operation, who] : kRows) {
    if (!served.contains(operation)) {
      std::cout << "skipped: " << operation << " is not served yet\n";
    }
  }
}

// Every operation of MongoDB's document has a row, served or not.
TEST(PermissionRows, CoverTheDocument) {
  const char* path = std::getenv("TIDEMARK_OPENAPI");
  if (path == nullptr) {
    GTEST_SKIP() << "TIDEMARK_OPENAPI names no OpenAPI document";
  }
  const Bytes file = ReadFile(path, 64U << 20);
  const boost::json::value document = boost::json::parse(std::string_view(AsText(file)));
  int operations = 0;
  for (const auto& item : document.at("paths").as_object()) {
    for (const auto& method : item.value().as_object()) {
      const auto* operation = method.value().is_object()
                                  ? method.value().as_object().if_contains("operationId")
                                  : nullptr;
      if (operation != nullptr) {
        ++operations;
        EXPECT_TRUE(kRows.contains(std::string_view(operation->as_string())))
            << operation->as_string();
      }
    }
  }
  EXPECT_GT(operations, 60);
}

}  // namespace tidemark::api
