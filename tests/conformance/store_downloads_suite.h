#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "tests/conformance/store_fixture.h"

// The part of StoreSuite about downloads.
namespace tidemark::catalog {

class DownloadSuite : public StoreSuite {
 protected:
  static constexpr std::chrono::minutes kMinute{1};

  domain::RestoreJob NewDownload(const domain::Snapshot& snapshot, std::int64_t most) {
    domain::RestoreJob job = NewRestore(snapshot, {});
    job.delivery = domain::DeliveryMethod::kDownload;
    job.target_project = snapshot.project;
    job.target_name = snapshot.cluster_name;
    job.state = domain::RestoreState::kCompleted;
    job.finished = kNow;
    job.download = domain::Download{.key_hash = "00ff",
                                    .sealed_key = std::string("sealed\0key", 10),
                                    .file_name = "rs0-1-2.tar.gz",
                                    .expiration_hours = 1,
                                    .max_downloads = most};
    return job;
  }

  // Of a finished snapshot of a cluster of its own.
  domain::RestoreJob AddDownload(std::int64_t most) {
    snapshot_ = AddFinishedSnapshot(AddCluster("c" + std::to_string(clusters_++)));
    const domain::RestoreJob job = NewDownload(snapshot_, most);
    store_->AddDownload(job);
    return job;
  }

  std::optional<DownloadTicket> Begin(const domain::RestoreJob& job, Instant now = kNow) {
    return store_->ReserveDownload(job.id, DownloadPart::kBeginning, now);
  }

  std::optional<DownloadTicket> Continue(const domain::RestoreJob& job, Instant now = kNow) {
    return store_->ReserveDownload(job.id, DownloadPart::kContinuation, now);
  }

  void End(const std::optional<DownloadTicket>& ticket,
           DownloadOutcome outcome,
           std::uint64_t sent = 100,
           Instant now = kNow) {
    ASSERT_TRUE(ticket.has_value());
    store_->EndDownload(*ticket, outcome, sent, now);
  }

  std::int64_t Complete(const domain::RestoreJob& job) {
    return store_->FindRestore(job.id).value().download.value().complete;
  }

  domain::Snapshot snapshot_;
  int clusters_ = 0;
};

TEST_P(DownloadSuite, DownloadComesBackWhole) {
  const domain::RestoreJob job = AddDownload(3);
  const domain::RestoreJob found = store_->FindRestore(job.id).value();
  EXPECT_EQ(found.state, domain::RestoreState::kCompleted);
  EXPECT_EQ(found.finished, kNow);
  EXPECT_TRUE(found.target_cluster.IsZero());
  EXPECT_EQ(found.target_name, snapshot_.cluster_name);
  const domain::Download& download = found.download.value();
  EXPECT_EQ(download.key_hash, "00ff");
  EXPECT_EQ(download.sealed_key, job.download->sealed_key);
  EXPECT_EQ(download.file_name, "rs0-1-2.tar.gz");
  EXPECT_EQ(download.expiration_hours, 1);
  EXPECT_EQ(download.max_downloads, 3);
  EXPECT_EQ(download.complete, 0);
  EXPECT_FALSE(download.size);
  EXPECT_EQ(download.sha1, "");
  store_->SaveArchiveFacts(job.id, 5'000'000'000, "da39");
  Reopen();
  const auto listed = store_->ListRestores(snapshot_.cluster, {}).rows.at(0).download.value();
  EXPECT_EQ(listed.size, 5'000'000'000U);
  EXPECT_EQ(listed.sha1, "da39");
  store_->SaveArchiveFacts(job.id, std::nullopt, "");
  EXPECT_FALSE(store_->FindRestore(job.id).value().download.value().size);
}

TEST_P(DownloadSuite, RestoresIntoClustersHaveNone) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("source"));
  const domain::RestoreJob restore = NewRestore(snapshot, AddCluster("target"));
  AddRestore(restore);
  EXPECT_FALSE(store_->FindRestore(restore.id).value().download);
  EXPECT_FALSE(store_->ReserveDownload(restore.id, DownloadPart::kBeginning, kNow));
}

TEST_P(DownloadSuite, DeletedSnapshotIsNotDownloaded) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("source"));
  store_->MarkSnapshotDeleted(snapshot.id, kNow);
  EXPECT_EQ(Refusal([&] { store_->AddDownload(NewDownload(snapshot, 1)); }),
            "NotFound: cannot restore snapshot " + snapshot.id.ToString() + ": no such one");
}

