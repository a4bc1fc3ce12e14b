#include "service/import_service.h"

#include <map>

#include "base/mutex.h"
#include "bson/document.h"
#include "dump/dump_source.h"
#include "service/internal/job_run.h"

namespace tidemark::service {
namespace {

// Somebody went to the trouble of bringing it here: as long as the longest retention of a schedule.
constexpr std::chrono::hours kImportLife{24 * 365 * 10};

constexpr std::size_t kMaxPath = 1024;  // bytes

std::string LinesOf(const std::vector<std::string>& notes) {
  std::string lines;
  for (const std::string& note : notes) {
    lines += note + "\n";
  }
  return lines;
}

// A dump's documents, counted while they are read: what the snapshot cannot keep of them is told.
// Synchronized as its source.
class CountedSource : public engine::SnapshotSource {
 public:
  // `source` must outlive it.
  explicit CountedSource(engine::SnapshotSource& source) : source_(source) {}

  engine::SourceCatalog ReadCatalog() override { return source_.ReadCatalog(); }

  void Scan(const engine::SourceNamespace& ns,
            const std::stop_token& stop,
            const std::function<void(ByteView document)>& visit) override {
    Count count;
    source_.Scan(ns, stop, [&](ByteView document) {
      ++count.documents;
      if (!bson::Document(document).Find("_id")) {
        ++count.without_id;
      }
      visit(document);
    });
    if (count.documents == 0) {
      return;
    }
    const MutexLock lock(mutex_);
    counts_[ns.database + "." + ns.collection] = count;  // another scan of it counts instead
  }

  // Sentences for people, about a snapshot that has so many documents.
  std::vector<std::string> Notes(std::uint64_t documents) const {
    Count all;
    const MutexLock lock(mutex_);
    for (const auto& [name, count] : counts_) {
      all.documents += count.documents;
      all.without_id += count.without_id;
    }
    std::vector<std::string> notes;
    if (all.documents > documents) {
      notes.push_back(
          "documents left out because another one of their collection, which is kept, "
          "has the same _id: " +
          std::to_string(all.documents - documents));
    }
    if (all.without_id > 0) {
      notes.push_back("documents without an _id: " + std::to_string(all.without_id) +
                      "; a server gives each one when it is restored, so such a restore fails when "
                      "it is compared with the snapshot");
    }
    return notes;
  }

 private:
  struct Count {
    std::uint64_t documents = 0;
    std::uint64_t without_id = 0;
  };

  engine::SnapshotSource& source_;
  mutable Mutex mutex_;
  std::map<std::string, Count> counts_ TIDEMARK_GUARDED_BY(mutex_);  // by namespace
};

[[noreturn]] void RefusePath(const std::string& why) {
  throw Refusal(
      Reason::kInvalidValue, ErrorCode::kInvalidArgument, "importing a dump: " + why, {"path"});
}

}  // namespace

std::filesystem::path ImportService::FolderOf(const ProjectId& project) const {
  return options_.folder / project.ToString();
}

domain::Snapshot ImportService::Start(const ProjectId& project,
                                      const std::string& cluster,
                                      const std::string& path,
                                      const std::string& description) {
  const domain::Cluster owner = clusters_.Find(project, cluster);
  if (options_.folder.empty()) {
    RefusePath("the server's setting import-directory is not set");
  }
  if (path.size() > kMaxPath) {
    RefusePath("the path is longer than " + std::to_string(kMaxPath) + " bytes");
  }
  try {
    dump::OpenDump({.folder = FolderOf(project), .path = path}, env_.random);
  } catch (const Error& error) {
    RefusePath(FailureText(error));
  }
  auto [snapshot, job] = snapshots_.Prepare(owner, description);
  snapshot.expires = snapshot.scheduled + kImportLife;
  env_.store.AddImportedSnapshot(snapshot, {.path = path}, job);
  env_.log.Info(
      "snapshot={} cluster={} path={}  import queued", snapshot.id.ToString(), owner.name, path);
  env_.wake_runner();
  return snapshot;
}

std::optional<domain::Import> ImportService::Find(const SnapshotId& snapshot) {
  return env_.store.FindImport(snapshot);
}

engine::SnapshotSummary ImportService::TakeFrom(const domain::Import& import,
                                                const domain::Snapshot& snapshot,
                                                const engine::SnapshotOptions& options,
                                                const jobs::JobContext& context) {
  if (options_.folder.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "importing a dump: the server's setting import-directory is not set");
  }
  // Before anything is read: what an earlier try has stored may be of another dump.
  env_.repository.DropPartial(snapshot.project, snapshot.id);
  const engine::RunContext run = MakeRunContext(context, env_.clock, env_.log);
  dump::DumpOptions dump_options;
  dump_options.folder = FolderOf(snapshot.project);
  dump_options.path = import.path;
  dump_options.spool_folder = options_.spool_folder;
  dump_options.stop = context.stop;
  dump_options.on_read = [&run](ByteCount done, ByteCount total) {
    run.on_progress(
        {.phase = "checking the dump", .bytes_done = done.value, .bytes_total = total.value});
  };
  const auto source = dump::OpenDump(dump_options, env_.random);
  CountedSource counted(*source);
  const engine::SnapshotSummary summary =
      engine::TakeSnapshot(counted, env_.repository, options, run);
  std::vector<std::string> notes = source->notes();
  std::ranges::move(counted.Notes(summary.documents), std::back_inserter(notes));
  env_.store.SaveImport(
      context.lease,
      {.path = import.path, .format = std::string(source->format()), .notes = LinesOf(notes)});
  return summary;
}

void ImportService::Run(const jobs::JobContext& context) {
  const auto import = env_.store.FindImport(SnapshotId(context.job.subject));
  if (!import) {
    snapshots_.Run(context);
    return;
  }
  snapshots_.Run(context,
                 [&](const domain::Snapshot& snapshot, const engine::SnapshotOptions& options) {
                   return TakeFrom(*import, snapshot, options, context);
                 });
}

}  // namespace tidemark::service
