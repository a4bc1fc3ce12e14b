#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stop_token>

#include "base/mutex.h"
#include "domain/schedule.h"
#include "service/environment.h"
#include "service/repository_service.h"

namespace tidemark::service {

struct SchedulerOptions {
  std::chrono::hours collect_every{
      24};                        // least time between two collections of a project; 0: never
  std::chrono::seconds poll{15};  // between two passes
};

// Makes schedules happen: queues what is due, tries again what has failed, exports what is to be
// exported, deletes what has expired, and has the garbage of that collected. Everything is decided
// from the catalog and guarded in it, so that it goes on after a restart where it was, and several
// nodes may run it at once. Confined: one thread calls RunOnce or Work.
class Scheduler {
 public:
  Scheduler(Environment& environment,
            RepositoryService& repository,
            const SchedulerOptions& options)
      : env_(environment), repository_(repository), options_(options) {}

  // One pass at the clock's present. Failures are logged; the next pass tries again.
  void RunOnce();
  // The body of a thread: a pass at once and then every `poll`; returns soon after `stop`.
  void Work(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);

 private:
  void MakeSchedules(Instant now);
  // Schedules whose next due time was made by a clock that has been set back since, perhaps while
  // no server ran: it would come much too late.
  void Realign(Instant now);
  void StepSchedules(Instant now);
  // False when there was nothing to do.
  bool Step(const domain::Schedule& schedule, Instant now);
  void QueueExports();
  // Leaves out a due time that has a snapshot already.
  void SkipTaken(const domain::Schedule& schedule, Instant next_due);
  void Expire(Instant now);
  void Sweep(Instant now);
  void Collect(Instant now);
  void LookAtCollections();

  Environment& env_;
  RepositoryService& repository_;
  const SchedulerOptions options_;
  std::optional<Instant> last_pass_;
  std::map<ProjectId, ObjectId> collecting_;  // tasks whose end has not been looked at
  Mutex mutex_;
  CondVar stopped_;
};

}  // namespace tidemark::service
