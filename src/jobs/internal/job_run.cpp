#include "jobs/internal/job_run.h"

#include <algorithm>

#include "base/error.h"
#include "base/mutex.h"
#include "base/stage_group.h"

namespace tidemark::jobs {
namespace {

// One handler's hold on its job. Synchronized: a handler's stages report from their own threads.
class Hold {
 public:
  Hold(const RunDeps& deps,
       const domain::Job& job,
       std::chrono::seconds lease_time,
       const std::stop_token& parent)
      : deps_(deps),
        lease_{job.id, job.fence},
        lease_time_(lease_time),
        link_(parent, [this] { stop_.request_stop(); }) {}

  const domain::Lease& lease() const { return lease_; }

  std::stop_token token() const { return stop_.get_token(); }

  // The body of the thread beside the handler: three chances to extend before the lease passes.
  void KeepAlive(const std::stop_token& handler_done) TIDEMARK_EXCLUDES(mutex_) {
    const std::stop_callback wake(handler_done, [this] { WakeKeeper(); });
    while (WaitForTick(handler_done)) {
      Extend();
    }
  }

  void Report(const domain::JobProgress& progress) TIDEMARK_EXCLUDES(mutex_) {
    if (TakeReportSlot()) {
      Require(deps_.store.SaveProgress(lease_, progress));
    }
  }

  void SaveCheckpoint(const std::string& checkpoint) {
    Require(deps_.store.SaveCheckpoint(lease_, checkpoint));
  }

 private:
  // A catalog that is busy costs one tick, not the job: the fence protects what others do
  // meanwhile.
  void Extend() {
    try {
      if (!deps_.store.ExtendLease(lease_, deps_.clock.Now() + lease_time_)) {
        Lose();
      }
    } catch (const Error& error) {
      deps_.log.Warn("job={}  cannot extend the lease: {}", lease_.job.ToString(), error.message());
    }
  }

  void Require(bool held) {
    if (!held) {
      Lose();
      throw Error(ErrorCode::kCancelled,
                  "job " + lease_.job.ToString() + " ended: its lease is lost");
    }
  }

  void Lose() TIDEMARK_EXCLUDES(mutex_) {
    {
      const MutexLock lock(mutex_);
      if (lost_) {
        return;
      }
      lost_ = true;
    }
    deps_.log.Warn("job={} fence={}  lease lost", lease_.job.ToString(), lease_.fence);
    stop_.request_stop();
  }

  // True at most once a second.
  bool TakeReportSlot() TIDEMARK_EXCLUDES(mutex_) {
    const Instant now = deps_.clock.Now();
    const MutexLock lock(mutex_);
    if (reported_ && now < *reported_ + std::chrono::seconds{1} && now >= *reported_) {
      return false;
    }
    reported_ = now;
    return true;
  }

  // False when the handler is done or the lease is lost: nothing is left to keep.
  bool WaitForTick(const std::stop_token& handler_done) TIDEMARK_EXCLUDES(mutex_) {
    const Deadline deadline =
        std::chrono::steady_clock::now() + std::chrono::milliseconds{lease_time_} / 3;
    const MutexLock lock(mutex_);
    while (!handler_done.stop_requested() && !lost_) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) {
        return true;
      }
      tick_.WaitFor(mutex_, left);
    }
    return false;
  }

  void WakeKeeper() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    tick_.NotifyAll();
  }

  const RunDeps deps_;
  const domain::Lease lease_;
  const std::chrono::seconds lease_time_;
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> link_;
  Mutex mutex_;
  CondVar tick_;
  bool lost_ TIDEMARK_GUARDED_BY(mutex_) = false;
  std::optional<Instant> reported_ TIDEMARK_GUARDED_BY(mutex_);
};

JobContext MakeContext(const domain::Job& job, Hold& hold) {
  return {.job = job,
          .lease = hold.lease(),
          .stop = hold.token(),
          .report = [&hold](const domain::JobProgress& progress) { hold.Report(progress); },
          .save_checkpoint = [&hold](const std::string& text) { hold.SaveCheckpoint(text); }};
}

// False when it threw although nobody had asked it to stop.
bool CallHandler(const RunDeps& deps, const JobHandler& handler, const JobContext& context) {
  try {
    handler(context);
    return true;
  } catch (const std::exception& error) {
    if (context.stop.stop_requested()) {
      return true;
    }
    deps.log.Error("job={} kind={}  handler failed: {}",
                   context.job.id.ToString(),
                   domain::JobKindName(context.job.kind),
                   error.what());
    return false;
  }
}

// Changes nothing when the handler has finished the job or the lease is lost.
void HandBack(const RunDeps& deps, const domain::Lease& lease) {
  try {
    if (deps.store.ReleaseJob(lease)) {
      deps.log.Info("job={}  handed back", lease.job.ToString());
    }
  } catch (const Error& error) {
    deps.log.Warn(
        "job={}  cannot hand back, the lease will pass: {}", lease.job.ToString(), error.message());
  }
}

}  // namespace

void RunJob(const RunDeps& deps,
            const domain::Job& job,
            std::chrono::seconds lease_time,
            const JobHandler& handler,
            const std::stop_token& stop) {
  deps.log.Info("job={} kind={} attempt={}  started",
                job.id.ToString(),
                domain::JobKindName(job.kind),
                job.attempts);
  Hold hold(deps, job, lease_time, stop);
  bool ended_well = false;
  {
    std::jthread keeper([&hold](const std::stop_token& done) { hold.KeepAlive(done); });
    ended_well = CallHandler(deps, handler, MakeContext(job, hold));
  }
  if (ended_well && hold.token().stop_requested()) {
    HandBack(deps, hold.lease());
  }
}

}  // namespace tidemark::jobs
