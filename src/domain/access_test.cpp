#include "domain/access.h"

#include <array>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace tidemark::domain {
namespace {

const OrganizationId kOrganization = *OrganizationId::Parse("0000000000000000000000a1");
const OrganizationId kOtherOrganization = *OrganizationId::Parse("0000000000000000000000a2");
const ProjectId kProject = *ProjectId::Parse("0000000000000000000000b1");
const ProjectId kOtherProject = *ProjectId::Parse("0000000000000000000000b2");

constexpr std::array kAllRoles{Role::kOrgOwner,
                               Role::kOrgReadOnly,
                               Role::kGroupOwner,
                               Role::kGroupReadOnly,
                               Role::kGroupBackupManager,
                               Role::kGroupClusterManager,
                               Role::kGroupBackupCreator,
                               Role::kGroupBackupRecoveryOperator,
                               Role::kGroupBackupExportOperator,
                               Role::kGroupDataAccessAdmin};

std::vector<Grant> GrantOf(Role role) {
  return IsOrganizationRole(role)
             ? std::vector<Grant>{{.role = role, .organization = kOrganization}}
             : std::vector<Grant>{{.role = role, .project = kProject}};
}

// The roles that give the permission on their own project or organization.
std::set<Role> RolesWith(Permission permission) {
  std::set<Role> roles;
  for (const Role role : kAllRoles) {
    if (Allows(GrantOf(role), permission, kOrganization, kProject)) {
      roles.insert(role);
    }
  }
  return roles;
}

}  // namespace

TEST(Role, NamesRoundTrip) {
  for (const Role role : kAllRoles) {
    EXPECT_EQ(ParseRole(RoleName(role)), role);
  }
  EXPECT_EQ(RoleName(Role::kGroupBackupManager), "GROUP_BACKUP_MANAGER");
  EXPECT_EQ(RoleName(Role::kGroupBackupRecoveryOperator), "GROUP_BACKUP_RECOVERY_OPERATOR");
  EXPECT_EQ(ParseRole("group_owner"), std::nullopt);
  EXPECT_EQ(ParseRole(""), std::nullopt);
}

TEST(Role, NumbersArePersistent) {
  EXPECT_EQ(static_cast<int>(Role::kOrgOwner), 0);
  EXPECT_EQ(static_cast<int>(Role::kOrgReadOnly), 1);
  EXPECT_EQ(static_cast<int>(Role::kGroupOwner), 2);
  EXPECT_EQ(static_cast<int>(Role::kGroupReadOnly), 3);
  EXPECT_EQ(static_cast<int>(Role::kGroupBackupManager), 4);
  EXPECT_EQ(static_cast<int>(Role::kGroupClusterManager), 5);
  EXPECT_EQ(static_cast<int>(Role::kGroupBackupCreator), 6);
  EXPECT_EQ(static_cast<int>(Role::kGroupBackupRecoveryOperator), 7);
  EXPECT_EQ(static_cast<int>(Role::kGroupBackupExportOperator), 8);
  EXPECT_EQ(static_cast<int>(Role::kGroupDataAccessAdmin), 9);
}

TEST(Allows, EveryRoleReads) {
  EXPECT_EQ(RolesWith(Permission::kProjectRead), std::set(kAllRoles.begin(), kAllRoles.end()));
}

// contract.md 3, one line a row.
TEST(Allows, OnlyTheRightRolesChangeThings) {
  using enum Permission;
  constexpr Role kOrgOwner = Role::kOrgOwner;
  constexpr Role kOwner = Role::kGroupOwner;
  constexpr Role kManager = Role::kGroupBackupManager;
  constexpr Role kRecovery = Role::kGroupBackupRecoveryOperator;
  constexpr Role kExporter = Role::kGroupBackupExportOperator;
  const std::map<Permission, std::set<Role>> expected{
      {kProjectOwner, {kOrgOwner, kOwner}},
      {kSnapshotCreate, {kOrgOwner, kOwner, kManager, Role::kGroupBackupCreator}},
      {kBackupManage, {kOrgOwner, kOwner, kManager}},
      {kRestoreOrDownload, {kOrgOwner, kOwner, kManager, kRecovery, kExporter}},
      {kRestoreInto, {kOrgOwner, kOwner, kManager, kRecovery}},
      {kDownload, {kOrgOwner, kOwner, kManager, kExporter}},
      {kFlexRestore, {kOrgOwner, kOwner, kRecovery}},
      {kFlexDownload, {kOrgOwner, kOwner, kExporter}},
      {kExportCreate, {kOrgOwner, kOwner, kExporter}},
      {kClusterManage, {kOrgOwner, kOwner, Role::kGroupClusterManager}},
      {kOrganizationOwner, {kOrgOwner}},
  };
  for (const auto& [permission, roles] : expected) {
    EXPECT_EQ(RolesWith(permission), roles) << static_cast<int>(permission);
  }
}

TEST(Allows, AnyKeyNeedsNoGrant) {
  EXPECT_TRUE(Allows({}, Permission::kAnyKey, kOrganization, kProject));
  EXPECT_FALSE(Allows({}, Permission::kProjectRead, kOrganization, kProject));
}

TEST(Allows, AGroupRoleEndsAtItsProject) {
  for (const Role role : {Role::kGroupOwner, Role::kGroupReadOnly, Role::kGroupBackupManager}) {
    EXPECT_FALSE(Allows(GrantOf(role), Permission::kProjectRead, kOrganization, kOtherProject));
  }
}

TEST(Allows, AnOrganizationRoleCoversItsProjectsOnly) {
  const std::vector<Grant> grants = GrantOf(Role::kOrgOwner);
  EXPECT_TRUE(Allows(grants, Permission::kProjectOwner, kOrganization, kOtherProject));
  EXPECT_FALSE(Allows(grants, Permission::kProjectRead, kOtherOrganization, kProject));
}

TEST(Allows, AddsUpTheGrants) {
  const std::vector<Grant> grants{{.role = Role::kGroupReadOnly, .project = kProject},
                                  {.role = Role::kGroupOwner, .project = kOtherProject}};
  EXPECT_FALSE(Allows(grants, Permission::kProjectOwner, kOrganization, kProject));
  EXPECT_TRUE(Allows(grants, Permission::kProjectOwner, kOrganization, kOtherProject));
}

TEST(Allows, AZeroIdGivesNothing) {
  const std::vector<Grant> project_grant = GrantOf(Role::kGroupOwner);
  EXPECT_FALSE(
      Allows(project_grant, Permission::kOrganizationOwner, OrganizationId(), ProjectId()));
}

TEST(TouchesProject, TellsAForeignProjectFromALackOfRights) {
  EXPECT_TRUE(TouchesProject(GrantOf(Role::kGroupReadOnly), kOrganization, kProject));
  EXPECT_TRUE(TouchesProject(GrantOf(Role::kOrgReadOnly), kOrganization, kOtherProject));
  EXPECT_FALSE(TouchesProject(GrantOf(Role::kGroupOwner), kOrganization, kOtherProject));
  EXPECT_FALSE(TouchesProject(GrantOf(Role::kOrgOwner), kOtherOrganization, kProject));
  EXPECT_FALSE(TouchesProject({}, kOrganization, kProject));
}

}  // namespace tidemark::domain
