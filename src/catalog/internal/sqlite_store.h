#pragma once

#include "catalog/internal/read_cache.h"
#include "catalog/internal/session_pool.h"
#include "catalog/store.h"

namespace tidemark::catalog {

// The methods live in store_<noun>.cpp. Synchronized.
class SqliteStore final : public Store {
 public:
  explicit SqliteStore(const SqliteOptions& options) : pool_(options) {}

  void AddOrganization(const domain::Organization& organization) override;
  std::optional<domain::Organization> FindOrganization(const OrganizationId& id) override;
  void AddProject(const domain::Project& project) override;
  std::optional<domain::Project> FindProject(const ProjectId& id) override;
  domain::Listing<domain::Project> ListProjects(const std::vector<OrganizationId>& organizations,
                                                const std::vector<ProjectId>& projects,
                                                const domain::Page& page) override;

  std::optional<DeletedProject> DeleteProject(const ProjectId& id, Instant now) override;
  std::vector<ProjectId> ListProjectsToShred() override;
  void MarkProjectShredded(const ProjectId& id, Instant now) override;

  void AddKey(const domain::Key& key, std::string_view sealed_secret) override;
  std::optional<StoredKey> FindKeyByPublicName(std::string_view public_name) override;
  std::optional<StoredKey> FindKey(const KeyId& id) override;
  domain::Listing<domain::Key> ListKeys(const OrganizationId& organization,
                                        const domain::Page& page) override;

  std::int64_t CountOrganizations() override;
  void AddOrganization(const domain::Organization& organization,
                       const domain::Key& owner,
                       std::string_view sealed_secret) override;
  void AddServiceAccount(const domain::Key& account,
                         const domain::ClientSecret& secret,
                         std::string_view hash) override;
  KeyChange UpdateKey(const KeyId& id, const KeyChanges& changes) override;
  KeyChange RevokeKey(const KeyId& id, Instant now) override;
  bool AddClientSecret(const domain::ClientSecret& secret,
                       std::string_view hash,
                       Instant now) override;
  std::vector<domain::ClientSecret> ListClientSecrets(const KeyId& account) override;
  std::optional<domain::ClientSecret> FindClientSecret(const KeyId& account,
                                                       std::string_view hash,
                                                       Instant now) override;
  KeyChange DeleteClientSecret(const KeyId& account, const ClientSecretId& id) override;
  void AddToken(std::string_view token_hash,
                const domain::ClientSecret& secret,
                Instant expires) override;
  std::optional<domain::Key> FindKeyByToken(std::string_view token_hash, Instant now) override;
  void RevokeToken(std::string_view token_hash) override;
  void DeleteExpiredTokens(Instant now) override;

  void AddCluster(const domain::Cluster& cluster) override;
  std::optional<domain::Cluster> FindCluster(const ProjectId& project,
                                             std::string_view name) override;
  std::optional<domain::Cluster> FindCluster(const ClusterId& id) override;
  domain::Listing<domain::Cluster> ListClusters(const ProjectId& project,
                                                const domain::Page& page) override;
  domain::Listing<domain::Cluster> ListClusters(const ProjectId& project,
                                                ClusterKind kind,
                                                Unregistered unregistered,
                                                const domain::Page& page) override;
  std::int64_t CountClusters(const ProjectId& project) override;
  bool RemoveCluster(const ClusterId& id, Instant now) override;
  bool UpdateCluster(const ClusterId& id,
                     const ClusterChange& change,
                     std::string_view reason,
                     Instant now) override;
  void UpdateClusterFacts(const ClusterId& id,
                          domain::Topology topology,
                          std::string_view version,
                          std::string_view replica_set_name) override;

  void AddSnapshot(const domain::Snapshot& snapshot, const domain::Job& job) override;
  bool AddSnapshotAlone(const domain::Snapshot& snapshot, const domain::Job& job) override;
  std::optional<domain::Snapshot> FindSnapshot(const SnapshotId& id) override;
  domain::Listing<domain::Snapshot> ListSnapshots(const ClusterId& cluster,
                                                  const domain::Page& page) override;
  domain::Listing<domain::Snapshot> ListSnapshots(const ClusterId& cluster,
                                                  const SnapshotStates& states,
                                                  const domain::Page& page) override;
  domain::Listing<domain::Snapshot> ListSnapshotsOldestFirst(const ClusterId& cluster,
                                                             const domain::Page& page) override;
  bool MarkSnapshotDeleted(const SnapshotId& id, Instant now) override;

