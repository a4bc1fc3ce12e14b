#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "delivery/cluster_restore.h"
#include "domain/collection_restore.h"
#include "domain/restore_job.h"
#include "jobs/runner.h"
#include "service/cluster_service.h"

namespace tidemark::service {

struct RestoreRequest {
  ProjectId project;    // of the source; the caller's right on it has been checked
  std::string cluster;  // the source
  SnapshotId snapshot;
  std::optional<ProjectId> target_project;  // default: `project`
  std::string target_cluster;
  std::optional<ClusterId> target_id;  // names the target too; with both, both have to fit
  domain::Permission right = domain::Permission::kProjectOwner;  // needed on the target's project
  std::string scope;           // JSON, as delivery::ParseScope reads it; empty: the whole snapshot
  std::chrono::hours life{4};  // until the job expires: what its family says (contract.md 7.1)
};

// Restores into clusters. Synchronized; every call blocks.
class RestoreService {
 public:
  RestoreService(Environment& environment,
                 AccessService& access,
                 ClusterService& clusters,
                 delivery::RestoreOptions options)
      : env_(environment), access_(access), clusters_(clusters), options_(std::move(options)) {}

  // The form of the scope, steps 3 to 11 of contract.md 8 in their order, whether the scope fits
  // the snapshot (kInvalidValue with the member), then the job. Nothing is written before the last
  // check passes.
  domain::RestoreJob Start(const Caller& caller, const RestoreRequest& request);
  // The same checks, no job: what would be dropped and written.
  delivery::RestorePlan Plan(const Caller& caller, const RestoreRequest& request);
  domain::Listing<domain::RestoreJob> List(const domain::Cluster& source, const domain::Page& page);
  // The same of those that take all of their snapshot.
  domain::Listing<domain::RestoreJob> ListWhole(const domain::Cluster& source,
                                                const domain::Page& page);
  // The same without archives that are pushed: not every family can show these (contract.md 8).
  domain::Listing<domain::RestoreJob> ListButPushes(const domain::Cluster& source,
                                                    const domain::Page& page);
  // Of that source cluster; nullopt otherwise.
  std::optional<domain::RestoreJob> Find(const domain::Cluster& source, const RestoreJobId& id);
  std::optional<domain::Job> FindJob(const RestoreJobId& id);

  // Restores by collection: jobs that neither List nor Find shows. Start's checks; kInvalidValue
  // with "databases" or "collections" when the names cannot be taken together. Whether the snapshot
  // holds them, what the target has and what it can take is seen when the job runs: until then it
  // has no namespaces.
  domain::RestoreJob StartByCollection(const Caller& caller,
                                       const RestoreRequest& request,
                                       const domain::CollectionRestore& choice);
  domain::Listing<domain::RestoreJob> ListByCollection(const domain::Cluster& source,
                                                       const domain::Page& page);
  std::optional<domain::RestoreJob> FindByCollection(const domain::Cluster& source,
                                                     const RestoreJobId& id);

  // The handler of JobKind::kRestore.
  void Run(const jobs::JobContext& context);

 private:
  struct Checked {
    domain::Cluster source;
    domain::Snapshot snapshot;
    domain::Cluster target;
  };

  Checked CheckRequest(const Caller& caller, const RestoreRequest& request);
  // The job, in the catalog or refused by it; not yet seen by a worker.
  domain::RestoreJob NewJob(const Caller& caller,
                            const RestoreRequest& request,
                            const Checked& checked);
  void Queue(const domain::RestoreJob& restore,
             const std::optional<domain::CollectionRestore>& choice,
             const Caller& caller);
  // The target, unless its registration or the right to restore into it have gone.
  domain::Cluster RequireTarget(const domain::RestoreJob& restore);
  delivery::RestoreSummary RestoreCollections(const domain::RestoreJob& restore,
                                              const repo::Manifest& manifest,
                                              repo::SnapshotReader& reader,
                                              delivery::RestoreTarget& target,
                                              delivery::RestoreOptions options,
                                              const jobs::JobContext& context);
  // Steps 7 to 10 and 12 of contract.md 8, with the facts of one fresh look at the target.
  void CheckTarget(Checked& checked);
  delivery::RestoreSummary RestoreNow(const domain::RestoreJob& restore,
                                      const jobs::JobContext& context);

  Environment& env_;
  AccessService& access_;
  ClusterService& clusters_;
  delivery::RestoreOptions options_;
};

}  // namespace tidemark::service
