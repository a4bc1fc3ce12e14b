#include <array>
#include <cerrno>
#include <filesystem>

#include "base/error.h"
#include "base/mutex.h"
#include "tests/fault/campaign.h"
#include "tests/fault/file_calls.h"
#include "tests/fault/history.h"

namespace tidemark::fault {
namespace {

namespace fs = std::filesystem;

struct Fault {
  const char* name;
  FileFate fate;
  std::vector<FileOp> ops;  // that may fail so
  bool stays = false;       // all later ones fail, too
};

const std::vector<Fault>& Faults() {
  static const std::vector<FileOp> writing{FileOp::kOpen,
                                           FileOp::kWrite,
                                           FileOp::kSync,
                                           FileOp::kSyncAll,
                                           FileOp::kLink,
                                           FileOp::kRename,
                                           FileOp::kMakeFolder};
  static const std::vector<FileOp> all{FileOp::kOpen,
                                       FileOp::kRead,
                                       FileOp::kWrite,
                                       FileOp::kSync,
                                       FileOp::kSyncAll,
                                       FileOp::kLink,
                                       FileOp::kRename,
                                       FileOp::kUnlink,
                                       FileOp::kMakeFolder,
                                       FileOp::kStat,
                                       FileOp::kList};
  static const std::vector<Fault> faults{
      {"EIO", {.error = EIO}, all},
      {"ENOSPC", {.error = ENOSPC}, writing},
      {"EINTR",
       {.error = EINTR},
       {FileOp::kOpen, FileOp::kRead, FileOp::kWrite, FileOp::kSync, FileOp::kSyncAll}},
      {"short", {.partial = true}, {FileOp::kRead, FileOp::kWrite}},
      {"full-disk", {.error = ENOSPC}, writing, true},
      {"dead-disk", {.error = EIO}, all, true},
  };
  return faults;
}

// The n-th call that may fail so fails.
class FailingCalls final : public FileWatcher {
 public:
  FailingCalls(const Fault& fault, std::size_t call) : fault_(fault), call_(call) {}

  FileFate Before(FileOp op, const std::string& path) override {
    if (std::ranges::find(fault_.ops, op) == fault_.ops.end()) {
      return {};
    }
    const std::size_t call = ++calls_;
    if (call == call_) {
      const MutexLock lock(mutex_);
      path_ = path;
    }
    const bool fails = fault_.stays ? call >= call_ : call == call_;
    return fails ? fault_.fate : FileFate{};
  }

  bool met() const { return calls_ >= call_; }

  std::string path() const {
    const MutexLock lock(mutex_);
    return path_;
  }

 private:
  const Fault& fault_;
  const std::size_t call_;
  std::atomic<std::size_t> calls_{0};
  mutable Mutex mutex_;
  std::string path_ TIDEMARK_GUARDED_BY(mutex_);  // that the failed call was about
};

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
      for (const Fault& fault : Faults()) {
        FailEach(step, fault);
      }
      Session session(blob::OpenDirectoryStore(before_.string()));
      step.act(session);
    }
    return report_;
  }

 private:
  void FailEach(const History::Step& step, const Fault& fault) {
    for (std::size_t call = 1 + random_.Next() % options_.stride;; call += options_.stride) {
      fs::remove_all(root_);
      fs::copy(before_, root_, fs::copy_options::recursive);
      if (!FailOne(step, fault, call)) {
        return;
      }
    }
  }

  // False when there is no such call.
  bool FailOne(const History::Step& step, const Fault& fault, std::size_t call) {
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
