#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "exporter/export.h"
#include "exporter/object_keys.h"
#include "tests/fault/campaign.h"
#include "tests/fault/file_faults.h"
#include "tests/fault/world.h"

namespace tidemark::fault {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "exported_snapshots/o/p/c0/2026-11-25T1000/1764064800";

// What of a bucket's objects lies below the export's prefix, by key.
using Objects = std::map<std::string, std::string>;

Objects ObjectsIn(const fs::path& bucket) {
  Objects objects;
  const fs::path below = bucket / kPrefix;
  if (!fs::exists(below)) {
    return objects;
  }
  for (const auto& entry : fs::recursive_directory_iterator(below)) {
    if (entry.is_regular_file()) {
      std::ifstream file(entry.path(), std::ios::binary);
      objects[entry.path().lexically_relative(below).string()] =
          std::string(std::istreambuf_iterator<char>(file), {});
    }
  }
  return objects;
}

// A snapshot, and exports of it into directories. What a server's catalog would keep of one is the
// checkpoint: it outlives processes and losses of power.
class ExportCampaign {
 public:
  explicit ExportCampaign(const CampaignOptions& options)
      : options_(options),
        random_(options.seed),
        session_(blob::MakeMemoryStore()),
        root_(options.directory / "root"),
        left_(options.directory / "left") {
    repo::Repository::Create(session_.store(), TestNames().master, session_.random());
    session_.OpenAsOwner();
    const Model model(options.seed, {.collections = 3, .documents = 40, .text = 200});
    engine::MemorySource source = model.Source();
    const SnapshotId id = NextSnapshotId(session_.random());
    session_.Take(source, id, std::nullopt);
    manifest_ = session_.repository().LoadManifest(TestNames().project, id);
    export_.prefix = kPrefix;
    export_.shard_name = "rs0";
    export_.object_size = KiB(1);  // several files of a collection
  }

  CampaignReport Run() {
    Renew();
    Export(root_);
    whole_ = ObjectsIn(BucketIn(root_));
    for (const FileFault& fault : FileFaults()) {
      FailEach(fault);
    }
    LoseDuring();
    DieThenLose();
    FailThenLose();
    return report_;
  }

 private:
  // As the service opens it: the server's folder is there, project and bucket may not be.
  static fs::path BucketIn(const fs::path& root) { return root / "project" / "bucket"; }

  void Renew() {
    fs::remove_all(root_);
    fs::create_directories(root_);
    checkpoint_.clear();
  }

  void Export(const fs::path& root) {
    engine::RunContext context = session_.Context();
    context.checkpoint = checkpoint_;
    context.save_checkpoint = [this](const std::string& text) {
      checkpoint_ = text;
      if (on_checkpoint_) {
        on_checkpoint_(text);
      }
    };
    const auto reader = session_.repository().NewReader(TestNames().project);
    const auto bucket = objectstore::OpenDirectoryBucket(root, "project/bucket");
    exporter::RunExport(manifest_, *reader, *bucket, export_, context);
  }

  // `.complete` says that all is there; everything has to be when the export was said to be done.
  std::string FaultOf(const fs::path& root, bool done) const {
    const Objects found = ObjectsIn(BucketIn(root));
    if (!done && !found.contains(".complete")) {
      return {};
    }
    for (const auto& [key, bytes] : whole_) {
      const auto object = found.find(key);
      if (object == found.end() || object->second != bytes) {
        return key + (object == found.end() ? " is missing" : " is not what was written");
      }
    }
    return found.size() == whole_.size() ? "" : "there is more than was exported";
  }

  void Check(const std::string& where, const fs::path& root, bool done) {
    if (const std::string fault = FaultOf(root, done); !fault.empty()) {
      report_.Violation(where + fault);
    }
  }

  void Repeat(const std::string& where, const fs::path& root) {
    try {
      Export(root);
    } catch (const Error& error) {
      report_.Violation(where + "doing it again: " + std::string(error.message()));
      return;
    }
    Check(where + "after doing it again: ", root, true);
  }

  void FailEach(const FileFault& fault) {
    for (std::size_t call = FirstPlace(options_.stride);; call += options_.stride) {
      Renew();
      FailingCalls failing(fault, call);
      std::string error;
      bool is_ours = true;
      {
        const WatchingFiles watching(root_.string(), failing);
        try {
          Export(root_);
        } catch (const Error& thrown) {
          error = thrown.message();
        } catch (const std::exception& thrown) {
          error = thrown.what();
          is_ours = false;
        }
      }
      if (!failing.met()) {
        return;
      }
      report_.Count(fault.name);
      report_.Count(error.empty() ? "succeeded" : "failed-cleanly");
      const std::string where = std::string(fault.name) + " at call " + std::to_string(call) +
                                " (" + failing.path() +
                                "): " + (error.empty() ? "" : "[" + error + "] ");
      if (!is_ours) {
        report_.Violation(where + "no error of ours");
      }
      // docs/exports.md: a failed export has no .complete. A dead disk does not let it be removed.
      if (!error.empty() && !fault.stays && ObjectsIn(BucketIn(root_)).contains(".complete")) {
        report_.Violation(where + "it failed and there is a .complete");
      }
      Check(where, root_, error.empty());
      Repeat(where, root_);
    }
  }

