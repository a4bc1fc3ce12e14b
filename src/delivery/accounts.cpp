#include "delivery/internal/accounts.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "bson/builder.h"

namespace tidemark::delivery {
namespace {

constexpr std::string_view kDatabase = "admin";
constexpr std::string_view kUsers = "system.users";
constexpr std::string_view kRoles = "system.roles";
// The built-in role `restore` may write to these two.
constexpr std::string_view kTempUsers = "tempusers";
constexpr std::string_view kTempRoles = "temproles";
// Documents of one insert.
constexpr std::size_t kBatch = 1000;

using ById = std::map<std::string, Bytes>;

std::string TextAt(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? std::string(element->AsString().value_or("")) : std::string();
}

bson::Document DocumentAt(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? element->AsDocument().value_or(bson::Document()) : bson::Document();
}

ById ByIdOf(const std::vector<Bytes>& documents) {
  ById found;
  for (const Bytes& document : documents) {
    const std::string id = TextAt(bson::Document(document), "_id");
    if (id.empty() || !found.emplace(id, document).second) {
      throw Error(
          ErrorCode::kCorrupt,
          "restoring users and roles: the snapshot has one without a name, or twice: '" + id + "'");
    }
  }
  return found;
}

ById Read(mongo::Connection& connection, std::string_view collection) {
  ById found;
  connection.ForEachDocument(kDatabase, collection, {}, [&found](ByteView document) {
    found[TextAt(bson::Document(document), "_id")] = Bytes(document.begin(), document.end());
  });
  return found;
}

void Drop(mongo::Connection& connection, std::string_view collection) {
  const Bytes command = bson::Builder().Append("drop", collection).Finish();
  try {
    connection.RunCommand(kDatabase, bson::Document(command));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
  }
}

// The _id of the user that we are; empty on a server that asks for none.
std::string OwnLogin(mongo::Connection& connection) {
  const Bytes command = bson::Builder().Append("connectionStatus", std::int32_t{1}).Finish();
  const Bytes reply = connection.RunCommand(kDatabase, bson::Document(command));
  const bson::Document info = DocumentAt(bson::Document(reply), "authInfo");
  for (const bson::Element& each : DocumentAt(info, "authenticatedUsers")) {
    const bson::Document user = each.AsDocument().value_or(bson::Document());
    return TextAt(user, "db") + "." + TextAt(user, "user");
  }
  return {};
}

// Adds to `roles` those that `holder` has, and that they have, as the target knows them.
void KeepRolesOf(const bson::Document& holder, const ById& target, ById& roles) {
  for (const bson::Element& each : DocumentAt(holder, "roles")) {
    const bson::Document role = each.AsDocument().value_or(bson::Document());
    const auto found = target.find(TextAt(role, "db") + "." + TextAt(role, "role"));
    if (found != target.end() && roles[found->first] != found->second) {
      roles[found->first] = found->second;
      KeepRolesOf(bson::Document(found->second), target, roles);
    }
  }
}

void Fill(mongo::Connection& connection, std::string_view collection, const ById& documents) {
  Drop(connection, collection);
  std::vector<ByteView> batch;
  for (const auto& [id, document] : documents) {
    batch.emplace_back(document);
    if (batch.size() == kBatch) {
      connection.InsertMany(kDatabase, collection, batch);
      batch.clear();
    }
  }
  if (!batch.empty()) {
    connection.InsertMany(kDatabase, collection, batch);
  }
}

void Merge(mongo::Connection& connection, bool users, bool roles) {
  bson::Builder command;
  command.Append("_mergeAuthzCollections", std::int32_t{1})
      .Append("db", std::string_view())  // all databases
      .Append("drop", true);             // what is not in them goes
  const auto name = [](std::string_view collection) {
    return std::string(kDatabase) + "." + std::string(collection);
  };
  if (users) {
    command.Append("tempUsersCollection", name(kTempUsers));
  }
  if (roles) {
    command.Append("tempRolesCollection", name(kTempRoles));
  }
  const Bytes bytes = command.Finish();
  connection.RunCommand(kDatabase, bson::Document(bytes));
}

Bytes CopyOf(const bson::Document& document) {
  return {document.bytes().begin(), document.bytes().end()};
}

// "db.role" of each role that a user or a role has.
std::set<std::string> RolesOf(const bson::Document& holder) {
  std::set<std::string> roles;
  for (const bson::Element& each : DocumentAt(holder, "roles")) {
    const bson::Document role = each.AsDocument().value_or(bson::Document());
    roles.insert(TextAt(role, "db") + "." + TextAt(role, "role"));
  }
  return roles;
}

// What a role allows: a resource, and one action on it.
std::set<std::pair<Bytes, std::string>> PrivilegesOf(const bson::Document& role) {
  std::set<std::pair<Bytes, std::string>> privileges;
  for (const bson::Element& each : DocumentAt(role, "privileges")) {
    const bson::Document privilege = each.AsDocument().value_or(bson::Document());
    for (const bson::Element& action : DocumentAt(privilege, "actions")) {
      privileges.emplace(CopyOf(DocumentAt(privilege, "resource")),
                         std::string(action.AsString().value_or("")));
    }
  }
  return privileges;
}

// Who somebody is and what they may do. Servers may write that in another order, and other members
// in their own way.
bool IsSame(const Bytes& found_bytes, const Bytes& wanted_bytes) {
  const bson::Document found(found_bytes);
  const bson::Document wanted(wanted_bytes);
  const auto same = [&](std::string_view member) {
    return CopyOf(DocumentAt(found, member)) == CopyOf(DocumentAt(wanted, member));
  };
  return same("credentials") && same("authenticationRestrictions") &&
         RolesOf(found) == RolesOf(wanted) && PrivilegesOf(found) == PrivilegesOf(wanted);
}

void Verify(mongo::Connection& connection, std::string_view collection, const ById& wanted) {
  const ById found = Read(connection, collection);
  for (const auto& [id, document] : wanted) {
    const auto at = found.find(id);
    if (at == found.end() || !IsSame(at->second, document)) {
      throw Error(ErrorCode::kConflict,
                  "restored " + std::string(collection) + " differ from the snapshot in " + id);
    }
  }
  if (found.size() != wanted.size()) {
    throw Error(ErrorCode::kConflict,
                "restored " + std::string(collection) + " differ from the snapshot: " +
                    std::to_string(found.size()) + " instead of " + std::to_string(wanted.size()));
  }
}

// Credentials lie in them: they go whatever happens.
class TemporaryCollections {
 public:
  explicit TemporaryCollections(mongo::Connection& connection) : connection_(connection) {}

