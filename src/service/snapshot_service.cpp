#include "service/snapshot_service.h"

#include <algorithm>

#include "base/pause.h"
#include "engine/mongo_source.h"
#include "service/internal/job_run.h"
#include "service/internal/new_snapshot.h"

namespace tidemark::service {
namespace {

// Of one that somebody asked for: as long as the shared tier keeps its daily ones
// (contract.md 7.1).
constexpr std::chrono::hours kSnapshotLife{24 * 8};
// One that may be deleted again is not deleted at once because its expiry has passed meanwhile.
constexpr std::chrono::hours kGrace{24};

// As long as a restore outlasts a server that is out of reach.
constexpr int kAttempts = 6;
constexpr std::chrono::milliseconds kFirstPause{1000};
constexpr std::size_t kMaxDescription = 1024;  // bytes

// An unfinished restore has left its marker: what is there now is nobody's data.
void RefuseHalfRestored(mongo::Connection& connection, const std::string& cluster) {
  if (connection.Count(mongo::kMarkerDatabase, mongo::kMarkerCollection) == 0) {
    return;
  }
  throw Error(
      ErrorCode::kConflict,
      "taking a snapshot of cluster " + cluster + ": an unfinished restore has left it incomplete",
      "restore into it again, or drop its database " + std::string(mongo::kMarkerDatabase) +
          " to accept the data as they are");
}

// As it was queued: the catalog keeps it longer where a compliance policy says so.
domain::Snapshot AsKept(catalog::Store& store, domain::Snapshot snapshot) {
  if (const auto kept = store.FindSnapshot(snapshot.id)) {
    snapshot.expires = kept->expires;
  }
  return snapshot;
}

// After the reading: the server may be registered under another name, too, where a restore into it
// does not stop this snapshot.
void RefuseRestoredMeanwhile(mongo::Connection& connection,
                             const std::string& cluster,
                             const std::stop_token& stop) {
  std::chrono::milliseconds pause = kFirstPause;
  for (int attempt = 1;; ++attempt) {
    try {
      RefuseHalfRestored(connection, cluster);
      return;
    } catch (const Error& error) {
      if (!IsRetryable(error.code()) || attempt == kAttempts || stop.stop_requested()) {
        throw;
      }
    }
    PauseFor(pause, stop);
    pause *= 2;
  }
}

void Describe(domain::Snapshot& snapshot, const engine::SnapshotSummary& summary) {
  snapshot.mongodb_version = summary.mongodb_version;
  snapshot.consistent = summary.consistent;
  snapshot.inconsistent_reason = summary.inconsistent_reason;
  snapshot.position = summary.position;
  snapshot.collections = summary.collections;
  snapshot.documents = summary.documents;
  snapshot.logical_bytes = summary.logical_bytes;
  snapshot.stored_bytes = summary.stored_bytes;
}

bool UpdateRetention(catalog::Store& store,
                     const SnapshotId& id,
                     const catalog::Store::RetentionChange& change) {
  try {
    return store.UpdateRetention(id, change);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kPermissionDenied) {
      throw;
    }
    throw Refusal(Reason::kRetentionCompliance,
                  ErrorCode::kPermissionDenied,
                  "keeping snapshot " + id.ToString() + ": the compliance policy keeps it longer");
  }
}

}  // namespace

catalog::Store::QueuedSnapshot NewSnapshot(Environment& environment,
                                           const domain::Cluster& cluster,
                                           Instant now) {
  catalog::Store::QueuedSnapshot queued;
  queued.snapshot.id = SnapshotId::Generate(now, environment.random);
  queued.snapshot.project = cluster.project;
  queued.snapshot.cluster = cluster.id;
  queued.snapshot.cluster_name = cluster.name;
  queued.snapshot.scheduled = now;
  queued.job.id = JobId::Generate(now, environment.random);
  queued.job.kind = domain::JobKind::kTakeSnapshot;
  queued.job.subject = queued.snapshot.id.raw();
  queued.job.created = now;
  return queued;
}

