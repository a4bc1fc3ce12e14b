#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/object_id.h"
#include "domain/collection_restore.h"
#include "domain/job.h"
#include "domain/page.h"
#include "domain/restore_job.h"

namespace tidemark::catalog {

// Restores that are asked for by collection, and how far each of their namespaces is. They are
// restore jobs like the others (Store::FindRestore, ClaimJob, FinishRestore), but ListRestores does
// not show them. Synchronized; every call blocks briefly.
class CollectionRestores {
 public:
  // Of a list of namespaces; empty members match all.
  struct NamespaceFilter {
    std::optional<domain::NamespaceState> state;
    std::string source;
    std::string target;
  };

  virtual ~CollectionRestores() = default;

  // Store::AddRestore, with what was asked for. REQUIRES: restore.by_collection.
  virtual void AddCollectionRestore(const domain::RestoreJob& restore,
                                    const domain::CollectionRestore& request,
                                    const domain::Job& job,
                                    std::string_view stopped_reason) = 0;
  virtual std::optional<domain::CollectionRestore> FindCollectionRestore(
      const RestoreJobId& id) = 0;
  // Newest created first, then id, descending.
  virtual domain::Listing<domain::RestoreJob> ListCollectionRestores(const ClusterId& source,
                                                                     const domain::Page& page) = 0;

  // What the job's namespaces are, once: without effect when it has some already. False when the
  // lease is lost. REQUIRES: no two with one source.
  virtual bool AddRestoredNamespaces(const domain::Lease& lease,
                                     const std::vector<domain::RestoredNamespace>& namespaces) = 0;
  // State, indexes and counts of the one with that source. False when the lease is lost.
  virtual bool SaveRestoredNamespace(const domain::Lease& lease,
                                     const domain::RestoredNamespace& row) = 0;
  // The job ends in a failure: what was not begun is kNotRestored, what was not finished kFailed.
  // False when the lease is lost.
  virtual bool FailRestoredNamespaces(const domain::Lease& lease) = 0;
  // In the order in which they were added. Nothing before AddRestoredNamespaces.
  virtual domain::Listing<domain::RestoredNamespace> ListRestoredNamespaces(
      const RestoreJobId& id, const NamespaceFilter& filter, const domain::Page& page) = 0;
  virtual std::vector<domain::RestoredNamespace> ReadRestoredNamespaces(const RestoreJobId& id) = 0;
  virtual std::optional<domain::RestoredNamespace> FindRestoredNamespace(
      const RestoreJobId& id, std::string_view source) = 0;
  virtual domain::RestoredNamespaceTotals CountRestoredNamespaces(const RestoreJobId& id) = 0;
};

}  // namespace tidemark::catalog
