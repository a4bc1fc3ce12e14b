#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "catalog/store.h"

// What every implementation of catalog::Store promises. A dialect's test instantiates StoreSuite
// with a function that opens (or opens again) a store over `directory`.
namespace tidemark::catalog {

struct StoreDialect {
  std::string name;
  std::function<std::unique_ptr<Store>(const std::filesystem::path& directory)> open;
};

class StoreSuite : public testing::TestWithParam<StoreDialect> {
 protected:
  static constexpr Instant kNow{std::chrono::seconds{1'700'000'000}};

  StoreSuite() {
    std::string pattern = (std::filesystem::temp_directory_path() / "store_suite_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    Reopen();
    organization_ = {.id = NewId<OrganizationId>(), .name = "org"};
    store_->AddOrganization(organization_);
    project_ = AddProject("project");
  }

  ~StoreSuite() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  void Reopen() {
    store_.reset();
    store_ = GetParam().open(directory_);
  }

  template <class Id>
  Id NewId() {
    return Id::Generate(kNow, random_);
  }

  domain::Project AddProject(const std::string& name) {
    const domain::Project project{
        .id = NewId<ProjectId>(), .organization = organization_.id, .name = name, .created = kNow};
    store_->AddProject(project);
    return project;
  }

  domain::Cluster NewCluster(const std::string& name) {
    return {.id = NewId<ClusterId>(),
            .project = project_.id,
            .name = name,
            .tier = domain::Tier::kFlex,
            .topology = domain::Topology::kReplicaSet,
            .mongodb_version = "7.0.1",
            .replica_set_name = "rs0",
            .connection_string = Secret(std::string("sealed\0bytes\xff", 13)),
            .encryption_at_rest = true,
            .require_quiet = true,
            .created = kNow};
  }

  domain::Cluster AddCluster(const std::string& name) {
    domain::Cluster cluster = NewCluster(name);
    store_->AddCluster(cluster);
    return cluster;
  }

  domain::Key NewKey(const std::string& public_name) {
    return {.id = NewId<KeyId>(),
            .organization = organization_.id,
            .kind = domain::KeyKind::kServiceAccount,
            .public_name = public_name,
            .description = "for tests",
            .grants = {{.role = domain::Role::kOrgReadOnly, .organization = organization_.id},
                       {.role = domain::Role::kGroupOwner, .project = project_.id}},
            .created = kNow};
  }

  domain::Snapshot AddSnapshot(const domain::Cluster& cluster, Instant scheduled = kNow) {
    const domain::Snapshot snapshot{.id = NewId<SnapshotId>(),
                                    .project = cluster.project,
                                    .cluster = cluster.id,
                                    .cluster_name = cluster.name,
                                    .description = "on demand",
                                    .scheduled = scheduled,
                                    .expires = scheduled + std::chrono::hours{24}};
    store_->AddSnapshot(snapshot,
                        NewJob(domain::JobKind::kTakeSnapshot, snapshot.id.raw(), scheduled));
    return snapshot;
  }

  domain::Job NewJob(domain::JobKind kind, const ObjectId& subject, Instant created) {
    return {.id = NewId<JobId>(), .kind = kind, .subject = subject, .created = created};
  }

  // A snapshot that a restore can read.
  domain::Snapshot AddFinishedSnapshot(const domain::Cluster& cluster) {
    AddSnapshot(cluster);
    const domain::Job job = store_->ClaimJob("setup", kNow, kLease).value();
    domain::Snapshot snapshot = store_->FindSnapshot(SnapshotId(job.subject)).value();
    snapshot.state = domain::SnapshotState::kCompleted;
    snapshot.finished = kNow;
    EXPECT_TRUE(store_->FinishSnapshot({job.id, job.fence}, snapshot));
    return snapshot;
  }

  // All that are waiting.
  void FinishSnapshots() {
    while (const auto job = store_->ClaimJob("setup", kNow, kLease)) {
      domain::Snapshot snapshot = store_->FindSnapshot(SnapshotId(job->subject)).value();
      snapshot.state = domain::SnapshotState::kCompleted;
      snapshot.finished = kNow;
      EXPECT_TRUE(store_->FinishSnapshot({job->id, job->fence}, snapshot));
    }
  }

  domain::RestoreJob NewRestore(const domain::Snapshot& snapshot,
                                const domain::Cluster& target,
                                Instant created = kNow) {
    return {.id = NewId<RestoreJobId>(),
            .project = snapshot.project,
            .cluster = snapshot.cluster,
            .cluster_name = snapshot.cluster_name,
            .snapshot = snapshot.id,
            .snapshot_finished = kNow,
            .position = {.seconds = 4'000'000'000, .increment = 7},
            .target_project = target.project,
            .target_cluster = target.id,
            .target_name = target.name,
            .created = created,
            .expires = created + std::chrono::hours{1},
            .requested_by = NewId<KeyId>()};
  }

  void AddRestore(const domain::RestoreJob& restore) {
    store_->AddRestore(
        restore, NewJob(domain::JobKind::kRestore, restore.id.raw(), restore.created), "stopped");
  }

  domain::Lease Claim(Instant now = kNow) {
    const domain::Job job = store_->ClaimJob("node", now, kLease).value();
    return {job.id, job.fence};
  }

  static constexpr std::chrono::seconds kLease{15};

  std::filesystem::path directory_;
  SeededRandom random_{7};
  std::unique_ptr<Store> store_;
  domain::Organization organization_;
  domain::Project project_;
};

// The code and message of the Error that `call` throws; "" when it does not.
template <class Call>
std::string Refusal(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(ErrorCodeName(error.code())) + ": " + std::string(error.message());
  }
  return "";
}

inline domain::AuditEntry NewEntry(const std::string& actor, const std::string& operation) {
  domain::AuditEntry entry;
  entry.at = Instant{std::chrono::seconds{1'700'000'000}};
  entry.request = "0123456789abcdef";
  entry.actor = actor;
  entry.address = "192.0.2.1";
  entry.operation = operation;
  entry.cluster = "c0";
  entry.object = "32b6e34b3d91647abb20e7b8";
  entry.status = 201;
  return entry;
}

template <class T>
std::vector<std::string> Names(const domain::Listing<T>& listing) {
  std::vector<std::string> names;
  for (const T& row : listing.rows) {
    names.push_back(row.name);
  }
  return names;
}

}  // namespace tidemark::catalog
