#include "delivery/cluster_restore.h"

#include <algorithm>
#include <atomic>

#include "base/error.h"
#include "base/mutex.h"
#include "base/stage_group.h"
#include "delivery/internal/checkpoint.h"
#include "delivery/internal/delta.h"
#include "delivery/internal/namespace_load.h"
#include "delivery/internal/restore_progress.h"
#include "delivery/internal/retry.h"
#include "delivery/internal/selection.h"
#include "delivery/internal/target_limits.h"

namespace tidemark::delivery {
namespace {

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

// For steps on a collection that was dropped just before. A conflict there is a write of a run that
// was killed, or of a connection that broke, and arrives late: worth another attempt.
template <class Step>
void OrArrivedLate(Step step) {
  try {
    step();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Error(ErrorCode::kUnavailable,
                std::string(error.message()),
                "is another client writing to the target?");
  }
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

// What makes a collection be written anew instead of being changed. A conflict is a unique index
// that refuses changes in any order that a bulk has: two documents swap their values.
bool IsObstacle(ErrorCode code) {
  return code == ErrorCode::kUnsupported || code == ErrorCode::kConflict ||
         code == ErrorCode::kInvalidArgument;
}

// One run: what its steps share. Confined, but for RestoreNamespace and what it calls.
class RestoreRun {
 public:
  RestoreRun(const Selection& selection,
             repo::SnapshotReader& reader,
             RestoreTarget& target,
             const RestoreOptions& options,
             const engine::RunContext& run)
      : manifest_(selection.manifest),
        reader_(reader),
        target_(target),
        options_(options),
        scope_(options.scope),
        run_(run),
        facts_(target.Facts()),
        checkpoint_(run),
        progress_(selection, options, run),
        notes_(selection.notes) {}

  void CheckTargetAccepts();
  void MarkIncomplete() const;
  void Wipe();
  void RestoreCollections();
  void CreateViews();
  void RestoreAccounts() const;
  void MarkComplete() const;
  RestoreSummary Summary();

 private:
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
  std::size_t NumberOf(const repo::NamespaceEntry& entry) const;
  void Claim(const repo::NamespaceEntry& entry);
  domain::RestoreChanges WriteNamespace(std::size_t index, const std::stop_token& stop);
  bool IsWorthGoingOn(const repo::NamespaceEntry& entry) const;
  domain::RestoreChanges Rewrite(std::size_t index, const std::stop_token& stop);
  std::optional<domain::RestoreChanges> ChangeInPlace(const repo::NamespaceEntry& entry,
                                                      const std::stop_token& stop);
  void Prepare(const repo::NamespaceEntry& entry, const InPlace& plan) const;
  domain::RestoreChanges Compare(const repo::NamespaceEntry& entry, const std::stop_token& stop);
  domain::RestoreChanges WritePicked(const repo::NamespaceEntry& entry,
                                     const std::stop_token& stop);
  template <class Body>
  void Counting(const repo::NamespaceEntry& entry, Body body);
  void Load(const repo::NamespaceEntry& entry, const std::stop_token& stop);
  void Verify(const repo::NamespaceEntry& entry, const std::stop_token& stop);
  void BuildIndexes(const repo::NamespaceEntry& entry);
  void RestoreView(std::size_t index);
  void CreateView(const repo::NamespaceEntry& entry);
  template <class Body>
  void TellingFailure(std::size_t index, const std::stop_token& stop, Body body);
  void Note(const std::string& note) TIDEMARK_EXCLUDES(mutex_);

  const repo::Manifest& manifest_;
  repo::SnapshotReader& reader_;
  RestoreTarget& target_;
  const RestoreOptions& options_;
  const RestoreScope& scope_;
  const engine::RunContext& run_;
  const mongo::ServerFacts facts_;
  Checkpoint checkpoint_;
  RestoreProgress progress_;
  bool writes_accounts_ = false;
  Mutex mutex_;
  std::vector<std::string> notes_ TIDEMARK_GUARDED_BY(mutex_);
};

void RestoreRun::CheckTargetAccepts() {
  std::vector<std::string> losses;
  for (const repo::NamespaceEntry& entry : manifest_.namespaces) {
    AddLosses(facts_, entry, losses);
  }
  if (HasAccounts()) {
    AddAccountLosses(facts_, manifest_.accounts, losses);
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
  if (HasAccounts() && TargetTakesAccounts(facts_)) {
    CheckAccounts();
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
    Note("users and roles were left out: " + std::string(error.message()));
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

void RestoreRun::MarkIncomplete() const {
  Retrying([this] {
    Doing("marking the target as incomplete",
          [&] { target_.MarkIncomplete(options_.job, manifest_.snapshot.ToString()); });
  });
}

void RestoreRun::Wipe() {
  if (checkpoint_.IsWiped()) {
    return;
  }
  if (scope_.IsWhole()) {
    const bool all = scope_.mode == RestoreMode::kReplace;
    Retrying([&] { all ? DropEverything() : DropWhatTheSnapshotHasNot(); });
  }
  checkpoint_.MarkWiped();
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
    const bool takes = TargetTakes(facts_, entry.kind);
    if (takes && !checkpoint_.IsFinished(i)) {
      RestoreView(i);
      checkpoint_.MarkFinished(i);
    }
    progress_.Reached(i, takes ? NamespaceStage::kDone : NamespaceStage::kLeftOut);
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
  Retrying([this] { Doing("marking the target as complete", [&] { target_.MarkComplete(); }); });
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
  if (scope_.mode == RestoreMode::kDelta || scope_.filter) {
    const domain::RestoreChanges changes = checkpoint_.Changes();
    summary.changes = changes;
    summary.documents =
        static_cast<std::uint64_t>(changes.left_alone + changes.replaced + changes.inserted);
  }
  const MutexLock lock(mutex_);
  summary.notes = notes_;
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

void RestoreRun::Note(const std::string& note) {
  run_.log.Warn("restore={}  {}", options_.job, note);
  const MutexLock lock(mutex_);
  if (std::ranges::find(notes_, note) == notes_.end()) {  // a further attempt
    notes_.push_back(note);
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
  const bool takes = TargetTakes(facts_, entry.kind);
  if (checkpoint_.IsFinished(index)) {
    progress_.Written(index, entry.digest.documents, entry.logical_bytes);
  } else if (takes) {
    domain::RestoreChanges changes;
    TellingFailure(index, stop, [&] {
      Retry(options_, run_.log, stop, [&] { changes = WriteNamespace(index, stop); });
    });
    checkpoint_.MarkFinished(index, changes);
  }
  progress_.Reached(index, takes ? NamespaceStage::kDone : NamespaceStage::kLeftOut);
  progress_.NamespaceFinished();
}

std::size_t RestoreRun::NumberOf(const repo::NamespaceEntry& entry) const {
  return static_cast<std::size_t>(&entry - manifest_.namespaces.data());
}

// A failure that is this namespace's own, not the end that another one's has brought.
template <class Body>
void RestoreRun::TellingFailure(std::size_t index, const std::stop_token& stop, Body body) {
  try {
    body();
  } catch (const Error& error) {
    if (!stop.stop_requested()) {
      progress_.Failed(index, error);
    }
    throw;
  }
}

// Creates a namespace that nobody else can have created. From then on it may be dropped.
void RestoreRun::Claim(const repo::NamespaceEntry& entry) {
  const std::size_t index = NumberOf(entry);
  const std::string name = NameOf(entry);
  if (checkpoint_.IsClaimed(index)) {
    return;
  }
  const auto refuse = [&name] {
    throw Error(ErrorCode::kConflict,
                "creating " + name + ": the target has something of that name",
                "it was created after the restore had chosen the name; start another one");
  };
  if (target_.FindNamespace(entry.database, entry.collection)) {
    refuse();
  }
  checkpoint_.MarkClaimed(index);  // first: a crash behind the creation must not disown it
  try {
    target_.CreateCollection(entry);
  } catch (const Error& error) {
    if (IsRetryable(error.code())) {
      throw;  // it may have been created
    }
    checkpoint_.TakeBackClaim(index);
    if (error.code() == ErrorCode::kConflict) {
      refuse();
    }
    throw error.WithContext("creating " + name);
  }
}

// May be repeated, whatever an earlier attempt has left behind.
domain::RestoreChanges RestoreRun::WriteNamespace(std::size_t index, const std::stop_token& stop) {
  const repo::NamespaceEntry& entry = manifest_.namespaces[index];
  progress_.Reached(index, NamespaceStage::kLoading);
  if (scope_.filter) {
    return WritePicked(entry, stop);
  }
  if (scope_.mode == RestoreMode::kCreate) {
    Claim(entry);
  }
  const bool is_delta = scope_.mode == RestoreMode::kDelta;
  if (is_delta || checkpoint_.IsBegun(index)) {
    if (const auto changes = ChangeInPlace(entry, stop)) {
      return is_delta ? *changes : domain::RestoreChanges();
    }
  }
  const domain::RestoreChanges all = Rewrite(index, stop);
  return is_delta ? all : domain::RestoreChanges();
}

// FerretDB sorts all of a collection to compare it: that takes longer than writing it.
bool RestoreRun::IsWorthGoingOn(const repo::NamespaceEntry& entry) const {
  return facts_.flavor != "ferretdb" && entry.logical_bytes >= options_.go_on_from.value;
}

// From nothing.
domain::RestoreChanges RestoreRun::Rewrite(std::size_t index, const std::stop_token& stop) {
  const repo::NamespaceEntry& entry = manifest_.namespaces[index];
  const std::string name = NameOf(entry);
  Doing("dropping " + name, [&] { target_.DropCollection(entry.database, entry.collection); });
  OrArrivedLate([&] {
    Doing("creating " + name, [&] { target_.CreateCollection(entry); });
    if (IsWorthGoingOn(entry)) {
      checkpoint_.MarkBegun(index);
    }
    Doing("loading " + name, [&] { Load(entry, stop); });
  });
  // Before the indexes: from then on a TTL index deletes what has expired.
  Verify(entry, stop);
  BuildIndexes(entry);  // after the data: a bulk build is cheaper
  return {.inserted = static_cast<std::int64_t>(entry.digest.documents)};
}

// Nullopt when the collection has to be written anew.
std::optional<domain::RestoreChanges> RestoreRun::ChangeInPlace(const repo::NamespaceEntry& entry,
                                                                const std::stop_token& stop) {
  const auto found = target_.FindNamespace(entry.database, entry.collection);
  if (!found) {
    return std::nullopt;
  }
  const InPlace plan = PlanInPlace(facts_, entry, *found);
  std::string obstacle = plan.obstacle;
  if (obstacle.empty()) {
    try {
      Prepare(entry, plan);
      return Compare(entry, stop);
    } catch (const Error& error) {
      if (!IsObstacle(error.code())) {
        throw;
      }
      obstacle = error.message();
    }
  }
  const std::string note = NameOf(entry) + " was written anew: " + obstacle;
  if (scope_.mode == RestoreMode::kDelta) {
    Note(note);
  } else {  // as it would have been without the cut
    run_.log.Info("restore={}  {}", options_.job, note);
  }
  return std::nullopt;
}

void RestoreRun::Prepare(const repo::NamespaceEntry& entry, const InPlace& plan) const {
  const std::string name = NameOf(entry);
  if (plan.options) {
    const Bytes& options = *plan.options;
    Doing("changing the options of " + name, [&] { target_.ChangeOptions(entry, options); });
  }
  for (const std::string& index : plan.drop_indexes) {
    Doing("dropping an index of " + name, [&] { target_.DropIndex(entry, index); });
  }
}

domain::RestoreChanges RestoreRun::Compare(const repo::NamespaceEntry& entry,
                                           const std::stop_token& stop) {
  domain::RestoreChanges changes;
  Counting(entry, [&](const auto& compared) {
    changes = DeltaLoad{reader_, target_, entry, compared}.Run(stop);
    Verify(entry, stop);  // before the indexes, as in Rewrite
  });
  BuildIndexes(entry);
  return changes;
}

// The collection stays as it is but for the picked documents.
domain::RestoreChanges RestoreRun::WritePicked(const repo::NamespaceEntry& entry,
                                               const std::stop_token& stop) {
  const std::string name = NameOf(entry);
  const auto found = target_.FindNamespace(entry.database, entry.collection);
  if (found && found->type != "collection") {
    throw Error(ErrorCode::kConflict,
                "writing to " + name + ": the target has a " + found->type + " of that name");
  }
  if (!found) {
    Doing("creating " + name, [&] { target_.CreateCollection(entry); });
    Doing("building the indexes of " + name, [&] { target_.CreateIndexes(entry); });
  }
  TIDEMARK_CHECK(scope_.filter.has_value());
  const IdFilter& ids = scope_.filter->ids;
  domain::RestoreChanges changes;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
  Counting(entry, [&](const auto& written) {
    const auto seen = [&](std::uint64_t more_documents, std::uint64_t more_bytes) {
      documents += more_documents;
      bytes += more_bytes;
      written(more_documents, more_bytes);
    };
    Doing("writing to " + name,
          [&] { changes = FilteredLoad{reader_, target_, entry, ids, seen}.Run(stop); });
  });
  // The rest was not even read.
  progress_.Written(NumberOf(entry),
                    entry.digest.documents - std::min(documents, entry.digest.documents),
                    entry.logical_bytes - std::min(bytes, entry.logical_bytes));
  return changes;
}

// Calls `body` with what reports progress; takes that back when it fails.
template <class Body>
void RestoreRun::Counting(const repo::NamespaceEntry& entry, Body body) {
  const std::size_t index = NumberOf(entry);
  std::atomic<std::uint64_t> documents{0};
  std::atomic<std::uint64_t> bytes{0};
  const auto written = [&](std::uint64_t more_documents, std::uint64_t more_bytes) {
    documents += more_documents;
    bytes += more_bytes;
    progress_.Written(index, more_documents, more_bytes);
  };
  try {
    body(written);
  } catch (const Error&) {
    progress_.Forget(index, documents, bytes);
    throw;
  }
}

void RestoreRun::Load(const repo::NamespaceEntry& entry, const std::stop_token& stop) {
  Counting(entry, [&](const auto& written) {
    NamespaceLoad{reader_, target_, entry, options_.writers, written}.Run(stop);
  });
}

// Nothing is called restored that was not read back.
void RestoreRun::Verify(const repo::NamespaceEntry& entry, const std::stop_token& stop) {
  const std::string name = NameOf(entry);
  progress_.Reached(NumberOf(entry), NamespaceStage::kVerifying);
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

void RestoreRun::BuildIndexes(const repo::NamespaceEntry& entry) {
  progress_.Reached(NumberOf(entry), NamespaceStage::kIndexing);
  Doing("building the indexes of " + NameOf(entry), [&] { target_.CreateIndexes(entry); });
}

void RestoreRun::RestoreView(std::size_t index) {
  const repo::NamespaceEntry& entry = manifest_.namespaces[index];
  TellingFailure(index, run_.stop, [&] { Retrying([&] { CreateView(entry); }); });
}

void RestoreRun::CreateView(const repo::NamespaceEntry& entry) {
  if (scope_.mode == RestoreMode::kCreate) {
    Claim(entry);
  }
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
