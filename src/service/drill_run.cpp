#include "service/internal/drill_run.h"

#include "base/error.h"
#include "bson/builder.h"
#include "engine/document_reader.h"
#include "service/internal/job_run.h"

namespace tidemark::service {
namespace {

constexpr std::string_view kProbes = "drill_probe";
constexpr std::uint64_t kReportEvery = 1024;  // documents

// A drill leaves nothing behind: neither data nor the marker of an unfinished restore. Saving a
// checkpoint first makes sure of the lease: whoever has lost it may be wiping what somebody else
// restores. An empty one, so that a drill that is cut here begins anew.
void Wipe(delivery::RestoreTarget& target, const jobs::JobContext& context) {
  context.save_checkpoint("");
  for (const std::string& database : target.ListUserDatabases()) {
    target.DropDatabase(database);
  }
  target.TakeAllMarks();
}

void AddNote(domain::Drill& drill, const std::string& note) {
  drill.notes += (drill.notes.empty() ? "" : "\n") + note;
}

// A document that only the server behind `connection` has.
class Probe {
 public:
  Probe(mongo::Connection& connection, RandomSource& random)
      : connection_(connection), id_(RandomHex(random, 16)) {
    const Bytes document = bson::Builder().Append("_id", id_).Finish();
    connection_.InsertMany(mongo::kMarkerDatabase, kProbes, {ByteView(document)});
  }

  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  void Remove() {
    const Bytes drop = bson::Builder().Append("drop", kProbes).Finish();
    connection_.RunCommand(mongo::kMarkerDatabase, bson::Document(drop));
  }

  bool IsSeenBy(mongo::Connection& other) const {
    bool seen = false;
    const std::vector<Bytes> ids{bson::Builder().Append("", id_).Finish()};
    other.FindByIds(mongo::kMarkerDatabase, kProbes, ids, [&](ByteView) { seen = true; });
    return seen;
  }

 private:
  mongo::Connection& connection_;
  const std::string id_;
};

}  // namespace

void DrillRun::Run(domain::Drill& drill) {
  if (drill.target) {
    RestoreAndWipe(drill, FindTarget(drill));
  } else {
    Read(drill);
  }
}

void DrillRun::Read(domain::Drill& drill) {
  const auto reader =
      env_.repository.NewReader(drill.project);  // first: no collection may come between
  const repo::Manifest manifest = env_.repository.LoadManifest(drill.project, drill.snapshot);
  domain::JobProgress progress{.phase = "reading", .collections_total = manifest.namespaces.size()};
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    progress.documents_total += entry.digest.documents;
    progress.bytes_total += entry.logical_bytes;
  }
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    repo::NamespaceDigest digest;
    const auto visit = [&](ByteView document, const codec::Digest& hash) {
      digest.AddHash(hash);
      progress.bytes_done += document.size();
      if (++progress.documents_done % kReportEvery == 0) {
        context_.report(progress);
      }
    };
    engine::ReadHashedDocuments(*reader, entry, context_.stop, visit);
    if (digest != entry.digest) {
      throw Error(ErrorCode::kCorrupt,
                  "reading " + entry.database + "." + entry.collection + ": it holds " +
                      std::to_string(digest.documents) + " documents that are not the " +
                      std::to_string(entry.digest.documents) + " that were stored");
    }
    ++progress.collections_done;
    context_.report(progress);
  }
  drill.collections = progress.collections_done;
  drill.documents = progress.documents_done;
  drill.bytes = progress.bytes_done;
}

// Everything may have changed while the drill waited; nothing has been wiped yet.
domain::Cluster DrillRun::FindTarget(const domain::Drill& drill) {
  const std::string doing = "drilling with cluster " + drill.target_name + ": ";
  const auto target = env_.store.FindCluster(drill.target.value_or(ClusterId()));
  if (!target || target->removed) {
    throw Error(ErrorCode::kNotFound, doing + "it is no longer registered");
  }
  if (!env_.store.IsScratch(target->id)) {
    throw Error(ErrorCode::kPermissionDenied,
                doing + "it is not marked as a scratch target",
                "mark it if all that it holds may be thrown away, or name another one");
  }
  if (target->id == drill.cluster) {
    throw Error(ErrorCode::kPermissionDenied, doing + "it is the one that the snapshot is of");
  }
  return *target;
}

