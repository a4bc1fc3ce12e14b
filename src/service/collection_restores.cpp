// Restores by collection: the same engine, with a state for each namespace that a client can see.
#include <map>

#include "base/mutex.h"
#include "delivery/collection_choice.h"
#include "service/internal/job_run.h"
#include "service/refusal.h"
#include "service/restore_service.h"

namespace tidemark::service {
namespace {

using domain::IndexBuildState;
using domain::NamespaceState;
using domain::RestoredNamespace;

[[noreturn]] void ThrowLeaseLost(const domain::RestoreJob& restore) {
  throw Error(ErrorCode::kCancelled, "restore " + restore.id.ToString() + ": the lease is lost");
}

// Whether the names go together; what is missing is the job's to say.
void CheckNames(const repo::Manifest& manifest, const domain::CollectionRestore& choice) {
  try {
    const delivery::RestoreScope scope =
        delivery::ScopeOf(delivery::ChooseNamespaces(manifest, choice), choice.write);
    if (!scope.include.empty()) {
      delivery::CheckScope(manifest, scope);
    }
  } catch (const Error& error) {
    throw Refusal(Reason::kInvalidValue,
                  error.code(),
                  FailureText(error),
                  {choice.collections.empty() ? "databases" : "collections"});
  }
}

// Writes what the engine tells of the namespaces into the catalog. Synchronized.
class NamespaceLog {
 public:
  NamespaceLog(catalog::Store& store, domain::Lease lease, std::vector<RestoredNamespace> rows)
      : store_(store), lease_(lease) {
    const MutexLock lock(mutex_);
    for (RestoredNamespace& row : rows) {
      std::string source = row.source;
      rows_.emplace(std::move(source), std::move(row));
    }
  }

  void Write(const delivery::NamespaceEvent& event) TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    const auto found = rows_.find(event.source);
    TIDEMARK_CHECK(found != rows_.end());
    RestoredNamespace& row = found->second;
    row.documents_restored = event.documents;
    Apply(event, row);
    store_.SaveRestoredNamespace(lease_, row);  // a lost lease ends the run by its stop token
  }

 private:
  // Where indexes are built at all.
  static void MoveIndexes(RestoredNamespace& row, IndexBuildState state) {
    if (row.indexes != IndexBuildState::kNotRestored) {
      row.indexes = state;
    }
  }

  static void Apply(const delivery::NamespaceEvent& event, RestoredNamespace& row) {
    switch (event.stage) {
      case delivery::NamespaceStage::kLoading:
        row.state = NamespaceState::kInProgress;
        MoveIndexes(row, IndexBuildState::kNotStarted);
        return;
      case delivery::NamespaceStage::kVerifying:
        row.state = NamespaceState::kFinalizing;
        return;
      case delivery::NamespaceStage::kIndexing:
        row.state = NamespaceState::kFinalizing;
        MoveIndexes(row, IndexBuildState::kInProgress);
        return;
      case delivery::NamespaceStage::kDone:
        row.state = NamespaceState::kSuccessful;
        row.documents_restored = row.documents_total;
        MoveIndexes(row, IndexBuildState::kSuccessful);
        return;
      case delivery::NamespaceStage::kLeftOut:
        // Not kUnsupported: what is that has been ruled out before the run, and its rows must not
        // change between two attempts (checkpoints count them).
        row.state = NamespaceState::kNotRestored;
        MoveIndexes(row, IndexBuildState::kNotRestored);
        return;
      case delivery::NamespaceStage::kFailed:
        Fail(event, row);
        return;
    }
  }

  static void Fail(const delivery::NamespaceEvent& event, RestoredNamespace& row) {
    const bool at_indexes = event.failed_in == delivery::NamespaceStage::kIndexing &&
                            row.indexes != IndexBuildState::kNotRestored;
    row.state = at_indexes ? NamespaceState::kIndexBuildFailed : NamespaceState::kFailed;
    if (at_indexes) {
      row.indexes = IndexBuildState::kFailed;
      row.index_failure = event.failure;
    } else {
      MoveIndexes(row, IndexBuildState::kNotRestored);
    }
  }

