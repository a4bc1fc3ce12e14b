#include "notify/dispatcher.h"

#include <deque>
#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "catalog/store.h"

namespace tidemark::notify {
namespace {

using domain::EventKind;
using testing::ElementsAre;

// Does what a test has told it, and remembers what was sent.
class ScriptedTransport final : public Transport {
 public:
  void Send(const OpenChannel& channel,
            const Message& message,
            const std::stop_token& stop) override {
    if (hang) {
      while (!stop.stop_requested()) {
        std::this_thread::yield();
      }
      throw Error(ErrorCode::kCancelled, "stopped");
    }
    if (failures > 0) {
      --failures;
      throw Error(ErrorCode::kUnavailable, "sending to " + channel.shown_address + ": refused");
    }
    sent.push_back(channel.shown_address + " " + message.object);
    ids.push_back(message.id);
  }

  std::atomic<bool> hang = false;
  int failures = 0;
  std::vector<std::string> sent;
  std::vector<std::string> ids;
};

class DispatcherTest : public testing::Test {
 protected:
  DispatcherTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dispatcher_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    Reopen();
    const OrganizationId organization = OrganizationId::Generate(clock_.Now(), random_);
    store_->AddOrganization({.id = organization, .name = "org"});
    project_ = ProjectId::Generate(clock_.Now(), random_);
    store_->AddProject(
        {.id = project_, .organization = organization, .name = "p", .created = clock_.Now()});
  }