catalog::Store::QueuedSnapshot SnapshotService::Prepare(const domain::Cluster& cluster,
                                                        const std::string& description) {
  if (description.size() > kMaxDescription) {  // a list shows 500 of them
    throw Refusal(Reason::kInvalidValue,
                  ErrorCode::kInvalidArgument,
                  "must be at most " + std::to_string(kMaxDescription) + " bytes long",
                  {"description"});
  }
  const Instant now = env_.clock.Now();
  auto queued = NewSnapshot(env_, cluster, now);
  queued.snapshot.description = description;
  queued.snapshot.expires = now + kSnapshotLife;
  if (const auto schedule = env_.store.FindSchedule(cluster.id)) {
    queued.snapshot.expires += domain::ExtraOf(*schedule, std::nullopt);
  }
  return queued;
}

bool SnapshotService::Queue(const domain::Cluster& source,
                            const catalog::Store::QueuedSnapshot& queued,
                            const std::function<bool()>& add) {
  try {
    if (!add()) {
      return false;
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound) {
      clusters_.Find(source.project, source.id, source.name);  // tells that it is gone
    }
    throw;
  }
  env_.log.Info(
      "snapshot={} cluster={}  snapshot queued", queued.snapshot.id.ToString(), source.name);
  env_.wake_runner();
  return true;
}

domain::Snapshot SnapshotService::Take(const ProjectId& project,
                                       const std::string& cluster,
                                       const std::string& description) {
  const domain::Cluster source = clusters_.Find(project, cluster);
  const auto queued = Prepare(source, description);
  Queue(source, queued, [&] {
    env_.store.AddSnapshot(queued.snapshot, queued.job);
    return true;
  });
  return AsKept(env_.store, queued.snapshot);
}

domain::Snapshot SnapshotService::TakeAlone(const ProjectId& project,
                                            const std::string& cluster,
                                            const std::string& description,
                                            std::optional<std::int64_t> retention_days) {
  const domain::Cluster source = clusters_.Find(project, cluster);
  auto queued = Prepare(source, description);
  if (retention_days) {
    queued.snapshot.retention_days = retention_days;
    queued.snapshot.expires += std::chrono::hours(24 * *retention_days) - kSnapshotLife;
  }
  const auto add = [&] { return env_.store.AddSnapshotAlone(queued.snapshot, queued.job); };
  if (!Queue(source, queued, add)) {
    throw Refusal(Reason::kUnfinishedSnapshot,
                  ErrorCode::kConflict,
                  "taking a snapshot of cluster " + source.name +
                      ": another one that was asked for is unfinished",
                  {source.name});
  }
  return AsKept(env_.store, queued.snapshot);
}

domain::Listing<domain::Snapshot> SnapshotService::List(const domain::Cluster& cluster,
                                                        const domain::Page& page) {
  return env_.store.ListSnapshots(cluster.id, page);
}

domain::Listing<domain::Snapshot> SnapshotService::ListOldestFirst(const domain::Cluster& cluster,
                                                                   const domain::Page& page) {
  return env_.store.ListSnapshotsOldestFirst(cluster.id, page);
}

domain::Listing<domain::Snapshot> SnapshotService::List(
    const domain::Cluster& cluster,
    const catalog::Store::SnapshotStates& states,
    const domain::Page& page) {
  return env_.store.ListSnapshots(cluster.id, states, page);
}

std::optional<domain::Snapshot> SnapshotService::Find(const domain::Cluster& cluster,
                                                      const SnapshotId& id) {
  auto found = env_.store.FindSnapshot(id);
  return found && found->cluster == cluster.id && !found->deleted ? found : std::nullopt;
}

std::vector<engine::NamespaceDiff> SnapshotService::Diff(const domain::Cluster& cluster,
                                                         const SnapshotId& before,
                                                         const SnapshotId& after,
                                                         const engine::DiffOptions& options) {
  for (const SnapshotId& id : {before, after}) {
    const auto snapshot = Find(cluster, id);
    if (!snapshot || snapshot->state != domain::SnapshotState::kCompleted) {
      throw Refusal(Reason::kSnapshotNotFound,
                    ErrorCode::kNotFound,
                    "comparing snapshot " + id.ToString() + ": there is no finished one",
                    {id.ToString(), cluster.name});
    }
  }
  const auto reader = env_.repository.NewReader(cluster.project);
  return engine::DiffSnapshots(*reader,
                               env_.repository.LoadManifest(cluster.project, before),
                               env_.repository.LoadManifest(cluster.project, after),
                               options,
                               {});
}

