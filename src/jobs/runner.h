#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "catalog/store.h"

// Runs queued jobs under leases. Does not know what a job does.
namespace tidemark::jobs {

// What a handler gets. `save_*` throw kCancelled when the lease is lost; the handler then just
// unwinds.
struct JobContext {
  domain::Job job;
  domain::Lease lease;
  std::stop_token stop;  // server stops, or the lease is lost
  std::function<void(const domain::JobProgress&)>
      report;  // stored at most once a second; cheap otherwise
  std::function<void(const std::string&)> save_checkpoint;  // durable when it returns
};

// Does the job's work and finishes it in the catalog through the lease (FinishSnapshot,
// FinishRestore), also when the work failed. An exception that leaves a handler while `stop` is set
// hands the job back; any other one is a bug of the handler: it is logged and the lease is left to
// expire.
using JobHandler = std::function<void(const JobContext&)>;

struct RunnerOptions {
  std::string node;  // names this process in leases
  int workers = 2;   // jobs at once
  std::chrono::seconds lease{15};
  std::chrono::milliseconds poll{500};  // how often an idle worker looks, besides Wake()
};

// Worker threads that claim jobs, keep their leases alive (a third of the lease) and call the
// handler of the kind. Synchronized. Destroying it stops.
class Runner {
 public:
  // `store`, `clock` and `log` must outlive the runner. Starts the workers.
  static std::unique_ptr<Runner> Start(catalog::Store& store,
                                       const Clock& clock,
                                       Log& log,
                                       const RunnerOptions& options,
                                       std::map<domain::JobKind, JobHandler> handlers);
  virtual ~Runner() = default;
  // A job was queued: look now.
  virtual void Wake() = 0;
  // Takes no more jobs, asks running handlers to stop, hands their jobs back, joins. May be
  // repeated.
  virtual void Stop() = 0;
};

}  // namespace tidemark::jobs
