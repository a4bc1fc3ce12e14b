#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "tests/support/memory/faults.h"
#include "tests/support/memory/store.h"
#include "tests/support/memory/stream.h"
#include "wire/message.h"

namespace tidemark::memory {

// What the server says of itself.
struct Identity {
  std::string version = "6.0.16";
  std::string login = {};        // "admin.root": whom connectionStatus names
  std::string replica_set = {};  // empty: standalone
  std::string address = {};      // "127.0.0.1:port"
};

struct Cursor {
  std::int64_t id = 0;  // 0: not registered yet
  std::string ns;
  StreamPtr stream;
  Bytes pending;  // a document that did not fit the last batch
  bool tailable = false;
  bool awaits_data = false;
};

using CursorPtr = std::unique_ptr<Cursor>;

// All that commands act on.
struct State {
  State(Identity who, const StoreOptions& options, const Clock& time, RandomSource& source)
      : identity(std::move(who)), clock(time), random(source), store(options, time, source) {}

  const Identity identity;
  const Clock& clock;
  RandomSource& random;
  Store store;
  std::map<std::int64_t, CursorPtr> cursors;
  std::int64_t next_cursor = 1000;
  bool primary = true;

  bool IsReplicaSet() const { return !identity.replica_set.empty(); }
};

// One command under way.
struct Call {
  State& state;
  Faults& faults;
  const wire::Request& request;
  const std::vector<Fault>& met;
  std::int32_t connection = 0;

  const bson::Document& command() const { return request.command; }

  std::string_view name() const { return request.command.begin()->name; }

  std::string_view database() const { return request.database; }

  // The command's own value: a collection's name. Throws CommandError InvalidNamespace.
  std::string_view Collection() const;

  // Null when it is not there.
  NamespacePtr Find() const { return state.store.Find(database(), Collection()); }

  // Throws CommandError NamespaceNotFound.
  NamespacePtr Existing() const;
};

// A cursor's next batch.
struct Page {
  CursorPtr cursor;
  std::int64_t batch_size = -1;  // documents; -1: as many as fit
  bool single = false;           // the cursor ends with this batch
  wire::Batch batch = wire::Batch::kFirst;
  std::chrono::milliseconds wait{0};  // for the first document of a cursor that awaits data
};

// The reply's fields but `ok`; empty bytes: nothing but that.
using Handler = Bytes (*)(Call&);
using CursorHandler = Page (*)(Call&);

struct CommandRow {
  std::string_view name;
  Access access;
  Handler run;  // one of the two
  CursorHandler open = nullptr;
};

// Null when there is no such command.
const CommandRow* FindCommand(std::string_view name);

// memory/commands_*.cpp
Bytes Hello(Call& call);
Bytes BuildInfo(Call& call);
Bytes ServerStatus(Call& call);
Bytes GetParameter(Call& call);
Bytes HostInfo(Call& call);
Bytes ReplSetGetStatus(Call& call);
Bytes ReplSetGetConfig(Call& call);
Bytes ReplSetStepDown(Call& call);
Bytes ConnectionStatus(Call& call);
Bytes GetLog(Call& call);
Bytes GetCmdLineOpts(Call& call);
Bytes AppendOplogNote(Call& call);
Bytes TidemarkFault(Call& call);
Bytes UsersInfo(Call& call);
Bytes RolesInfo(Call& call);
Bytes CreateUser(Call& call);
Bytes CreateRole(Call& call);
Bytes DropUser(Call& call);
Bytes DropRole(Call& call);
Bytes MergeAuthzCollections(Call& call);

Bytes ListDatabases(Call& call);
Page ListCollections(Call& call);
Page ListIndexes(Call& call);
Bytes Create(Call& call);
Bytes CreateIndexes(Call& call);
Bytes DropIndexes(Call& call);
Bytes Drop(Call& call);
Bytes DropDatabase(Call& call);
Bytes RenameCollection(Call& call);
Bytes CollMod(Call& call);
Bytes CollStats(Call& call);
Bytes DbStats(Call& call);

Page Find(Call& call);
Page Aggregate(Call& call);
Page GetMore(Call& call);
Bytes KillCursors(Call& call);
Bytes Count(Call& call);
Bytes Distinct(Call& call);
Bytes Insert(Call& call);
Bytes Update(Call& call);
Bytes Delete(Call& call);

}  // namespace tidemark::memory
