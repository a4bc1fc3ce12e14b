#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "catalog/internal/sqlite_session.h"
#include "catalog/store.h"

namespace tidemark::catalog {

// The connections of one store. A write waits here for the write before it, in place of SQLite's
// sleeping retries; those remain for other processes. Synchronized.
class SessionPool {
 public:
  explicit SessionPool(const SqliteOptions& options);

  // Changes with every write of this process before whoever wrote goes on; one process has a
  // catalog at a time. What was read after it was asked for is true until it changes.
  std::uint64_t generation() const { return generation_; }

  // A borrowed connection, given back when destroyed. The pool must outlive it.
  class Lease {
   public:
    Lease(SessionPool& pool, TransactionKind kind)
        : pool_(pool), kind_(kind), session_(pool.Take(kind)) {}

    ~Lease() { pool_.GiveBack(std::move(session_), kind_); }

    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    Session& session() const { return *session_; }

   private:
    SessionPool& pool_;
    TransactionKind kind_;
    std::unique_ptr<Session> session_;
  };

 private:
  // kUnavailable when none comes free within the busy timeout.
  std::unique_ptr<Session> Take(TransactionKind kind) TIDEMARK_EXCLUDES(mutex_);
  void GiveBack(std::unique_ptr<Session> session, TransactionKind kind) TIDEMARK_EXCLUDES(mutex_);
  bool CanTake(TransactionKind kind) const TIDEMARK_REQUIRES(mutex_);

  const std::chrono::milliseconds busy_timeout_;
  std::atomic<std::uint64_t> generation_ = 1;
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::unique_ptr<Session>> idle_ TIDEMARK_GUARDED_BY(mutex_);
  bool writing_ TIDEMARK_GUARDED_BY(mutex_) = false;
};

// A connection for statements that only read; each sees the newest committed state.
class Reader {
 public:
  explicit Reader(SessionPool& pool) : lease_(pool, TransactionKind::kRead) {}

  // NOLINTNEXTLINE(google-explicit-constructor): it stands for one
  operator Session&() const { return lease_.session(); }

 private:
  SessionPool::Lease lease_;
};

// A connection inside a transaction: one moment of the catalog for several statements, or the one
// write.
template <TransactionKind kKind>
class Scope {
 public:
  explicit Scope(SessionPool& pool) : lease_(pool, kKind), transaction_(lease_.session(), kKind) {}

  // NOLINTNEXTLINE(google-explicit-constructor): it stands for one
  operator Session&() const { return lease_.session(); }

  void Commit() { transaction_.Commit(); }

 private:
  SessionPool::Lease lease_;
  Transaction transaction_;
};

using ReadScope = Scope<TransactionKind::kRead>;
using WriteScope = Scope<TransactionKind::kWrite>;

}  // namespace tidemark::catalog
