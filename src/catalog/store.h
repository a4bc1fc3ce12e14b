#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/audit_log.h"
#include "catalog/collection_restores.h"
#include "catalog/drill_book.h"
#include "catalog/export_catalog.h"
#include "catalog/fact_book.h"
#include "catalog/key_book.h"
#include "catalog/outbox.h"
#include "catalog/protection.h"
#include "catalog/push_book.h"
#include "domain/access.h"
#include "domain/cluster.h"
#include "domain/import.h"
#include "domain/job.h"
#include "domain/page.h"
#include "domain/project.h"
#include "domain/restore_job.h"
#include "domain/schedule.h"
#include "domain/snapshot.h"

// Durable metadata: projects, clusters, keys, snapshots, restore jobs and who works on them. The
// only home of SQL.
namespace tidemark::catalog {

// A request that is fetching an archive, and the download that it belongs to.
struct DownloadTicket {
  RestoreJobId restore;
  std::int64_t run = 0;
};

enum class DownloadPart {
  kBeginning,     // from the first byte on: always another download
  kContinuation,  // from another byte on: of one that has begun, if there is any
};

enum class DownloadOutcome {
  kComplete,  // the archive's last byte was sent
  kPart,      // all that was asked for, but not the last byte
  kBroken,    // the client or we broke it off
};

// Every write is one transaction, durable when the call returns. Synchronized: any thread; every
// call blocks briefly (it takes a connection of a small pool; waits at most busy_timeout, then
// kUnavailable). Absent rows are nullopt. kConflict: a unique name is taken, or a guarded state
// change finds another state.
class Store : public AuditLog,
              public Outbox,
              public KeyBook,
              public Protection,
              public ExportCatalog,
              public CollectionRestores,
              public DrillBook,
              public PushBook,
              public FactBook {
 public:
  ~Store() override = default;

  // Organizations and projects.
  using KeyBook::AddOrganization;
  virtual void AddOrganization(
      const domain::Organization& organization) = 0;  // kConflict: name taken
  virtual std::optional<domain::Organization> FindOrganization(const OrganizationId& id) = 0;
  virtual void AddProject(
      const domain::Project& project) = 0;  // kConflict: name taken in the organization
  virtual std::optional<domain::Project> FindProject(const ProjectId& id) = 0;
  // Those of `organizations` and those listed in `projects`, by name.
  virtual domain::Listing<domain::Project> ListProjects(
      const std::vector<OrganizationId>& organizations,
      const std::vector<ProjectId>& projects,
      const domain::Page& page) = 0;

  // Deleted projects are found and listed no more. DeleteProject also marks the project's snapshots
  // deleted, ends its downloads and revokes the keys that have roles on this project only, in one
  // transaction; from then on nothing can be added to it (kNotFound). nullopt: none, or deleted
  // already. kConflict while clusters are registered in it, it has unfinished jobs or an archive of
  // it is being fetched.
  struct DeletedProject {
    std::int64_t snapshots = 0;
    std::int64_t keys = 0;
  };

  virtual std::optional<DeletedProject> DeleteProject(const ProjectId& id, Instant now) = 0;
  // Deleted ones whose stored snapshots may still be there.
  virtual std::vector<ProjectId> ListProjectsToShred() = 0;
  virtual void MarkProjectShredded(const ProjectId& id, Instant now) = 0;

  // Keys. `sealed_secret`: an API key's HA1 sealed by the repository; empty for a service account.
  virtual void AddKey(const domain::Key& key, std::string_view sealed_secret) = 0;

  struct StoredKey {
    domain::Key key;
    std::string sealed_secret;
  };

  virtual std::optional<StoredKey> FindKeyByPublicName(std::string_view public_name) = 0;
  virtual std::optional<StoredKey> FindKey(const KeyId& id) = 0;
  virtual domain::Listing<domain::Key> ListKeys(const OrganizationId& organization,
                                                const domain::Page& page) = 0;

  // Clusters. The connection string is stored as it comes: the caller has sealed it
  // (domain::Cluster::connection_string holds the sealed text in this interface).
  virtual void AddCluster(
      const domain::Cluster& cluster) = 0;  // kConflict: name registered in the project
  virtual std::optional<domain::Cluster> FindCluster(const ProjectId& project,
                                                     std::string_view name) = 0;
  virtual std::optional<domain::Cluster> FindCluster(const ClusterId& id) = 0;  // removed ones too
  virtual domain::Listing<domain::Cluster> ListClusters(const ProjectId& project,
                                                        const domain::Page& page) = 0;

  // Those that the flex operations tell of, or those of all other ones (domain::IsFlex).
  enum class ClusterKind { kFlex, kNotFlex };
  enum class Unregistered { kLeaveOut, kWithSnapshots };  // while completed snapshots are kept

  // By name, then id.
  virtual domain::Listing<domain::Cluster> ListClusters(const ProjectId& project,
                                                        ClusterKind kind,
                                                        Unregistered unregistered,
                                                        const domain::Page& page) = 0;
  virtual std::int64_t CountClusters(const ProjectId& project) = 0;
  // From then on nothing is restored into it and no snapshot of it is queued by hand. False: none,
  // or removed already. kConflict while an unfinished restore or a running drill writes to it.
  virtual bool RemoveCluster(const ClusterId& id, Instant now) = 0;

  // What is absent stays as it is.
  struct ClusterChange {
    std::optional<Secret> connection_string;  // sealed
    std::optional<bool> encryption_at_rest;
    std::optional<bool> paused;
    std::optional<bool> require_quiet;
    std::optional<bool> allow_lossy;
  };

  // False: there is none, or it is not registered any more. Behind another connection string may be
  // another server, of which nobody has said that it may be wiped: the mark of a scratch target
  // goes, and waiting drills into it end with `reason`. kConflict, for a connection string, while
  // an unfinished restore or a running drill writes to it.
  virtual bool UpdateCluster(const ClusterId& id,
                             const ClusterChange& change,
                             std::string_view reason,
                             Instant now) = 0;
  // What the last contact showed.
  virtual void UpdateClusterFacts(const ClusterId& id,
                                  domain::Topology topology,
                                  std::string_view version,
                                  std::string_view replica_set_name) = 0;

  // Snapshots. AddSnapshot also queues its job, in one transaction. kNotFound: its cluster is not
  // registered, or no longer.
  virtual void AddSnapshot(const domain::Snapshot& snapshot, const domain::Job& job) = 0;
  // The same unless one that somebody asked for (it is no schedule's and comes from no dump) of
  // the cluster is unfinished; false then, and nothing changes: of two at once one is added.
  virtual bool AddSnapshotAlone(const domain::Snapshot& snapshot, const domain::Job& job) = 0;
  virtual std::optional<domain::Snapshot> FindSnapshot(const SnapshotId& id) = 0;
  // Not the deleted ones; newest scheduled first, then id, descending.
  virtual domain::Listing<domain::Snapshot> ListSnapshots(const ClusterId& cluster,
                                                          const domain::Page& page) = 0;

  // Those whose state lies between two, in the same order.
  struct SnapshotStates {
    domain::SnapshotState first = domain::SnapshotState::kPending;
    domain::SnapshotState last = domain::SnapshotState::kFailed;
  };

  virtual domain::Listing<domain::Snapshot> ListSnapshots(const ClusterId& cluster,
                                                          const SnapshotStates& states,
                                                          const domain::Page& page) = 0;
  // As the first, in the opposite order.
  virtual domain::Listing<domain::Snapshot> ListSnapshotsOldestFirst(const ClusterId& cluster,
                                                                     const domain::Page& page) = 0;
  // kConflict with the job's id when an unfinished restore or export reads the snapshot, or its
  // archive can still be downloaded. False: none, deleted already, unfinished, or not to be
  // deleted.
  virtual bool MarkSnapshotDeleted(const SnapshotId& id, Instant now) = 0;

  // Absent members leave what is there: of two changes at once neither takes back the other.
  struct RetentionChange {
    std::optional<bool> do_not_delete;
    std::optional<Instant> expires;
    std::optional<Instant> not_before;  // it expires then at the earliest
  };

  // What a person decides about a finished snapshot. False: none, deleted, or unfinished.
  virtual bool UpdateRetention(const SnapshotId& id, const RetentionChange& change) = 0;

  // Retention. Marks at most `limit` finished snapshots deleted whose expiry has come, or that
  // failed before `failed_before`, and returns them. Never one that is not to be deleted, that an
  // unfinished restore or export reads or one that is due will, that a download that is still
  // offered comes from, or that is among the newest completed ones of its cluster, as many as its
  // schedule keeps (at least 1); imported ones are not counted as newer.
  struct DeletedSnapshot {
    SnapshotId id;
    ProjectId project;
    std::string cluster_name;
    Instant expires;
  };

  virtual std::vector<DeletedSnapshot> ExpireSnapshots(Instant now,
                                                       Instant failed_before,
                                                       std::int64_t limit) = 0;
  // Deleted ones whose manifest may still be there, and the end of that: the project has garbage
  // from then on.
  virtual std::vector<DeletedSnapshot> ListSnapshotsToSweep(std::int64_t limit) = 0;
  virtual void MarkSnapshotSwept(const DeletedSnapshot& snapshot, Instant now) = 0;
  // Forgets at most `limit` snapshots, with their jobs, that were swept before `before` and that no
  // restore came from; returns how many.
  virtual std::int64_t PurgeSnapshots(Instant before, std::int64_t limit) = 0;
  // Projects with garbage for which the last TakeGarbage was not after `before`.
  virtual std::vector<ProjectId> ListGarbage(Instant before, std::int64_t limit) = 0;
  // A collection of it has been started: false when somebody else had said so. AddGarbage takes
  // that back; the time between two collections counts all the same.
  virtual bool TakeGarbage(const ProjectId& project, Instant before, Instant now) = 0;
  virtual void AddGarbage(const ProjectId& project) = 0;

  // Schedules. False: the cluster has one.
  virtual bool AddSchedule(const domain::Schedule& schedule) = 0;
  virtual std::optional<domain::Schedule> FindSchedule(const ClusterId& cluster) = 0;
  // Replaces it all when it still has `schedule.revision`, which grows by one; false otherwise.
  // kNotFound when it exports to a bucket that its project does not have.
  virtual bool UpdateSchedule(const domain::Schedule& schedule) = 0;

  struct QueuedSnapshot {
    domain::Snapshot snapshot;
    domain::Job job;
  };

  // Sets `run` under the same condition, and queues the snapshot in the same transaction.
  // kConflict, and nothing changes, when the attempt at that due time has been made.
  virtual bool AdvanceSchedule(const domain::Schedule& schedule,
                               const domain::ScheduleRun& run,
                               const std::optional<QueuedSnapshot>& queued) = 0;
  // Registered clusters without one.
  virtual std::vector<domain::Cluster> ListUnscheduledClusters(std::int64_t limit) = 0;
  // Of registered clusters: domain::WakeAt has come, or the queued snapshot has ended unlooked at.
  virtual std::vector<domain::Schedule> ListSchedulesToStep(Instant now, std::int64_t limit) = 0;

  struct SnapshotToVerify {
    ClusterId cluster;
    SnapshotId snapshot;
    ProjectId project;
    std::string cluster_name;
  };

  // The newest completed snapshot of the registered cluster whose verification has been due
  // longest; not of one with an unfinished drill.
  virtual std::optional<SnapshotToVerify> FindSnapshotToVerify(Instant now) = 0;
  // Changes nothing else of the schedule, and no revision.
  virtual void SaveVerification(const ClusterId& cluster,
                                const domain::Verification& verification) = 0;
  // Due time of the completed scheduled snapshot before `due`, deleted ones included.
  virtual std::optional<Instant> FindDueBefore(const ClusterId& cluster, Instant due) = 0;

  // Snapshots that come from a dump. AddImportedSnapshot is AddSnapshot with where it is from.
  virtual void AddImportedSnapshot(const domain::Snapshot& snapshot,
                                   const domain::Import& import,
                                   const domain::Job& job) = 0;
  virtual std::optional<domain::Import> FindImport(const SnapshotId& id) = 0;
  // What the run learned: format and notes. Changes nothing and returns false when the lease is
  // lost.
  virtual bool SaveImport(const domain::Lease& lease, const domain::Import& import) = 0;

  // Restore jobs. AddRestore decides acceptance 2.11 and queues the job, in one transaction:
  // kConflict when an unfinished restore has the same target, or restores this one's target into
  // this one's source. On success every unfinished snapshot of the target cluster, but those that
  // come from a dump, becomes kFailed with `stopped_reason` and its job done: a half-wiped state is
  // never stored. A waiting drill into the target is stopped, a running one is told to. kNotFound
  // when the snapshot is gone, or the target is registered no longer.
  virtual void AddRestore(const domain::RestoreJob& restore,
                          const domain::Job& job,
                          std::string_view stopped_reason) = 0;
  virtual std::optional<domain::RestoreJob> FindRestore(const RestoreJobId& id) = 0;
  // A job with DeliveryMethod::kDownload, completed from the beginning; its download's counters are
  // ignored. kNotFound when the snapshot is gone.
  virtual void AddDownload(const domain::RestoreJob& restore) = 0;
  // Newest created first, then id, descending; without those that were asked for by collection.
  virtual domain::Listing<domain::RestoreJob> ListRestores(const ClusterId& source,
                                                           const domain::Page& page) = 0;
  // The same of those that take all of their snapshot.
  virtual domain::Listing<domain::RestoreJob> ListWholeRestores(const ClusterId& source,
                                                                const domain::Page& page) = 0;
  virtual bool HasUnfinishedRestoreInto(const ClusterId& target) = 0;

  // Fetching archives. ReserveDownload takes one of the job's max_downloads, or joins what has
  // begun within domain::kContinueWithin; nullopt when all are taken, or the links are good no
  // longer: of two at the last one exactly one gets it. A download keeps its place while a request
  // of it is open, and for that time after the last one unless that one broke off. Continuing one
  // that broke off takes a place again.
  virtual std::optional<DownloadTicket> ReserveDownload(const RestoreJobId& id,
                                                        DownloadPart part,
                                                        Instant now) = 0;
  // REQUIRES: once for each ticket. `sent`: bytes.
  virtual void EndDownload(const DownloadTicket& ticket,
                           DownloadOutcome outcome,
                           std::uint64_t sent,
                           Instant now) = 0;
  // What is known of the archive; nullopt and empty: nothing any more.
  virtual void SaveArchiveFacts(const RestoreJobId& id,
                                std::optional<std::uint64_t> size,
                                std::string_view sha1) = 0;
  // Its links are good no longer. False: no download, or they were not any more.
  virtual bool ExpireDownload(const RestoreJobId& id, Instant now) = 0;
  // ExpireDownload, and says that it was taken back.
  virtual bool CancelDownload(const RestoreJobId& id, Instant now) = 0;
  // As if every open request had broken off. For the start of a server, like BreakAllLeases.
  virtual void EndAllDownloads() = 0;

  // Jobs. Claim takes the next ready job (or running one whose lease has passed), gives it to
  // `owner` until now + lease, raises the fence and moves the subject to kRunning (started is set
  // at the first claim), all in one transaction. A snapshot of a cluster that an unfinished restore
  // has as its target is not claimed, unless it comes from a dump. Restores go before snapshots and
  // those before drills, but what has waited a day longer than the others goes first. One drill
  // runs at a time; not while a restore into its target is unfinished or a snapshot of that is
  // being taken. Neither a restore into the target nor a snapshot of it is claimed while one runs.
  virtual std::optional<domain::Job> ClaimJob(std::string_view owner,
                                              Instant now,
                                              std::chrono::seconds lease) = 0;
  // Each of these changes nothing and returns false when the lease is lost.
  virtual bool ExtendLease(const domain::Lease& lease, Instant until) = 0;
  virtual bool SaveProgress(const domain::Lease& lease, const domain::JobProgress& progress) = 0;
  virtual bool SaveCheckpoint(const domain::Lease& lease, std::string_view checkpoint) = 0;
  // Subject to kCompleted / kFailed with its final values, job done. `snapshot` gives the fields
  // learned by the run; a completed one with retention_days expires so long after its end.
  virtual bool FinishSnapshot(const domain::Lease& lease, const domain::Snapshot& snapshot) = 0;
  virtual bool FinishRestore(const domain::Lease& lease,
                             domain::RestoreState state,
                             std::string_view failure,
                             Instant now) = 0;
  // What a restore that is about to finish found: domain::RestoreJob::changes and notes.
  virtual bool SaveRestoreChanges(const domain::Lease& lease,
                                  const std::optional<domain::RestoreChanges>& changes,
                                  std::string_view notes) = 0;
  // Gives the job back, ready to be claimed at once (shutdown).
  virtual bool ReleaseJob(const domain::Lease& lease) = 0;
  // All leases end now. For the start of a server that holds the data directory's lock: nobody else
  // can be working.
  virtual void BreakAllLeases() = 0;
  // The job behind a snapshot or restore: its progress. nullopt when there is none.
  virtual std::optional<domain::Job> FindJobBySubject(const ObjectId& subject) = 0;

  // Everything that is sealed under the master key, whoever it belongs to.
  enum class SecretKind {
    kApiKey,
    kCluster,
    kDownload,
    kChannelUrl,
    kChannelSecret,
    kExportTarget
  };

  struct SealedSecret {
    SecretKind kind = SecretKind::kApiKey;
    std::string owner;  // the API key's public name, the id of the cluster, restore job, channel
                        // or export target
    std::string sealed;
  };

  // Replaces every sealed secret by what `reseal` makes of it, all in one transaction: when it
  // throws nothing has changed. Returns how many there are.
  virtual std::int64_t ResealSecrets(
      const std::function<std::string(const SealedSecret&)>& reseal) = 0;

  // A query that touches the file, for /readyz. Throws when it cannot be used.
  virtual void Ping() = 0;
};

struct SqliteOptions {
  std::string path;  // the file; created, with its schema, when missing
  int connections = 4;
  std::chrono::milliseconds busy_timeout{5000};
};

// Opens (and migrates) the catalog file. kUnsupported when a newer Tidemark wrote it.
std::unique_ptr<Store> OpenSqliteStore(const SqliteOptions& options);

}  // namespace tidemark::catalog