std::optional<domain::Job> SnapshotService::FindJob(const SnapshotId& id) {
  return env_.store.FindJobBySubject(id.raw());
}

domain::Snapshot SnapshotService::RequireDeletable(const domain::Cluster& cluster,
                                                   const SnapshotId& id) {
  auto snapshot = Find(cluster, id);
  if (!snapshot) {
    throw Refusal(Reason::kSnapshotNotFound,
                  ErrorCode::kNotFound,
                  "deleting snapshot " + id.ToString() + ": there is none",
                  {id.ToString(), cluster.name});
  }
  if (!domain::IsFinal(snapshot->state)) {
    throw Refusal(Reason::kClusterBusy,
                  ErrorCode::kConflict,
                  "deleting snapshot " + id.ToString() + ": it is being taken",
                  {cluster.name});
  }
  if (snapshot->do_not_delete) {
    throw Refusal(Reason::kSnapshotProtected,
                  ErrorCode::kConflict,
                  "deleting snapshot " + id.ToString() + ": it is not to be deleted",
                  {id.ToString()});
  }
  return *std::move(snapshot);
}

void SnapshotService::Delete(const domain::Cluster& cluster, const SnapshotId& id) {
  const domain::Snapshot snapshot = RequireDeletable(cluster, id);
  try {
    if (!env_.store.MarkSnapshotDeleted(id, env_.clock.Now())) {
      // Since we looked somebody has deleted it, or says that it is to be kept.
      RequireDeletable(cluster, id);
      throw Error(ErrorCode::kUnavailable,
                  "deleting snapshot " + id.ToString() + ": somebody is changing it",
                  "try again");
    }
  } catch (const Refusal&) {
    throw;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kPermissionDenied) {
      throw Refusal(Reason::kSnapshotCompliance,
                    ErrorCode::kPermissionDenied,
                    "deleting snapshot " + id.ToString() + ": the compliance policy keeps it");
    }
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Refusal(Reason::kSnapshotInUse,
                  ErrorCode::kConflict,
                  "deleting snapshot " + id.ToString() + ": a restore is reading it",
                  {id.ToString()});
  }
  // After the catalog: a crash between the two leaves an unlisted manifest, never a listed snapshot
  // without one.
  env_.repository.DeleteManifest(snapshot.project, id);
  env_.store.MarkSnapshotSwept({.id = id, .project = snapshot.project}, env_.clock.Now());
  env_.log.Info("snapshot={} cluster={}  snapshot deleted", id.ToString(), cluster.name);
}

domain::Snapshot SnapshotService::Keep(const domain::Cluster& cluster,
                                       const SnapshotId& id,
                                       const RetentionChange& change) {
  catalog::Store::RetentionChange stored{change.do_not_delete, change.expires, {}};
  if (!change.expires && change.do_not_delete == false) {
    stored.not_before = env_.clock.Now() + kGrace;
  }
  const bool kept = Find(cluster, id) && UpdateRetention(env_.store, id, stored);
  const auto snapshot = kept ? Find(cluster, id) : std::nullopt;
  if (!snapshot) {
    throw Refusal(Reason::kSnapshotNotFound,
                  ErrorCode::kNotFound,
                  "keeping snapshot " + id.ToString() + ": there is no finished one",
                  {id.ToString(), cluster.name});
  }
  env_.log.Info("snapshot={} cluster={} doNotDelete={} expires={}  retention changed",
                id.ToString(),
                cluster.name,
                snapshot->do_not_delete,
                FormatInstant(snapshot->expires));
  return *snapshot;
}

std::optional<SnapshotId> SnapshotService::NewestOf(const ClusterId& cluster) {
  constexpr std::int64_t kLookedAt = 50;  // behind so many failures a whole snapshot is due anyway
  const auto listing = env_.store.ListSnapshots(cluster, {.size = kLookedAt});
  const auto newest =
      std::ranges::find(listing.rows, domain::SnapshotState::kCompleted, &domain::Snapshot::state);
  return newest == listing.rows.end() ? std::nullopt : std::optional(newest->id);
}

