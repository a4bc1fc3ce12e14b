#include "repo/key_rotation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fault/faulty_blob_store.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::repo {
namespace {

using blob::FaultPlan;
using testing::ElementsAre;

const MasterKey kOld = TestMasterKey(7);
const MasterKey kNew = TestMasterKey(8);
const ProjectId kFirst = TestId<ProjectId>(0x11);
const ProjectId kSecond = TestId<ProjectId>(0x12);
const SnapshotId kSnapshot = TestId<SnapshotId>(0x21);

class KeyRotation : public RepositoryFixture {
 protected:
  KeyRotation() { StartOver(); }

  void StartOver() {
    store_ = blob::MakeMemoryStore();
    Repository::Create(*store_, kOld, random_);
    repository_ = OpenRepository();
    CommitSnapshot(*repository_, kFirst, kSnapshot, TestChunks(1, 3));
    CommitSnapshot(*repository_, kSecond, kSnapshot, TestChunks(4, 3));
  }

  void Rotate(blob::BlobStore& store) {
    AddMasterKey(store, kOld, kNew, random_);
    RetireOtherMasterKeys(store, kNew);
  }

  void ExpectReadable(const MasterKey& key) {
    const auto repository = Repository::Open(*store_, key, random_);
    EXPECT_THAT(repository->ListProjects(), ElementsAre(kFirst, kSecond));
    EXPECT_EQ(ReadSnapshot(*repository, kFirst, kSnapshot), TestChunks(1, 3));
    EXPECT_EQ(ReadSnapshot(*repository, kSecond, kSnapshot), TestChunks(4, 3));
  }

  bool Opens(const MasterKey& key) {
    try {
      Repository::Open(*store_, key, random_);
      return true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnauthenticated) << error.message();
      return false;
    }
  }

  // Whoever opens it reads all of it, and somebody opens it.
  void ExpectOldOrNew() {
    EXPECT_TRUE(Opens(kOld) || Opens(kNew));
    for (const MasterKey& key : {kOld, kNew}) {
      if (Opens(key)) {
        ExpectReadable(key);
      }
    }
  }

  void ExpectRotated() {
    EXPECT_FALSE(Opens(kOld));
    ExpectReadable(kNew);
    EXPECT_THAT(BlobNames("master/"), testing::SizeIs(1));
    EXPECT_THAT(BlobNames("keys/"), testing::SizeIs(2));
  }
};

TEST_F(KeyRotation, ChangesKeysAndNothingElse) {
  const std::vector<std::string> packs = BlobNames("packs/");
  blob::FaultyBlobStore watched(*store_);
  Rotate(watched);
  EXPECT_THAT(watched.changes(),
              ElementsAre("put keys/" + kFirst.ToString() + "/00000002",
                          "put keys/" + kSecond.ToString() + "/00000002",
                          "put master/00000002",
                          "delete master/00000001",
                          "delete keys/" + kFirst.ToString() + "/00000001",
                          "delete keys/" + kSecond.ToString() + "/00000001"));
  EXPECT_EQ(BlobNames("packs/"), packs);
  ExpectRotated();
}

TEST_F(KeyRotation, LeavesTheOldKeyWorkingUntilItIsRetired) {
  EXPECT_EQ(AddMasterKey(*store_, kOld, kNew, random_), 2U);
  ExpectReadable(kOld);
  ExpectReadable(kNew);
}

TEST_F(KeyRotation, MayBeRepeated) {
  Rotate(*store_);
  const std::vector<std::string> names = BlobNames("");
  Rotate(*store_);
  EXPECT_EQ(BlobNames(""), names);
  ExpectRotated();
}

