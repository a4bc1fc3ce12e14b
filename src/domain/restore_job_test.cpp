#include "domain/restore_job.h"

#include <set>
#include <utility>

#include <gtest/gtest.h>

namespace tidemark::domain {
namespace {

constexpr std::array kStates{RestoreState::kPending,
                             RestoreState::kQueued,
                             RestoreState::kRunning,
                             RestoreState::kCompleted,
                             RestoreState::kFailed};
constexpr std::array kEvents{
    RestoreEvent::kWait, RestoreEvent::kClaim, RestoreEvent::kFinish, RestoreEvent::kFail};

}  // namespace

TEST(NextState, FollowsTheLifeOfAJob) {
  EXPECT_EQ(NextState(RestoreState::kPending, RestoreEvent::kWait), RestoreState::kQueued);
  EXPECT_EQ(NextState(RestoreState::kQueued, RestoreEvent::kClaim), RestoreState::kRunning);
  EXPECT_EQ(NextState(RestoreState::kRunning, RestoreEvent::kFinish), RestoreState::kCompleted);
  EXPECT_EQ(NextState(RestoreState::kPending, RestoreEvent::kClaim), RestoreState::kRunning);
}

TEST(NextState, AClaimAfterALostLeaseKeepsRunning) {
  EXPECT_EQ(NextState(RestoreState::kRunning, RestoreEvent::kClaim), RestoreState::kRunning);
}

TEST(NextState, NeverGoesBack) {
  for (const RestoreTransition& transition : kRestoreTransitions) {
    EXPECT_LE(transition.from, transition.to);
  }
}

TEST(NextState, FinalStatesTakeNoEvent) {
  for (const RestoreEvent event : kEvents) {
    EXPECT_EQ(NextState(RestoreState::kCompleted, event), std::nullopt);
    EXPECT_EQ(NextState(RestoreState::kFailed, event), std::nullopt);
  }
}

TEST(NextState, EveryOtherStateMayFail) {
  for (const RestoreState state : kStates) {
    EXPECT_EQ(NextState(state, RestoreEvent::kFail).has_value(), !IsFinal(state));
  }
}

TEST(NextState, RefusesWhatIsNotListed) {
  EXPECT_EQ(NextState(RestoreState::kPending, RestoreEvent::kFinish), std::nullopt);
  EXPECT_EQ(NextState(RestoreState::kQueued, RestoreEvent::kFinish), std::nullopt);
  EXPECT_EQ(NextState(RestoreState::kQueued, RestoreEvent::kWait), std::nullopt);
  EXPECT_EQ(NextState(RestoreState::kRunning, RestoreEvent::kWait), std::nullopt);
}

TEST(RestoreTransitions, ListEachPairOnce) {
  std::set<std::pair<RestoreState, RestoreEvent>> seen;
  for (const RestoreTransition& transition : kRestoreTransitions) {
    EXPECT_TRUE(seen.emplace(transition.from, transition.event).second);
  }
}

TEST(RestoreState, HasTheWordsOfAtlas) {
  EXPECT_EQ(RestoreStateName(RestoreState::kPending), "PENDING");
  EXPECT_EQ(RestoreStateName(RestoreState::kQueued), "QUEUED");
  EXPECT_EQ(RestoreStateName(RestoreState::kRunning), "RUNNING");
  EXPECT_EQ(RestoreStateName(RestoreState::kCompleted), "COMPLETED");
  EXPECT_EQ(RestoreStateName(RestoreState::kFailed), "FAILED");
}

TEST(SnapshotState, HasTheWordsOfAtlas) {
  EXPECT_EQ(SnapshotStateName(SnapshotState::kPending), "PENDING");
  EXPECT_EQ(SnapshotStateName(SnapshotState::kFailed), "FAILED");
  EXPECT_TRUE(IsFinal(SnapshotState::kCompleted));
  EXPECT_FALSE(IsFinal(SnapshotState::kRunning));
}

TEST(OplogPosition, OrdersBySecondThenIncrement) {
  EXPECT_LT((OplogPosition{.seconds = 1, .increment = 9}),
            (OplogPosition{.seconds = 2, .increment = 0}));
  EXPECT_LT((OplogPosition{.seconds = 1, .increment = 1}),
            (OplogPosition{.seconds = 1, .increment = 2}));
}

}  // namespace tidemark::domain
