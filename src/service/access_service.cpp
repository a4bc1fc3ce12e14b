#include "service/access_service.h"

#include <algorithm>

#include "service/internal/credentials.h"
#include "service/internal/labels.h"

namespace tidemark::service {

std::optional<AccessService::DigestKey> AccessService::FindDigestKey(std::string_view public_key) {
  const auto stored = env_.store.FindKeyByPublicName(public_key);
  if (!stored || stored->key.kind != domain::KeyKind::kApiKey || stored->key.revoked) {
    return std::nullopt;
  }
  return DigestKey{{stored->key},
                   Secret(env_.repository.OpenSecret(Ha1Label(public_key), stored->sealed_secret))};
}

std::optional<Caller> AccessService::FindByToken(const std::string& token) {
  auto key = env_.store.FindKeyByToken(HashText(token), env_.clock.Now());
  return key ? std::optional(Caller{std::move(*key)}) : std::nullopt;
}

std::optional<AccessService::Client> AccessService::FindClient(std::string_view client_id,
                                                               const std::string& client_secret) {
  const auto stored = env_.store.FindKeyByPublicName(client_id);
  if (!stored || stored->key.kind != domain::KeyKind::kServiceAccount || stored->key.revoked) {
    return std::nullopt;
  }
  // Compared by hash: how long that takes tells nothing about the secret.
  const auto secret =
      env_.store.FindClientSecret(stored->key.id, HashText(client_secret), env_.clock.Now());
  return secret ? std::optional(Client{stored->key, *secret}) : std::nullopt;
}

AccessService::NewToken AccessService::IssueToken(const Client& client) {
  const Instant now = env_.clock.Now();
  Instant expires = now + kTokenLife;
  if (client.secret.expires) {
    expires = std::min(expires, *client.secret.expires);
  }
  NewToken made{Secret(RandomHex(env_.random, 32)),
                std::chrono::floor<std::chrono::seconds>(expires - now)};
  env_.store.DeleteExpiredTokens(now);
  env_.store.AddToken(HashText(made.token.Reveal()), client.secret, expires);
  return made;
}

std::optional<Secret> AccessService::IssueToken(std::string_view client_id,
                                                const std::string& client_secret) {
  const auto client = FindClient(client_id, client_secret);
  return client ? std::optional(IssueToken(*client).token) : std::nullopt;
}

void AccessService::RevokeToken(const Client& client, const std::string& token) {
  const auto owner = FindByToken(token);
  if (owner && owner->key.id == client.account.id) {
    env_.store.RevokeToken(HashText(token));
  }
}

domain::Project AccessService::RequireProject(const Caller& caller,
                                              const ProjectId& project,
                                              domain::Permission permission) {
  const auto found = env_.store.FindProject(project);
  if (!found) {
    throw Refusal(Reason::kGroupNotFound,
                  ErrorCode::kNotFound,
                  "finding project " + project.ToString() + ": there is none",
                  {project.ToString()});
  }
  if (!domain::TouchesProject(caller.key.grants, found->organization, project)) {
    throw Refusal(Reason::kUserCannotAccessGroup,
                  ErrorCode::kPermissionDenied,
                  "using project " + project.ToString() + ": the key has no role on it");
  }
  if (!domain::Allows(caller.key.grants, permission, found->organization, project)) {
    throw Refusal(Reason::kUserUnauthorized,
                  ErrorCode::kPermissionDenied,
                  "using project " + project.ToString() + ": the key's role is too low");
  }
  return *found;
}

bool AccessService::MayOn(const Caller& caller,
                          const ProjectId& project,
                          domain::Permission permission) {
  const auto found = env_.store.FindProject(project);
  return found && domain::Allows(caller.key.grants, permission, found->organization, project);
}

domain::Listing<domain::Project> AccessService::ListProjects(const Caller& caller,
                                                             const domain::Page& page) {
  std::vector<OrganizationId> organizations;
  std::vector<ProjectId> projects;
  for (const domain::Grant& grant : caller.key.grants) {
    if (domain::IsOrganizationRole(grant.role)) {
      organizations.push_back(grant.organization);
    } else {
      projects.push_back(grant.project);
    }
  }
  return env_.store.ListProjects(organizations, projects, page);
}

void AccessService::RequireOwner(const Caller& caller) {
  if (!domain::Allows(
          caller.key.grants, domain::Permission::kOrganizationOwner, caller.key.organization, {})) {
    throw Refusal(Reason::kUserUnauthorized,
                  ErrorCode::kPermissionDenied,
                  "administering the organization: the key is not ORG_OWNER");
  }
}

domain::Project AccessService::CreateProject(const Caller& caller, const std::string& name) {
  RequireOwner(caller);
  if (!IsDisplayName(name)) {
    throw Refusal(Reason::kInvalidValue,
                  ErrorCode::kInvalidArgument,
                  "a project name is 1 to 64 letters, digits, spaces and -_.(),:&@+'",
                  {"name"});
  }
  const Instant now = env_.clock.Now();
  const domain::Project project{
      ProjectId::Generate(now, env_.random), caller.key.organization, name, now};
  try {
    env_.store.AddProject(project);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kConflict) {
      throw Refusal(Reason::kNameTaken,
                    ErrorCode::kConflict,
                    "creating project " + name + ": the name is taken",
                    {name});
    }
    throw;
  }
  return project;
}

std::int64_t AccessService::CountClusters(const ProjectId& project) {
  return env_.store.CountClusters(project);
}

}  // namespace tidemark::service