TEST_F(KeyRotation, TakesProjectsThatWereMadeWhileItWasUnfinished) {
  AddMasterKey(*store_, kOld, kNew, random_);
  const ProjectId third = TestId<ProjectId>(0x13);
  CommitSnapshot(*OpenRepository(), third, kSnapshot, TestChunks(9, 1));
  EXPECT_EQ(AddMasterKey(*store_, kOld, kNew, random_), 3U);
  RetireOtherMasterKeys(*store_, kNew);
  EXPECT_EQ(ReadSnapshot(*Repository::Open(*store_, kNew, random_), third, kSnapshot),
            TestChunks(9, 1));
}

TEST_F(KeyRotation, NeverRetiresAProjectsOnlyKey) {
  AddMasterKey(*store_, kOld, kNew, random_);
  const ProjectId third = TestId<ProjectId>(0x13);
  CommitSnapshot(*OpenRepository(), third, kSnapshot, TestChunks(9, 1));
  const Failure failure = FailureOf([&] { RetireOtherMasterKeys(*store_, kNew); });
  EXPECT_EQ(failure.code, ErrorCode::kCorrupt);
  EXPECT_EQ(
      failure.message,
      "retiring the old master key: project " + third.ToString() + " has no key under the new one");
  EXPECT_TRUE(Opens(kOld));
}

TEST_F(KeyRotation, ReplacesWhatARotationThatWasGivenUpHasLeft) {
  const MasterKey lost = TestMasterKey(99);
  blob::FaultyBlobStore faulty(*store_, {.call = 12, .span = FaultPlan::Span::kFromThenOn});
  EXPECT_EQ(FailureOf([&] { AddMasterKey(faulty, kOld, lost, random_); }).code,
            ErrorCode::kUnavailable);
  ASSERT_FALSE(faulty.changes().empty());
  Rotate(*store_);
  ExpectRotated();
}

TEST_F(KeyRotation, LeavesAKeyBehindThatNobodyHas) {
  AddMasterKey(*store_, kOld, TestMasterKey(99), random_);
  Rotate(*store_);
  ExpectRotated();
  EXPECT_THAT(BlobNames("master/"), ElementsAre("master/00000003"));
}

TEST_F(KeyRotation, RefusesAKeyThatIsNotTheRepositorys) {
  const std::vector<std::string> names = BlobNames("");
  EXPECT_EQ(FailureOf([&] { AddMasterKey(*store_, TestMasterKey(1), kNew, random_); }).code,
            ErrorCode::kUnauthenticated);
  EXPECT_EQ(FailureOf([&] { RetireOtherMasterKeys(*store_, kNew); }).code,
            ErrorCode::kUnauthenticated);
  EXPECT_EQ(BlobNames(""), names);
}

// The rotation is cut at its n-th call to the store, for every n, and then done again.
class KeyRotationFault : public KeyRotation, public testing::WithParamInterface<FaultPlan::Effect> {
 protected:
  // False when the plan lies behind the last call.
  bool CutAt(std::size_t call) {
    blob::FaultyBlobStore faulty(
        *store_, {.call = call, .effect = GetParam(), .span = FaultPlan::Span::kFromThenOn});
    try {
      Rotate(faulty);
      return false;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << error.message();
      return true;
    }
  }
};

TEST_P(KeyRotationFault, I16OpensWithTheOldOrTheNewKeyWhereverItIsCut) {
  std::size_t call = 1;
  while (CutAt(call)) {
    SCOPED_TRACE("call " + std::to_string(call));
    ExpectOldOrNew();
    Rotate(*store_);
    ExpectRotated();
    ASSERT_FALSE(HasFailure());
    StartOver();
    ++call;
  }
  EXPECT_GT(call, 20U);
}

INSTANTIATE_TEST_SUITE_P(LostCallsAndLostAnswers,
                         KeyRotationFault,
                         testing::Values(FaultPlan::Effect::kNone, FaultPlan::Effect::kDone),
                         [](const testing::TestParamInfo<FaultPlan::Effect>& info) {
                           return info.param == FaultPlan::Effect::kNone ? "LostCall"
                                                                         : "LostAnswer";
                         });

class Shred : public KeyRotation {};

