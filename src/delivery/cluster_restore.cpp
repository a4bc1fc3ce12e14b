#include "delivery/cluster_restore.h"

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "base/stage_group.h"
#include "delivery/internal/accounts.h"
#include "delivery/internal/namespace_restore.h"
#include "delivery/internal/restore_parts.h"
#include "delivery/internal/retry.h"
#include "delivery/internal/selection.h"
#include "delivery/internal/target_limits.h"

namespace tidemark::delivery {
namespace {

constexpr std::size_t kShownLosses = 5;
constexpr std::size_t kNotedLosses = 100;

std::string Join(const std::vector<std::string>& lines, std::size_t most) {
  std::string text;
  for (const std::string& line : std::span(lines).first(std::min(most, lines.size()))) {
    text += (text.empty() ? "" : "; ") + line;
  }
  return lines.size() > most ? text + "; and " + std::to_string(lines.size() - most) + " more"
                             : text;
}

// One run. Confined, but for RestoreNamespace.
class RestoreRun {
 public:
  RestoreRun(const Selection& selection,
             repo::SnapshotReader& reader,
             RestoreTarget& target,
             const RestoreOptions& options,
             const engine::RunContext& run)
      : parts_(selection, reader, target, options, run),
        manifest_(parts_.manifest),
        target_(target),
        options_(options),
        scope_(parts_.scope),
        run_(run) {}

  void CheckTargetAccepts();
  void MarkIncomplete();
  void Wipe();
  void RestoreCollections();
  void CreateViews();
  void RestoreAccounts() const;
  void MarkComplete() const;
  RestoreSummary Summary();

 private:
  void RefuseBesideAnother();
  void NoteLosses(const std::vector<std::string>& losses);
  bool HasAccounts() const;
  void CheckAccounts();
  void CheckNotStopped() const;
  void Retrying(const std::function<void()>& step) const;
  void DropDatabase(const std::string& database) const;
  void DropCollection(const std::string& database, const std::string& collection) const;
  void DropEverything() const;
  void DropWhatTheSnapshotHasNot() const;
  std::vector<std::size_t> CollectionsLargestFirst() const;
  void RestoreNamespace(std::size_t index, const std::stop_token& stop);
  void RestoreView(std::size_t index);
  template <class Body>
  void TellingFailure(std::size_t index, const std::stop_token& stop, Body body);

  RestoreParts parts_;
  const repo::Manifest& manifest_;
  RestoreTarget& target_;
  const RestoreOptions& options_;
  const RestoreScope& scope_;
  const engine::RunContext& run_;
  bool writes_accounts_ = false;
};

void RestoreRun::CheckTargetAccepts() {
  std::vector<std::string> losses;
  for (const repo::NamespaceEntry& entry : manifest_.namespaces) {
    AddLosses(parts_.facts, entry, losses);
  }
  if (HasAccounts()) {
    AddAccountLosses(parts_.facts, manifest_.accounts, losses);
  }
  if (!losses.empty() && !options_.allow_lossy) {
    throw Error(ErrorCode::kUnsupported,
                "restoring snapshot " + manifest_.snapshot.ToString() +
                    ": the target cannot take all of it: " + Join(losses, kShownLosses),
                "set allowLossy on the target cluster to restore without these; "
                "a dry run lists all of them");
  }
  NoteLosses(losses);
  if (HasAccounts() && TargetTakesAccounts(parts_.facts)) {
    CheckAccounts();
  }
}

// What somebody has allowed to get lost is to be seen at the job, too.
void RestoreRun::NoteLosses(const std::vector<std::string>& losses) {
  for (const std::string& loss : std::span(losses).first(std::min(losses.size(), kNotedLosses))) {
    parts_.Note("left out: " + loss);
  }
  if (losses.size() > kNotedLosses) {
    parts_.Note("left out: " + std::to_string(losses.size() - kNotedLosses) +
                " more; a dry run lists all of them");
  }
  if (options_.accounts && scope_.IsWhole() && !manifest_.accounts.left_out.empty()) {
    parts_.Note(AccountsNotTaken(manifest_.accounts));
  }
}

// A login without the right is found out before anything is dropped.
void RestoreRun::CheckAccounts() {
  try {
    Retrying([this] { target_.CheckAccountsWritable(); });
    writes_accounts_ = true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kPermissionDenied || !options_.allow_lossy) {
      throw;
    }
    parts_.Note("users and roles were left out: " + std::string(error.message()));
  }
}

// Of a part of a snapshot they are none of its business.
bool RestoreRun::HasAccounts() const {
  return options_.accounts && scope_.IsWhole() && !manifest_.accounts.empty();
}

// After the data: a restore that ends before has changed no login.
void RestoreRun::RestoreAccounts() const {
  if (writes_accounts_) {
    Retrying([this] {
      Doing("restoring users and roles", [&] { target_.ReplaceAccounts(manifest_.accounts); });
    });
  }
}

void RestoreRun::MarkIncomplete() {
  Retrying([this] {
    Doing("marking the target as incomplete",
          [&] { target_.MarkIncomplete(options_.job, manifest_.snapshot.ToString()); });
  });
  RefuseBesideAnother();
}

// Behind our own mark: of two restores that come at once each sees the other's.
void RestoreRun::RefuseBesideAnother() {
  std::vector<std::string> jobs;
  Retrying([&] { Doing("reading the target's marks", [&] { jobs = target_.ListMarks(); }); });
  const auto other = std::ranges::find_if(jobs, [this](const std::string& job) {
    return job != options_.job && options_.is_at_work && options_.is_at_work(job);
  });
  if (other == jobs.end()) {
    return;
  }
  if (!parts_.checkpoint.IsWiped()) {  // else what is there is half ours
    Retrying([this] { target_.TakeMark(options_.job); });
  }
  throw Error(ErrorCode::kConflict,
              "job " + *other + " is writing to the same server",
              "the server is registered twice; start the restore again when that job has finished");
}

void RestoreRun::Wipe() {
  if (parts_.checkpoint.IsWiped()) {
    return;
  }
  if (scope_.IsWhole()) {
    const bool all = scope_.mode == RestoreMode::kReplace;
    Retrying([&] { all ? DropEverything() : DropWhatTheSnapshotHasNot(); });
  }
  parts_.checkpoint.MarkWiped();
}

void RestoreRun::DropDatabase(const std::string& database) const {
  CheckNotStopped();
  Doing("dropping database " + database, [&] { target_.DropDatabase(database); });
}

void RestoreRun::DropCollection(const std::string& database, const std::string& collection) const {
  CheckNotStopped();
  const std::string name = database + "." + collection;
  Doing("dropping " + name, [&] { target_.DropCollection(database, collection); });
}

void RestoreRun::DropEverything() const {
  for (const std::string& database : target_.ListUserDatabases()) {
    DropDatabase(database);
  }
}

void RestoreRun::DropWhatTheSnapshotHasNot() const {
  const ForeignNamespaces foreign = FindForeign(manifest_, target_);
  for (const std::string& database : foreign.databases) {
    DropDatabase(database);
  }
  for (const auto& [database, collection] : foreign.collections) {
    DropCollection(database, collection);
  }
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
    const bool takes = TargetTakes(parts_.facts, entry.kind);
    if (takes && !parts_.checkpoint.IsFinished(i)) {
      RestoreView(i);
      parts_.checkpoint.MarkFinished(i);
    }
    parts_.progress.Reached(i, takes ? NamespaceStage::kDone : NamespaceStage::kLeftOut);
    parts_.progress.NamespaceFinished();
  }
}

