// Organizations, and the life of keys: the part of AccessService that owners use.
#include <algorithm>

#include "codec/codec.h"
#include "service/access_service.h"
#include "service/internal/credentials.h"
#include "service/internal/labels.h"

namespace tidemark::service {
namespace {

constexpr std::size_t kEnding = 4;  // characters of a secret that lists show

Refusal KeyNotFound(const KeyId& id) {
  return {Reason::kKeyNotFound,
          ErrorCode::kNotFound,
          "using key " + id.ToString() + ": there is none, or it is revoked",
          {id.ToString()}};
}

Refusal InvalidMember(const std::string& name, const std::string& rule) {
  return {Reason::kInvalidValue, ErrorCode::kInvalidArgument, rule, {name}};
}

Refusal LastOwner() {
  return {Reason::kLastOwner,
          ErrorCode::kConflict,
          "changing a key: its organization would be left without an owner"};
}

void CheckDescription(const std::string& description) {
  if (description.size() > domain::kMaxDescription) {
    throw InvalidMember("description",
                        "is longer than " + std::to_string(domain::kMaxDescription) + " bytes");
  }
}

void CheckAccessList(const std::vector<domain::Network>& access_list) {
  if (access_list.size() > domain::kMaxAccessList) {
    throw InvalidMember("accessList",
                        "has more than " + std::to_string(domain::kMaxAccessList) + " entries");
  }
}

void CheckChanged(catalog::KeyChange change, const Refusal& absent) {
  switch (change) {
    case catalog::KeyChange::kDone:
      return;
    case catalog::KeyChange::kAbsent:
      throw absent;
    case catalog::KeyChange::kLastOwner:
      throw LastOwner();
  }
}

}  // namespace

AccessService::Bootstrap AccessService::Initialize(const std::string& organization_name,
                                                   const std::string& project_name) {
  const Instant now = env_.clock.Now();
  Bootstrap made;
  made.organization = {OrganizationId::Generate(now, env_.random), organization_name};
  made.project = {ProjectId::Generate(now, env_.random), made.organization.id, project_name, now};
  made.key = MakeOwner(made.organization.id, "made by tidemark init");
  env_.store.AddOrganization(made.organization, made.key.key, SealHa1(made.key));
  env_.store.AddProject(made.project);
  return made;
}

domain::Key AccessService::MakeKey(const OrganizationId& organization,
                                   const std::string& description,
                                   const std::vector<domain::Grant>& grants) {
  const Instant now = env_.clock.Now();
  domain::Key key;
  key.id = KeyId::Generate(now, env_.random);
  key.organization = organization;
  key.description = description;
  key.grants = grants;
  key.created = now;
  return key;
}

AccessService::NewKey AccessService::MakeApiKey(domain::Key key) {
  NewKey made{std::move(key), {}};
  made.key.public_name = RandomPublicKey(env_.random);
  made.secret = Secret(RandomPrivateKey(env_.random));
  return made;
}

AccessService::NewKey AccessService::MakeOwner(const OrganizationId& organization,
                                               const std::string& description) {
  return MakeApiKey(
      MakeKey(organization, description, {{domain::Role::kOrgOwner, organization, {}}}));
}

std::string AccessService::SealHa1(const NewKey& key) {
  const Secret ha1(codec::Md5Hex(key.key.public_name + ":" + std::string(kDigestRealm) + ":" +
                                 key.secret.Reveal()));
  return env_.repository.SealSecret(Ha1Label(key.key.public_name), ha1.Reveal());
}

AccessService::NewClientSecret AccessService::MakeClientSecret(
    const KeyId& account, std::optional<std::chrono::hours> life) {
  constexpr std::chrono::hours kMost{24 * 3660};
  if (life && (*life < std::chrono::hours(1) || *life > kMost)) {
    throw InvalidMember("secretExpiresAfterHours",
                        "must be from 1 to " + std::to_string(kMost.count()));
  }
  const Instant now = env_.clock.Now();
  NewClientSecret made;
  made.value = Secret(RandomClientSecret(env_.random));
  made.secret.id = ClientSecretId::Generate(now, env_.random);
  made.secret.account = account;
  made.secret.ending = made.value.Reveal().substr(made.value.Reveal().size() - kEnding);
  made.secret.created = now;
  if (life) {
    made.secret.expires = now + *life;
  }
  return made;
}

AccessService::NewOrganization AccessService::CreateOrganization(const Caller& caller,
                                                                 const std::string& name) {
  RequireOwner(caller);
  if (!IsDisplayName(name)) {
    throw InvalidMember("name", "is 1 to 64 letters, digits, spaces and -_.(),:&@+'");
  }
  NewOrganization made;
  made.organization = {OrganizationId::Generate(env_.clock.Now(), env_.random), name};
  made.key = MakeOwner(made.organization.id, "first owner");
  try {
    env_.store.AddOrganization(made.organization, made.key.key, SealHa1(made.key));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kResourceExhausted) {
      throw Refusal(Reason::kTooManyOrganizations,
                    ErrorCode::kConflict,
                    "creating organization " + name + ": there are as many as there may be");
    }
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Refusal(Reason::kNameTaken,
                  ErrorCode::kConflict,
                  "creating organization " + name + ": the name is taken",
                  {name});
  }
  return made;
}

domain::Organization AccessService::FindOrganization(const Caller& caller,
                                                     const OrganizationId& id) {
  const auto found = id == caller.key.organization ? env_.store.FindOrganization(id) : std::nullopt;
  if (!found) {
    throw Refusal(Reason::kOrganizationNotFound,
                  ErrorCode::kNotFound,
                  "finding organization " + id.ToString() + ": the key belongs to none of that id",
                  {id.ToString()});
  }
  return *found;
}