TEST_F(Shred, DeletesTheKeyBeforeAllElse) {
  blob::FaultyBlobStore watched(*store_);
  const auto repository = Repository::Open(watched, kOld, random_);
  const ShreddedProject done = repository->ShredProject(kFirst);
  EXPECT_EQ(done.keys, 1U);
  EXPECT_EQ(done.manifests, 1U);
  EXPECT_EQ(done.segments, 1U);
  EXPECT_EQ(done.packs, 1U);
  EXPECT_GT(done.bytes.value, 3000U);
  const std::vector<std::string> changes = watched.changes();
  ASSERT_EQ(changes.size(), 4U);
  const std::string id = kFirst.ToString();
  EXPECT_EQ(changes[0], "delete keys/" + id + "/00000001");
  EXPECT_EQ(changes[1], "delete manifests/" + id + "/" + kSnapshot.ToString());
  EXPECT_TRUE(changes[2].starts_with("delete index/" + id));
  EXPECT_TRUE(changes[3].starts_with("delete packs/" + id));
  EXPECT_EQ(ReadSnapshot(*repository, kSecond, kSnapshot), TestChunks(4, 3));
}

TEST_F(Shred, I17LeavesNothingReadableThoughTheRestWasKept) {
  std::vector<std::pair<std::string, Bytes>> kept;
  for (const std::string& name : BlobNames("")) {
    if (!name.starts_with("keys/")) {
      kept.emplace_back(name, store_->Get(name));
    }
  }
  repository_->ShredProject(kFirst);
  EXPECT_THAT(repository_->ListProjects(), ElementsAre(kSecond));
  EXPECT_THAT(repository_->ListManifests(kFirst), testing::IsEmpty());
  for (const auto& [name, bytes] : kept) {
    if (!store_->Size(name)) {
      store_->Put(name, bytes);
    }
  }
  const auto reopened = OpenRepository();  // with the master key, and all but the project's key
  EXPECT_EQ(FailureOf([&] { reopened->LoadManifest(kFirst, kSnapshot); }).code,
            ErrorCode::kNotFound);
  EXPECT_EQ(FailureOf([&] { reopened->NewReader(kFirst); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(FailureOf([&] { reopened->NewSnapshot(kFirst, {}); }).code, ErrorCode::kCorrupt);
}

TEST_F(Shred, TakesTheKeysOfAnUnfinishedRotationToo) {
  AddMasterKey(*store_, kOld, kNew, random_);
  EXPECT_EQ(OpenRepository()->ShredProject(kFirst).keys, 2U);
  EXPECT_THAT(BlobNames("keys/"), testing::SizeIs(2));
}

TEST_F(Shred, RefusesNewWritersAndReadersAtOnce) {
  repository_->ShredProject(kFirst);
  const std::string message = "opening project " + kFirst.ToString() + ": it has been deleted";
  EXPECT_EQ(FailureOf([&] { repository_->NewSnapshot(kFirst, {}); }).message, message);
  EXPECT_EQ(FailureOf([&] { repository_->NewReader(kFirst); }).message, message);
}

// False when call n lies behind the last one.
bool ShredUntil(blob::BlobStore& store, std::size_t call, RandomSource& random) {
  blob::FaultyBlobStore faulty(store, {.call = call, .span = FaultPlan::Span::kFromThenOn});
  try {
    Repository::Open(faulty, kOld, random)->ShredProject(kFirst);
    return false;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << error.message();
    return true;
  }
}

TEST_F(Shred, FinishesWhenRepeated) {
  std::size_t call = 1;
  while (ShredUntil(*store_, call, random_)) {
    OpenRepository()->ShredProject(kFirst);
    for (const std::string& name : BlobNames("")) {
      ASSERT_EQ(name.find(kFirst.ToString()), std::string::npos) << name;
    }
    StartOver();
    ++call;
  }
  EXPECT_EQ(call, 18U);  // 4 to open, 9 lists, 4 deletions
}

}  // namespace
}  // namespace tidemark::repo
