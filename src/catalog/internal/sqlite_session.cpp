#include "catalog/internal/sqlite_session.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tidemark::catalog {
namespace {

ErrorCode CodeOf(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
      return ErrorCode::kConflict;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
    case SQLITE_CONSTRAINT_TRIGGER:  // ours tell that a row has gone, or is protected
      return ErrorCode::kNotFound;
    default:
      break;
  }
  switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return ErrorCode::kUnavailable;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return ErrorCode::kResourceExhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kCorrupt;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return ErrorCode::kIo;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return ErrorCode::kPermissionDenied;
    default:
      return ErrorCode::kInternal;
  }
}

constexpr std::string_view kInMemory = ":memory:";  // no file: SQLite's name for it

// SQLite would create the file with the mode of any other; it holds sealed secrets. Only with
// O_EXCL: closing a descriptor of a file that is open elsewhere in the process would drop SQLite's
// locks on it.
void CreatePrivate(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor >= 0) {
    ::close(descriptor);
  } else if (errno != EEXIST) {
    ThrowErrno(errno, "create the catalog", path);
  }
}

}  // namespace

Session::Session(const std::string& path, std::chrono::milliseconds busy_timeout) {
  if (path != kInMemory) {
    CreatePrivate(path);
  }
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  handle_.reset(raw);
  Check(result, "cannot open the catalog " + path);
  Check(sqlite3_busy_timeout(raw, static_cast<int>(busy_timeout.count())), "busy timeout");
  Execute("PRAGMA journal_mode = WAL");
  Execute("PRAGMA synchronous = FULL");
  Execute("PRAGMA foreign_keys = ON");
}

void Session::Execute(const std::string& statements) {
  Check(sqlite3_exec(handle_.get(), statements.c_str(), nullptr, nullptr, nullptr),
        "catalog statement failed");
}

sqlite3_stmt* Session::Prepared(std::string_view sql) {
  const auto found = prepared_.find(sql);
  if (found != prepared_.end()) {
    return found->second.get();
  }
  sqlite3_stmt* raw = nullptr;
  const int result = sqlite3_prepare_v3(handle_.get(),
                                        sql.data(),
                                        static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT,
                                        &raw,
                                        nullptr);
  Check(result, "catalog statement failed");
  prepared_.emplace(sql, CHandle<sqlite3_stmt, sqlite3_finalize>(raw));
  return raw;
}

void Session::Check(int result, std::string_view doing) const {
  if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) {
    return;
  }
  const char* why = handle_ ? sqlite3_errmsg(handle_.get()) : sqlite3_errstr(result);
  const bool protection =
      result == SQLITE_CONSTRAINT_TRIGGER && std::string_view(why).starts_with("protected: ");
  throw Error(protection ? ErrorCode::kPermissionDenied : CodeOf(result),
              std::string(doing) + ": " + why);
}

Query::~Query() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Query::Next() {
  const int result = sqlite3_step(statement_);
  session_.Check(result, "catalog statement failed");
  return result == SQLITE_ROW;
}

std::int64_t Query::Run() {
  while (Next()) {
  }
  return session_.ChangedRows();
}

// SQLITE_TRANSIENT: the library copies, so that a caller may pass temporaries.
void Query::Bind(int index, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  session_.Check(
      sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8),
      "catalog argument");
}

void Query::Bind(int index, Blob blob) {
  const char* data = blob.bytes.data() == nullptr ? "" : blob.bytes.data();
  session_.Check(sqlite3_bind_blob64(statement_, index, data, blob.bytes.size(), SQLITE_TRANSIENT),
                 "catalog argument");
}

void Query::BindInteger(int index, std::int64_t value) {
  session_.Check(sqlite3_bind_int64(statement_, index, value), "catalog argument");
}

void Query::BindNull(int index) {
  session_.Check(sqlite3_bind_null(statement_, index), "catalog argument");
}

void Query::Bind(int index, const ObjectId& id) {
  id.IsZero() ? BindNull(index) : Bind(index, std::string_view(id.ToString()));
}

bool Query::IsNull(int index) const {
  return sqlite3_column_type(statement_, index) == SQLITE_NULL;
}

std::int64_t Query::LoadInteger(int index) const {
  return sqlite3_column_int64(statement_, index);
}

void Query::Load(int index, std::string& value) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, index));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, index));
  value = data == nullptr ? std::string() : std::string(data, size);
}

void Query::Load(int index, Secret& value) const {
  std::string text;
  Load(index, text);
  value = Secret(std::move(text));
}

void Query::Load(int index, ObjectId& id) const {
  id = ObjectId();
  if (IsNull(index)) {
    return;
  }
  std::string text;
  Load(index, text);
  const std::optional<ObjectId> parsed = ObjectId::Parse(text);
  if (!parsed) {
    throw Error(ErrorCode::kCorrupt, "catalog row is damaged: '" + text + "' is not an id");
  }
  id = *parsed;
}

Transaction::Transaction(Session& session, TransactionKind kind) : session_(session) {
  session_.Execute(kind == TransactionKind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN");
}

Transaction::~Transaction() {
  if (open_) {
    // Nothing can be done about a failure: the lock then ends with the connection.
    sqlite3_exec(session_.handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Transaction::Commit() {
  session_.Execute("COMMIT");
  open_ = false;
}

}  // namespace tidemark::catalog