void RestoreRun::MarkComplete() const {
  CheckNotStopped();
  for (const std::string& database : manifest_.empty_databases) {
    run_.log.Debug("restore={} database={}  left out: it is empty, and a server keeps none such",
                   options_.job,
                   database);
  }
  Retrying([this] {
    Doing("marking the target as complete",
          [&] { scope_.IsWhole() ? target_.TakeAllMarks() : target_.TakeMark(options_.job); });
  });
}

RestoreSummary RestoreRun::Summary() {
  RestoreSummary summary;
  for (const repo::NamespaceEntry& entry : manifest_.namespaces) {
    if (TargetTakes(parts_.facts, entry.kind)) {
      ++summary.collections;
      summary.documents += entry.digest.documents;
      summary.bytes += entry.logical_bytes;
    }
  }
  if (scope_.mode == RestoreMode::kDelta || scope_.filter) {
    const domain::RestoreChanges changes = parts_.checkpoint.Changes();
    summary.changes = changes;
    summary.documents =
        static_cast<std::uint64_t>(changes.left_alone + changes.replaced + changes.inserted);
  }
  summary.notes = parts_.notes.All();
  return summary;
}

void RestoreRun::CheckNotStopped() const {
  if (run_.stop.stop_requested()) {
    throw Error(ErrorCode::kCancelled,
                "restoring snapshot " + manifest_.snapshot.ToString() + ": cancelled");
  }
}

void RestoreRun::Retrying(const std::function<void()>& step) const {
  Retry(options_, run_.log, run_.stop, [&] {
    CheckNotStopped();
    step();
  });
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
  const bool takes = TargetTakes(parts_.facts, entry.kind);
  if (parts_.checkpoint.IsFinished(index)) {
    parts_.progress.Written(index, entry.digest.documents, entry.logical_bytes);
  } else if (takes) {
    NamespaceRestore to_target(parts_, index);
    domain::RestoreChanges changes;
    TellingFailure(index, stop, [&] {
      Retry(options_, run_.log, stop, [&] { changes = to_target.Write(stop); });
    });
    parts_.checkpoint.MarkFinished(index, changes);
  }
  parts_.progress.Reached(index, takes ? NamespaceStage::kDone : NamespaceStage::kLeftOut);
  parts_.progress.NamespaceFinished();
}

// A failure that is this namespace's own, not the end that another one's has brought.
template <class Body>
void RestoreRun::TellingFailure(std::size_t index, const std::stop_token& stop, Body body) {
  try {
    body();
  } catch (const Error& error) {
    if (!stop.stop_requested()) {
      parts_.progress.Failed(index, error);
    }
    throw;
  }
}

void RestoreRun::RestoreView(std::size_t index) {
  NamespaceRestore view(parts_, index);
  TellingFailure(index, run_.stop, [&] { Retrying([&] { view.CreateView(); }); });
}

}  // namespace

RestoreSummary RunRestore(const repo::Manifest& manifest,
                          repo::SnapshotReader& reader,
                          RestoreTarget& target,
                          const RestoreOptions& options,
                          const engine::RunContext& run) {
  Selection selection = Select(manifest, options.scope);
  KeepIndexes(options.indexes, selection.manifest);
  RestoreRun restore(selection, reader, target, options, run);
  restore.CheckTargetAccepts();  // before anything is written
  restore.MarkIncomplete();      // an aborted restore must not look like a finished one
  restore.Wipe();                // once: a continued run keeps its finished namespaces
  restore.RestoreCollections();  // each: write or change, verify, build indexes, checkpoint
  restore.CreateViews();
  restore.RestoreAccounts();
  restore.MarkComplete();  // last
  return restore.Summary();
}

}  // namespace tidemark::delivery
