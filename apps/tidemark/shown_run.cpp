#include "shown_run.h"

#include "base/mutex.h"
#include "base/stage_group.h"
#include "output.h"

namespace tidemark::app {
namespace {

// What the working thread tells the one that shows it. Synchronized.
class SharedProgress {
 public:
  void Report(const engine::Progress& progress) TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    progress_ = progress;
  }

  void End(std::string_view state) TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    state_ = state;
  }

  // As the API shows a job.
  boost::json::value Look() const TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return {{"state", state_},
            {"progress",
             {{"phase", progress_.phase},
              {"documentsDone", progress_.documents_done},
              {"documentsTotal", progress_.documents_total},
              {"bytesDone", progress_.bytes_done}}}};
  }

 private:
  mutable Mutex mutex_;
  std::string state_ TIDEMARK_GUARDED_BY(mutex_) = "RUNNING";
  engine::Progress progress_ TIDEMARK_GUARDED_BY(mutex_);
};

}  // namespace

void RunShown(
    OutputFormat output,
    const std::function<void(const std::stop_token& stop, const ProgressReport& report)>& work) {
  SharedProgress progress;
  StageGroup group;
  group.Start("work", [&](const std::stop_token& stop) {
    try {
      work(stop, [&](const engine::Progress& now) { progress.Report(now); });
      progress.End("COMPLETED");
    } catch (const std::exception&) {
      progress.End("FAILED");
      throw;
    }
  });
  Watch(output, [&] { return progress.Look(); });
  group.Wait();
}

}  // namespace tidemark::app
