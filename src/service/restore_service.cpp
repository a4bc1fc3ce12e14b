#include "service/restore_service.h"

#include "bson/builder.h"
#include "service/internal/job_run.h"
#include "service/internal/snapshot_check.h"

namespace tidemark::service {
namespace {

// Tidemark's own pool at the time of the check: one client and up to two of the driver's monitors.
constexpr std::int64_t kOwnConnections = 3;

[[noreturn]] void RefuseUnavailable(const std::string& target, std::string_view why) {
  throw Refusal(Reason::kDestinationUnavailable,
                ErrorCode::kUnavailable,
                "restoring into cluster " + target + ": " + std::string(why),
                {target});
}

// An imported snapshot may not know its version.
void RefuseOtherVersion(const domain::Snapshot& snapshot, const std::string& target_version) {
  if (!snapshot.mongodb_version.empty() &&
      domain::MajorVersion(snapshot.mongodb_version) != domain::MajorVersion(target_version)) {
    throw Refusal(Reason::kVersionMismatch,
                  ErrorCode::kInvalidArgument,
                  "restoring a snapshot of MongoDB " + snapshot.mongodb_version +
                      ": the target runs " + target_version,
                  {snapshot.mongodb_version, target_version});
  }
}

// The number of client connections that the server reports; nullopt when it does not say.
std::optional<std::int64_t> OpenConnections(mongo::Connection& connection) {
  const Bytes command = bson::Builder().Append("serverStatus", std::int32_t{1}).Finish();
  const Bytes reply = connection.RunCommand("admin", bson::Document(command));
  const auto connections = bson::Document(reply).Find("connections");
  const auto document = connections ? connections->AsDocument() : std::nullopt;
  const auto current = document ? document->Find("current") : std::nullopt;
  return current ? current->AsInteger() : std::nullopt;
}

void RefuseBusy(mongo::Connection& connection, const std::string& target) {
  const auto open = OpenConnections(connection);
  if (!open || *open > kOwnConnections) {
    RefuseUnavailable(
        target,
        open ? "other clients are connected and it was registered with requireQuiet"
             : "it does not tell how many clients are connected, which requireQuiet needs");
  }
}

// Calls `check`; what it refuses is the member of the request that its message begins with.
template <class Check>
auto OrInvalidValue(const Check& check) {
  try {
    return check();
  } catch (const Error& error) {
    const std::string message = FailureText(error);
    throw Refusal(Reason::kInvalidValue,
                  error.code(),
                  message,
                  {message.starts_with("filter") ? "filter" : "include"});
  }
}

delivery::RestoreScope ParseRequested(const RestoreRequest& request) {
  return OrInvalidValue([&] { return delivery::ParseScope(request.scope); });
}

void CheckFits(const repo::Manifest& manifest, const delivery::RestoreScope& scope) {
  OrInvalidValue([&] { delivery::CheckScope(manifest, scope); });
}

std::string JoinLines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += (text.empty() ? "" : "\n") + line;
  }
  return text;
}

}  // namespace

RestoreService::Checked RestoreService::CheckRequest(const Caller& caller,
                                                     const RestoreRequest& request) {
  // The order is contract.md section 8; it decides which of several reasons a client sees.
  Checked checked;
  checked.source = clusters_.Find(request.project, request.cluster);
  RefuseSharded(checked.source.topology, checked.source.name);
  checked.snapshot =
      FindUsable(env_, checked.source, request.snapshot, Reason::kIncompleteSnapshot);
  const ProjectId target_project = request.target_project.value_or(request.project);
  if (!access_.MayOn(caller, target_project, request.right)) {
    throw Refusal(
        Reason::kCannotRestoreToTarget,
        ErrorCode::kPermissionDenied,
        "restoring into project " + target_project.ToString() + ": the key may not restore there");
  }
  checked.target = request.target_id
                       ? clusters_.Find(target_project, *request.target_id, request.target_cluster)
                       : clusters_.Find(target_project, request.target_cluster);
  CheckTarget(checked);
  return checked;
}

