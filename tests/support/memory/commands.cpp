#include "tests/support/memory/commands.h"

#include <algorithm>
#include <array>

#include "tests/support/memory/command_error.h"

namespace tidemark::memory {
namespace {

Bytes Nothing(Call& call) {
  static_cast<void>(call);
  return {};
}

Bytes NoTransactions(Call& call) {
  throw CommandError(
      251, "NoSuchTransaction", "this server has no transactions: " + std::string(call.name()));
}

Bytes NoAuthentication(Call& call) {
  static_cast<void>(call);
  throw CommandError(18, "AuthenticationFailed", "this server knows no authentication");
}

constexpr std::array kCommands{
    CommandRow{"hello", Access::kAny, Hello},
    CommandRow{"isMaster", Access::kAny, Hello},
    CommandRow{"ismaster", Access::kAny, Hello},
    CommandRow{"ping", Access::kAny, Nothing},
    CommandRow{"buildInfo", Access::kAny, BuildInfo},
    CommandRow{"buildinfo", Access::kAny, BuildInfo},
    CommandRow{"serverStatus", Access::kAny, ServerStatus},
    CommandRow{"getParameter", Access::kAny, GetParameter},
    CommandRow{"hostInfo", Access::kAny, HostInfo},
    CommandRow{"replSetGetStatus", Access::kAny, ReplSetGetStatus},
    CommandRow{"replSetGetConfig", Access::kAny, ReplSetGetConfig},
    CommandRow{"replSetStepDown", Access::kAny, ReplSetStepDown},
    CommandRow{"connectionStatus", Access::kAny, ConnectionStatus},
    CommandRow{"getLog", Access::kAny, GetLog},
    CommandRow{"getCmdLineOpts", Access::kAny, GetCmdLineOpts},
    CommandRow{"appendOplogNote", Access::kWrite, AppendOplogNote},
    CommandRow{"tidemarkFault", Access::kAny, TidemarkFault},
    CommandRow{"startSession", Access::kAny, Nothing},
    CommandRow{"refreshSessions", Access::kAny, Nothing},
    CommandRow{"endSessions", Access::kAny, Nothing},
    CommandRow{"killSessions", Access::kAny, Nothing},
    CommandRow{"commitTransaction", Access::kAny, NoTransactions},
    CommandRow{"abortTransaction", Access::kAny, NoTransactions},
    CommandRow{"saslStart", Access::kAny, NoAuthentication},
    CommandRow{"authenticate", Access::kAny, NoAuthentication},
    CommandRow{"logout", Access::kAny, Nothing},
    CommandRow{"usersInfo", Access::kRead, UsersInfo},
    CommandRow{"rolesInfo", Access::kRead, RolesInfo},
    CommandRow{"createUser", Access::kWrite, CreateUser},
    CommandRow{"createRole", Access::kWrite, CreateRole},
    CommandRow{"dropUser", Access::kWrite, DropUser},
    CommandRow{"dropRole", Access::kWrite, DropRole},
    CommandRow{"_mergeAuthzCollections", Access::kWrite, MergeAuthzCollections},
    CommandRow{"listDatabases", Access::kRead, ListDatabases},
    CommandRow{"listCollections", Access::kRead, nullptr, ListCollections},
    CommandRow{"listIndexes", Access::kRead, nullptr, ListIndexes},
    CommandRow{"create", Access::kWrite, Create},
    CommandRow{"createIndexes", Access::kWrite, CreateIndexes},
    CommandRow{"dropIndexes", Access::kWrite, DropIndexes},
    CommandRow{"deleteIndexes", Access::kWrite, DropIndexes},
    CommandRow{"drop", Access::kWrite, Drop},
    CommandRow{"dropDatabase", Access::kWrite, DropDatabase},
    CommandRow{"renameCollection", Access::kWrite, RenameCollection},
    CommandRow{"collMod", Access::kWrite, CollMod},
    CommandRow{"collStats", Access::kRead, CollStats},
    CommandRow{"dbStats", Access::kRead, DbStats},
    CommandRow{"dbstats", Access::kRead, DbStats},
    CommandRow{"find", Access::kRead, nullptr, Find},
    CommandRow{"aggregate", Access::kRead, nullptr, Aggregate},
    CommandRow{"getMore", Access::kAny, nullptr, GetMore},
    CommandRow{"killCursors", Access::kAny, KillCursors},
    CommandRow{"count", Access::kRead, Count},
    CommandRow{"distinct", Access::kRead, Distinct},
    CommandRow{"insert", Access::kWrite, Insert},
    CommandRow{"update", Access::kWrite, Update},
    CommandRow{"delete", Access::kWrite, Delete},
};

}  // namespace

const CommandRow* FindCommand(std::string_view name) {
  const auto row = std::ranges::find(kCommands, name, &CommandRow::name);
  return row == kCommands.end() ? nullptr : &*row;
}

std::string_view Call::Collection() const {
  const auto name = command().begin()->AsString();
  if (!name || name->empty()) {
    throw CommandError(73, "InvalidNamespace", "collection name has invalid type or is empty");
  }
  return *name;
}

NamespacePtr Call::Existing() const {
  NamespacePtr ns = Find();
  if (ns == nullptr) {
    throw CommandError(
        26,
        "NamespaceNotFound",
        "ns does not exist: " + std::string(database()) + "." + std::string(Collection()));
  }
  return ns;
}

}  // namespace tidemark::memory
