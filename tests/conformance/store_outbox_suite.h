#pragma once

#include <vector>

#include "tests/conformance/store_fixture.h"

// The part of StoreSuite about channels and notices.
namespace tidemark::catalog {

class OutboxSuite : public StoreSuite {
 protected:
  domain::Channel NewChannel(domain::EventKind kind = domain::EventKind::kSnapshotFailed) {
    return {.id = NewId<domain::ChannelId>(),
            .project = project_.id,
            .kind = domain::ChannelKind::kEmail,
            .shown_address = "smtp://mail:25",
            .sealed_url = std::string("sealed\0url", 10),
            .sealed_secret = std::string("sealed\0secret", 13),
            .username = "user",
            .sender = "tidemark@example.org",
            .recipients = {"a@example.org", "b@example.org"},
            .events = domain::EventBit(kind),
            .created = kNow};
  }

  domain::Channel AddChannel(domain::EventKind kind = domain::EventKind::kSnapshotFailed) {
    domain::Channel channel = NewChannel(kind);
    store_->AddChannel(channel);
    return channel;
  }

  void AddEvents(int count, domain::EventKind kind = domain::EventKind::kSnapshotFailed) {
    for (int i = 0; i < count; ++i) {
      store_->AddEvent({.kind = kind,
                        .at = kNow,
                        .project = project_.id,
                        .cluster = "c0",
                        .object = std::to_string(i),
                        .reason = "source is gone"});
    }
    while (store_->SettleEvents() > 0) {
    }
  }

  // Due at that time, or nothing.
  std::string DueAt(Instant now) {
    const auto due = store_->FindDueNotice(now);
    return due ? due->notice.event.object : "nothing";
  }
};

TEST_P(OutboxSuite, ChannelComesBackWhole) {
  const domain::Channel channel = AddChannel();
  Reopen();
  const domain::Channel found = store_->FindChannel(project_.id, channel.id).value();
  EXPECT_EQ(found.kind, channel.kind);
  EXPECT_EQ(found.shown_address, channel.shown_address);
  EXPECT_EQ(found.sealed_url, channel.sealed_url);
  EXPECT_EQ(found.sealed_secret, channel.sealed_secret);
  EXPECT_EQ(found.username, channel.username);
  EXPECT_EQ(found.sender, channel.sender);
  EXPECT_EQ(found.recipients, channel.recipients);
  EXPECT_EQ(found.events, channel.events);
  EXPECT_EQ(found.created, kNow);
  EXPECT_EQ(found.failures, 0);
  EXPECT_EQ(found.last_error, "");
  EXPECT_FALSE(found.last_delivered);
  EXPECT_FALSE(store_->FindChannel(AddProject("other").id, channel.id));
}

TEST_P(OutboxSuite, RemovedChannelTakesItsNoticesWithIt) {
  const domain::Channel channel = AddChannel();
  AddEvents(2);
  EXPECT_EQ(store_->CountNotices(channel.id).waiting, 2);
  EXPECT_FALSE(store_->RemoveChannel(AddProject("other").id, channel.id));
  EXPECT_TRUE(store_->RemoveChannel(project_.id, channel.id));
  EXPECT_FALSE(store_->RemoveChannel(project_.id, channel.id));
  EXPECT_EQ(store_->CountNotices(channel.id).waiting, 0);
  EXPECT_EQ(DueAt(kNow), "nothing");
}

TEST_P(OutboxSuite, DeletedProjectHasNoChannels) {
  const domain::Channel channel = AddChannel();
  AddEvents(1);
  ASSERT_TRUE(store_->DeleteProject(project_.id, kNow));
  EXPECT_TRUE(store_->ListChannels(project_.id).empty());
  EXPECT_EQ(DueAt(kNow), "nothing");
  EXPECT_THAT(Refusal([&] { store_->AddChannel(NewChannel()); }), testing::StartsWith("NotFound"));
}

TEST_P(OutboxSuite, ProjectHasABoundedNumberOfChannels) {
  for (std::int64_t i = 0; i < Outbox::kMaxChannels; ++i) {
    AddChannel();
  }
  EXPECT_EQ(store_->ListChannels(project_.id).size(), 32U);
  EXPECT_EQ(Refusal([&] { AddChannel(); }),
            "ResourceExhausted: cannot add a channel to project " + project_.id.ToString() +
                ": it has 32");
}

TEST_P(OutboxSuite, FailureIsANoticeInItsOwnTransaction) {
  const domain::Channel channel = AddChannel();
  const domain::Channel deaf = AddChannel(domain::EventKind::kRestoreFailed);
  domain::Snapshot failed = AddSnapshot(AddCluster("c0"));
  failed.state = domain::SnapshotState::kFailed;
  failed.failure = "source is gone";
  failed.finished = kNow;
  ASSERT_TRUE(store_->FinishSnapshot(Claim(), failed));
  Reopen();  // whatever was not durable is gone
  ASSERT_EQ(store_->SettleEvents(), 1);
  const auto due = store_->FindDueNotice(kNow).value();
  EXPECT_EQ(due.channel.id, channel.id);
  EXPECT_EQ(due.notice.channel, channel.id);
  EXPECT_EQ(due.notice.event.kind, domain::EventKind::kSnapshotFailed);
  EXPECT_EQ(due.notice.event.object, failed.id.ToString());
  EXPECT_EQ(due.notice.event.cluster, "c0");
  EXPECT_EQ(due.notice.event.reason, "source is gone");
  EXPECT_EQ(due.notice.event.at, kNow);
  EXPECT_EQ(store_->CountNotices(deaf.id).waiting, 0);
}

TEST_P(OutboxSuite, SnapshotStoppedByARestoreIsANotice) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  const domain::Cluster target = AddCluster("c1");
  const domain::Snapshot stopped = AddSnapshot(target);
  AddChannel();
  AddRestore(NewRestore(snapshot, target));
  store_->SettleEvents();
  EXPECT_EQ(DueAt(kNow), stopped.id.ToString());
}

