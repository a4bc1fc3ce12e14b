#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/conformance/store_fixture.h"

// The part of StoreSuite about what nobody may shorten.
namespace tidemark::catalog {

class StoreProtection : public StoreSuite {
 protected:
  static constexpr std::chrono::hours kDay{24};

  domain::CompliancePolicy NewPolicy() {
    domain::CompliancePolicy policy{.project = project_.id,
                                    .email = "a@b.example",
                                    .first_name = "A",
                                    .last_name = "B",
                                    .window_days = 3,
                                    .updated = kNow,
                                    .updated_by = "key"};
    policy.items = {NewItem(domain::Frequency::kWeekly, domain::RetentionUnit::kWeeks, 4),
                    NewItem(std::nullopt, domain::RetentionUnit::kMonths, 1)};
    return policy;
  }

  domain::ComplianceItem NewItem(std::optional<domain::Frequency> frequency,
                                 domain::RetentionUnit unit,
                                 int retention) {
    return {.frequency = frequency,
            .interval = frequency ? 6 : 0,
            .unit = unit,
            .retention = retention,
            .id = NewId<domain::PolicyItemId>()};
  }

  // A weekly one, of a day.
  domain::Snapshot AddWeekly(const domain::Cluster& cluster, Instant scheduled) {
    domain::Snapshot snapshot{.id = NewId<SnapshotId>(),
                              .project = cluster.project,
                              .cluster = cluster.id,
                              .cluster_name = cluster.name,
                              .scheduled = scheduled,
                              .due = scheduled,
                              .attempt = 1,
                              .frequency = domain::Frequency::kWeekly,
                              .policy_items = {NewId<domain::PolicyItemId>()},
                              .expires = scheduled + kDay};
    store_->AddSnapshot(snapshot,
                        NewJob(domain::JobKind::kTakeSnapshot, snapshot.id.raw(), scheduled));
    return snapshot;
  }

  Instant ExpiryOf(const SnapshotId& id) { return store_->FindSnapshot(id).value().expires; }

  template <class Call>
  ErrorCode CodeOf(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  }
};

TEST_P(StoreProtection, APolicyComesBackAndIsReplacedByItsSuccessor) {
  EXPECT_FALSE(store_->FindCompliancePolicy(project_.id));
  domain::CompliancePolicy policy = NewPolicy();
  policy.revision = 1;
  EXPECT_FALSE(store_->PutCompliancePolicy(policy));  // there is none to replace
  policy.revision = 0;
  EXPECT_TRUE(store_->PutCompliancePolicy(policy));
  EXPECT_FALSE(store_->PutCompliancePolicy(policy));  // somebody was quicker
  Reopen();
  auto found = store_->FindCompliancePolicy(project_.id).value();
  EXPECT_EQ(found.items, policy.items);
  EXPECT_EQ(found.email, policy.email);
  EXPECT_EQ(found.first_name, "A");
  EXPECT_EQ(found.last_name, "B");
  EXPECT_EQ(found.window_days, 3);
  EXPECT_EQ(found.updated, kNow);
  EXPECT_EQ(found.updated_by, "key");
  EXPECT_EQ(found.revision, 1);
  found.items.front().retention = 5;
  found.items.push_back(NewItem(domain::Frequency::kYearly, domain::RetentionUnit::kYears, 1));
  EXPECT_TRUE(store_->PutCompliancePolicy(found));
  EXPECT_EQ(store_->FindCompliancePolicy(project_.id).value().items.size(), 3U);
  EXPECT_FALSE(store_->FindCompliancePolicy(AddProject("other").id));
}

TEST_P(StoreProtection, ItsItemsAreNotWeakened) {
  store_->PutCompliancePolicy(NewPolicy());
  const auto policy = store_->FindCompliancePolicy(project_.id).value();
  auto shorter = policy;
  shorter.items.front().retention = 3;
  EXPECT_EQ(CodeOf([&] { store_->PutCompliancePolicy(shorter); }), ErrorCode::kPermissionDenied);
  auto other = policy;
  other.items.front().frequency = domain::Frequency::kDaily;
  EXPECT_EQ(CodeOf([&] { store_->PutCompliancePolicy(other); }), ErrorCode::kPermissionDenied);
  EXPECT_EQ(store_->FindCompliancePolicy(project_.id).value().items, policy.items);
}

TEST_P(StoreProtection, SnapshotsAreKeptAsLongAsItSays) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot before = AddWeekly(cluster, kNow);
  const domain::Snapshot asked = AddSnapshot(cluster);
  EXPECT_EQ(ExpiryOf(before.id), kNow + kDay);
  store_->PutCompliancePolicy(NewPolicy());
  EXPECT_EQ(ExpiryOf(before.id), kNow + 28 * kDay);
  EXPECT_EQ(ExpiryOf(asked.id), kNow + 31 * kDay);
  EXPECT_EQ(ExpiryOf(AddWeekly(cluster, kNow + kDay).id), kNow + 29 * kDay);
  // Another project has nothing to do with it.
  domain::Cluster elsewhere = NewCluster("c1");
  elsewhere.project = AddProject("other").id;
  store_->AddCluster(elsewhere);
  const domain::Snapshot free = AddWeekly(elsewhere, kNow);
  EXPECT_EQ(ExpiryOf(free.id), kNow + kDay);
  store_->SetExpiries({{free.id, kNow}});
  FinishSnapshots();
  EXPECT_TRUE(store_->MarkSnapshotDeleted(free.id, kNow));
}

