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

  struct NewOrganization {
    domain::Organization organization;
    NewKey key;  // of its first owner
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

  // Who asks for tokens, and the secret that proved it.
  struct Client {
    domain::Key account;
    domain::ClientSecret secret;
  };

  // nullopt for wrong client credentials, and for a secret that has expired.
  std::optional<Client> FindClient(std::string_view client_id, const std::string& client_secret);

  struct NewToken {
    Secret token;
    std::chrono::seconds life;  // kTokenLife, or less when the secret expires before
  };

  NewToken IssueToken(const Client& client);
  // FindClient and IssueToken.
  std::optional<Secret> IssueToken(std::string_view client_id, const std::string& client_secret);
  // Revoking an unknown token is no error; only tokens of that client are revoked.
  void RevokeToken(const Client& client, const std::string& token);

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

  // A key belongs to one organization for good and reaches nothing of another. Whoever owns an
  // organization may found another one: it gets an owner key of its own, and no rights there.
  NewOrganization CreateOrganization(const Caller& caller, const std::string& name);
  // kOrganizationNotFound unless it is the caller's.
  domain::Organization FindOrganization(const Caller& caller, const OrganizationId& id);
  // A new owner key for an organization that lost its own: for whoever holds the data directory.
  // The organization that `project` is of; kGroupNotFound.
  NewKey MakeOwnerKey(const ProjectId& project);

  // Key administration: owners of the organization only, who hold every right in it, so that no key
  // can give what it does not hold. Grants on foreign organizations or unknown projects are
  // kInvalidValue. A key that is revoked or of another organization is kKeyNotFound.
  struct KeyLimits {
    std::vector<domain::Network> access_list;       // empty: from anywhere
    std::optional<std::chrono::hours> secret_life;  // service accounts; nullopt: for good
  };

  NewKey CreateKey(const Caller& caller,
                   domain::KeyKind kind,
                   const std::string& description,
                   const std::vector<domain::Grant>& grants,
                   const KeyLimits& limits = {});
  domain::Listing<domain::Key> ListKeys(const Caller& caller, const domain::Page& page);
  domain::Key FindKey(const Caller& caller, const KeyId& id);  // a revoked one, too

  using KeyChanges = catalog::KeyChanges;

  // At once, for tokens that exist too. kLastOwner.
  domain::Key UpdateKey(const Caller& caller, const KeyId& id, const KeyChanges& changes);
  // Its tokens die with it. kLastOwner.
  void RevokeKey(const Caller& caller, const KeyId& id);

  // Secrets of service accounts; kInvalidValue for an API key.
  struct NewClientSecret {
    domain::ClientSecret secret;
    Secret value;
  };

  // kTooManySecrets: it has two that have not expired.
  NewClientSecret AddClientSecret(const Caller& caller,
                                  const KeyId& id,
                                  std::optional<std::chrono::hours> life);
  std::vector<domain::ClientSecret> ListClientSecrets(const Caller& caller, const KeyId& id);
  // Its tokens die with it. kSecretNotFound, kLastOwner.
  void DeleteClientSecret(const Caller& caller, const KeyId& id, const ClientSecretId& secret);

 private:
  domain::Key MakeKey(const OrganizationId& organization,
                      const std::string& description,
                      const std::vector<domain::Grant>& grants);
  NewKey MakeApiKey(domain::Key key);
  NewKey AddAccount(domain::Key key, std::optional<std::chrono::hours> secret_life);
  NewKey MakeOwner(const OrganizationId& organization, const std::string& description);
  std::string SealHa1(const NewKey& key);
  NewClientSecret MakeClientSecret(const KeyId& account, std::optional<std::chrono::hours> life);
  void RequireGrants(const Caller& caller, const std::vector<domain::Grant>& grants);
  domain::Key RequireValidKey(const Caller& caller, const KeyId& id);
  domain::Key RequireAccount(const Caller& caller, const KeyId& id);
  void RequireOwner(const Caller& caller);
  void Shred(const ProjectId& id);

  Environment& env_;
};

}  // namespace tidemark::service