TEST_P(OutboxSuite, NoticesOfAChannelKeepTheirOrder) {
  AddChannel();
  AddEvents(3);
  const Instant later = kNow + std::chrono::minutes{1};
  EXPECT_EQ(DueAt(kNow), "0");
  store_->MarkFailed(store_->FindDueNotice(kNow)->notice, "refused", later);
  EXPECT_EQ(DueAt(kNow), "nothing");
  for (const char* expected : {"0", "1", "2"}) {
    EXPECT_EQ(DueAt(later), expected);
    store_->MarkDelivered(store_->FindDueNotice(later)->notice, later);
  }
  EXPECT_EQ(DueAt(later), "nothing");
}

TEST_P(OutboxSuite, FailureAndSuccessAreShown) {
  const domain::Channel channel = AddChannel();
  AddEvents(1);
  const Instant later = kNow + std::chrono::minutes{1};
  const auto notice = store_->FindDueNotice(kNow)->notice;
  store_->MarkFailed(notice, "refused", later);
  EXPECT_EQ(store_->FindDueNotice(later)->notice.attempts, 1);
  auto shown = store_->FindChannel(project_.id, channel.id).value();
  EXPECT_EQ(shown.failures, 1);
  EXPECT_EQ(shown.last_error, "refused");
  EXPECT_EQ(shown.next_try, later);
  store_->MarkDelivered(notice, later);
  shown = store_->FindChannel(project_.id, channel.id).value();
  EXPECT_EQ(shown.failures, 0);
  EXPECT_EQ(shown.last_error, "");
  EXPECT_EQ(shown.last_delivered, later);
}

TEST_P(OutboxSuite, GivenUpNoticeIsAuditedAndLetsOthersPass) {
  const domain::Channel channel = AddChannel();
  AddEvents(2);
  const auto notice = store_->FindDueNotice(kNow)->notice;
  store_->GiveUp(notice, "refused", kNow, kNow);
  EXPECT_EQ(DueAt(kNow), "1");
  EXPECT_EQ(store_->CountNotices(channel.id).given_up, 1);
  const domain::AuditEntry row = store_->ListAudit({.operation = "noticeGivenUp"}, {}).rows.at(0);
  EXPECT_EQ(row.object, channel.id.ToString() + "-1");
  EXPECT_EQ(row.actor, "system");
  store_->RemoveChannel(project_.id, channel.id);
  store_->GiveUp(notice, "refused", kNow, kNow);
  EXPECT_EQ(store_->ListAudit({.operation = "noticeGivenUp"}, {}).total, 1);
}

TEST_P(OutboxSuite, ChannelDueLongestGoesFirst) {
  const domain::Channel first = AddChannel();
  const domain::Channel second = AddChannel();
  AddEvents(2);
  ASSERT_EQ(store_->FindDueNotice(kNow)->channel.id, first.id);
  store_->MarkDelivered(store_->FindDueNotice(kNow)->notice, kNow);
  EXPECT_EQ(store_->FindDueNotice(kNow)->channel.id, second.id);
}

TEST_P(OutboxSuite, WaitingAndFinishedNoticesAreBounded) {
  const domain::Channel channel = AddChannel();
  AddEvents(static_cast<int>(Outbox::kMaxWaiting) + 5);
  EXPECT_EQ(store_->CountNotices(channel.id).waiting, Outbox::kMaxWaiting);
  EXPECT_EQ(store_->CountNotices(channel.id).given_up, 5);
  for (int i = 0; i < 110; ++i) {
    store_->GiveUp(store_->FindDueNotice(kNow)->notice, "refused", kNow, kNow);
  }
  EXPECT_EQ(store_->CountNotices(channel.id).given_up, Outbox::kMaxFinished);
  EXPECT_EQ(store_->CountNotices(channel.id).waiting, Outbox::kMaxWaiting - 110);
}

TEST_P(OutboxSuite, ReasonIsCutAtACharacter) {
  AddChannel();
  store_->AddEvent({.kind = domain::EventKind::kSnapshotFailed,
                    .at = kNow,
                    .project = project_.id,
                    .cluster = "c0",
                    .object = "1",
                    .reason = "x" + std::string(1998, 'y') + "\xc3\xa9 end"});
  store_->SettleEvents();
  EXPECT_EQ(store_->FindDueNotice(kNow)->notice.event.reason, "x" + std::string(1998, 'y'));
}

TEST_P(OutboxSuite, SecretsOfChannelsAreResealed) {
  domain::Channel open = NewChannel();
  open.sealed_secret.clear();
  store_->AddChannel(open);
  const domain::Channel channel = AddChannel();
  const auto reseal = [](const Store::SealedSecret& secret) { return "new " + secret.sealed; };
  EXPECT_EQ(store_->ResealSecrets(reseal), 3);
  const auto found = store_->FindChannel(project_.id, channel.id).value();
  EXPECT_EQ(found.sealed_url, "new " + channel.sealed_url);
  EXPECT_EQ(found.sealed_secret, "new " + channel.sealed_secret);
  EXPECT_EQ(store_->FindChannel(project_.id, open.id).value().sealed_secret, "");
}

}  // namespace tidemark::catalog