void RestoreService::CheckTarget(Checked& checked) {
  domain::Cluster& target = checked.target;
  std::unique_ptr<mongo::Connection> connection;
  std::string unreachable;
  if (!target.paused) {  // a paused one is down on purpose: do not wait for it
    try {
      connection = clusters_.Connect(target, {});
      const mongo::ServerFacts facts = connection->Facts();
      target.topology = TopologyOf(facts);
      target.mongodb_version = facts.version;
      env_.store.UpdateClusterFacts(
          target.id, target.topology, facts.version, facts.replica_set_name);
    } catch (const Error& error) {  // its place in the order comes below
      unreachable = error.message();
    }
  }
  RefuseSharded(target.topology, target.name);
  if (target.encryption_at_rest) {
    throw Refusal(Reason::kDestinationEncryption,
                  ErrorCode::kInvalidArgument,
                  "restoring into cluster " + target.name + ": it encrypts at rest",
                  {target.name});
  }
  if (!target.mongodb_version.empty()) {
    RefuseOtherVersion(checked.snapshot, target.mongodb_version);
  }
  if (target.paused) {
    throw Refusal(Reason::kClusterPaused,
                  ErrorCode::kInvalidArgument,
                  "restoring into cluster " + target.name + ": it is paused",
                  {target.name});
  }
  if (!unreachable.empty()) {
    env_.log.Warn("cluster={}  restore target cannot be reached: {}", target.name, unreachable);
    RefuseUnavailable(target.name, "it cannot be reached");
  }
  if (target.require_quiet) {
    RefuseBusy(*connection, target.name);
  }
}

domain::RestoreJob RestoreService::Start(const Caller& caller, const RestoreRequest& request) {
  const delivery::RestoreScope scope = ParseRequested(request);
  const Checked checked = CheckRequest(caller, request);
  if (!scope.IsWhole()) {
    CheckFits(env_.repository.LoadManifest(checked.snapshot.project, checked.snapshot.id), scope);
  }
  const domain::RestoreJob restore = NewJob(caller, request, checked);
  Queue(restore, std::nullopt, caller);
  return restore;
}

domain::RestoreJob RestoreService::NewJob(const Caller& caller,
                                          const RestoreRequest& request,
                                          const Checked& checked) {
  const Instant now = env_.clock.Now();
  domain::RestoreJob restore;
  restore.id = RestoreJobId::Generate(now, env_.random);
  restore.project = request.project;
  restore.cluster = checked.source.id;
  restore.cluster_name = checked.source.name;
  restore.snapshot = checked.snapshot.id;
  restore.snapshot_finished = checked.snapshot.finished.value_or(now);
  restore.position = checked.snapshot.position;
  restore.target_project = checked.target.project;
  restore.target_cluster = checked.target.id;
  restore.target_name = checked.target.name;
  restore.created = now;
  restore.expires = now + request.life;
  restore.requested_by = caller.key.id;
  restore.right = request.right;
  restore.scope = request.scope;
  return restore;
}

void RestoreService::Queue(const domain::RestoreJob& restore,
                           const std::optional<domain::CollectionRestore>& choice,
                           const Caller& caller) {
  domain::Job job;
  job.id = JobId::Generate(restore.created, env_.random);
  job.kind = domain::JobKind::kRestore;
  job.subject = restore.id.raw();
  job.created = restore.created;
  const std::string stopped =
      "stopped: restore " + restore.id.ToString() + " is replacing the cluster's data";
  try {
    if (choice) {
      env_.store.AddCollectionRestore(restore, *choice, job, stopped);
    } else {
      env_.store.AddRestore(restore, job, stopped);
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kNotFound) {  // between the checks and here
      clusters_.Find(restore.target_project, restore.target_cluster, restore.target_name);
      throw Refusal(
          Reason::kDeletedSnapshot,
          ErrorCode::kConflict,
          "restoring snapshot " + restore.snapshot.ToString() + ": it has just been deleted");
    }
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Refusal(Reason::kRestoreInProgress,
                  ErrorCode::kConflict,
                  "restoring into cluster " + restore.target_name + ": another restore is running",
                  {restore.target_name});
  }
  env_.log.Info("restore={} snapshot={} source={} target={} key={}  restore queued",
                restore.id.ToString(),
                restore.snapshot.ToString(),
                restore.cluster_name,
                restore.target_name,
                caller.key.public_name);
  env_.wake_runner();
}

delivery::RestorePlan RestoreService::Plan(const Caller& caller, const RestoreRequest& request) {
  const delivery::RestoreScope scope = ParseRequested(request);
  const Checked checked = CheckRequest(caller, request);
  const auto connection = clusters_.Connect(checked.target, {});
  const auto target = delivery::MakeClusterTarget(*connection);
  const repo::Manifest manifest =
      env_.repository.LoadManifest(checked.snapshot.project, checked.snapshot.id);
  CheckFits(manifest, scope);
  return delivery::PlanRestore(manifest, *target, scope);
}