  catalog::Store& store_;
  const domain::Lease lease_;
  Mutex mutex_;
  std::map<std::string, RestoredNamespace> rows_ TIDEMARK_GUARDED_BY(mutex_);
};

// All or nothing: with something that cannot be restored nothing is written.
void RefuseWhatCannotBeRestored(const domain::RestoreJob& restore,
                                const std::vector<RestoredNamespace>& rows,
                                const delivery::RestoreOptions& options) {
  for (const RestoredNamespace& row : rows) {
    if (row.state == NamespaceState::kNotFound) {
      throw Error(ErrorCode::kNotFound,
                  "restoring " + row.source + ": it was not found in snapshot " +
                      restore.snapshot.ToString());
    }
    if (row.state == NamespaceState::kUnsupported && !options.allow_lossy) {
      throw Error(
          ErrorCode::kUnsupported,
          "restoring " + row.source + ": cluster " + restore.target_name + " cannot take all of it",
          "set allowLossy on the target cluster to restore without what it cannot take; "
          "a dry run of our own API lists that");
    }
  }
}

// What the client sees of each collection has to bear out what it sees of the job.
void RequireAllRestored(const std::vector<RestoredNamespace>& rows) {
  for (const RestoredNamespace& row : rows) {
    if (row.state != NamespaceState::kSuccessful && row.state != NamespaceState::kUnsupported) {
      throw Error(ErrorCode::kInternal,
                  "restoring " + row.source + ": the run has ended with it in state " +
                      std::string(domain::NamespaceStateName(row.state)));
    }
  }
}

}  // namespace

domain::RestoreJob RestoreService::StartByCollection(const Caller& caller,
                                                     const RestoreRequest& request,
                                                     const domain::CollectionRestore& choice) {
  const Checked checked = CheckRequest(caller, request);
  CheckNames(env_.repository.LoadManifest(checked.snapshot.project, checked.snapshot.id), choice);
  domain::RestoreJob restore = NewJob(caller, request, checked);
  restore.by_collection = true;
  Queue(restore, choice, caller);
  return restore;
}

domain::Listing<domain::RestoreJob> RestoreService::ListByCollection(const domain::Cluster& source,
                                                                     const domain::Page& page) {
  return env_.store.ListCollectionRestores(source.id, page);
}

std::optional<domain::RestoreJob> RestoreService::FindByCollection(const domain::Cluster& source,
                                                                   const RestoreJobId& id) {
  auto found = env_.store.FindRestore(id);
  return found && found->cluster == source.id && found->by_collection ? found : std::nullopt;
}

delivery::RestoreSummary RestoreService::RestoreCollections(const domain::RestoreJob& restore,
                                                            const repo::Manifest& manifest,
                                                            repo::SnapshotReader& reader,
                                                            delivery::RestoreTarget& target,
                                                            delivery::RestoreOptions options,
                                                            const jobs::JobContext& context) {
  const auto choice = env_.store.FindCollectionRestore(restore.id);
  TIDEMARK_CHECK(choice.has_value());
  options.indexes = delivery::ChoiceOf(choice->indexes);
  // Chosen once: a run that goes on must write to the names that it began with.
  std::vector<RestoredNamespace> rows = env_.store.ReadRestoredNamespaces(restore.id);
  if (rows.empty()) {
    rows = delivery::ChooseNamespaces(manifest, *choice);
    delivery::MarkUnsupported(manifest, target.Facts(), options, rows);
    if (choice->write == domain::WriteStrategy::kCreateNew) {
      delivery::AvoidTakenNames(target, rows);
    }
    if (!env_.store.AddRestoredNamespaces(context.lease, rows)) {
      ThrowLeaseLost(restore);
    }
  }
  RefuseWhatCannotBeRestored(restore, rows, options);
  options.scope = delivery::ScopeOf(rows, choice->write);
  if (options.scope.include.empty()) {
    return {};  // only empty databases; an empty scope would mean all of the snapshot
  }
  NamespaceLog log(env_.store, context.lease, std::move(rows));
  options.on_namespace = [&log](const delivery::NamespaceEvent& event) { log.Write(event); };
  delivery::RestoreSummary summary = delivery::RunRestore(
      manifest, reader, target, options, MakeRunContext(context, env_.clock, env_.log));
  RequireAllRestored(env_.store.ReadRestoredNamespaces(restore.id));
  return summary;
}

}  // namespace tidemark::service
