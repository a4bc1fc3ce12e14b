#pragma once

#include <optional>
#include <string_view>

#include "domain/drill.h"
#include "domain/job.h"
#include "domain/page.h"

namespace tidemark::catalog {

// Restore drills, and which clusters they may wipe. Synchronized and durable as Store.
class DrillBook {
 public:
  virtual ~DrillBook() = default;

  // The operator's word that all a cluster holds may be thrown away.
  virtual void MarkScratch(const ClusterId& cluster, Instant now) = 0;
  // Also ends waiting drills into it and tells a running one to stop, with `reason`: until it has
  // ended it may still wipe the cluster. True: none is running any more.
  virtual bool UnmarkScratch(const ClusterId& cluster, std::string_view reason, Instant now) = 0;
  virtual bool IsScratch(const ClusterId& cluster) = 0;

  // Where drills of `cluster` restore to; nullopt: they only read.
  virtual void SetDrillTarget(const ClusterId& cluster, const std::optional<ClusterId>& target) = 0;
  virtual std::optional<ClusterId> FindDrillTarget(const ClusterId& cluster) = 0;

  // Also queues its job, in one transaction. False, and nothing changes, when the cluster has an
  // unfinished one. Forgets finished drills beyond domain::kDrillsKept.
  virtual bool AddDrill(const domain::Drill& drill, const domain::Job& job) = 0;
  virtual std::optional<domain::Drill> FindDrill(const domain::DrillId& id) = 0;
  // Newest first.
  virtual domain::Listing<domain::Drill> ListDrills(const ClusterId& cluster,
                                                    const domain::Page& page) = 0;
  // The newest that passed or failed.
  virtual std::optional<domain::Drill> FindLastDrill(const ClusterId& cluster) = 0;
  virtual std::optional<domain::Drill> FindLastDrillOf(const SnapshotId& snapshot) = 0;
  // Job done, its drill in the final state and with the results of `drill`. One that passed or
  // failed becomes its cluster's last verification, and an event. Changes nothing and returns false
  // when the lease is lost.
  virtual bool FinishDrill(const domain::Lease& lease, const domain::Drill& drill) = 0;
};

}  // namespace tidemark::catalog
