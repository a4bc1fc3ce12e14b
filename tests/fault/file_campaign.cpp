#include <filesystem>

#include "base/error.h"
#include "tests/fault/campaign.h"
#include "tests/fault/file_faults.h"
#include "tests/fault/history.h"

namespace tidemark::fault {
namespace {

namespace fs = std::filesystem;

class FileCampaign {
 public:
  explicit FileCampaign(const CampaignOptions& options)
      : options_(options),
        history_(options.seed),
        random_(options.seed + 1),
        before_(options.directory / "before"),
        root_(options.directory / "root") {}

  CampaignReport Run() {
    fs::remove_all(before_);
    fs::create_directories(before_);
    for (const History::Step& step : history_.steps()) {
      for (const FileFault& fault : FileFaults()) {
        FailEach(step, fault);
      }
      Session session(blob::OpenDirectoryStore(before_.string()));
      step.act(session);
    }
    return report_;
  }

 private:
  void FailEach(const History::Step& step, const FileFault& fault) {
    for (std::size_t call = 1 + random_.Next() % options_.stride;; call += options_.stride) {
      fs::remove_all(root_);
      fs::copy(before_, root_, fs::copy_options::recursive);
      if (!FailOne(step, fault, call)) {
        return;
      }
    }
  }

  // False when there is no such call.
  bool FailOne(const History::Step& step, const FileFault& fault, std::size_t call) {
    FailingCalls failing(fault, call);
    std::optional<Session> session;
    std::string error;
    bool silent_damage = false;
    {
      const WatchingFiles watching(root_.string(), failing);
      try {
        session.emplace(blob::OpenDirectoryStore(root_.string()));
        step.act(*session);
      } catch (const Error& thrown) {
        error = thrown.message();
      } catch (const std::exception& thrown) {
        error = thrown.what();
        silent_damage = true;
      }
    }
    if (!failing.met()) {
      return false;
    }
    report_.Count(fault.name);
    report_.Count(error.empty() ? "succeeded" : "failed-cleanly");
    const std::string where = step.name + ", " + fault.name + " at call " + std::to_string(call) +
                              " (" + failing.path() +
                              "): " + (error.empty() ? "" : "[" + error + "] ");
    if (silent_damage) {
      report_.Violation(where + "no error of ours");
    }
    const std::string fault_now =
        error.empty() ? FaultAfter(Opener(), step) : FaultDuring(Opener(), step);
    if (!fault_now.empty()) {
      report_.Violation(where + fault_now);
    }
    if (call % 2 != 0) {
      session.reset();
    }
    Repeat(step, session, where);
    return true;
  }

  // By the same process, which may remember wrongly, or the next one.
  void Repeat(const History::Step& step,
              std::optional<Session>& session,
              const std::string& where) {
    try {
      if (!session) {
        session.emplace(blob::OpenDirectoryStore(root_.string()));
      }
      step.act(*session);
    } catch (const std::exception& thrown) {
      report_.Violation(where + "doing it again: " + thrown.what());
      return;
    }
    if (const std::string fault = FaultAfter(Opener(), step); !fault.empty()) {
      report_.Violation(where + "after doing it again: " + fault);
    }
  }

  std::function<std::unique_ptr<blob::BlobStore>()> Opener() const {
    return [this] { return blob::OpenDirectoryStore(root_.string()); };
  }

  const CampaignOptions options_;
  const History history_;
  SeededRandom random_;
  const fs::path before_;
  const fs::path root_;
  CampaignReport report_;
};

}  // namespace

CampaignReport RunAllAtOnce(const CampaignOptions& options) {
  const History history(options.seed);
  const fs::path before = options.directory / "before";
  const fs::path root = options.directory / "root";
  fs::create_directories(before);
  CampaignReport report;
  for (const History::Step& step : history.steps()) {
    for (std::uint64_t i = 0; step.name == "all-at-once" && i < options.count; ++i) {
      fs::remove_all(root);
      fs::copy(before, root, fs::copy_options::recursive);
      report.Count("rounds");
      try {
        Session session(blob::OpenDirectoryStore(root.string()));
        step.act(session);
      } catch (const Error& error) {
        report.Violation("round " + std::to_string(i) + ": " + std::string(error.message()));
      }
      const auto open = [&root] { return blob::OpenDirectoryStore(root.string()); };
      if (const std::string fault = FaultAfter(open, step); !fault.empty()) {
        report.Violation("round " + std::to_string(i) + ", afterwards: " + fault);
      }
    }
    Session session(blob::OpenDirectoryStore(before.string()));
    step.act(session);
  }
  return report;
}

CampaignReport FailFiles(const CampaignOptions& options) {
  return FileCampaign(options).Run();
}

}  // namespace tidemark::fault