  TemporaryCollections(const TemporaryCollections&) = delete;
  TemporaryCollections& operator=(const TemporaryCollections&) = delete;

  ~TemporaryCollections() {
    for (const std::string_view collection : {kTempUsers, kTempRoles}) {
      try {
        Drop(connection_, collection);
      } catch (const Error&) {  // out of reach: the next attempt drops it first
        continue;
      }
    }
  }

 private:
  mongo::Connection& connection_;
};

}  // namespace

std::string AccountsNotTaken(const repo::Accounts& accounts) {
  return "the snapshot has no users and roles, those of the target stay: " + accounts.left_out;
}

void CheckAccountsWritable(mongo::Connection& connection) {
  const TemporaryCollections temporary(connection);
  const Bytes probe = bson::Builder().Append("_id", "tidemark.probe").Finish();
  try {
    Fill(connection, kTempUsers, {{"tidemark.probe", probe}});
  } catch (const Error& error) {
    throw Error(error.code(),
                "restoring users and roles: " + std::string(error.message()),
                error.code() == ErrorCode::kPermissionDenied
                    ? "give the target's login the role restore on admin"
                    : error.hint());
  }
}

void ReplaceAccounts(mongo::Connection& connection, const repo::Accounts& accounts) {
  ById users = ByIdOf(accounts.users);
  ById roles = ByIdOf(accounts.roles);
  const bool has_users = !users.empty();
  const bool has_roles = !roles.empty();
  if (const std::string own = OwnLogin(connection); !own.empty()) {
    const ById present = Read(connection, kUsers);
    users.erase(own);
    if (const auto found = present.find(own); found != present.end()) {
      users[own] = found->second;
      KeepRolesOf(bson::Document(found->second), Read(connection, kRoles), roles);
    }
  }
  const TemporaryCollections temporary(connection);
  if (has_users) {
    Fill(connection, kTempUsers, users);
  }
  if (has_roles) {
    Fill(connection, kTempRoles, roles);
  }
  Merge(connection, has_users, has_roles);
  if (has_users) {
    Verify(connection, kUsers, users);
  }
  if (has_roles) {
    Verify(connection, kRoles, roles);
  }
}

}  // namespace tidemark::delivery