AccessService::NewKey AccessService::MakeOwnerKey(const ProjectId& project) {
  const auto found = env_.store.FindProject(project);
  if (!found) {
    throw Refusal(Reason::kGroupNotFound,
                  ErrorCode::kNotFound,
                  "making an owner key: there is no project " + project.ToString(),
                  {project.ToString()});
  }
  NewKey made = MakeOwner(found->organization, "made by tidemark key make-owner");
  env_.store.AddKey(made.key, SealHa1(made));
  return made;
}

void AccessService::RequireGrants(const Caller& caller, const std::vector<domain::Grant>& grants) {
  if (grants.size() > domain::kMaxGrants) {
    throw InvalidMember("roles",
                        "has more than " + std::to_string(domain::kMaxGrants) + " entries");
  }
  for (const domain::Grant& grant : grants) {
    const auto project = domain::IsOrganizationRole(grant.role)
                             ? std::nullopt
                             : env_.store.FindProject(grant.project);
    const bool known = domain::IsOrganizationRole(grant.role)
                           ? grant.organization == caller.key.organization
                           : project && project->organization == caller.key.organization;
    if (!known) {
      throw InvalidMember("roles",
                          "a role needs a project or the organization that the key belongs to");
    }
  }
}

AccessService::NewKey AccessService::CreateKey(const Caller& caller,
                                               domain::KeyKind kind,
                                               const std::string& description,
                                               const std::vector<domain::Grant>& grants,
                                               const KeyLimits& limits) {
  RequireOwner(caller);
  CheckDescription(description);
  CheckAccessList(limits.access_list);
  RequireGrants(caller, grants);
  domain::Key key = MakeKey(caller.key.organization, description, grants);
  key.access_list = limits.access_list;
  if (kind == domain::KeyKind::kServiceAccount) {
    return AddAccount(std::move(key), limits.secret_life);
  }
  if (limits.secret_life) {
    throw InvalidMember("secretExpiresAfterHours", "is for service accounts only");
  }
  NewKey made = MakeApiKey(std::move(key));
  env_.store.AddKey(made.key, SealHa1(made));
  return made;
}

AccessService::NewKey AccessService::AddAccount(domain::Key key,
                                                std::optional<std::chrono::hours> secret_life) {
  key.kind = domain::KeyKind::kServiceAccount;
  key.public_name = "mdb_sa_id_" + key.id.ToString();
  NewClientSecret first = MakeClientSecret(key.id, secret_life);
  env_.store.AddServiceAccount(key, first.secret, HashText(first.value.Reveal()));
  return {std::move(key), std::move(first.value)};
}

domain::Listing<domain::Key> AccessService::ListKeys(const Caller& caller,
                                                     const domain::Page& page) {
  RequireOwner(caller);
  return env_.store.ListKeys(caller.key.organization, page);
}

domain::Key AccessService::FindKey(const Caller& caller, const KeyId& id) {
  RequireOwner(caller);
  const auto stored = env_.store.FindKey(id);
  if (!stored || stored->key.organization != caller.key.organization) {
    throw KeyNotFound(id);
  }
  return stored->key;
}

domain::Key AccessService::RequireValidKey(const Caller& caller, const KeyId& id) {
  domain::Key key = FindKey(caller, id);
  if (key.revoked) {
    throw KeyNotFound(id);
  }
  return key;
}

domain::Key AccessService::RequireAccount(const Caller& caller, const KeyId& id) {
  domain::Key key = RequireValidKey(caller, id);
  if (key.kind != domain::KeyKind::kServiceAccount) {
    throw InvalidMember("keyId", "is an API key: only service accounts have several secrets");
  }
  return key;
}

domain::Key AccessService::UpdateKey(const Caller& caller,
                                     const KeyId& id,
                                     const KeyChanges& changes) {
  RequireValidKey(caller, id);
  if (changes.description) {
    CheckDescription(*changes.description);
  }
  if (changes.grants) {
    RequireGrants(caller, *changes.grants);
  }
  if (changes.access_list) {
    CheckAccessList(*changes.access_list);
  }
  CheckChanged(env_.store.UpdateKey(id, changes), KeyNotFound(id));
  return FindKey(caller, id);
}

void AccessService::RevokeKey(const Caller& caller, const KeyId& id) {
  RequireValidKey(caller, id);
  CheckChanged(env_.store.RevokeKey(id, env_.clock.Now()), KeyNotFound(id));
}

AccessService::NewClientSecret AccessService::AddClientSecret(
    const Caller& caller, const KeyId& id, std::optional<std::chrono::hours> life) {
  RequireAccount(caller, id);
  NewClientSecret made = MakeClientSecret(id, life);
  if (!env_.store.AddClientSecret(
          made.secret, HashText(made.value.Reveal()), made.secret.created)) {
    throw Refusal(Reason::kTooManySecrets,
                  ErrorCode::kConflict,
                  "adding a secret to " + id.ToString() + ": it has two; delete the old one first",
                  {id.ToString()});
  }
  return made;
}

std::vector<domain::ClientSecret> AccessService::ListClientSecrets(const Caller& caller,
                                                                   const KeyId& id) {
  RequireAccount(caller, id);
  return env_.store.ListClientSecrets(id);
}

void AccessService::DeleteClientSecret(const Caller& caller,
                                       const KeyId& id,
                                       const ClientSecretId& secret) {
  RequireAccount(caller, id);
  const Refusal absent(Reason::kSecretNotFound,
                       ErrorCode::kNotFound,
                       "deleting secret " + secret.ToString() + ": the account has none",
                       {secret.ToString()});
  CheckChanged(env_.store.DeleteClientSecret(id, secret), absent);
}

}  // namespace tidemark::service