domain::Listing<domain::RestoreJob> RestoreService::List(const domain::Cluster& source,
                                                         const domain::Page& page) {
  return env_.store.ListRestores(source.id, page);
}

domain::Listing<domain::RestoreJob> RestoreService::ListWhole(const domain::Cluster& source,
                                                              const domain::Page& page) {
  return env_.store.ListWholeRestores(source.id, page);
}

domain::Listing<domain::RestoreJob> RestoreService::ListButPushes(const domain::Cluster& source,
                                                                  const domain::Page& page) {
  return env_.store.ListRestoresButPushes(source.id, page);
}

std::optional<domain::RestoreJob> RestoreService::Find(const domain::Cluster& source,
                                                       const RestoreJobId& id) {
  auto found = env_.store.FindRestore(id);
  return found && found->cluster == source.id && !found->by_collection ? found : std::nullopt;
}

std::optional<domain::Job> RestoreService::FindJob(const RestoreJobId& id) {
  return env_.store.FindJobBySubject(id.raw());
}

// Both may have changed while the job waited; nothing has been wiped yet.
domain::Cluster RestoreService::RequireTarget(const domain::RestoreJob& restore) {
  const auto key = env_.store.FindKey(restore.requested_by);
  if (!key || key->key.revoked ||
      !access_.MayOn({key->key}, restore.target_project, restore.right)) {
    throw Error(ErrorCode::kPermissionDenied,
                "restoring into cluster " + restore.target_name +
                    ": the key that asked for it has lost the right to");
  }
  auto cluster = env_.store.FindCluster(restore.target_cluster);
  if (!cluster || cluster->removed) {
    throw Error(ErrorCode::kNotFound,
                "restoring into cluster " + restore.target_name + ": it is no longer registered");
  }
  return *cluster;
}

delivery::RestoreSummary RestoreService::RestoreNow(const domain::RestoreJob& restore,
                                                    const jobs::JobContext& context) {
  const domain::Cluster cluster = RequireTarget(restore);
  const repo::Manifest manifest = env_.repository.LoadManifest(restore.project, restore.snapshot);
  const auto reader = env_.repository.NewReader(restore.project);
  mongo::ConnectionOptions connect;
  connect.connect_timeout = kJobConnectTimeout;
  const auto connection = clusters_.Connect(cluster, connect);
  const auto target = delivery::MakeClusterTarget(*connection);
  delivery::RestoreOptions options = options_;
  options.job = restore.id.ToString();
  options.allow_lossy = cluster.allow_lossy;
  options.is_at_work = [this](const std::string& job) { return IsUnfinishedJob(env_.store, job); };
  if (restore.by_collection) {
    return RestoreCollections(restore, manifest, *reader, *target, std::move(options), context);
  }
  options.scope = delivery::ParseScope(restore.scope);
  delivery::RestoreSummary summary = delivery::RunRestore(
      manifest, *reader, *target, options, MakeRunContext(context, env_.clock, env_.log));
  env_.log.Info("restore={} target={} collections={} documents={} bytes={}  restore verified",
                restore.id.ToString(),
                restore.target_name,
                summary.collections,
                summary.documents,
                summary.bytes);
  return summary;
}

void RestoreService::Run(const jobs::JobContext& context) {
  const auto restore = env_.store.FindRestore(RestoreJobId(context.job.subject));
  TIDEMARK_CHECK(restore.has_value());
  domain::RestoreState state = domain::RestoreState::kCompleted;
  std::string failure;
  try {
    const delivery::RestoreSummary summary = RestoreNow(*restore, context);
    env_.store.SaveRestoreChanges(context.lease, summary.changes, JoinLines(summary.notes));
  } catch (const Error& error) {
    if (context.stop.stop_requested()) {
      throw;  // handed back, or no longer ours: whoever has the lease goes on from the checkpoint
    }
    state = domain::RestoreState::kFailed;
    failure = FailureText(error);
    if (restore->by_collection) {
      env_.store.FailRestoredNamespaces(context.lease);
    }
  }
  if (!env_.store.FinishRestore(context.lease, state, failure, env_.clock.Now())) {
    env_.log.Warn("restore={}  finished without its lease: the result is dropped",
                  restore->id.ToString());
    return;
  }
  if (state == domain::RestoreState::kFailed) {
    env_.log.Error("restore={} target={}  restore failed: {}",
                   restore->id.ToString(),
                   restore->target_name,
                   failure);
  } else {
    env_.log.Info(
        "restore={} target={}  restore completed", restore->id.ToString(), restore->target_name);
  }
}

}  // namespace tidemark::service
