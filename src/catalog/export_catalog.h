#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "domain/export.h"
#include "domain/job.h"
#include "domain/page.h"

namespace tidemark::catalog {

// Export targets, the buckets that stand for them, and export jobs. Synchronized; every call blocks
// briefly.
class ExportCatalog {
 public:
  // Per project.
  static constexpr std::int64_t kMaxExportTargets = 100;

  virtual ~ExportCatalog() = default;

  // kConflict: the project has one for that bucket; kResourceExhausted: it has kMaxExportTargets;
  // kNotFound when the project is deleted.
  virtual void AddExportTarget(const domain::ExportTarget& target) = 0;
  virtual std::optional<domain::ExportTarget> FindExportTarget(
      const ProjectId& project, const domain::ExportTargetId& id) = 0;
  virtual std::optional<domain::ExportTarget> FindExportTarget(const ProjectId& project,
                                                               std::string_view bucket) = 0;
  // By bucket.
  virtual std::vector<domain::ExportTarget> ListExportTargets(const ProjectId& project) = 0;
  // False: none. kConflict while an export bucket stands for it.
  virtual bool RemoveExportTarget(const ProjectId& project, const domain::ExportTargetId& id) = 0;

  // kNotFound when the project has no target of that name; kConflict when it has such a bucket.
  virtual void AddExportBucket(const domain::ExportBucket& bucket) = 0;
  virtual std::optional<domain::ExportBucket> FindExportBucket(
      const ProjectId& project, const domain::ExportBucketId& id) = 0;
  // Oldest first.
  virtual domain::Listing<domain::ExportBucket> ListExportBuckets(const ProjectId& project,
                                                                  const domain::Page& page) = 0;
  virtual bool UpdateExportBucket(const ProjectId& project,
                                  const domain::ExportBucketId& id,
                                  bool require_private_networking) = 0;  // false: none
  // False: none. kConflict while an unfinished export writes to it, or one that is due will, or the
  // schedule of a registered cluster exports to it. Other schedules forget it.
  virtual bool RemoveExportBucket(const ProjectId& project, const domain::ExportBucketId& id) = 0;

  // Queues the job too, in one transaction. kNotFound when snapshot or bucket are gone, kConflict
  // when the snapshot has an unfinished export or one of another snapshot has its prefix.
  virtual void AddExport(const domain::ExportJob& job, const domain::Job& work) = 0;

  // Exports that schedules ask for: due from the transaction on that completes the snapshot (see
  // domain::AutoExport) until AddDueExport queues it, or the snapshot is deleted.
  struct DueExport {
    SnapshotId snapshot;
    domain::ExportBucketId bucket;
  };

  // By snapshot, those behind `after`; not while another export of the snapshot is unfinished.
  virtual std::vector<DueExport> ListDueExports(const SnapshotId& after, std::int64_t limit) = 0;
  // AddExport of what is due, which it is no longer then. False, and nothing changes: it is not due
  // any more.
  virtual bool AddDueExport(const domain::ExportJob& job, const domain::Job& work) = 0;

  virtual std::optional<domain::ExportJob> FindExport(const domain::ExportId& id) = 0;
  // Newest created first, then id, descending.
  virtual domain::Listing<domain::ExportJob> ListExports(const ClusterId& cluster,
                                                         const domain::Page& page) = 0;
  // Changes nothing and returns false when the lease is lost.
  virtual bool FinishExport(const domain::Lease& lease,
                            domain::ExportState state,
                            std::string_view failure,
                            Instant now) = 0;
  // Ends it and its job; whoever runs it loses the lease. False: none, or finished already.
  virtual bool CancelExport(const domain::ExportId& id, Instant now) = 0;
};

}  // namespace tidemark::catalog