  ~DispatcherTest() override {
    dispatcher_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  // As a new process finds it.
  void Reopen() {
    dispatcher_.reset();
    store_.reset();
    store_ = catalog::OpenSqliteStore({.path = directory_ / "catalog.db"});
    dispatcher_.emplace(
        *store_,
        transport_,
        [](const domain::Channel& channel) {
          return OpenChannel{.kind = channel.kind, .shown_address = channel.shown_address};
        },
        clock_,
        *log_,
        Dispatcher::Options{.poll = std::chrono::milliseconds{1}});
  }

  domain::Channel AddChannel(const std::string& address) {
    const domain::Channel channel{.id = domain::ChannelId::Generate(clock_.Now(), random_),
                                  .project = project_,
                                  .shown_address = address,
                                  .sealed_url = "sealed",
                                  .events = domain::EventBit(EventKind::kSnapshotFailed),
                                  .created = clock_.Now()};
    store_->AddChannel(channel);
    return channel;
  }

  void AddEvent(const std::string& object) {
    store_->AddEvent({.kind = EventKind::kSnapshotFailed,
                      .at = clock_.Now(),
                      .project = project_,
                      .cluster = "c0",
                      .object = object,
                      .reason = "source is gone"});
  }

  // Until nothing is to be done now.
  int RunSteps() {
    int steps = 0;
    while (dispatcher_->Step({})) {
      ++steps;
    }
    return steps;
  }

  domain::Channel Shown(const domain::Channel& channel) {
    return store_->FindChannel(project_, channel.id).value();
  }

  std::filesystem::path directory_;
  ManualClock clock_{*ParseInstant("2026-11-25T10:00:00Z")};
  SeededRandom random_{3};
  std::unique_ptr<Log> log_ = MakeNullLog();
  ScriptedTransport transport_;
  std::unique_ptr<catalog::Store> store_;
  ProjectId project_;
  std::optional<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, EventGoesToEveryChannelOnce) {
  AddChannel("a");
  AddChannel("b");
  AddEvent("1");
  EXPECT_EQ(RunSteps(), 3);
  EXPECT_THAT(transport_.sent, ElementsAre("a 1", "b 1"));
  EXPECT_EQ(RunSteps(), 0);
}

TEST_F(DispatcherTest, FailedNoticeIsTriedAfterGrowingPausesAndInOrder) {
  const domain::Channel channel = AddChannel("a");
  AddEvent("1");
  AddEvent("2");
  transport_.failures = 3;
  RunSteps();
  for (const auto pause : {std::chrono::seconds{10}, std::chrono::seconds{60}}) {
    clock_.Advance(pause - std::chrono::microseconds{1});
    EXPECT_EQ(RunSteps(), 0);
    clock_.Advance(std::chrono::microseconds{1});
    EXPECT_EQ(RunSteps(), 1);
  }
  EXPECT_EQ(Shown(channel).failures, 3);
  EXPECT_EQ(Shown(channel).last_error, "sending to a: refused");
  EXPECT_EQ(Shown(channel).next_try, clock_.Now() + std::chrono::minutes{5});
  EXPECT_TRUE(transport_.sent.empty());
  clock_.Advance(std::chrono::minutes{5});
  RunSteps();
  EXPECT_THAT(transport_.sent, ElementsAre("a 1", "a 2"));
  EXPECT_EQ(Shown(channel).failures, 0);
  EXPECT_EQ(Shown(channel).last_error, "");
}

TEST_F(DispatcherTest, ChannelThatFailsHoldsNoOtherBack) {
  AddChannel("a");
  AddChannel("b");
  AddEvent("1");
  transport_.failures = 1;
  RunSteps();
  EXPECT_THAT(transport_.sent, ElementsAre("b 1"));
}

TEST_F(DispatcherTest, NoticeIsGivenUpVisiblyAfterEightTries) {
  const domain::Channel channel = AddChannel("a");
  AddEvent("1");
  AddEvent("2");
  transport_.failures = static_cast<int>(kMaxAttempts);
  const Instant start = clock_.Now();
  while (transport_.failures > 0) {
    RunSteps();
    clock_.Set(Shown(channel).next_try);
  }
  EXPECT_EQ(store_->CountNotices(channel.id).given_up, 1);
  EXPECT_EQ(store_->ListAudit({.operation = "noticeGivenUp"}, {}).total, 1);
  EXPECT_EQ(Shown(channel).last_error, "sending to a: refused");
  RunSteps();
  EXPECT_THAT(transport_.sent, ElementsAre("a 2"));
  EXPECT_LT(clock_.Now() - start, std::chrono::hours{17});
}

TEST_F(DispatcherTest, DeadChannelIsDoneWithAfterThreeDays) {
  const domain::Channel channel = AddChannel("a");
  for (int i = 0; i < 50; ++i) {
    AddEvent(std::to_string(i));
  }
  store_->SettleEvents();
  transport_.failures = 1'000'000;
  const Instant start = clock_.Now();
  while (store_->CountNotices(channel.id).waiting > 0) {
    RunSteps();
    clock_.Set(std::max(Shown(channel).next_try, clock_.Now()));
  }
  EXPECT_LT(clock_.Now() - start, kMaxAge + std::chrono::hours{7});
  EXPECT_EQ(store_->CountNotices(channel.id).given_up, 50);
  EXPECT_LT(1'000'000 - transport_.failures, 30) << "tries in three days";
}

TEST_F(DispatcherTest, OldNoticeOfAHealthyChannelIsTried) {
  AddChannel("a");
  AddEvent("1");
  clock_.Advance(kMaxAge * 2);  // the server was off
  RunSteps();
  EXPECT_THAT(transport_.sent, ElementsAre("a 1"));
}

TEST_F(DispatcherTest, CrashBeforeDeliveryLosesNothing) {
  AddChannel("a");
  AddEvent("1");
  Reopen();
  ASSERT_TRUE(dispatcher_->Step({}));  // settled, not sent
  Reopen();
  RunSteps();
  EXPECT_THAT(transport_.sent, ElementsAre("a 1"));
}

// A crash between the delivery and its mark: the same id tells the receiver.
TEST_F(DispatcherTest, NoticeThatWasNotMarkedIsSentAgainUnderItsId) {
  AddChannel("a");
  AddEvent("1");
  store_->SettleEvents();
  transport_.Send(
      {.shown_address = "a"}, MessageOf(store_->FindDueNotice(clock_.Now())->notice), {});
  Reopen();
  RunSteps();
  ASSERT_EQ(transport_.ids.size(), 2U);
  EXPECT_EQ(transport_.ids.at(0), transport_.ids.at(1));
}

TEST_F(DispatcherTest, SecretThatCannotBeOpenedIsAFailureOfTheChannel) {
  const domain::Channel channel = AddChannel("a");
  AddEvent("1");
  Dispatcher dispatcher(*store_,
                        transport_,
                        [](const domain::Channel&) -> OpenChannel {
                          throw Error(ErrorCode::kCorrupt, "secret of a channel: damaged");
                        },
                        clock_,
                        *log_,
                        {});
  while (dispatcher.Step({})) {
  }
  EXPECT_EQ(Shown(channel).last_error, "secret of a channel: damaged");
}

TEST_F(DispatcherTest, StopCutsAReceiverThatHangsAndCountsNoTry) {
  const domain::Channel channel = AddChannel("a");
  AddEvent("1");
  transport_.hang = true;
  {
    std::jthread thread([this](const std::stop_token& stop) { dispatcher_->Work(stop); });
    while (store_->CountNotices(channel.id).waiting == 0) {
      std::this_thread::yield();
    }
  }
  EXPECT_EQ(Shown(channel).failures, 0);
  EXPECT_EQ(store_->CountNotices(channel.id).waiting, 1);
  transport_.hang = false;
  RunSteps();
  EXPECT_THAT(transport_.sent, ElementsAre("a 1"));
}

}  // namespace
}  // namespace tidemark::notify
