#include "tests/support/memory/command_error.h"
#include "tests/support/memory/commands.h"

// Users and roles are documents of admin.system.users and admin.system.roles, as on a server; what
// the client sent is kept, but passwords.
namespace tidemark::memory {
namespace {

struct Kind {
  std::string_view collection;
  std::string_view name;  // of the field
  std::string_view list;  // of the reply
  int not_found;
  std::string_view not_found_name;
};

constexpr Kind kUser{"system.users", "user", "users", 11, "UserNotFound"};
constexpr Kind kRole{"system.roles", "role", "roles", 31, "RoleNotFound"};

bson::Document Doc(const Bytes& bytes) {
  return bson::Document(bytes);
}

// A role that is named by its text alone is one of the command's database.
Bytes ResolvedRoles(const bson::Document& roles, std::string_view database) {
  bson::ArrayBuilder resolved;
  for (const bson::Element& role : roles) {
    const auto name = role.AsString();
    const Bytes full =
        name ? bson::Builder().Append("role", *name).Append("db", database).Finish() : Bytes();
    resolved.Append(name ? Doc(full) : role.AsDocument().value_or(bson::Document()));
  }
  return resolved.Finish();
}

Bytes Insert(Call& call, const Kind& kind) {
  const std::string_view name = call.Collection();
  bson::Builder document;
  document.Append("_id", std::string(call.database()) + "." + std::string(name));
  if (kind.name == kUser.name) {
    AppendUuid(document, "userId", NewUuid(call.state.random));
  }
  document.Append(kind.name, name).Append("db", call.database());
  for (const std::string_view field :
       {"credentials", "customData", "privileges", "authenticationRestrictions"}) {
    if (const auto element = call.command().Find(field)) {
      document.AppendElement(field, *element);
    }
  }
  const Bytes roles = ResolvedRoles(DocumentAt(call.command(), "roles"), call.database());
  const Bytes bytes = document.AppendArray("roles", Doc(roles)).Finish();
  Store& store = call.state.store;
  store.Insert(store.ForWriting("admin", kind.collection),
               bytes,
               0,
               Store::Order::kOrdered,
               [&](std::int32_t, const CommandError&) {
                 throw CommandError(
                     51003,
                     "Location51003",
                     std::string(kind.name) + " \"" + std::string(name) + "\" already exists");
               });
  return {};
}

// What usersInfo and rolesInfo name: 1, "name", {user, db}, {forAllDBs: true}, or an array of them.
bool IsWanted(const bson::Document& document,
              const bson::Element& wanted,
              const Kind& kind,
              std::string_view database) {
  const std::string_view name = TextAt(document, kind.name);
  const std::string_view home = TextAt(document, "db");
  if (const auto text = wanted.AsString()) {
    return *text == name && home == database;
  }
  const auto inner = wanted.AsDocument();
  if (!inner) {
    return home == database;
  }
  if (wanted.type == bson::Type::kArray) {
    return AnyElement(*inner, [&](const bson::Element& each) {
      return IsWanted(document, each, kind, database);
    });
  }
  return IsSet(*inner, "forAllDBs") ||
         (TextAt(*inner, kind.name) == name && TextAt(*inner, "db") == home);
}

Bytes Info(Call& call, const Kind& kind) {
  bson::ArrayBuilder found;
  if (const NamespacePtr ns = call.state.store.Find("admin", kind.collection)) {
    const StreamPtr all = MakeNaturalStream(ns, Direction::kForward);
    while (const auto bytes = all->Next()) {
      const bson::Document document(*bytes);
      if (IsWanted(document, *call.command().begin(), kind, call.database())) {
        const Bytes shown = IsSet(call.command(), "showCredentials")
                                ? CopyOf(*bytes)
                                : Without(document, {"credentials"});
        found.Append(Doc(shown));
      }
    }
  }
  const Bytes array = found.Finish();
  return bson::Builder().AppendArray(kind.list, Doc(array)).Finish();
}

Bytes Remove(Call& call, const Kind& kind) {
  const std::string id = std::string(call.database()) + "." + std::string(call.Collection());
  const Bytes key = bson::Builder().Append("_id", id).Finish();
  const NamespacePtr ns = call.state.store.Find("admin", kind.collection);
  const auto position = ns == nullptr ? std::nullopt : ns->documents.FindId(*Doc(key).begin());
  if (!position) {
    throw CommandError(kind.not_found,
                       std::string(kind.not_found_name),
                       std::string(kind.name) + " '" + id + "' not found");
  }
  call.state.store.Delete(ns, *position);
  return {};
}

// The collection becomes what the temporary one holds. REQUIRES: `drop`, as a restore sends it.
void Replace(Call& call, const Kind& kind, std::string_view temporary) {
  const auto dot = temporary.find('.');
  Store& store = call.state.store;
  const NamespacePtr from = store.Find(temporary.substr(0, dot), temporary.substr(dot + 1));
  if (const NamespacePtr old = store.Find("admin", kind.collection)) {
    store.Drop(old);
  }
  if (from == nullptr) {
    return;
  }
  const StreamPtr all = MakeNaturalStream(from, Direction::kForward);
  while (const auto bytes = all->Next()) {
    if (TextAt(bson::Document(*bytes), kind.name).empty()) {
      throw CommandError(2, "BadValue", "a document names no " + std::string(kind.name));
    }
    store.Insert(store.ForWriting("admin", kind.collection),
                 *bytes,
                 0,
                 Store::Order::kOrdered,
                 [](std::int32_t, const CommandError& why) { throw CommandError(why); });
  }
}

}  // namespace

Bytes MergeAuthzCollections(Call& call) {
  if (!IsSet(call.command(), "drop") || !TextAt(call.command(), "db").empty()) {
    throw CommandError(2, "BadValue", "this server merges all databases, and drops what is old");
  }
  const std::string users(TextAt(call.command(), "tempUsersCollection"));
  const std::string roles(TextAt(call.command(), "tempRolesCollection"));
  if (users.empty() && roles.empty()) {
    throw CommandError(2, "BadValue", "no collection is named");
  }
  if (!users.empty()) {
    Replace(call, kUser, users);
  }
  if (!roles.empty()) {
    Replace(call, kRole, roles);
  }
  return {};
}

Bytes UsersInfo(Call& call) {
  return Info(call, kUser);
}

Bytes RolesInfo(Call& call) {
  return Info(call, kRole);
}

Bytes CreateUser(Call& call) {
  return Insert(call, kUser);
}

Bytes CreateRole(Call& call) {
  return Insert(call, kRole);
}

Bytes DropUser(Call& call) {
  return Remove(call, kUser);
}

Bytes DropRole(Call& call) {
  return Remove(call, kRole);
}

}  // namespace tidemark::memory