TEST_P(StoreProtection, NobodyShortensOrDeletes) {
  const domain::Cluster cluster = AddCluster("c0");
  store_->PutCompliancePolicy(NewPolicy());
  const domain::Snapshot snapshot = AddFinishedSnapshot(cluster);
  const Instant expires = ExpiryOf(snapshot.id);
  EXPECT_EQ(CodeOf([&] { store_->MarkSnapshotDeleted(snapshot.id, kNow); }),
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(CodeOf([&] { store_->UpdateRetention(snapshot.id, {false, expires - kDay, {}}); }),
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(
      CodeOf([&] { store_->SetExpiries({{snapshot.id, expires + kDay}, {snapshot.id, expires}}); }),
      ErrorCode::kPermissionDenied);
  EXPECT_EQ(ExpiryOf(snapshot.id), expires);  // all or none
  EXPECT_TRUE(store_->UpdateRetention(snapshot.id, {true, expires, {}}));
  EXPECT_TRUE(store_->ExpireSnapshots(expires + kDay, kNow, 100).empty());
  EXPECT_FALSE(store_->MarkSnapshotDeleted(snapshot.id, expires + kDay));
  EXPECT_TRUE(store_->UpdateRetention(snapshot.id, {false, expires + kDay, {}}));
  store_->RemoveCluster(cluster.id, kNow);
  EXPECT_EQ(CodeOf([&] { store_->DeleteProject(project_.id, kNow); }),
            ErrorCode::kPermissionDenied);
  EXPECT_FALSE(store_->FindSnapshot(snapshot.id).value().deleted);
  EXPECT_TRUE(store_->MarkSnapshotDeleted(snapshot.id, expires + kDay));  // its time has come
}

TEST_P(StoreProtection, ScheduledOnesAreListedUnlessAPersonHasDecided) {
  const domain::Cluster cluster = AddCluster("c0");
  std::vector<SnapshotId> ids;
  for (int i = 0; i < 4; ++i) {
    ids.push_back(AddWeekly(cluster, kNow + i * kDay).id);
  }
  AddSnapshot(cluster);
  std::ranges::sort(ids);
  const auto list = [&](const SnapshotId& after, std::int64_t limit) {
    std::vector<SnapshotId> found;
    for (const auto& row : store_->ListScheduled(cluster.id, after, limit)) {
      EXPECT_EQ(row.policy_items.size(), 1U);
      EXPECT_EQ(row.expires, row.scheduled + kDay);
      found.push_back(row.id);
    }
    return found;
  };
  EXPECT_EQ(list({}, 10), ids);
  EXPECT_EQ(list({}, 2), (std::vector<SnapshotId>{ids[0], ids[1]}));
  EXPECT_EQ(list(ids[1], 10), (std::vector<SnapshotId>{ids[2], ids[3]}));
  for (auto job = store_->ClaimJob("n", kNow + 9 * kDay, kLease); job;
       job = store_->ClaimJob("n", kNow + 9 * kDay, kLease)) {
    domain::Snapshot snapshot = store_->FindSnapshot(SnapshotId(job->subject)).value();
    snapshot.state =
        snapshot.id == ids[0] ? domain::SnapshotState::kFailed : domain::SnapshotState::kCompleted;
    snapshot.finished = kNow;
    EXPECT_TRUE(store_->FinishSnapshot({job->id, job->fence}, snapshot));
  }
  store_->MarkSnapshotDeleted(ids[1], kNow);
  store_->UpdateRetention(ids[2], {false, ExpiryOf(ids[2]), {}});
  EXPECT_EQ(list({}, 10), (std::vector<SnapshotId>{ids[3]}));
  const Instant held = ExpiryOf(ids[2]);
  store_->SetExpiries({{ids[2], kNow}, {ids[3], kNow}});
  EXPECT_EQ(ExpiryOf(ids[2]), held);
  EXPECT_EQ(ExpiryOf(ids[3]), kNow);
}

}  // namespace tidemark::catalog
