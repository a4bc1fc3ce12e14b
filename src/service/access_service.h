#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "domain/page.h"
#include "domain/project.h"
#include "service/caller.h"
#include "service/environment.h"
#include "service/refusal.h"

namespace tidemark::service {

inline constexpr std::string_view kDigestRealm = "MMS Public API";  // contract.md 2.1
inline constexpr std::chrono::seconds kTokenLife{3600};             // contract.md 2.2

// Keys, tokens, projects, and who may do what. Synchronized; every call blocks on the catalog.
class AccessService {
 public:
  explicit AccessService(Environment& environment) : env_(environment) {}

  // First organization, project and owner key of a new data directory. The private key is shown
  // this once.
  struct NewKey {
    domain::Key key;
    Secret secret;  // private key or client secret
  };

  struct Bootstrap {
    domain::Organization organization;
    domain::Project project;
    NewKey key;
  };

  Bootstrap Initialize(const std::string& organization_name, const std::string& project_name);

  // The HA1 of an API key that is not revoked; nullopt for any other name. For digest
  // authentication.
  struct DigestKey {
    Caller caller;
    Secret ha1;  // MD5(public:realm:private), lower-case hex
  };

  std::optional<DigestKey> FindDigestKey(std::string_view public_key);
  // The caller behind a bearer token; nullopt when unknown, expired or revoked.
  std::optional<Caller> FindByToken(const std::string& token);
  // A new token; nullopt for wrong client credentials.
  std::optional<Secret> IssueToken(std::string_view client_id, const std::string& client_secret);
  // False for wrong client credentials. Revoking an unknown token is no error; only tokens of that
  // client are revoked.
  bool RevokeToken(std::string_view client_id,
                   const std::string& client_secret,
                   const std::string& token);

  // The project, if it exists (kGroupNotFound), the caller touches it (kUserCannotAccessGroup) and
  // has the right (kUserUnauthorized); contract.md 2.3.
  domain::Project RequireProject(const Caller& caller,
                                 const ProjectId& project,
                                 domain::Permission permission);
  bool MayOn(const Caller& caller, const ProjectId& project, domain::Permission permission);

  domain::Listing<domain::Project> ListProjects(const Caller& caller, const domain::Page& page);
  domain::Project CreateProject(const Caller& caller, const std::string& name);
  // The project is gone for everybody, its keys are revoked, and its snapshots are destroyed:
  // nobody can read them again. kProjectInUse while clusters are registered in it or jobs are
  // unfinished. Blocks on the repository too. When that fails the project is gone all the same, and
  // FinishProjectDeletions destroys what is left.
  void DeleteProject(const Caller& caller, const ProjectId& id);
  // For the start of a server: destroys the snapshots of deleted projects whose deletion was cut.
  void FinishProjectDeletions();
  std::int64_t CountClusters(const ProjectId& project);

  // Key administration: ORG_OWNER only. `grants` on foreign organizations or unknown projects are
  // kInvalidValue.
  NewKey CreateKey(const Caller& caller,
                   domain::KeyKind kind,
                   const std::string& description,
                   const std::vector<domain::Grant>& grants);
  domain::Listing<domain::Key> ListKeys(const Caller& caller, const domain::Page& page);
  void RevokeKey(const Caller& caller, const KeyId& id);

 private:
  NewKey MakeKey(const OrganizationId& organization,
                 domain::KeyKind kind,
                 const std::string& description,
                 const std::vector<domain::Grant>& grants);
  std::optional<domain::Key> CheckClient(std::string_view client_id,
                                         const std::string& client_secret);
  void RequireOwner(const Caller& caller);
  void Shred(const ProjectId& id);

  Environment& env_;
};

}  // namespace tidemark::service