  bool UpdateRetention(const SnapshotId& id, const RetentionChange& change) override;
  std::vector<DeletedSnapshot> ExpireSnapshots(Instant now,
                                               Instant failed_before,
                                               std::int64_t limit) override;
  std::vector<DeletedSnapshot> ListSnapshotsToSweep(std::int64_t limit) override;
  void MarkSnapshotSwept(const DeletedSnapshot& snapshot, Instant now) override;
  std::int64_t PurgeSnapshots(Instant before, std::int64_t limit) override;
  std::vector<ProjectId> ListGarbage(Instant before, std::int64_t limit) override;
  bool TakeGarbage(const ProjectId& project, Instant before, Instant now) override;
  void AddGarbage(const ProjectId& project) override;

  bool AddSchedule(const domain::Schedule& schedule) override;
  std::optional<domain::Schedule> FindSchedule(const ClusterId& cluster) override;
  bool UpdateSchedule(const domain::Schedule& schedule) override;
  bool AdvanceSchedule(const domain::Schedule& schedule,
                       const domain::ScheduleRun& run,
                       const std::optional<QueuedSnapshot>& queued) override;
  std::vector<domain::Cluster> ListUnscheduledClusters(std::int64_t limit) override;
  std::vector<domain::Schedule> ListSchedulesToStep(Instant now, std::int64_t limit) override;
  std::optional<SnapshotToVerify> FindSnapshotToVerify(Instant now) override;
  void SaveVerification(const ClusterId& cluster,
                        const domain::Verification& verification) override;
  std::optional<Instant> FindDueBefore(const ClusterId& cluster, Instant due) override;
  void AddImportedSnapshot(const domain::Snapshot& snapshot,
                           const domain::Import& import,
                           const domain::Job& job) override;
  std::optional<domain::Import> FindImport(const SnapshotId& id) override;
  bool SaveImport(const domain::Lease& lease, const domain::Import& import) override;

  void AddRestore(const domain::RestoreJob& restore,
                  const domain::Job& job,
                  std::string_view stopped_reason) override;
  std::optional<domain::RestoreJob> FindRestore(const RestoreJobId& id) override;
  void AddDownload(const domain::RestoreJob& restore) override;
  domain::Listing<domain::RestoreJob> ListWholeRestores(const ClusterId& source,
                                                        const domain::Page& page) override;
  domain::Listing<domain::RestoreJob> ListRestores(const ClusterId& source,
                                                   const domain::Page& page) override;
  bool HasUnfinishedRestoreInto(const ClusterId& target) override;

  std::optional<DownloadTicket> ReserveDownload(const RestoreJobId& id,
                                                DownloadPart part,
                                                Instant now) override;
  void EndDownload(const DownloadTicket& ticket,
                   DownloadOutcome outcome,
                   std::uint64_t sent,
                   Instant now) override;
  void SaveArchiveFacts(const RestoreJobId& id,
                        std::optional<std::uint64_t> size,
                        std::string_view sha1) override;
  bool CancelDownload(const RestoreJobId& id, Instant now) override;
  bool ExpireDownload(const RestoreJobId& id, Instant now) override;
  void EndAllDownloads() override;

  std::optional<domain::Job> ClaimJob(std::string_view owner,
                                      Instant now,
                                      std::chrono::seconds lease) override;
  bool ExtendLease(const domain::Lease& lease, Instant until) override;
  bool SaveProgress(const domain::Lease& lease, const domain::JobProgress& progress) override;
  bool SaveCheckpoint(const domain::Lease& lease, std::string_view checkpoint) override;
  bool FinishSnapshot(const domain::Lease& lease, const domain::Snapshot& snapshot) override;
  bool FinishRestore(const domain::Lease& lease,
                     domain::RestoreState state,
                     std::string_view failure,
                     Instant now) override;
  bool SaveRestoreChanges(const domain::Lease& lease,
                          const std::optional<domain::RestoreChanges>& changes,
                          std::string_view notes) override;
  bool ReleaseJob(const domain::Lease& lease) override;
  void BreakAllLeases() override;
  std::optional<domain::Job> FindJobBySubject(const ObjectId& subject) override;

  std::int64_t ResealSecrets(
      const std::function<std::string(const SealedSecret&)>& reseal) override;

  void Ping() override;

  std::int64_t AppendAudit(const domain::AuditEntry& entry) override;
  AuditStart StartAudit(Instant now) override;
  domain::Listing<domain::AuditEntry> ListAudit(const AuditFilter& filter,
                                                const domain::Page& page) override;
  AuditVerdict VerifyAudit(const std::optional<AuditAnchor>& anchor,
                           const std::stop_token& stop) override;