void SnapshotService::DropPartials(const ProjectId& project) {
  try {
    for (const SnapshotId& id : env_.repository.ListPartials(project)) {
      const auto snapshot = env_.store.FindSnapshot(id);
      if (!snapshot || domain::IsFinal(snapshot->state)) {
        env_.repository.DropPartial(project, id);
      }
    }
  } catch (const Error& error) {
    // They cost space, and the next snapshot of the project tries again.
    env_.log.Warn(
        "project={}  dropping partial manifests: {}", project.ToString(), error.message());
  }
}

engine::SnapshotOptions SnapshotService::OptionsFor(const domain::Snapshot& snapshot) {
  engine::SnapshotOptions options = engine_;
  options.snapshot = snapshot.id;
  options.project = snapshot.project;
  options.cluster = snapshot.cluster;
  options.cluster_name = snapshot.cluster_name;
  options.base = NewestOf(snapshot.cluster);
  return options;
}

engine::SnapshotSummary SnapshotService::TakeNow(const domain::Snapshot& snapshot,
                                                 const engine::SnapshotOptions& options,
                                                 const jobs::JobContext& context) {
  const auto cluster = env_.store.FindCluster(snapshot.cluster);
  if (!cluster || cluster->removed) {
    throw Error(
        ErrorCode::kNotFound,
        "taking a snapshot of cluster " + snapshot.cluster_name + ": it is no longer registered");
  }
  mongo::ConnectionOptions connect;
  connect.connect_timeout = kJobConnectTimeout;
  const auto connection = clusters_.Connect(*cluster, connect);
  const mongo::ServerFacts facts = connection->Facts();
  env_.store.UpdateClusterFacts(
      cluster->id, TopologyOf(facts), facts.version, facts.replica_set_name);
  RefuseHalfRestored(*connection, cluster->name);
  const auto source = engine::MakeMongoSource(*connection);
  engine::SnapshotSummary summary = engine::TakeSnapshot(
      *source, env_.repository, options, MakeRunContext(context, env_.clock, env_.log));
  try {
    RefuseRestoredMeanwhile(*connection, cluster->name, context.stop);
  } catch (const Error&) {
    if (!context.stop.stop_requested()) {  // else it is no longer ours to delete
      env_.repository.DeleteManifest(snapshot.project, snapshot.id);
    }
    throw;
  }
  return summary;
}

void SnapshotService::Run(const jobs::JobContext& context) {
  Run(context, [&](const domain::Snapshot& snapshot, const engine::SnapshotOptions& options) {
    return TakeNow(snapshot, options, context);
  });
}

void SnapshotService::Run(const jobs::JobContext& context, const Taking& take) {
  auto snapshot = env_.store.FindSnapshot(SnapshotId(context.job.subject));
  TIDEMARK_CHECK(snapshot.has_value());
  engine::SnapshotSummary summary;
  try {
    // A crash after the manifest but before the catalog row leaves a manifest under this id; this
    // run replaces it.
    env_.repository.DeleteManifest(snapshot->project, snapshot->id);
    summary = take(*snapshot, OptionsFor(*snapshot));
    Describe(*snapshot, summary);
    snapshot->state = domain::SnapshotState::kCompleted;
  } catch (const Error& error) {
    if (context.stop.stop_requested()) {
      throw;  // handed back, or no longer ours: whoever has the lease decides
    }
    snapshot->state = domain::SnapshotState::kFailed;
    snapshot->failure = FailureText(error);
  }
  snapshot->finished = env_.clock.Now();
  if (!env_.store.FinishSnapshot(context.lease, *snapshot)) {
    env_.log.Warn("snapshot={}  finished without its lease: the result is dropped",
                  snapshot->id.ToString());
    return;
  }
  DropPartials(snapshot->project);
  if (snapshot->state == domain::SnapshotState::kFailed) {
    env_.log.Error("snapshot={} cluster={}  snapshot failed: {}",
                   snapshot->id.ToString(),
                   snapshot->cluster_name,
                   snapshot->failure);
  } else {
    env_.log.Info(
        "snapshot={} cluster={} documents={} bytes={} stored={} changed={} removed={}  "
        "snapshot completed",
        snapshot->id.ToString(),
        snapshot->cluster_name,
        snapshot->documents,
        snapshot->logical_bytes,
        snapshot->stored_bytes,
        summary.stored_documents,
        summary.removed_documents);
  }
}

}  // namespace tidemark::service
