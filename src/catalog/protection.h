#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "domain/compliance.h"
#include "domain/snapshot.h"

namespace tidemark::catalog {

// How long snapshots are kept, and what nobody may shorten. Once a project has a compliance policy
// the catalog itself (triggers) refuses with kPermissionDenied, whoever asks and through whichever
// method: to delete a completed snapshot before it expires, to give a snapshot an earlier expiry,
// to delete the project, to drop or weaken an item of the policy. A snapshot that is added is kept
// as long as the policy says. Synchronized; every call blocks briefly.
class Protection {
 public:
  virtual ~Protection() = default;

  struct ScheduledSnapshot {
    SnapshotId id;
    Instant scheduled;
    Instant expires;
    std::vector<domain::PolicyItemId> policy_items;
  };

  // Snapshots of the cluster that were taken for items of its schedule, but deleted and failed ones
  // and those about which a person has decided (Store::UpdateRetention). At most `limit`, in order
  // of their ids, from behind `after` on.
  virtual std::vector<ScheduledSnapshot> ListScheduled(const ClusterId& cluster,
                                                       const SnapshotId& after,
                                                       std::int64_t limit) = 0;
  // Sets expiries, all or none; deleted snapshots stay as they are.
  virtual void SetExpiries(const std::vector<std::pair<SnapshotId, Instant>>& expiries) = 0;

  virtual std::optional<domain::CompliancePolicy> FindCompliancePolicy(
      const ProjectId& project) = 0;
  // Stores the policy when the stored one still has `policy.revision` (0: there is none), which
  // grows by one; false otherwise. Snapshots of the project that would go earlier are kept as long
  // as it says, in the same transaction. REQUIRES: every item has an id, and those of the stored
  // one are among them.
  virtual bool PutCompliancePolicy(const domain::CompliancePolicy& policy) = 0;
};

}  // namespace tidemark::catalog
