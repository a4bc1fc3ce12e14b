#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "domain/job.h"
#include "domain/snapshot.h"
#include "engine/snapshot.h"
#include "engine/snapshot_diff.h"
#include "jobs/runner.h"
#include "service/cluster_service.h"

namespace tidemark::service {

// Absent members change nothing.
struct RetentionChange {
  std::optional<bool> do_not_delete;
  std::optional<Instant> expires;
};

// The names in a snapshot, sorted: databases, and the namespaces of each (none of an empty one).
using SnapshotContents = std::map<std::string, std::vector<std::string>>;

// Snapshots of registered clusters. Synchronized; every call blocks.
class SnapshotService {
 public:
  // `engine` gives thread counts and memory; its ids are filled in per run.
  SnapshotService(Environment& environment,
                  ClusterService& clusters,
                  engine::SnapshotOptions engine)
      : env_(environment), clusters_(clusters), engine_(std::move(engine)) {}

  // Queues one; kClusterNotFound.
  domain::Snapshot Take(const ProjectId& project,
                        const std::string& cluster,
                        const std::string& description);
  // The same; kUnfinishedSnapshot while one that somebody asked for is unfinished: of two at once
  // one is queued. `retention_days` (at least 1): kept so long after its completion.
  domain::Snapshot TakeAlone(const ProjectId& project,
                             const std::string& cluster,
                             const std::string& description,
                             std::optional<std::int64_t> retention_days);
  domain::Listing<domain::Snapshot> List(const domain::Cluster& cluster, const domain::Page& page);
  domain::Listing<domain::Snapshot> List(const domain::Cluster& cluster,
                                         const catalog::Store::SnapshotStates& states,
                                         const domain::Page& page);
  domain::Listing<domain::Snapshot> ListOldestFirst(const domain::Cluster& cluster,
                                                    const domain::Page& page);
  // Of that cluster and not deleted; nullopt otherwise.
  std::optional<domain::Snapshot> Find(const domain::Cluster& cluster, const SnapshotId& id);
  // kSnapshotNotFound, kSnapshotInUse, kSnapshotProtected; kClusterBusy while it is being taken.
  void Delete(const domain::Cluster& cluster, const SnapshotId& id);
  // Says how long a finished snapshot is kept; kSnapshotNotFound. One that may be deleted again
  // stays for another day at least, unless `expires` says otherwise.
  domain::Snapshot Keep(const domain::Cluster& cluster,
                        const SnapshotId& id,
                        const RetentionChange& change);
  // Compares two finished snapshots of the cluster; kSnapshotNotFound. Takes as long as there are
  // changes between the two.
  std::vector<engine::NamespaceDiff> Diff(const domain::Cluster& cluster,
                                          const SnapshotId& before,
                                          const SnapshotId& after,
                                          const engine::DiffOptions& options);
  // Of a finished snapshot; kSnapshotNotFound. Reads the manifest.
  SnapshotContents ListContents(const domain::Cluster& cluster, const SnapshotId& id);
  std::optional<domain::Job> FindJob(const SnapshotId& id);
  // The handler of JobKind::kTakeSnapshot.
  void Run(const jobs::JobContext& context);

  // A new one of the cluster and its job, for whoever queues it.
  catalog::Store::QueuedSnapshot Prepare(const domain::Cluster& cluster,
                                         const std::string& description);
  using Taking = std::function<engine::SnapshotSummary(const domain::Snapshot& snapshot,
                                                       const engine::SnapshotOptions& options)>;
  // As the handler, with another source: `take` is called once, with complete options.
  void Run(const jobs::JobContext& context, const Taking& take);

 private:
  // What Delete refuses, by what is known now.
  domain::Snapshot RequireDeletable(const domain::Cluster& cluster, const SnapshotId& id);
  // kClusterNotFound when the cluster was unregistered meanwhile; false when `add` says so.
  bool Queue(const domain::Cluster& source,
             const catalog::Store::QueuedSnapshot& queued,
             const std::function<bool()>& add);
  // The snapshot that the next one of the cluster is put on.
  std::optional<SnapshotId> NewestOf(const ClusterId& cluster);
  // What finished or forgotten snapshots of the project have left for a run that will not come.
  void DropPartials(const ProjectId& project);
  engine::SnapshotSummary TakeNow(const domain::Snapshot& snapshot,
                                  const engine::SnapshotOptions& options,
                                  const jobs::JobContext& context);
  engine::SnapshotOptions OptionsFor(const domain::Snapshot& snapshot);

  Environment& env_;
  ClusterService& clusters_;
  engine::SnapshotOptions engine_;
};

}  // namespace tidemark::service