  void AddEvent(const domain::Event& event) override;
  std::int64_t SettleEvents() override;
  void AddChannel(const domain::Channel& channel) override;
  std::optional<domain::Channel> FindChannel(const ProjectId& project,
                                             const domain::ChannelId& id) override;
  std::vector<domain::Channel> ListChannels(const ProjectId& project) override;
  bool RemoveChannel(const ProjectId& project, const domain::ChannelId& id) override;
  NoticeCounts CountNotices(const domain::ChannelId& id) override;
  std::optional<DueNotice> FindDueNotice(Instant now) override;
  void MarkDelivered(const domain::Notice& notice, Instant now) override;
  void MarkFailed(const domain::Notice& notice, std::string_view error, Instant next_try) override;
  void GiveUp(const domain::Notice& notice,
              std::string_view error,
              Instant now,
              Instant next_try) override;

  std::vector<ScheduledSnapshot> ListScheduled(const ClusterId& cluster,
                                               const SnapshotId& after,
                                               std::int64_t limit) override;
  void SetExpiries(const std::vector<std::pair<SnapshotId, Instant>>& expiries) override;
  std::optional<domain::CompliancePolicy> FindCompliancePolicy(const ProjectId& project) override;
  bool PutCompliancePolicy(const domain::CompliancePolicy& policy) override;

  void AddExportTarget(const domain::ExportTarget& target) override;
  std::optional<domain::ExportTarget> FindExportTarget(const ProjectId& project,
                                                       const domain::ExportTargetId& id) override;
  std::optional<domain::ExportTarget> FindExportTarget(const ProjectId& project,
                                                       std::string_view bucket) override;
  std::vector<domain::ExportTarget> ListExportTargets(const ProjectId& project) override;
  bool RemoveExportTarget(const ProjectId& project, const domain::ExportTargetId& id) override;
  void AddExportBucket(const domain::ExportBucket& bucket) override;
  std::optional<domain::ExportBucket> FindExportBucket(const ProjectId& project,
                                                       const domain::ExportBucketId& id) override;
  domain::Listing<domain::ExportBucket> ListExportBuckets(const ProjectId& project,
                                                          const domain::Page& page) override;
  bool UpdateExportBucket(const ProjectId& project,
                          const domain::ExportBucketId& id,
                          bool require_private_networking) override;
  bool RemoveExportBucket(const ProjectId& project, const domain::ExportBucketId& id) override;
  void AddExport(const domain::ExportJob& job, const domain::Job& work) override;
  std::vector<DueExport> ListDueExports(const SnapshotId& after, std::int64_t limit) override;
  bool AddDueExport(const domain::ExportJob& job, const domain::Job& work) override;
  bool CancelExport(const domain::ExportId& id, Instant now) override;
  std::optional<domain::ExportJob> FindExport(const domain::ExportId& id) override;
  domain::Listing<domain::ExportJob> ListExports(const ClusterId& cluster,
                                                 const domain::Page& page) override;
  bool FinishExport(const domain::Lease& lease,
                    domain::ExportState state,
                    std::string_view failure,
                    Instant now) override;

  void AddCollectionRestore(const domain::RestoreJob& restore,
                            const domain::CollectionRestore& request,
                            const domain::Job& job,
                            std::string_view stopped_reason) override;
  std::optional<domain::CollectionRestore> FindCollectionRestore(const RestoreJobId& id) override;
  domain::Listing<domain::RestoreJob> ListCollectionRestores(const ClusterId& source,
                                                             const domain::Page& page) override;
  bool AddRestoredNamespaces(const domain::Lease& lease,
                             const std::vector<domain::RestoredNamespace>& namespaces) override;
  bool SaveRestoredNamespace(const domain::Lease& lease,
                             const domain::RestoredNamespace& row) override;
  bool FailRestoredNamespaces(const domain::Lease& lease) override;
  domain::Listing<domain::RestoredNamespace> ListRestoredNamespaces(
      const RestoreJobId& id, const NamespaceFilter& filter, const domain::Page& page) override;
  std::vector<domain::RestoredNamespace> ReadRestoredNamespaces(const RestoreJobId& id) override;
  std::optional<domain::RestoredNamespace> FindRestoredNamespace(const RestoreJobId& id,
                                                                 std::string_view source) override;
  domain::RestoredNamespaceTotals CountRestoredNamespaces(const RestoreJobId& id) override;

  void MarkScratch(const ClusterId& cluster, Instant now) override;
  bool UnmarkScratch(const ClusterId& cluster, std::string_view reason, Instant now) override;
  bool IsScratch(const ClusterId& cluster) override;
  void SetDrillTarget(const ClusterId& cluster, const std::optional<ClusterId>& target) override;
  std::optional<ClusterId> FindDrillTarget(const ClusterId& cluster) override;
  bool AddDrill(const domain::Drill& drill, const domain::Job& job) override;
  std::optional<domain::Drill> FindDrill(const domain::DrillId& id) override;
  domain::Listing<domain::Drill> ListDrills(const ClusterId& cluster,
                                            const domain::Page& page) override;
  std::optional<domain::Drill> FindLastDrill(const ClusterId& cluster) override;
  std::optional<domain::Drill> FindLastDrillOf(const SnapshotId& snapshot) override;
  bool FinishDrill(const domain::Lease& lease, const domain::Drill& drill) override;

