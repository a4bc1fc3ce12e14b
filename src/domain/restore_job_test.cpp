#include "domain/restore_job.h"

#include <gtest/gtest.h>

namespace tidemark::domain {

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
