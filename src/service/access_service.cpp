#include "service/access_service.h"

#include <algorithm>

#include "codec/codec.h"
#include "service/internal/labels.h"

namespace tidemark::service {
namespace {

constexpr std::size_t kPublicKeyLength = 8;  // lower-case letters, as Atlas makes them

std::string RandomLetters(RandomSource& random, std::size_t count) {
  Bytes bytes(count);
  random.Fill(bytes);
  std::string letters;
  for (const std::uint8_t byte : bytes) {
    letters.push_back(static_cast<char>('a' + byte % 26));
  }
  return letters;
}

// 16 random bytes in the 8-4-4-4-12 form of an Atlas private key.
std::string RandomPrivateKey(RandomSource& random) {
  std::string hex = RandomHex(random, 16);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) {
    hex.insert(at, "-");
  }
  return hex;
}

std::string HashText(const std::string& text) {
  return HexEncode(codec::Sha256(AsBytes(text)));
}

// ^[\p{L}\p{N}\-_.(),:&@+']{1,64}$ of the Group schema, plus spaces inside; letters beyond ASCII
// are taken as they are.
bool IsProjectName(const std::string& name) {
  constexpr std::size_t kMaxBytes = 256;
  const auto allowed = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) != 0 ||
           std::string_view("-_.(),:&@+' ").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= kMaxBytes && std::ranges::all_of(name, allowed);
}

}  // namespace

AccessService::Bootstrap AccessService::Initialize(const std::string& organization_name,
                                                   const std::string& project_name) {
  const Instant now = env_.clock.Now();
  Bootstrap made;
  made.organization = {OrganizationId::Generate(now, env_.random), organization_name};
  made.project = {ProjectId::Generate(now, env_.random), made.organization.id, project_name, now};
  env_.store.AddOrganization(made.organization);
  env_.store.AddProject(made.project);
  const domain::Grant owner{domain::Role::kOrgOwner, made.organization.id, {}};
  made.key =
      MakeKey(made.organization.id, domain::KeyKind::kApiKey, "made by tidemark init", {owner});
  return made;
}

AccessService::NewKey AccessService::MakeKey(const OrganizationId& organization,
                                             domain::KeyKind kind,
                                             const std::string& description,
                                             const std::vector<domain::Grant>& grants) {
  const Instant now = env_.clock.Now();
  NewKey made;
  made.key = {
      KeyId::Generate(now, env_.random), organization, kind, {}, description, grants, now, {}, {}};
  std::string stored;
  if (kind == domain::KeyKind::kApiKey) {
    made.key.public_name = RandomLetters(env_.random, kPublicKeyLength);
    made.secret = Secret(RandomPrivateKey(env_.random));
    const Secret ha1(codec::Md5Hex(made.key.public_name + ":" + std::string(kDigestRealm) + ":" +
                                   made.secret.Reveal()));
    stored = env_.repository.SealSecret(Ha1Label(made.key.public_name), ha1.Reveal());
  } else {
    made.key.public_name = "mdb_sa_id_" + made.key.id.ToString();
    made.secret = Secret("mdb_sa_sk_" + RandomHex(env_.random, 32));
    stored = HashText(made.secret.Reveal());
  }
  env_.store.AddKey(made.key, stored);
  return made;
}

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

std::optional<domain::Key> AccessService::CheckClient(std::string_view client_id,
                                                      const std::string& client_secret) {
  const auto stored = env_.store.FindKeyByPublicName(client_id);
  if (!stored || stored->key.kind != domain::KeyKind::kServiceAccount || stored->key.revoked ||
      !ConstantTimeEqual(stored->sealed_secret, HashText(client_secret))) {
    return std::nullopt;
  }
  return stored->key;
}

std::optional<Secret> AccessService::IssueToken(std::string_view client_id,
                                                const std::string& client_secret) {
  const auto key = CheckClient(client_id, client_secret);
  if (!key) {
    return std::nullopt;
  }
  Secret token(RandomHex(env_.random, 32));
  const Instant now = env_.clock.Now();
  env_.store.DeleteExpiredTokens(now);
  env_.store.AddToken(HashText(token.Reveal()), key->id, now + kTokenLife);
  return token;
}

bool AccessService::RevokeToken(std::string_view client_id,
                                const std::string& client_secret,
                                const std::string& token) {
  const auto key = CheckClient(client_id, client_secret);
  if (!key) {
    return false;
  }
  const auto owner = FindByToken(token);
  if (owner && owner->key.id == key->id) {
    env_.store.RevokeToken(HashText(token));
  }
  return true;
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
  if (!IsProjectName(name)) {
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

AccessService::NewKey AccessService::CreateKey(const Caller& caller,
                                               domain::KeyKind kind,
                                               const std::string& description,
                                               const std::vector<domain::Grant>& grants) {
  RequireOwner(caller);
  for (const domain::Grant& grant : grants) {
    const auto project = domain::IsOrganizationRole(grant.role)
                             ? std::nullopt
                             : env_.store.FindProject(grant.project);
    const bool known = domain::IsOrganizationRole(grant.role)
                           ? grant.organization == caller.key.organization
                           : project && project->organization == caller.key.organization;
    if (!known) {
      throw Refusal(Reason::kInvalidValue,
                    ErrorCode::kInvalidArgument,
                    "a role needs a project or the organization that the key belongs to",
                    {"roles"});
    }
  }
  return MakeKey(caller.key.organization, kind, description, grants);
}

domain::Listing<domain::Key> AccessService::ListKeys(const Caller& caller,
                                                     const domain::Page& page) {
  RequireOwner(caller);
  return env_.store.ListKeys(caller.key.organization, page);
}

void AccessService::RevokeKey(const Caller& caller, const KeyId& id) {
  RequireOwner(caller);
  const auto stored = env_.store.FindKey(id);
  if (!stored || stored->key.organization != caller.key.organization ||
      !env_.store.RevokeKey(id, env_.clock.Now())) {
    throw Refusal(Reason::kKeyNotFound,
                  ErrorCode::kNotFound,
                  "revoking key " + id.ToString() + ": there is none",
                  {id.ToString()});
  }
}

}  // namespace tidemark::service
