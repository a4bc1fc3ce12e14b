#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/object_id.h"
#include "domain/network.h"

namespace tidemark::domain {

// contract.md 3. Persistent: never renumber.
enum class Role {
  kOrgOwner = 0,
  kOrgReadOnly = 1,
  kGroupOwner = 2,
  kGroupReadOnly = 3,
  kGroupBackupManager = 4,
  kGroupClusterManager = 5,
  kGroupBackupCreator = 6,
  kGroupBackupRecoveryOperator = 7,
  kGroupBackupExportOperator = 8,
  kGroupDataAccessAdmin = 9,  // known to Atlas; reads here
};

// One role on one organization (ORG_*) or project (GROUP_*).
struct Grant {
  Role role = Role::kGroupReadOnly;
  OrganizationId organization;  // of an ORG_* role, else zero
  ProjectId project;            // of a GROUP_* role, else zero
};

// What an endpoint asks for. Restore jobs keep theirs (RestoreJob::right). Persistent: never
// renumber.
enum class Permission {
  kAnyKey = 0,              // any valid key
  kProjectRead = 1,         // Project Read Only
  kProjectOwner = 2,        // Project Owner
  kSnapshotCreate = 3,      // Project Backup Manager or Backup Creator
  kBackupManage = 4,        // Project Backup Manager
  kRestoreOrDownload = 5,   // Project Backup Manager, Recovery Operator or Export Operator
  kRestoreInto = 6,         // Project Backup Manager or Recovery Operator
  kDownload = 7,            // Project Backup Manager or Export Operator
  kFlexRestore = 8,         // Project Owner or Backup Recovery Operator
  kFlexDownload = 9,        // Project Owner or Backup Export Operator
  kExportCreate = 10,       // Project Backup Export Operator
  kClusterManage = 11,      // Project Cluster Manager or Owner (own API)
  kOrganizationOwner = 12,  // keys and projects (own API)
};

enum class KeyKind { kApiKey = 0, kServiceAccount = 1 };  // persistent: never renumber

// An API key (HTTP digest) or a service account (OAuth 2 client credentials).
struct Key {
  KeyId id;
  OrganizationId organization;
  KeyKind kind = KeyKind::kApiKey;
  std::string public_name;  // public key (8 lower-case letters), or mdb_sa_id_<24 hex>
  std::string description;
  std::vector<Grant> grants;
  Instant created;
  std::optional<Instant> revoked;
  std::vector<Network> access_list;  // where it may be used from; empty: anywhere
};

inline constexpr std::size_t kMaxGrants = 1000;      // of one key
inline constexpr std::size_t kMaxAccessList = 200;   // entries of one key
inline constexpr std::size_t kMaxClientSecrets = 2;  // of one account: the old one and the new one
inline constexpr std::size_t kMaxDescription = 250;  // bytes
inline constexpr std::size_t kMaxOrganizations = 1000;  // of one server

// One of the secrets of a service account, without its value.
struct ClientSecret {
  ClientSecretId id;
  KeyId account;
  std::string ending;  // the value's last characters, so that people can tell two apart
  Instant created;
  std::optional<Instant> expires;  // nullopt: never
};

// "GROUP_OWNER" and so on, and back.
std::string_view RoleName(Role role);
std::optional<Role> ParseRole(std::string_view name);
bool IsOrganizationRole(Role role);

// Whether `grants` give `permission` on project `project` of organization `organization`.
// Inheritance as in contract.md 3: ORG_OWNER is GROUP_OWNER in every project of its organization,
// ORG_READ_ONLY is GROUP_READ_ONLY, every GROUP_* role includes GROUP_READ_ONLY, GROUP_OWNER has
// every right on the project.
bool Allows(const std::vector<Grant>& grants,
            Permission permission,
            const OrganizationId& organization,
            const ProjectId& project);

// Whether the grants touch that project at all: decides between USER_CANNOT_ACCESS_GROUP and
// USER_UNAUTHORIZED.
bool TouchesProject(const std::vector<Grant>& grants,
                    const OrganizationId& organization,
                    const ProjectId& project);

}  // namespace tidemark::domain
