#include "delivery/cluster_restore.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>

#include "base/error.h"
#include "base/stage_group.h"
#include "delivery/internal/checkpoint.h"
#include "delivery/internal/namespace_load.h"
#include "delivery/internal/restore_progress.h"
#include "delivery/internal/target_limits.h"

namespace tidemark::delivery {
namespace {

constexpr int kAttempts = 3;
constexpr std::size_t kShownLosses = 5;

// Adds to a target's error what it was about.
template <class Step>
void Doing(const std::string& what, Step step) {
  try {
    step();
  } catch (const Error& error) {
    throw error.WithContext(what);
  }
}

// Returns early when stopped.
void PauseFor(std::chrono::milliseconds pause, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any waiting;
  std::unique_lock lock(mutex);
  waiting.wait_for(lock, stop, pause, [] { return false; });
}

std::string Join(const std::vector<std::string>& lines, std::size_t most) {
  std::string text;
  for (const std::string& line : std::span(lines).first(std::min(most, lines.size()))) {
    text += (text.empty() ? "" : "; ") + line;
  }
  return lines.size() > most ? text + "; and " + std::to_string(lines.size() - most) + " more"
                             : text;
}

// The server deletes old documents of such a namespace by itself, from its creation on.
bool ExpiresByItself(const repo::NamespaceEntry& entry) {
  return bson::Document(entry.options).Find("expireAfterSeconds").has_value();
}

std::string Difference(const repo::NamespaceDigest& found, const repo::NamespaceDigest& wanted) {
  return found.documents == wanted.documents
             ? "as many documents, but not the same"
             : std::to_string(found.documents) + " documents instead of " +
                   std::to_string(wanted.documents);
}

// One run: what its steps share. Confined, but for RestoreNamespace and what it calls.
class RestoreRun {
 public:
  RestoreRun(const repo::Manifest& manifest,
             repo::SnapshotReader& reader,
             RestoreTarget& target,
             const RestoreOptions& options,
             const engine::RunContext& run)
      : manifest_(manifest),
        reader_(reader),
        target_(target),
        options_(options),
        run_(run),
        facts_(target.Facts()),
        checkpoint_(run),
        progress_(manifest, run) {}

  void CheckTargetAccepts() const;
  void MarkIncomplete() const;
  void Wipe();
  void RestoreCollections();
  void CreateViews();
  void MarkComplete() const;
  RestoreSummary Summary();

 private:
  void CheckNotStopped() const;
  std::vector<std::size_t> CollectionsLargestFirst() const;
  void RestoreNamespace(std::size_t index, const std::stop_token& stop);
  void TryUntilWritten(const repo::NamespaceEntry& entry, const std::stop_token& stop);
  void WriteNamespace(const repo::NamespaceEntry& entry, const std::stop_token& stop);
  void Load(const repo::NamespaceEntry& entry, const std::stop_token& stop);
  void Verify(const repo::NamespaceEntry& entry, const std::stop_token& stop);
  void CreateView(const repo::NamespaceEntry& entry);

