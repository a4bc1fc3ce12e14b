#include <filesystem>

#include "base/error.h"
#include "tests/fault/campaign.h"
#include "tests/fault/disk_model.h"
#include "tests/fault/file_faults.h"
#include "tests/fault/history.h"

namespace tidemark::fault {
namespace {

namespace fs = std::filesystem;

std::function<std::unique_ptr<blob::BlobStore>()> Opener(const fs::path& root) {
  return [root] { return blob::OpenDirectoryStore(root.string()); };
}

void Act(const History::Step& step, const fs::path& root) {
  Session session(blob::OpenDirectoryStore(root.string()));
  step.act(session);
}

class PowerCampaign {
 public:
  explicit PowerCampaign(const CampaignOptions& options)
      : options_(options),
        history_(options.seed),
        random_(options.seed + 1),
        live_(options.directory / "live"),
        before_(options.directory / "before"),
        left_(options.directory / "left") {}

  CampaignReport Run() {
    fs::remove_all(live_);
    fs::create_directories(live_);
    for (const History::Step& step : history_.steps()) {
      fs::remove_all(before_);
      fs::copy(live_, before_, fs::copy_options::recursive);
      LoseDuring(step);
      DieThenLose(step);
      FailThenLose(step);
    }
    return report_;
  }

 private:
  // The power fails after each call of the step.
  void LoseDuring(const History::Step& step) {
    DiskModel disk(live_);
    FileRecorder recorder;
    {
      const WatchingFiles watching(live_.string(), recorder);
      Act(step, live_);
    }
    const std::vector<RecordedCall> calls = recorder.calls();
    for (std::size_t done = 0; done <= calls.size(); ++done) {
      if (done > 0) {
        disk.Apply(calls[done - 1]);
      }
      if (done % options_.stride != 0 && done != calls.size()) {
        continue;
      }
      const std::string where =
          step.name + ", power lost after call " + std::to_string(done) + ": ";
      Look(disk, Loss::kAll, step, done == calls.size(), where + "all lost: ");
      Look(disk, Loss::kContents, step, done == calls.size(), where + "contents lost: ");
      for (std::uint64_t i = 0; i < options_.count; ++i) {
        Look(disk, Loss::kRandom, step, done == calls.size(), where + "some lost: ");
      }
    }
    report_.Count("calls", calls.size());
  }

  // Each step is tried at other places when only some are.
  std::size_t FirstPlace() { return random_.Next() % options_.stride; }

  void Look(const DiskModel& disk,
            Loss loss,
            const History::Step& step,
            bool ended,
            const std::string& where) {
    report_.Count("power-failures");
    disk.Leave(left_, loss, random_);
    const std::string fault =
        ended ? FaultAfter(Opener(left_), step) : FaultDuring(Opener(left_), step);
    if (!fault.empty()) {
      report_.Violation(where + fault);
      return;
    }
    DoAgain(step, where);
  }

  void DoAgain(const History::Step& step, const std::string& where) {
    try {
      Act(step, left_);
    } catch (const Error& error) {
      report_.Violation(where + "doing it again: " + std::string(error.message()));
      return;
    }
    if (const std::string fault = FaultAfter(Opener(left_), step); !fault.empty()) {
      report_.Violation(where + "after doing it again: " + fault);
    }
  }

  // Each sync fails once; the same process does the step again and says that it is done; then the
  // power fails. What the failed sync was about may be lost, whatever has been synced since.
  void FailThenLose(const History::Step& step) {
    const std::uint64_t stride = std::max<std::uint64_t>(options_.stride / 5, 1);  // they are few
    for (std::size_t call = 1 + random_.Next() % stride;; call += stride) {
      const fs::path root = options_.directory / "again";
      fs::remove_all(root);
      fs::copy(before_, root, fs::copy_options::recursive);
      DiskModel disk(root);
      FailingSync recorder(call);
      std::string error;
      {
        const WatchingFiles watching(root.string(), recorder);
        std::optional<Session> session;
        try {
          session.emplace(blob::OpenDirectoryStore(root.string()));
          step.act(*session);
        } catch (const Error& thrown) {
          error = thrown.message();
        }
        if (!recorder.met()) {
          return;
        }
        if (!error.empty()) {
          if (!session) {
            session.emplace(blob::OpenDirectoryStore(root.string()));
          }
          step.act(*session);
        }
      }
      for (const RecordedCall& recorded : recorder.calls()) {
        disk.Apply(recorded);
      }
      report_.Count("failed-syncs-then-power-failures");
      disk.Leave(left_, Loss::kAll, random_);
      if (const std::string fault = FaultAfter(Opener(left_), step); !fault.empty()) {
        report_.Violation(step.name + ", sync " + std::to_string(call) + " failed [" + error +
                          "], done again, power lost: " + fault);
      }
    }
  }

  // The process dies after each call, the next one does the step again and says that it is done;
  // then the power fails.
  void DieThenLose(const History::Step& step) {
    for (std::size_t lives = 1 + FirstPlace();; lives += options_.stride) {
      const fs::path root = options_.directory / "again";
      fs::remove_all(root);
      fs::copy(before_, root, fs::copy_options::recursive);
      DiskModel disk(root);
      DyingRecorder recorder(lives);
      {
        const WatchingFiles watching(root.string(), recorder);
        try {
          Act(step, root);
        } catch (const std::exception&) {  // how a dead process fails is nobody's concern
        }
        if (!recorder.died()) {
          return;
        }
        recorder.Rise();
        Act(step, root);
      }
      for (const RecordedCall& call : recorder.calls()) {
        disk.Apply(call);
      }
      report_.Count("deaths-then-power-failures");
      disk.Leave(left_, Loss::kAll, random_);
      if (const std::string fault = FaultAfter(Opener(left_), step); !fault.empty()) {
        report_.Violation(step.name + ", process died at call " + std::to_string(lives) +
                          ", done again, power lost: " + fault);
      }
    }
  }

  const CampaignOptions options_;
  const History history_;
  SeededRandom random_;
  const fs::path live_;
  const fs::path before_;
  const fs::path left_;
  CampaignReport report_;
};

}  // namespace

CampaignReport LosePower(const CampaignOptions& options) {
  return PowerCampaign(options).Run();
}

}  // namespace tidemark::fault
