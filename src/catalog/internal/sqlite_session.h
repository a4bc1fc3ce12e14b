#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <unordered_map>

#include <sqlite3.h>

#include "base/c_handle.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/object_id.h"
#include "base/secret.h"

// The wall around the SQLite library: above it there are only Session, Query, Transaction and
// Error.
namespace tidemark::catalog {

// Bytes that are not text; stored as a BLOB.
struct Blob {
  std::string_view bytes;
};

// One connection and the statements prepared on it. Confined to one thread at a time.
class Session {
 public:
  // Opens (creates, readable by the owner only) the file with the durability every write relies on.
  Session(const std::string& path, std::chrono::milliseconds busy_timeout);

  // Runs statements that give no rows.
  void Execute(const std::string& statements);

  // Rows changed by the last statement.
  std::int64_t ChangedRows() const { return sqlite3_changes64(handle_.get()); }

 private:
  friend class Query;
  friend class Transaction;

  // Kept for the life of the session, by a view. Bounded: `sql` is always a literal or constant of
  // this module.
  sqlite3_stmt* Prepared(std::string_view sql);
  void Check(int result, std::string_view doing) const;

  CHandle<sqlite3, sqlite3_close> handle_;
  std::unordered_map<std::string_view, CHandle<sqlite3_stmt, sqlite3_finalize>> prepared_;
};

// One run of a prepared statement: `?1`, `?2` ... are the arguments in order. A tuple of references
// (std::tie) counts as as many arguments as it has members, so that a module says once which
// members of a value stand in which columns, for writing and for reading. REQUIRES: `sql` is a
// string literal or constant, and no other Query of that text is alive on the session.
class Query {
 public:
  template <class... Args>
  Query(Session& session, std::string_view sql, const Args&... args)
      : session_(session), statement_(session.Prepared(sql)) {
    int index = 0;
    (BindNext(index, args), ...);
  }

  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Steps to the next row; false when there is none. Blocks for at most the session's busy timeout.
  bool Next();
  // Runs to the end; the number of rows it changed.
  std::int64_t Run();

  // The columns of the current row, from the first one on; `values` are variables and tuples of
  // references to them.
  template <class... Values>
  void Read(Values&&... values) const {
    int index = 0;
    (LoadNext(index, values), ...);
  }

 private:
  template <class T>
  void BindNext(int& index, const T& value) {
    Bind(++index, value);
  }

  template <class... Members>
  void BindNext(int& index, const std::tuple<Members&...>& members) {
    std::apply([&](const Members&... each) { (BindNext(index, each), ...); }, members);
  }

  template <class T>
  void LoadNext(int& index, T& value) const {
    Load(index++, value);
  }

  template <class... Members>
  void LoadNext(int& index, std::tuple<Members&...>& members) const {
    std::apply([&](Members&... each) { (LoadNext(index, each), ...); }, members);
  }

  void Bind(int index, std::string_view text);
  void Bind(int index, Blob blob);
  void BindInteger(int index, std::int64_t value);
  void BindNull(int index);

  template <class T>
    requires std::integral<T> || std::is_enum_v<T>
  void Bind(int index, T value) {
    BindInteger(index, static_cast<std::int64_t>(value));
  }

  void Bind(int index, const Secret& value) { Bind(index, Blob{value.Reveal()}); }

  void Bind(int index, Instant value) { BindInteger(index, ToMicros(value)); }

  void Bind(int index, const ObjectId& id);

  template <class Tag>
  void Bind(int index, const TypedId<Tag>& id) {
    Bind(index, id.raw());
  }

  template <class T>
  void Bind(int index, const std::optional<T>& value) {
    value ? Bind(index, *value) : BindNull(index);
  }

  bool IsNull(int index) const;
  std::int64_t LoadInteger(int index) const;
  void Load(int index, std::string& value) const;
  void Load(int index, Secret& value) const;

  void Load(int index, Instant& value) const { value = FromMicros(LoadInteger(index)); }

  template <class T>
  void Load(int index, std::optional<T>& value) const {
    value.reset();
    if (!IsNull(index)) {
      Load(index, value.emplace());
    }
  }

  void Load(int index, bool& value) const { value = LoadInteger(index) != 0; }

  void Load(int index, ObjectId& id) const;

  template <class T>
    requires std::integral<T> || std::is_enum_v<T>
  void Load(int index, T& value) const {
    value = static_cast<T>(LoadInteger(index));
  }

  template <class Tag>
  void Load(int index, TypedId<Tag>& id) const {
    ObjectId raw;
    Load(index, raw);
    id = TypedId<Tag>(raw);
  }

  Session& session_;
  sqlite3_stmt* statement_;  // owned by the session
};

// kWrite takes the write lock at once: a transaction that reads first and writes later would be
// refused whatever the timeout when somebody else has written in between.
enum class TransactionKind { kRead, kWrite };

// Rolls back unless committed. Confined.
class Transaction {
 public:
  Transaction(Session& session, TransactionKind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Durable when it returns. REQUIRES: no Query of the session is alive.
  void Commit();

 private:
  Session& session_;
  bool open_ = true;
};

}  // namespace tidemark::catalog