  // The power fails after each call; then the export goes on from its last checkpoint.
  void LoseDuring() {
    Renew();
    DiskModel disk(root_);
    FileRecorder recorder;
    std::map<std::size_t, std::string> checkpoints{{0, ""}};  // by the calls before them
    on_checkpoint_ = [&](const std::string& text) { checkpoints[recorder.size()] = text; };
    {
      const WatchingFiles watching(root_.string(), recorder);
      Export(root_);
    }
    on_checkpoint_ = nullptr;
    const std::vector<RecordedCall> calls = recorder.calls();
    for (std::size_t done = 0; done <= calls.size(); ++done) {
      if (done > 0) {
        disk.Apply(calls[done - 1]);
      }
      if (done % options_.stride == 0 || done == calls.size()) {
        const std::string saved = std::prev(checkpoints.upper_bound(done))->second;
        LoseAll(disk, saved, done, done == calls.size());
      }
    }
    report_.Count("calls", calls.size());
  }

  void LoseAll(const DiskModel& disk,
               const std::string& checkpoint,
               std::size_t calls,
               bool ended) {
    std::vector<Loss> losses{Loss::kAll, Loss::kContents};
    losses.insert(losses.end(), options_.count, Loss::kRandom);
    for (const Loss loss : losses) {
      report_.Count("power-failures");
      disk.Leave(left_, loss, random_);
      const std::string where = "power lost after call " + std::to_string(calls) + ": ";
      Check(where, left_, ended);
      checkpoint_ = checkpoint;
      Repeat(where, left_);
    }
  }

  // The process dies after each call, the next one goes on and says that it is done; then the power
  // fails.
  void DieThenLose() {
    for (std::size_t lives = FirstPlace(options_.stride);; lives += options_.stride) {
      Renew();
      DiskModel disk(root_);
      DyingRecorder recorder(lives);
      {
        const WatchingFiles watching(root_.string(), recorder);
        try {
          Export(root_);
        } catch (const std::exception&) {  // how a dead process fails is nobody's concern
        }
        if (!recorder.died()) {
          return;
        }
        recorder.Rise();
        Export(root_);
      }
      LoseAfterwards(disk,
                     recorder,
                     "deaths-then-power-failures",
                     "process died at call " + std::to_string(lives));
    }
  }

  // Each sync fails once; what the same export does again is said to be done; then the power fails.
  void FailThenLose() {
    const std::uint64_t stride = std::max<std::uint64_t>(options_.stride / 5, 1);  // they are few
    for (std::size_t call = FirstPlace(stride);; call += stride) {
      Renew();
      DiskModel disk(root_);
      FailingSync recorder(call);
      {
        const WatchingFiles watching(root_.string(), recorder);
        try {
          Export(root_);
        } catch (const Error&) {
          Export(root_);
        }
        if (!recorder.met()) {
          return;
        }
      }
      LoseAfterwards(disk,
                     recorder,
                     "failed-syncs-then-power-failures",
                     "sync " + std::to_string(call) + " failed");
    }
  }

  void LoseAfterwards(DiskModel& disk,
                      const FileRecorder& recorder,
                      const std::string& figure,
                      const std::string& where) {
    for (const RecordedCall& call : recorder.calls()) {
      disk.Apply(call);
    }
    report_.Count(figure);
    disk.Leave(left_, Loss::kAll, random_);
    Check(where + ", done again, power lost: ", left_, true);
  }

  // Other places at each round when only some are tried.
  std::size_t FirstPlace(std::uint64_t stride) { return 1 + random_.Next() % stride; }

  const CampaignOptions options_;
  SeededRandom random_;
  Session session_;
  const fs::path root_;
  const fs::path left_;
  repo::Manifest manifest_;
  exporter::ExportOptions export_;
  std::string checkpoint_;
  std::function<void(const std::string&)> on_checkpoint_;
  Objects whole_;
  CampaignReport report_;
};

}  // namespace

CampaignReport ExportToDisk(const CampaignOptions& options) {
  return ExportCampaign(options).Run();
}

}  // namespace tidemark::fault
