#include "jobs/runner.h"

#include "base/mutex.h"
#include "base/stage_group.h"
#include "jobs/internal/job_run.h"

namespace tidemark::jobs {
namespace {

class LeasedRunner final : public Runner {
 public:
  LeasedRunner(catalog::Store& store,
               const Clock& clock,
               Log& log,
               const RunnerOptions& options,
               std::map<domain::JobKind, JobHandler> handlers)
      : store_(store),
        clock_(clock),
        log_(log),
        options_(options),
        handlers_(std::move(handlers)),
        workers_(stop_.get_token()) {
    workers_.OnStop([this] { Wake(); });
    for (int i = 0; i < options_.workers; ++i) {
      workers_.Start("job-" + std::to_string(i),
                     [this](const std::stop_token& stop) { Work(stop); });
    }
  }

  ~LeasedRunner() override { Stop(); }

  void Wake() override TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    ++wakes_;
    woken_.NotifyAll();
  }

  void Stop() override TIDEMARK_EXCLUDES(join_mutex_) {
    stop_.request_stop();
    const MutexLock lock(join_mutex_);
    workers_.Wait();
  }

 private:
  void Work(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const std::uint64_t seen = Wakes();
      const std::optional<domain::Job> job = Claim();
      if (job) {
        Run(*job, stop);
      } else {
        WaitForWork(seen);
      }
    }
  }

  // A catalog that cannot be used now is asked again after the poll interval.
  std::optional<domain::Job> Claim() {
    try {
      return store_.ClaimJob(options_.node, clock_.Now(), options_.lease);
    } catch (const std::exception& error) {
      log_.Error("node={}  cannot claim a job: {}", options_.node, error.what());
      return std::nullopt;
    }
  }

  void Run(const domain::Job& job, const std::stop_token& stop) {
    const auto handler = handlers_.find(job.kind);
    if (handler == handlers_.end()) {
      log_.Error(
          "job={}  no handler for a {} job", job.id.ToString(), domain::JobKindName(job.kind));
      return;
    }
    RunJob({store_, clock_, log_}, job, options_.lease, handler->second, stop);
  }

  std::uint64_t Wakes() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return wakes_;
  }

  // Returns at once when somebody called Wake() after `seen` was read: what was queued between is
  // not missed.
  void WaitForWork(std::uint64_t seen) TIDEMARK_EXCLUDES(mutex_) {
    const Deadline deadline = std::chrono::steady_clock::now() + options_.poll;
    const MutexLock lock(mutex_);
    while (wakes_ == seen) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) {
        return;
      }
      woken_.WaitFor(mutex_, left);
    }
  }

  catalog::Store& store_;
  const Clock& clock_;
  Log& log_;
  const RunnerOptions options_;
  const std::map<domain::JobKind, JobHandler> handlers_;
  Mutex mutex_;
  CondVar woken_;
  std::uint64_t wakes_ TIDEMARK_GUARDED_BY(mutex_) = 0;
  std::stop_source stop_;
  Mutex join_mutex_;
  StageGroup workers_;
};

}  // namespace

std::unique_ptr<Runner> Runner::Start(catalog::Store& store,
                                      const Clock& clock,
                                      Log& log,
                                      const RunnerOptions& options,
                                      std::map<domain::JobKind, JobHandler> handlers) {
  return std::make_unique<LeasedRunner>(store, clock, log, options, std::move(handlers));
}

}  // namespace tidemark::jobs