TEST_P(DownloadSuite, CompleteOnesCountAndTheLastIsTheLast) {
  const domain::RestoreJob job = AddDownload(2);
  End(Begin(job), DownloadOutcome::kComplete);
  EXPECT_EQ(Complete(job), 1);
  End(Begin(job), DownloadOutcome::kComplete);
  EXPECT_EQ(Complete(job), 2);
  EXPECT_FALSE(Begin(job));
  EXPECT_FALSE(Begin(job, kNow + std::chrono::hours(100)));
}

TEST_P(DownloadSuite, OneThatRunsKeepsItsPlaceHoweverLong) {
  const domain::RestoreJob job = AddDownload(1);
  const auto first = Begin(job);
  EXPECT_FALSE(Begin(job));
  EXPECT_FALSE(Begin(job, kNow + std::chrono::hours(48)));
  End(first, DownloadOutcome::kBroken);
  EXPECT_EQ(Complete(job), 0);
  EXPECT_TRUE(Begin(job));
}

TEST_P(DownloadSuite, ContinuationIsPartOfWhatItGoesOnWith) {
  const domain::RestoreJob job = AddDownload(1);
  const auto first = Begin(job);
  End(first, DownloadOutcome::kBroken);
  const auto second = Continue(job, kNow + 59 * kMinute);
  EXPECT_EQ(second.value().run, first.value().run);
  EXPECT_FALSE(Begin(job, kNow + 59 * kMinute));
  End(second, DownloadOutcome::kComplete);
  EXPECT_EQ(Complete(job), 1);
}

TEST_P(DownloadSuite, ContinuationTakesAPlaceAgain) {
  const domain::RestoreJob job = AddDownload(1);
  End(Begin(job), DownloadOutcome::kBroken);
  const auto other = Begin(job);
  EXPECT_FALSE(Begin(job));
  // Nobody can tell whose piece it is, but it cannot bring back the one whose place has been taken.
  EXPECT_EQ(Continue(job).value().run, other.value().run);
}

TEST_P(DownloadSuite, ContinuationAfterAnHourIsAnotherDownload) {
  domain::RestoreJob job = NewDownload(AddFinishedSnapshot(AddCluster("c0")), 1);
  job.expires = kNow + 120 * kMinute;
  store_->AddDownload(job);
  const auto first = Begin(job);
  End(first, DownloadOutcome::kPart);
  EXPECT_FALSE(Begin(job, kNow + 59 * kMinute));  // it may still be gone on with
  const auto second = Continue(job, kNow + 60 * kMinute);
  EXPECT_NE(second.value().run, first.value().run);
}

TEST_P(DownloadSuite, PiecesAtOnceAreOneDownload) {
  const domain::RestoreJob job = AddDownload(1);
  const auto first = Begin(job);
  const auto second = Continue(job);
  const auto third = Continue(job);
  End(third, DownloadOutcome::kComplete);
  End(second, DownloadOutcome::kBroken);
  End(Continue(job), DownloadOutcome::kPart);
  End(first, DownloadOutcome::kPart);
  EXPECT_EQ(Complete(job), 1);
  EXPECT_FALSE(Begin(job));
}

TEST_P(DownloadSuite, PiecesCannotBeAskedForWithoutEnd) {
  const domain::RestoreJob job = AddDownload(1);
  store_->SaveArchiveFacts(job.id, 100, "da39");
  End(Begin(job), DownloadOutcome::kComplete, 100);
  End(Continue(job), DownloadOutcome::kComplete, 99);
  End(Continue(job), DownloadOutcome::kComplete, 99);
  EXPECT_FALSE(Continue(job));
  EXPECT_EQ(Complete(job), 1);
}

TEST_P(DownloadSuite, PiecesAtOnceAreBounded) {
  const domain::RestoreJob job = AddDownload(1);
  Begin(job);
  for (int i = 1; i < 16; ++i) {
    EXPECT_TRUE(Continue(job));
  }
  EXPECT_FALSE(Continue(job));
}

TEST_P(DownloadSuite, OfTwoAtTheLastPlaceOneGetsIt) {
  for (int round = 0; round < 20; ++round) {
    const domain::RestoreJob job = AddDownload(1);
    std::atomic<int> taken = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { taken += Begin(job).has_value() ? 1 : 0; });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    ASSERT_EQ(taken, 1);
  }
}