  void AddPush(const domain::RestoreJob& restore,
               const domain::Push& push,
               const domain::Job& job) override;
  std::optional<domain::Push> FindPush(const RestoreJobId& restore) override;
  domain::Listing<domain::RestoreJob> ListRestoresButPushes(const ClusterId& source,
                                                            const domain::Page& page) override;
  bool SavePush(const domain::Lease& lease, const domain::Push& push) override;

  Facts ReadFacts() override;
  std::vector<ClusterFacts> ListClusterFacts(std::int64_t limit) override;

 private:
  struct TokenOwner {
    domain::Key key;
    Instant expires;
  };

  SessionPool pool_;
  ReadCache<TokenOwner> token_owners_;              // by the token's hash
  ReadCache<StoredKey> keys_;                       // by public name
  ReadCache<domain::Project> projects_;             // by id
  ReadCache<domain::Cluster> registered_clusters_;  // by project's id and name
};

// In the caller's transaction.
void InsertJob(Session& session, const domain::Job& job);
// In the caller's transaction. The subject of the job that the lease has just finished; nullopt
// when the lease is lost.
std::optional<ObjectId> FinishJob(Session& session,
                                  const domain::Lease& lease,
                                  domain::JobKind kind);

// All of AddRestore but the commit.
void QueueRestore(Session& session,
                  const domain::RestoreJob& restore,
                  const domain::Job& job,
                  std::string_view stopped_reason);
// The download of a restore job that was inserted in the caller's transaction.
void InsertDownload(Session& session, const domain::RestoreJob& restore);
void InsertSnapshot(Session& session, const domain::Snapshot& snapshot);
// The column `policy_items` of a snapshot.
std::vector<domain::PolicyItemId> ParsePolicyItems(std::string_view text);

void InsertRestore(Session& session, const domain::RestoreJob& restore);
// kNotFound unless the cluster is registered; `doing` begins the message.
void RequireRegistered(Session& session, const ClusterId& cluster, const std::string& doing);
// kNotFound unless the snapshot is there and not deleted.
void RequireSnapshot(Session& session, const SnapshotId& id);
// The mark of a scratch target goes: also ends waiting drills into the cluster and tells running
// ones to stop.
void TakeScratchMark(Session& session,
                     const ClusterId& cluster,
                     std::string_view reason,
                     Instant now);
// Ends waiting drills into `target` and tells running ones to stop.
void StopDrillsInto(Session& session,
                    const ClusterId& target,
                    std::string_view reason,
                    Instant now);

// ReadCluster's columns, then `rest`. A session keeps what it has prepared by the text: the result
// has to live as long as the store.
std::string SelectClusters(std::string_view rest);
// A row of clusters, its columns in the order of the schema.
domain::Cluster ReadCluster(const Query& row);

// "INSERT INTO table (columns) VALUES (?1, ?2, ...)". REQUIRES: `columns` are names with commas
// between them.
std::string InsertInto(std::string_view table, std::string_view columns);

// Runs one statement in a transaction of its own; the number of rows it changed.
template <class... Args>
std::int64_t RunAlone(SessionPool& pool, std::string_view sql, const Args&... args) {
  WriteScope scope(pool);
  const std::int64_t changed = Query(scope, sql, args...).Run();
  scope.Commit();
  return changed;
}

// Calls `insert`; a row that breaks a unique rule becomes kConflict with `message`.
template <class Insert>
void OrConflict(const std::string& message, const Insert& insert) {
  try {
    insert();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Error(ErrorCode::kConflict, message);
  }
}

// The number in a one-row, one-column result.
template <class... Args>
std::int64_t CountRows(Session& session, std::string_view sql, const Args&... args) {
  Query query(session, sql, args...);
  std::int64_t count = 0;
  if (query.Next()) {
    query.Read(count);
  }
  return count;
}

// `read` turns the current row into a value.
template <class Read, class... Args>
auto FindRow(Session& session, const Read& read, std::string_view sql, const Args&... args)
    -> std::optional<decltype(read(std::declval<Query&>()))> {
  Query query(session, sql, args...);
  if (!query.Next()) {
    return std::nullopt;
  }
  return read(query);
}

template <class Read, class... Args>
auto FindRows(Session& session, const Read& read, std::string_view sql, const Args&... args)
    -> std::vector<decltype(read(std::declval<Query&>()))> {
  std::vector<decltype(read(std::declval<Query&>()))> rows;
  for (Query query(session, sql, args...); query.Next();) {
    rows.push_back(read(query));
  }
  return rows;
}

}  // namespace tidemark::catalog