  const repo::Manifest& manifest_;
  repo::SnapshotReader& reader_;
  RestoreTarget& target_;
  const RestoreOptions& options_;
  const engine::RunContext& run_;
  const mongo::ServerFacts facts_;
  Checkpoint checkpoint_;
  RestoreProgress progress_;
};

void RestoreRun::CheckTargetAccepts() const {
  std::vector<std::string> losses;
  for (const repo::NamespaceEntry& entry : manifest_.namespaces) {
    AddLosses(facts_, entry, losses);
  }
  if (!losses.empty() && !options_.allow_lossy) {
    throw Error(ErrorCode::kUnsupported,
                "restoring snapshot " + manifest_.snapshot.ToString() +
                    ": the target cannot take all of it: " + Join(losses, kShownLosses),
                "set allowLossy on the target cluster to restore without these; "
                "a dry run lists all of them");
  }
  for (const std::string& loss : losses) {
    run_.log.Warn("restore={}  left out: {}", options_.job, loss);
  }
}

void RestoreRun::MarkIncomplete() const {
  CheckNotStopped();
  Doing("marking the target as incomplete",
        [&] { target_.MarkIncomplete(options_.job, manifest_.snapshot.ToString()); });
}

void RestoreRun::Wipe() {
  if (checkpoint_.IsWiped()) {
    return;
  }
  for (const std::string& database : target_.ListUserDatabases()) {
    CheckNotStopped();
    Doing("dropping database " + database, [&] { target_.DropDatabase(database); });
  }
  checkpoint_.MarkWiped();
}

void RestoreRun::RestoreCollections() {
  const std::vector<std::size_t> order = CollectionsLargestFirst();
  std::atomic<std::size_t> next{0};
  StageGroup group(run_.stop);
  for (int i = 0; i < std::max(options_.parallel_namespaces, 1); ++i) {
    group.Start("restore-ns", [&](const std::stop_token& stop) {
      for (std::size_t at = next++; at < order.size() && !stop.stop_requested(); at = next++) {
        RestoreNamespace(order[at], stop);
      }
    });
  }
  group.Wait();
  CheckNotStopped();
}

// After all collections: a view may read any of them.
void RestoreRun::CreateViews() {
  for (std::size_t i = 0; i < manifest_.namespaces.size(); ++i) {
    const repo::NamespaceEntry& entry = manifest_.namespaces[i];
    if (entry.kind != repo::NamespaceKind::kView) {
      continue;
    }
    CheckNotStopped();
    if (TargetTakes(facts_, entry.kind) && !checkpoint_.IsFinished(i)) {
      CreateView(entry);
      checkpoint_.MarkFinished(i);
    }
    progress_.NamespaceFinished();
  }
}

void RestoreRun::MarkComplete() const {
  CheckNotStopped();
  for (const std::string& database : manifest_.empty_databases) {
    run_.log.Debug("restore={} database={}  left out: it is empty, and a server keeps none such",
                   options_.job,
                   database);
  }
  Doing("marking the target as complete", [&] { target_.MarkComplete(); });
}

RestoreSummary RestoreRun::Summary() {
  RestoreSummary summary;
  for (const repo::NamespaceEntry& entry : manifest_.namespaces) {
    if (TargetTakes(facts_, entry.kind)) {
      ++summary.collections;
      summary.documents += entry.digest.documents;
      summary.bytes += entry.logical_bytes;
    }
  }
  return summary;
}

void RestoreRun::CheckNotStopped() const {
  if (run_.stop.stop_requested()) {
    throw Error(ErrorCode::kCancelled,
                "restoring snapshot " + manifest_.snapshot.ToString() + ": cancelled");
  }
}

std::vector<std::size_t> RestoreRun::CollectionsLargestFirst() const {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < manifest_.namespaces.size(); ++i) {
    if (manifest_.namespaces[i].kind != repo::NamespaceKind::kView) {
      order.push_back(i);
    }
  }
  std::ranges::sort(order, [this](std::size_t a, std::size_t b) {
    const auto& all = manifest_.namespaces;
    return std::pair(all[b].logical_bytes, a) < std::pair(all[a].logical_bytes, b);
  });
  return order;
}

void RestoreRun::RestoreNamespace(std::size_t index, const std::stop_token& stop) {
  const repo::NamespaceEntry& entry = manifest_.namespaces[index];
  if (checkpoint_.IsFinished(index)) {
    progress_.Written(entry.digest.documents, entry.logical_bytes);
  } else if (TargetTakes(facts_, entry.kind)) {
    TryUntilWritten(entry, stop);
    checkpoint_.MarkFinished(index);
  }
  progress_.NamespaceFinished();
}

void RestoreRun::TryUntilWritten(const repo::NamespaceEntry& entry, const std::stop_token& stop) {
  for (int attempt = 1;; ++attempt) {
    try {
      WriteNamespace(entry, stop);
      return;
    } catch (const Error& error) {
      if (!IsRetryable(error.code()) || stop.stop_requested()) {
        throw;
      }
      if (attempt == kAttempts) {
        throw error.WithContext(std::to_string(kAttempts) + " attempts, the last");
      }
      run_.log.Warn("restore={} attempt={}  {}", options_.job, attempt, error.message());
    }
    PauseFor(options_.retry_pause, stop);
  }
}

// From nothing: may be repeated.
void RestoreRun::WriteNamespace(const repo::NamespaceEntry& entry, const std::stop_token& stop) {
  const std::string name = NameOf(entry);
  Doing("dropping " + name, [&] { target_.DropCollection(entry.database, entry.collection); });
  Doing("creating " + name, [&] { target_.CreateCollection(entry); });
  Doing("loading " + name, [&] { Load(entry, stop); });
  // Before the indexes: from then on a TTL index deletes what has expired.
  Verify(entry, stop);
  // After the data: a bulk build is cheaper.
  Doing("building the indexes of " + name, [&] { target_.CreateIndexes(entry); });
}

void RestoreRun::Load(const repo::NamespaceEntry& entry, const std::stop_token& stop) {
  std::atomic<std::uint64_t> documents{0};
  std::atomic<std::uint64_t> bytes{0};
  const auto written = [&](std::uint64_t more_documents, std::uint64_t more_bytes) {
    documents += more_documents;
    bytes += more_bytes;
    progress_.Written(more_documents, more_bytes);
  };
  try {
    NamespaceLoad{reader_, target_, entry, options_.writers, written}.Run(stop);
  } catch (const Error&) {
    progress_.Forget(documents, bytes);
    throw;
  }
}

// Nothing is called restored that was not read back.
void RestoreRun::Verify(const repo::NamespaceEntry& entry, const std::stop_token& stop) {
  const std::string name = NameOf(entry);
  repo::NamespaceDigest found;
  Doing("verifying " + name, [&] { found = target_.ReadDigest(entry, stop); });
  if (found == entry.digest) {
    return;
  }
  const std::string what = Difference(found, entry.digest);
  if (ExpiresByItself(entry) && found.documents < entry.digest.documents) {
    run_.log.Warn("restore={}  {} expires by itself: {}", options_.job, name, what);
    return;
  }
  throw Error(ErrorCode::kConflict,
              "restored " + name + " differs from the snapshot: " + what,
              facts_.flavor == "ferretdb"
                  ? "is another client writing to the target? FerretDB also changes some values, "
                    "-0.0 becomes 0.0"
                  : "is another client writing to the target?");
}

void RestoreRun::CreateView(const repo::NamespaceEntry& entry) {
  Doing("creating view " + NameOf(entry), [&] {
    target_.DropCollection(entry.database, entry.collection);
    target_.CreateCollection(entry);
  });
}

}  // namespace

RestoreSummary RunRestore(const repo::Manifest& manifest,
                          repo::SnapshotReader& reader,
                          RestoreTarget& target,
                          const RestoreOptions& options,
                          const engine::RunContext& run) {
  RestoreRun restore(manifest, reader, target, options, run);
  restore.CheckTargetAccepts();  // before anything is written
  restore.MarkIncomplete();      // an aborted restore must not look like a finished one
  restore.Wipe();                // once: a continued run keeps its finished namespaces
  restore.RestoreCollections();  // each: create, load, verify, build indexes, checkpoint
  restore.CreateViews();
  restore.MarkComplete();  // last
  return restore.Summary();
}

}  // namespace tidemark::delivery