TEST_P(DownloadSuite, ServerThatStartsEndsWhatWasOpen) {
  const domain::RestoreJob job = AddDownload(2);
  const auto first = Begin(job);
  End(Begin(job), DownloadOutcome::kComplete);
  EXPECT_FALSE(Begin(job));
  Reopen();
  store_->EndAllDownloads();
  EXPECT_EQ(Continue(job).value().run, first.value().run);
  EXPECT_EQ(Complete(job), 1);
}

TEST_P(DownloadSuite, SnapshotStaysWhileItCanBeFetched) {
  const domain::RestoreJob job = AddDownload(1);
  const std::string refusal = "Conflict: cannot delete snapshot " + snapshot_.id.ToString() +
                              ": download " + job.id.ToString() + " can still be fetched";
  EXPECT_EQ(Refusal([&] { store_->MarkSnapshotDeleted(snapshot_.id, kNow); }), refusal);
  End(Begin(job), DownloadOutcome::kComplete);
  EXPECT_TRUE(store_->MarkSnapshotDeleted(snapshot_.id, kNow));
}

TEST_P(DownloadSuite, SnapshotOfAnExpiredDownloadGoes) {
  const domain::RestoreJob job = AddDownload(1);
  EXPECT_TRUE(store_->MarkSnapshotDeleted(snapshot_.id, job.expires));
}

TEST_P(DownloadSuite, EndedDownloadHasExpired) {
  const domain::RestoreJob job = AddDownload(1);
  EXPECT_TRUE(store_->ExpireDownload(job.id, kNow + kMinute));
  EXPECT_FALSE(store_->ExpireDownload(job.id, kNow + 2 * kMinute));
  EXPECT_EQ(store_->FindRestore(job.id).value().expires, kNow + kMinute);
  EXPECT_TRUE(store_->MarkSnapshotDeleted(snapshot_.id, kNow + kMinute));
}

TEST_P(DownloadSuite, CancelledDownloadHasExpiredAndSaysSo) {
  const domain::RestoreJob job = AddDownload(1);
  EXPECT_FALSE(store_->FindRestore(job.id).value().cancelled);
  EXPECT_TRUE(store_->CancelDownload(job.id, kNow + kMinute));
  EXPECT_FALSE(store_->CancelDownload(job.id, kNow + 2 * kMinute));
  EXPECT_EQ(store_->FindRestore(job.id).value().cancelled, kNow + kMinute);
  EXPECT_EQ(store_->FindRestore(job.id).value().expires, kNow + kMinute);
  EXPECT_TRUE(store_->MarkSnapshotDeleted(snapshot_.id, kNow + kMinute));
}

TEST_P(DownloadSuite, DownloadThatHasExpiredIsNotCancelled) {
  const domain::RestoreJob job = AddDownload(1);
  EXPECT_FALSE(store_->CancelDownload(job.id, job.expires));
  EXPECT_FALSE(store_->FindRestore(job.id).value().cancelled);
  EXPECT_EQ(store_->FindRestore(job.id).value().expires, job.expires);
}

TEST_P(DownloadSuite, ProjectStaysWhileSomebodyDownloads) {
  const domain::RestoreJob job = AddDownload(1);
  store_->RemoveCluster(snapshot_.cluster, kNow);
  const auto ticket = Begin(job);
  EXPECT_EQ(Refusal([&] { store_->DeleteProject(project_.id, kNow); }),
            "Conflict: cannot delete project " + project_.id.ToString() +
                ": an archive is being downloaded");
  End(ticket, DownloadOutcome::kBroken);
  EXPECT_TRUE(store_->DeleteProject(project_.id, kNow));
  EXPECT_EQ(store_->FindRestore(job.id).value().expires, kNow);
}

TEST_P(DownloadSuite, KeysAreSealedAnew) {
  const domain::RestoreJob job = AddDownload(1);
  store_->ResealSecrets([&](const Store::SealedSecret& secret) {
    return secret.kind == Store::SecretKind::kDownload ? secret.owner + secret.sealed
                                                       : secret.sealed;
  });
  EXPECT_EQ(store_->FindRestore(job.id).value().download.value().sealed_key,
            job.id.ToString() + job.download->sealed_key);
}

}  // namespace tidemark::catalog
