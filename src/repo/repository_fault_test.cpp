#include <algorithm>

#include <gtest/gtest.h>

#include "tests/fault/faulty_blob_store.h"
#include "tests/support/repository_fixture.h"

// A snapshot is written while the n-th call to the store fails, for every n and every way to fail.
// Afterwards the repository is opened anew and docs/format.md's invariants must hold.
namespace tidemark::repo {
namespace {

using blob::FaultPlan;

constexpr WriterOptions kSmallPacks{.pack_size = KiB(4)};
const ProjectId kProject = TestId<ProjectId>(0x11);
const SnapshotId kEarlier = TestId<SnapshotId>(0x21);
const SnapshotId kFaulty = TestId<SnapshotId>(0x22);
const SnapshotId kLater = TestId<SnapshotId>(0x23);

enum class Outcome { kCommitted, kFailed };

Outcome WriteThroughFaults(blob::BlobStore& inner, const FaultPlan& plan) {
  SeededRandom random(2);
  blob::FaultyBlobStore faulty(inner, plan);
  try {
    const auto repository = Repository::Open(faulty, TestMasterKey(), random);
    CommitSnapshot(*repository, kProject, kFaulty, TestChunks(4, 10), kSmallPacks);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << error.message();
    return Outcome::kFailed;
  }
  return Outcome::kCommitted;
}

// I1, I3: what was there is whole, and the new snapshot is there whole or not at all.
void ExpectNothingHalfVisible(blob::BlobStore& store, Outcome outcome, bool has_earlier) {
  SeededRandom random(3);
  const auto repository = Repository::Open(store, TestMasterKey(), random);
  if (has_earlier) {
    EXPECT_EQ(ReadSnapshot(*repository, kProject, kEarlier), TestChunks(1, 5));
  }
  const std::vector<SnapshotId> listed = repository->ListManifests(kProject);
  const bool visible = std::ranges::find(listed, kFaulty) != listed.end();
  EXPECT_TRUE(visible || outcome == Outcome::kFailed);
  if (visible) {
    EXPECT_EQ(ReadSnapshot(*repository, kProject, kFaulty), TestChunks(4, 10));
  }
}

void ExpectRecovery(blob::BlobStore& store) {
  SeededRandom random(4);
  const auto repository = Repository::Open(store, TestMasterKey(), random);
  CommitSnapshot(*repository, kProject, kLater, TestChunks(1, 14), kSmallPacks);
  EXPECT_EQ(ReadSnapshot(*repository, kProject, kLater), TestChunks(1, 14));
}

std::unique_ptr<blob::BlobStore> MakeRepositoryStore(bool has_earlier) {
  SeededRandom random(1);
  auto store = blob::MakeMemoryStore();
  Repository::Create(*store, TestMasterKey(), random);
  if (has_earlier) {
    const auto repository = Repository::Open(*store, TestMasterKey(), random);
    CommitSnapshot(*repository, kProject, kEarlier, TestChunks(1, 5));
  }
  return store;
}

// Returns how many calls were made to fail.
std::size_t FailEveryCall(FaultPlan plan, bool has_earlier) {
  for (plan.call = 1;; ++plan.call) {
    SCOPED_TRACE("call " + std::to_string(plan.call));
    const auto store = MakeRepositoryStore(has_earlier);
    const Outcome outcome = WriteThroughFaults(*store, plan);
    ExpectNothingHalfVisible(*store, outcome, has_earlier);
    ExpectRecovery(*store);
    if (outcome == Outcome::kCommitted || testing::Test::HasFailure()) {
      return plan.call - 1;
    }
  }
}

class FaultTest : public testing::TestWithParam<bool> {};

TEST_P(FaultTest, I3NothingHalfVisibleWhenOneCallFails) {
  EXPECT_GT(FailEveryCall({}, GetParam()), 8U);
}

TEST_P(FaultTest, I3NothingHalfVisibleWhenOneAnswerIsLost) {
  EXPECT_GT(FailEveryCall({.effect = FaultPlan::Effect::kDone}, GetParam()), 8U);
}

TEST_P(FaultTest, I3NothingHalfVisibleWhenTheStoreDies) {
  EXPECT_GT(FailEveryCall({.span = FaultPlan::Span::kFromThenOn}, GetParam()), 8U);
}

TEST_P(FaultTest, I3NothingHalfVisibleWhenTheStoreDiesAfterACall) {
  EXPECT_GT(
      FailEveryCall({.effect = FaultPlan::Effect::kDone, .span = FaultPlan::Span::kFromThenOn},
                    GetParam()),
      8U);
}

INSTANTIATE_TEST_SUITE_P(EmptyAndUsed,
                         FaultTest,
                         testing::Bool(),
                         [](const testing::TestParamInfo<bool>& info) {
                           return info.param ? "SecondSnapshot" : "FirstSnapshot";
                         });

TEST(SnapshotWriter, RefusesToCommitAfterAFailedPack) {
  const auto store = MakeRepositoryStore(true);
  SeededRandom random(2);
  // Open: 4 calls, key: 2, session: 1, condemned lists: 1, quarantine lists: 1, index: 3; the next
  // one is the first pack.
  blob::FaultyBlobStore faulty(*store, {.call = 13});
  const auto repository = Repository::Open(faulty, TestMasterKey(), random);
  const auto writer = repository->NewSnapshot(kProject, {.pack_size = KiB(1)});
  const auto failure = FailureOf([&] {
    writer->Store(TestChunk(50));
    writer->Store(TestChunk(51));
  });
  EXPECT_EQ(failure.code, ErrorCode::kUnavailable);
  EXPECT_TRUE(failure.message.starts_with("storing pack ")) << failure.message;
  Manifest manifest;
  manifest.project = kProject;
  manifest.snapshot = kFaulty;
  EXPECT_EQ(FailureOf([&] { writer->Commit(manifest); }).message,
            "committing snapshot 222222222222222222222222: storing one of its packs failed before");
}

}  // namespace
}  // namespace tidemark::repo
