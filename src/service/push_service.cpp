#include "service/push_service.h"

#include "base/error.h"
#include "base/pause.h"
#include "service/internal/job_run.h"
#include "service/internal/snapshot_check.h"

namespace tidemark::service {
namespace {

constexpr std::chrono::hours kPushLife{24};  // contract.md 7.3: expirationHours' default

}  // namespace

domain::RestoreJob PushService::Start(const Caller& caller, const PushRequest& request) {
  TIDEMARK_CHECK(IsConfigured());
  const domain::Cluster source = clusters_.Find(request.project, request.cluster);
  RefuseSharded(source.topology, source.name);
  const domain::Snapshot snapshot =
      FindUsable(env_, source, request.snapshot, Reason::kDownloadIncomplete);
  domain::RestoreJob restore =
      NewDelivery(env_, caller, source, snapshot, domain::DeliveryMethod::kPush);
  restore.expires = restore.created + kPushLife;
  // The job's id keeps two pushes of one snapshot apart.
  const domain::Push push{.restore = restore.id,
                          .method = request.method,
                          .file_name = source.name + "-" + snapshot.id.ToString() + "-" +
                                       restore.id.ToString() + ".tar.gz"};
  domain::Job job;
  job.id = JobId::Generate(restore.created, env_.random);
  job.kind = domain::JobKind::kRestore;
  job.subject = restore.id.raw();
  job.created = restore.created;
  try {
    env_.store.AddPush(restore, push, job);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
    throw Refusal(Reason::kDeletedSnapshot,  // between the check and here
                  ErrorCode::kConflict,
                  "pushing snapshot " + restore.snapshot.ToString() + ": it has just been deleted");
  }
  env_.log.Info("restore={} snapshot={} source={} key={}  push queued",
                restore.id.ToString(),
                restore.snapshot.ToString(),
                restore.cluster_name,
                caller.key.public_name);
  env_.wake_runner();
  return restore;
}

std::optional<domain::Push> PushService::Find(const RestoreJobId& id) {
  return env_.store.FindPush(id);
}

// The archive is packed anew for each try: its bytes are the same every time.
delivery::PushedFile PushService::TryOnce(const jobs::JobContext& context,
                                          const domain::RestoreJob& restore,
                                          const std::string& file_name) {
  const auto cluster = env_.store.FindCluster(restore.cluster);
  TIDEMARK_CHECK(cluster.has_value() && options_.destination.has_value());
  const ExportedArchive archive = downloads_.Export(*cluster, restore.snapshot, {});
  domain::JobProgress progress{.phase = "pushing"};
  delivery::PushRun run;
  run.stop = context.stop;
  run.quiet_timeout = options_.quiet_timeout;
  run.report = [&](std::uint64_t sent) {
    progress.bytes_done = sent;
    context.report(progress);
  };
  const auto read = [&](std::span<std::uint8_t> to) { return archive.stream->Read(to); };
  const delivery::PushedFile pushed =
      delivery::PushFile(*options_.destination, file_name, read, run);
  archive.stream->Finish();
  return pushed;
}

domain::Push PushService::PushNow(const jobs::JobContext& context,
                                  const domain::RestoreJob& restore) {
  const auto key = env_.store.FindKey(restore.requested_by);
  if (!key || key->key.revoked ||
      !access_.MayOn({key->key}, restore.project, domain::Permission::kProjectOwner)) {
    throw Error(ErrorCode::kPermissionDenied,
                "pushing snapshot " + restore.snapshot.ToString() +
                    ": the key that asked for it has lost the right to");
  }
  auto push = env_.store.FindPush(restore.id);
  TIDEMARK_CHECK(push.has_value());
  if (!IsConfigured()) {
    throw Error(ErrorCode::kUnsupported,
                "pushing snapshot " + restore.snapshot.ToString() + ": no destination is set",
                "set scp-host and the settings beside it");
  }
  for (int attempt = 1;; ++attempt) {
    try {
      const delivery::PushedFile pushed = TryOnce(context, restore, push->file_name);
      push->size = pushed.size;
      push->sha1 = pushed.sha1;
      return *push;
    } catch (const Error& error) {
      if (!IsRetryable(error.code()) || attempt >= options_.attempts ||
          context.stop.stop_requested()) {
        throw;
      }
      env_.log.Warn("restore={} attempt={}  push cut, trying again: {}",
                    restore.id.ToString(),
                    attempt,
                    error.message());
    }
    PauseFor(options_.retry_pause * attempt, context.stop);
  }
}

void PushService::Run(const jobs::JobContext& context, const domain::RestoreJob& restore) {
  domain::RestoreState state = domain::RestoreState::kCompleted;
  std::string failure;
  try {
    env_.store.SavePush(context.lease, PushNow(context, restore));
  } catch (const Error& error) {
    if (context.stop.stop_requested()) {
      throw;  // handed back, or no longer ours
    }
    state = domain::RestoreState::kFailed;
    failure = FailureText(error);
  }
  if (!env_.store.FinishRestore(context.lease, state, failure, env_.clock.Now())) {
    env_.log.Warn("restore={}  finished without its lease: the result is dropped",
                  restore.id.ToString());
  } else if (state == domain::RestoreState::kFailed) {
    env_.log.Error("restore={}  push failed: {}", restore.id.ToString(), failure);
  } else {
    env_.log.Info("restore={}  archive pushed", restore.id.ToString());
  }
}

}  // namespace tidemark::service
