#pragma once

#include <thread>
#include <vector>

#include "tests/conformance/store_fixture.h"

// The part of StoreSuite about the audit log.
namespace tidemark::catalog {

inline std::vector<std::string> Operations(const domain::Listing<domain::AuditEntry>& listing) {
  std::vector<std::string> operations;
  for (const domain::AuditEntry& row : listing.rows) {
    operations.push_back(row.operation);
  }
  return operations;
}

TEST_P(StoreSuite, AuditRowComesBackWhole) {
  domain::AuditEntry entry = NewEntry("abcdefgh", "createSnapshot");
  entry.project = project_.id;
  entry.error_code = "CLUSTER_BUSY";
  entry.skipped = 3;
  EXPECT_EQ(store_->AppendAudit(entry), 1);
  Reopen();
  const auto listing = store_->ListAudit({}, {});
  ASSERT_EQ(listing.total, 1);
  const domain::AuditEntry& row = listing.rows.at(0);
  EXPECT_EQ(row.number, 1);
  EXPECT_EQ(row.at, kNow);
  EXPECT_EQ(row.phase, domain::AuditPhase::kEnded);
  EXPECT_FALSE(row.begun);
  EXPECT_EQ(row.request, entry.request);
  EXPECT_EQ(row.actor, "abcdefgh");
  EXPECT_EQ(row.address, "192.0.2.1");
  EXPECT_EQ(row.operation, "createSnapshot");
  EXPECT_EQ(row.project, project_.id);
  EXPECT_EQ(row.cluster, "c0");
  EXPECT_EQ(row.object, entry.object);
  EXPECT_EQ(row.status, 201);
  EXPECT_EQ(row.error_code, "CLUSTER_BUSY");
  EXPECT_EQ(row.skipped, 3);
  EXPECT_EQ(row.hash.size(), 64U);
}

TEST_P(StoreSuite, AuditIsListedNewestFirstByWhatIsAsked) {
  const domain::Project other = AddProject("other");
  for (int i = 0; i < 6; ++i) {
    domain::AuditEntry entry = NewEntry(i % 2 == 0 ? "even" : "odd", "op" + std::to_string(i));
    entry.at = kNow + std::chrono::seconds{i};
    entry.project = i < 4 ? project_.id : other.id;
    store_->AppendAudit(entry);
  }
  using testing::ElementsAre;
  const auto second = store_->ListAudit({}, {.number = 2, .size = 4});
  EXPECT_THAT(Operations(second), ElementsAre("op1", "op0"));
  EXPECT_EQ(second.total, 6);
  EXPECT_THAT(Operations(store_->ListAudit({.project = other.id}, {})), ElementsAre("op5", "op4"));
  EXPECT_THAT(Operations(store_->ListAudit({.project = project_.id, .actor = "odd"}, {})),
              ElementsAre("op3", "op1"));
  EXPECT_THAT(Operations(store_->ListAudit({.operation = "op2"}, {})), ElementsAre("op2"));
  const auto between = store_->ListAudit(
      {.since = kNow + std::chrono::seconds{1}, .until = kNow + std::chrono::seconds{3}}, {});
  EXPECT_THAT(Operations(between), ElementsAre("op2", "op1"));
  EXPECT_EQ(between.total, 2);
}

TEST_P(StoreSuite, AuditTextsAreBounded) {
  domain::AuditEntry entry = NewEntry(std::string(10'000, 'a'), "op");
  store_->AppendAudit(entry);
  EXPECT_EQ(store_->ListAudit({}, {}).rows.at(0).actor.size(), 256U);
  EXPECT_FALSE(store_->VerifyAudit({}, {}).broken_at);
}

TEST_P(StoreSuite, OutcomeStandsForItsRequest) {
  domain::AuditEntry entry = NewEntry("abcdefgh", "createSnapshot");
  entry.phase = domain::AuditPhase::kBegun;
  const std::int64_t begun = store_->AppendAudit(entry);
  EXPECT_EQ(store_->ListAudit({}, {}).total, 0);
  entry.phase = domain::AuditPhase::kEnded;
  entry.begun = begun;
  store_->AppendAudit(entry);
  const auto listing = store_->ListAudit({}, {});
  ASSERT_EQ(listing.total, 1);
  EXPECT_EQ(listing.rows.at(0).begun, begun);
}

TEST_P(StoreSuite, StartTellsRequestsWithoutAnOutcome) {
  EXPECT_EQ(store_->StartAudit(kNow).unknown, 0);
  domain::AuditEntry entry = NewEntry("abcdefgh", "deleteSnapshot");
  entry.phase = domain::AuditPhase::kBegun;
  entry.status = 0;
  const std::int64_t cut = store_->AppendAudit(entry);
  const std::int64_t told = store_->AppendAudit(entry);
  entry.phase = domain::AuditPhase::kEnded;
  entry.begun = told;
  store_->AppendAudit(entry);
  Reopen();
  const AuditLog::AuditStart start = store_->StartAudit(kNow + std::chrono::hours{1});
  EXPECT_EQ(start.unknown, 1);
  const auto listing = store_->ListAudit({}, {});
  EXPECT_THAT(
      Operations(listing),
      testing::ElementsAre("serverStarted", "deleteSnapshot", "deleteSnapshot", "serverStarted"));
  EXPECT_EQ(listing.rows.at(0).number, start.last.number);
  EXPECT_EQ(listing.rows.at(0).hash, start.last.hash);
  EXPECT_EQ(listing.rows.at(1).begun, cut);
  EXPECT_EQ(listing.rows.at(1).error_code, "OUTCOME_UNKNOWN");
  EXPECT_EQ(listing.rows.at(1).actor, "abcdefgh");
  EXPECT_EQ(store_->StartAudit(kNow).unknown, 0);
  EXPECT_FALSE(store_->VerifyAudit({}, {}).broken_at);
}

TEST_P(StoreSuite, AuditOfManyThreadsIsOneChain) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < 25; ++n) {
        store_->AppendAudit(NewEntry("abcdefgh", "op"));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  const AuditVerdict verdict = store_->VerifyAudit({}, {});
  EXPECT_EQ(verdict.rows, 100);
  EXPECT_FALSE(verdict.broken_at);
}

TEST_P(StoreSuite, AnchorTellsACutLog) {
  for (int i = 0; i < 3; ++i) {
    store_->AppendAudit(NewEntry("abcdefgh", "op"));
  }
  const domain::AuditEntry second = store_->ListAudit({}, {}).rows.at(1);
  EXPECT_FALSE(store_->VerifyAudit(AuditAnchor{2, second.hash}, {}).broken_at);
  EXPECT_EQ(store_->VerifyAudit(AuditAnchor{2, std::string(64, '0')}, {}).broken_at, 2);
  EXPECT_EQ(store_->VerifyAudit(AuditAnchor{9, second.hash}, {}).broken_at, 4);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(Refusal([&] { store_->VerifyAudit({}, stop.get_token()); }),
            "Cancelled: verifying the audit log: stopped");
}

TEST_P(StoreSuite, WhatTheServerDoesIsAudited) {
  const domain::Cluster source = AddCluster("c0");
  const domain::Snapshot snapshot = AddFinishedSnapshot(source);
  const domain::RestoreJob restore = NewRestore(snapshot, AddCluster("c1"));
  AddRestore(restore);
  ASSERT_TRUE(store_->FinishRestore(Claim(), domain::RestoreState::kFailed, "secret?", kNow));
  store_->MarkSnapshotDeleted(snapshot.id, kNow);
  EXPECT_EQ(store_->SettleEvents(), 3);
  EXPECT_EQ(store_->SettleEvents(), 0);
  const auto listing = store_->ListAudit({.project = project_.id, .actor = "system"}, {});
  EXPECT_THAT(Operations(listing),
              testing::ElementsAre("snapshotDeleted", "restoreFailed", "snapshotCompleted"));
  EXPECT_EQ(listing.rows.at(0).object, snapshot.id.ToString());
  EXPECT_EQ(listing.rows.at(1).object, restore.id.ToString());
  EXPECT_EQ(listing.rows.at(1).cluster, "c0");
  EXPECT_EQ(listing.rows.at(2).object, snapshot.id.ToString());
}

TEST_P(StoreSuite, EventsOfAFailedTransactionAreNone) {
  const domain::Snapshot snapshot = AddSnapshot(AddCluster("c0"));
  const domain::Lease lease = Claim();
  domain::Snapshot failed = snapshot;
  failed.state = domain::SnapshotState::kFailed;
  EXPECT_FALSE(store_->FinishSnapshot({lease.job, lease.fence + 1}, failed));
  EXPECT_EQ(store_->SettleEvents(), 0);
}

TEST_P(StoreSuite, AuditRowComesAfterTheEventsBeforeIt) {
  AddFinishedSnapshot(AddCluster("c0"));
  store_->AppendAudit(NewEntry("abcdefgh", "createSnapshot"));
  EXPECT_THAT(Operations(store_->ListAudit({}, {})),
              testing::ElementsAre("createSnapshot", "snapshotCompleted"));
}

}  // namespace tidemark::catalog
