#pragma once

#include "base/mutex.h"
#include "tests/support/memory/commands.h"

namespace tidemark::memory {

// Executes commands, one at a time but for those that wait. Synchronized.
class Executor {
 public:
  Executor(Identity identity, const StoreOptions& options, const Clock& clock, RandomSource& random)
      : state_(std::move(identity), options, clock, random) {}

  enum class Outcome {
    kReply,  // `out` holds it
    kDrop,   // close the connection without an answer
  };

  // Blocks: a delayed command, or a cursor that awaits data.
  Outcome Run(const wire::Request& request, std::int32_t connection, Bytes& out)
      TIDEMARK_EXCLUDES(mutex_);

  // Ends all waiting, for good.
  void Stop() TIDEMARK_EXCLUDES(mutex_);

  template <class Use>
  void WithState(const Use& use) TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    use(state_);
    changed_.NotifyAll();
  }

  Faults& faults() { return faults_; }

 private:
  void Hold() TIDEMARK_EXCLUDES(mutex_);
  void Delay(std::chrono::milliseconds delay) TIDEMARK_EXCLUDES(mutex_);
  void Execute(Call& call, const CommandRow* row, Bytes& out) TIDEMARK_REQUIRES(mutex_);
  void CheckMayRun(const Call& call, const CommandRow& row) const TIDEMARK_REQUIRES(mutex_);
  void WritePage(const Call& call, Page page, Bytes& out) TIDEMARK_REQUIRES(mutex_);
  void WriteError(const Call& call, const CommandError& error, Bytes& out)
      TIDEMARK_REQUIRES(mutex_);
  void AppendTrailer(bson::Builder& reply, double ok) TIDEMARK_REQUIRES(mutex_);

  Faults faults_;
  Mutex mutex_;
  CondVar changed_;
  State state_ TIDEMARK_GUARDED_BY(mutex_);
  bool stopped_ TIDEMARK_GUARDED_BY(mutex_) = false;
  std::int32_t next_reply_ TIDEMARK_GUARDED_BY(mutex_) = 1;
};

}  // namespace tidemark::memory