// Whether the drill may go on with the target. Two registrations may name one server: what is
// written to the target must not appear on the source. A source that cannot be asked proves
// nothing.
bool DrillRun::SourceIsElsewhere(domain::Drill& drill, mongo::Connection& target) {
  const auto source = env_.store.FindCluster(drill.cluster);
  if (!source || source->removed) {
    return true;  // nobody's any more
  }
  Probe probe(target, env_.random);
  bool seen = false;
  std::string unreachable;
  try {
    const auto connection = clusters_.Connect(*source, {});
    connection->Facts();
    seen = probe.IsSeenBy(*connection);
  } catch (const Error& error) {
    unreachable = error.message();
  }
  probe.Remove();
  if (seen) {
    throw Error(ErrorCode::kPermissionDenied,
                "drilling with cluster " + drill.target_name +
                    ": it is the same server as cluster " + drill.cluster_name +
                    ", which the snapshot is of",
                "take the mark of a scratch target off it");
  }
  if (!unreachable.empty()) {
    AddNote(drill,
            "the snapshot was read and decoded, not restored: cluster " + drill.cluster_name +
                " cannot be asked whether it is another server than " + drill.target_name);
    env_.log.Warn("drill={} cluster={}  the source cannot be reached: {}",
                  drill.id.ToString(),
                  drill.cluster_name,
                  unreachable);
  }
  return unreachable.empty();
}

void DrillRun::RestoreAndWipe(domain::Drill& drill, const domain::Cluster& cluster) {
  mongo::ConnectionOptions connect;
  connect.connect_timeout = kJobConnectTimeout;
  const auto connection = clusters_.Connect(cluster, connect);
  const auto target = delivery::MakeClusterTarget(*connection);
  if (target->Facts().is_sharded) {
    throw Error(ErrorCode::kUnsupported,
                "drilling with cluster " + cluster.name + ": it is sharded");
  }
  if (!SourceIsElsewhere(drill, *connection)) {
    Read(drill);
    return;
  }
  try {
    RestoreInto(drill, cluster, *connection, *target);
  } catch (const Error&) {
    // Else whoever goes on, or restores into it, wipes it. What another job writes to the same
    // server is not ours to wipe.
    if (!context_.stop.stop_requested() && !beside_another_) {
      try {
        Wipe(*target, context_);
      } catch (const Error& error) {
        AddNote(drill, "wiping the target: " + FailureText(error));
      }
    }
    throw;
  }
  Wipe(*target, context_);
}

void DrillRun::RestoreInto(domain::Drill& drill,
                           const domain::Cluster& cluster,
                           mongo::Connection& connection,
                           delivery::RestoreTarget& target) {
  const auto reader = env_.repository.NewReader(drill.project);
  const repo::Manifest manifest = env_.repository.LoadManifest(drill.project, drill.snapshot);
  const auto snapshot = env_.store.FindSnapshot(drill.snapshot);
  const std::string version = connection.Facts().version;
  if (snapshot && !snapshot->mongodb_version.empty() &&
      domain::MajorVersion(snapshot->mongodb_version) != domain::MajorVersion(version)) {
    throw Error(ErrorCode::kInvalidArgument,
                "drilling a snapshot of MongoDB " + snapshot->mongodb_version + ": the target " +
                    cluster.name + " runs " + version,
                "name a target of the same version");
  }
  options_.job = drill.id.ToString();
  options_.allow_lossy = cluster.allow_lossy;
  options_.is_at_work = [this](const std::string& job) {
    beside_another_ = beside_another_ || IsUnfinishedJob(env_.store, job);
    return beside_another_;
  };
  options_.accounts = false;  // logins of the source have no business on a scratch target
  const delivery::RestoreSummary summary = delivery::RunRestore(
      manifest, *reader, target, options_, MakeRunContext(context_, env_.clock, env_.log));
  drill.restored = true;
  drill.collections = summary.collections;
  drill.documents = summary.documents;
  drill.bytes = summary.bytes;
  for (const std::string& note : summary.notes) {
    AddNote(drill, note);
  }
}

}  // namespace tidemark::service
