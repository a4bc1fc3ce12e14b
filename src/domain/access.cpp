#include "domain/access.h"

#include <algorithm>
#include <array>

namespace tidemark::domain {
namespace {

struct RoleRow {
  Role role;
  std::string_view name;
};

constexpr std::array kRoles{
    RoleRow{Role::kOrgOwner, "ORG_OWNER"},
    RoleRow{Role::kOrgReadOnly, "ORG_READ_ONLY"},
    RoleRow{Role::kGroupOwner, "GROUP_OWNER"},
    RoleRow{Role::kGroupReadOnly, "GROUP_READ_ONLY"},
    RoleRow{Role::kGroupBackupManager, "GROUP_BACKUP_MANAGER"},
    RoleRow{Role::kGroupClusterManager, "GROUP_CLUSTER_MANAGER"},
    RoleRow{Role::kGroupBackupCreator, "GROUP_BACKUP_CREATOR"},
    RoleRow{Role::kGroupBackupRecoveryOperator, "GROUP_BACKUP_RECOVERY_OPERATOR"},
    RoleRow{Role::kGroupBackupExportOperator, "GROUP_BACKUP_EXPORT_OPERATOR"},
    RoleRow{Role::kGroupDataAccessAdmin, "GROUP_DATA_ACCESS_ADMIN"},
};

// Whether a role that is no owner's gives the permission on its project: contract.md 3.
bool OtherRoleGives(Role role, Permission permission) {
  const bool manager = role == Role::kGroupBackupManager;
  const bool recovery = role == Role::kGroupBackupRecoveryOperator;
  const bool exporter = role == Role::kGroupBackupExportOperator;
  switch (permission) {
    case Permission::kAnyKey:
    case Permission::kProjectRead:
      return true;
    case Permission::kProjectOwner:
    case Permission::kOrganizationOwner:
      return false;
    case Permission::kSnapshotCreate:
      return manager || role == Role::kGroupBackupCreator;
    case Permission::kBackupManage:
      return manager;
    case Permission::kRestoreOrDownload:
      return manager || recovery || exporter;
    case Permission::kRestoreInto:
      return manager || recovery;
    case Permission::kDownload:
      return manager || exporter;
    case Permission::kFlexRestore:
      return recovery;
    case Permission::kFlexDownload:
    case Permission::kExportCreate:
      return exporter;
    case Permission::kClusterManage:
      return role == Role::kGroupClusterManager;
  }
  return false;
}

// Whether a role that applies to the project gives the permission on it.
bool RoleGives(Role role, Permission permission) {
  switch (role) {
    case Role::kOrgOwner:
      return true;
    case Role::kGroupOwner:
      return permission != Permission::kOrganizationOwner;
    case Role::kOrgReadOnly:
      return permission == Permission::kProjectRead;
    default:
      return OtherRoleGives(role, permission);
  }
}

bool AppliesTo(const Grant& grant, const OrganizationId& organization, const ProjectId& project) {
  return IsOrganizationRole(grant.role) ? grant.organization == organization
                                        : grant.project == project;
}

}  // namespace

std::string_view RoleName(Role role) {
  const auto row = std::ranges::find(kRoles, role, &RoleRow::role);
  return row == kRoles.end() ? std::string_view() : row->name;
}

std::optional<Role> ParseRole(std::string_view name) {
  const auto row = std::ranges::find(kRoles, name, &RoleRow::name);
  return row == kRoles.end() ? std::nullopt : std::optional(row->role);
}

bool IsOrganizationRole(Role role) {
  return role == Role::kOrgOwner || role == Role::kOrgReadOnly;
}

bool Allows(const std::vector<Grant>& grants,
            Permission permission,
            const OrganizationId& organization,
            const ProjectId& project) {
  if (permission == Permission::kAnyKey) {
    return true;
  }
  return std::ranges::any_of(grants, [&](const Grant& grant) {
    return AppliesTo(grant, organization, project) && RoleGives(grant.role, permission);
  });
}

bool TouchesProject(const std::vector<Grant>& grants,
                    const OrganizationId& organization,
                    const ProjectId& project) {
  return std::ranges::any_of(
      grants, [&](const Grant& grant) { return AppliesTo(grant, organization, project); });
}

}  // namespace tidemark::domain
