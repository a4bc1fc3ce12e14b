#include "catalog/internal/session_pool.h"

#include "catalog/internal/migrate.h"

namespace tidemark::catalog {

SessionPool::SessionPool(const SqliteOptions& options) : busy_timeout_(options.busy_timeout) {
  for (int i = 0; i < options.connections; ++i) {
    auto session = std::make_unique<Session>(options.path, options.busy_timeout);
    if (i == 0) {
      Migrate(*session);
    }
    idle_.push_back(std::move(session));
  }
}

bool SessionPool::CanTake(TransactionKind kind) const {
  return !idle_.empty() && !(kind == TransactionKind::kWrite && writing_);
}

std::unique_ptr<Session> SessionPool::Take(TransactionKind kind) {
  const Deadline deadline = std::chrono::steady_clock::now() + busy_timeout_;
  const MutexLock lock(mutex_);
  while (!CanTake(kind)) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) {
      throw Error(ErrorCode::kUnavailable,
                  "catalog is busy: no connection came free in " +
                      std::to_string(busy_timeout_.count()) + " ms");
    }
    changed_.WaitFor(mutex_, left);
  }
  writing_ = writing_ || kind == TransactionKind::kWrite;
  std::unique_ptr<Session> session = std::move(idle_.back());
  idle_.pop_back();
  return session;
}

void SessionPool::GiveBack(std::unique_ptr<Session> session, TransactionKind kind) {
  const MutexLock lock(mutex_);
  idle_.push_back(std::move(session));
  if (kind == TransactionKind::kWrite) {
    ++generation_;
    writing_ = false;
  }
  changed_.NotifyAll();
}

}  // namespace tidemark::catalog
