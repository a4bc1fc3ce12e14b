#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repo/internal/collection_plan.h"
#include "repo/internal/condemned.h"
#include "repo/maintenance.h"
#include "tests/fault/faulty_blob_store.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::repo {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr WriterOptions kSmallPacks{.pack_size = KiB(4)};

std::vector<Bytes> Joined(std::vector<Bytes> a, const std::vector<Bytes>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

class CollectionTest : public RepositoryFixture {
 protected:
  CollectionResult Collect() {
    return repository_->OpenMaintenance(project_)->Collect({.pack_size = KiB(4)}, {});
  }

  CollectionPlan Plan() {
    return repository_->OpenMaintenance(project_)->PlanCollection({.pack_size = KiB(4)}, {});
  }

  void ExpectNothingLeftBehind() {
    EXPECT_THAT(BlobNames("condemned/"), IsEmpty());
    EXPECT_THAT(BlobNames("waits/"), IsEmpty());
    EXPECT_THAT(BlobNames("sessions/"), IsEmpty());
  }

  std::string Name(std::string_view kind, std::string_view rest = "") {
    return std::string(kind) + "/" + project_.ToString() + "/" + std::string(rest);
  }
};

TEST_F(CollectionTest, LeavesARepositoryWithoutGarbageAlone) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  const std::vector<std::string> before = BlobNames("");
  const CollectionResult result = Collect();
  EXPECT_EQ(result.state, CollectionState::kNothingToDo);
  EXPECT_TRUE(result.plan.Empty());
  EXPECT_EQ(result.plan.kept_packs, BlobNames("packs/").size());
  EXPECT_EQ(BlobNames(""), before);
}

TEST_F(CollectionTest, FreesWhatOnlyADeletedSnapshotHeld) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  const std::uint64_t before = StoredBytes();
  CommitSnapshot(*repository_, project_, second_, TestChunks(101, 20), kSmallPacks);
  repository_->DeleteManifest(project_, second_);
  const CollectionResult result = Collect();
  EXPECT_EQ(result.state, CollectionState::kDone);
  EXPECT_GT(result.deleted_packs, 3U);
  EXPECT_EQ(result.deleted_bytes, result.plan.freed);
  EXPECT_EQ(StoredBytes(), before);
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 20));
  EXPECT_EQ(Collect().state, CollectionState::kNothingToDo);
  ExpectNothingLeftBehind();
}

TEST_F(CollectionTest, EmptiesAProjectWhoseSnapshotsAreGone) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  repository_->DeleteManifest(project_, first_);
  Collect();
  EXPECT_THAT(BlobNames("packs/"), IsEmpty());
  EXPECT_THAT(BlobNames("index/"), IsEmpty());
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 20), kSmallPacks);
  EXPECT_EQ(ReadSnapshot(*repository_, project_, second_), TestChunks(1, 20));
}

TEST_F(CollectionTest, RewritesPacksThatAreMostlyDead) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 5));
  repository_->DeleteManifest(project_, first_);
  const std::uint64_t before = StoredBytes();
  const CollectionResult result = Collect();
  EXPECT_EQ(result.state, CollectionState::kDone);
  ASSERT_THAT(result.plan.rewritten, SizeIs(1));
  EXPECT_THAT(result.plan.replaced_segments, SizeIs(1));
  EXPECT_LT(StoredBytes(), before / 2);
  EXPECT_EQ(ReadSnapshot(*repository_, project_, second_), TestChunks(1, 5));
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, second_), TestChunks(1, 5));
  EXPECT_EQ(Collect().state, CollectionState::kNothingToDo);
}

TEST_F(CollectionTest, KeepsAPackThatIsMostlyAlive) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20));
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 15));
  repository_->DeleteManifest(project_, first_);
  EXPECT_EQ(Collect().state, CollectionState::kNothingToDo);
  const auto maintenance = repository_->OpenMaintenance(project_);
  EXPECT_EQ(maintenance->Collect({.rewrite_below_percent = 100}, {}).plan.rewritten.size(), 1U);
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, second_), TestChunks(1, 15));
}

TEST_F(CollectionTest, DryRunChangesNothing) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  repository_->DeleteManifest(project_, first_);
  const std::vector<std::string> before = BlobNames("");
  const CollectionPlan plan = Plan();
  EXPECT_EQ(plan.deleted.size(), BlobNames("packs/").size());
  EXPECT_THAT(plan.removed_segments, SizeIs(1));
  EXPECT_EQ(BlobNames(""), before);
}

TEST_F(CollectionTest, PrintsItsPlan) {
  CollectionPlan plan;
  plan.deleted = {{"aa", KiB(3), {}}};
  plan.rewritten = {{"bb", KiB(8), KiB(1)}};
  plan.removed_segments = {"cc"};
  plan.kept_packs = 5;
  plan.left_packs = 2;
  plan.freed = KiB(11);
  plan.copied = KiB(1);
  plan.waiting_for = 3;
  EXPECT_EQ(FormatPlan(plan),
            "delete pack aa  3.0 KiB\n"
            "rewrite pack bb  8.0 KiB, 1.0 KiB live\n"
            "packs: delete 1, rewrite 1, keep 5\n"
            "index segments: delete 1, replace 0\n"
            "bytes: free 11.0 KiB, copy 1.0 KiB\n"
            "left alone: 2 packs that a running snapshot may still name\n"
            "an earlier collection waits for 3 snapshots or restores that began before it\n");
}

TEST_F(CollectionTest, PrintsAHundredPacksAtMost) {
  CollectionPlan plan;
  plan.deleted.resize(102);
  EXPECT_THAT(FormatPlan(plan), HasSubstr("\ndelete 2 more packs\n"));
}

TEST_F(CollectionTest, RefusesAShareThatIsNoPercentage) {
  EXPECT_EQ(FailureOf([&] {
              repository_->OpenMaintenance(project_)->Collect({.rewrite_below_percent = 101}, {});
            }).code,
            ErrorCode::kInvalidArgument);
}

TEST_F(CollectionTest, StopsWhenAskedTo) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  std::stop_source stop;
  stop.request_stop();
  const Failure failure =
      FailureOf([&] { repository_->OpenMaintenance(project_)->Collect({}, stop.get_token()); });
  EXPECT_EQ(failure.code, ErrorCode::kCancelled);
  EXPECT_EQ(failure.message, "looking for garbage: cancelled");
}

// I12: a reader keeps what it began with, even when the snapshot is deleted under it.
TEST_F(CollectionTest, I12WaitsForAReaderThatBeganBefore) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  auto reader = repository_->NewReader(project_);
  const ChunkRef list = repository_->LoadManifest(project_, first_).namespaces[0].runs[0].lists[0];
  repository_->DeleteManifest(project_, first_);
  const CollectionResult waiting = Collect();
  EXPECT_EQ(waiting.state, CollectionState::kWaiting);
  EXPECT_EQ(waiting.waiting_for, 1U);
  EXPECT_EQ(Plan().waiting_for, 1U);
  EXPECT_EQ(Collect().state, CollectionState::kWaiting);
  for (const auto& [ref, first_id] : reader->LoadList(list)) {
    EXPECT_THAT(reader->Load(ref), SizeIs(1000));
  }
  reader.reset();
  const CollectionResult done = Collect();
  EXPECT_EQ(done.state, CollectionState::kDone);
  EXPECT_GT(done.deleted_packs, 3U);
  EXPECT_THAT(BlobNames("packs/"), IsEmpty());
  ExpectNothingLeftBehind();
}

TEST_F(CollectionTest, DoesNotWaitForSessionsThatBeganAfter) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  auto before = repository_->NewReader(project_);
  repository_->DeleteManifest(project_, first_);
  EXPECT_EQ(Collect().state, CollectionState::kWaiting);
  const auto after = repository_->NewReader(project_);
  before.reset();
  EXPECT_EQ(Collect().state, CollectionState::kDone);
}

// I12: the writer counted on stored chunks before they were condemned.
TEST_F(CollectionTest, I12SparesWhatAWriterThatBeganBeforeHasCommitted) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  auto writer = repository_->NewSnapshot(project_, kSmallPacks);
  repository_->DeleteManifest(project_, first_);
  EXPECT_EQ(Collect().state, CollectionState::kWaiting);
  repository_->NewReader(project_);  // loads the index anew: the writer must not notice
  CommitSnapshot(*writer, project_, second_, TestChunks(1, 10));
  writer.reset();
  const CollectionResult result = Collect();
  EXPECT_EQ(result.state, CollectionState::kDone);
  EXPECT_GT(result.spared_packs, 1U);
  EXPECT_GT(result.deleted_packs, 1U);
  EXPECT_EQ(ReadSnapshot(*repository_, project_, second_), TestChunks(1, 10));
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, second_), TestChunks(1, 10));
  ExpectNothingLeftBehind();
}

// I11: a writer that begins later must not count on what is condemned.
TEST_F(CollectionTest, I11StoresCondemnedChunksAnew) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  const auto old_manifest = repository_->LoadManifest(project_, first_);
  auto reader = repository_->NewReader(project_);
  repository_->DeleteManifest(project_, first_);
  EXPECT_EQ(Collect().state, CollectionState::kWaiting);
  auto writer = repository_->NewSnapshot(project_, kSmallPacks);
  EXPECT_FALSE(writer->Holds(old_manifest.namespaces[0].runs[0].lists[0]));
  CommitSnapshot(*writer, project_, second_, TestChunks(1, 20));
  EXPECT_GT(writer->added(), KiB(19));
  writer.reset();
  reader.reset();
  EXPECT_EQ(Collect().state, CollectionState::kDone);
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, second_), TestChunks(1, 20));
}

TEST_F(CollectionTest, LeavesPacksOfARunningSnapshotAlone) {
  auto writer = repository_->NewSnapshot(project_, kSmallPacks);
  for (const Bytes& chunk : TestChunks(1, 20)) {
    writer->Store(chunk);
  }
  const std::size_t packs = BlobNames("packs/").size();
  ASSERT_GT(packs, 2U);
  const CollectionResult result = Collect();
  EXPECT_EQ(result.state, CollectionState::kNothingToDo);
  EXPECT_EQ(result.plan.left_packs, packs);
  CommitSnapshot(*writer, project_, first_, TestChunks(1, 20));
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 20));
}

TEST_F(CollectionTest, DeletesPacksOfASnapshotThatWasAbandoned) {
  auto writer = repository_->NewSnapshot(project_, kSmallPacks);
  for (const Bytes& chunk : TestChunks(1, 20)) {
    writer->Store(chunk);
  }
  writer.reset();
  EXPECT_EQ(Collect().state, CollectionState::kDone);
  EXPECT_THAT(BlobNames("packs/"), IsEmpty());
}

TEST_F(CollectionTest, DropsSessionsOfDeadProcesses) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  const std::string left = Name("sessions", std::string(32, 'a'));
  store_->Put(left, {});
  store_->Put(Name("sessions", "readme"), {});
  repository_->DeleteManifest(project_, first_);
  EXPECT_EQ(Collect().state, CollectionState::kWaiting);
  repository_->DropSessions();
  EXPECT_EQ(BlobNames("sessions/"), std::vector{Name("sessions", "readme")});
  EXPECT_EQ(Collect().state, CollectionState::kDone);
}

TEST_F(CollectionTest, RemovesSessionsThatCouldNotBeRemovedAtTheirEnd) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  // Open: 4 calls, key: 2, session: 1, lists: 4, segment: 1; the next one is the session's end.
  blob::FaultyBlobStore faulty(*store_, {.call = 12});
  const auto repository = Repository::Open(faulty, master_, random_);
  repository->NewReader(project_);
  EXPECT_THAT(BlobNames("sessions/"), SizeIs(1));
  repository->OpenMaintenance(project_)->Collect({}, {});
  EXPECT_THAT(BlobNames("sessions/"), IsEmpty());
}

TEST_F(CollectionTest, RefusesWhenALiveChunkIsInNoPack) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 10), kSmallPacks);
  CommitSnapshot(*repository_, project_, second_, TestChunks(101, 10), kSmallPacks);
  repository_->DeleteManifest(project_, second_);
  store_->Delete(BlobNames("index/").at(0));
  store_->Delete(BlobNames("index/").at(0));
  const std::size_t packs = BlobNames("packs/").size();
  const Failure failure = FailureOf([&] { Collect(); });
  EXPECT_EQ(failure.code, ErrorCode::kCorrupt);
  EXPECT_THAT(failure.message,
              StartsWith("snapshot " + first_.ToString() + " db.c run 1: reading list chunk "));
  EXPECT_THAT(failure.message, HasSubstr(": it is in no pack"));
  EXPECT_EQ(BlobNames("packs/").size(), packs);
}

TEST_F(CollectionTest, RefusesWhenAManifestIsDamaged) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 10));
  CommitSnapshot(*repository_, project_, second_, TestChunks(101, 10));
  repository_->DeleteManifest(project_, second_);
  Bytes bad = store_->Get(BlobNames("manifests/").at(0));
  bad[40] ^= 1;
  Replace(BlobNames("manifests/").at(0), bad);
  EXPECT_EQ(FailureOf([&] { Collect(); }).code, ErrorCode::kCorrupt);
  EXPECT_THAT(BlobNames("packs/"), SizeIs(2));
}

TEST_F(CollectionTest, LeavesAPackWithADamagedLiveChunkAsItIs) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20));
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 5));
  repository_->DeleteManifest(project_, first_);
  const std::string pack = BlobNames("packs/").at(0);
  Bytes bad = store_->Get(pack);
  bad[60] ^= 1;
  Replace(pack, bad);
  const std::vector<std::string> before = BlobNames("packs/");
  const CollectionResult result = Collect();
  EXPECT_EQ(result.damaged_packs, 1U);
  EXPECT_EQ(result.deleted_packs, 0U);
  EXPECT_EQ(BlobNames("packs/"), before);
  ExpectNothingLeftBehind();
}

TEST_F(CollectionTest, ForgetsACondemnedListThatDoesNotOpen) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 10), kSmallPacks);
  const std::string name = Name("condemned", std::string(32, 'a'));
  store_->Put(name, AsBytes("TMRKCOND damage"));
  EXPECT_EQ(FailureOf([&] { repository_->NewSnapshot(project_, {}); }).code,
            ErrorCode::kUnsupported);
  Bytes bad = SealCondemned(ProjectKeys(project_, MasterKey{}), {}, {}, random_);
  Replace(name, bad);
  EXPECT_EQ(FailureOf([&] { repository_->NewSnapshot(project_, {}); }).code, ErrorCode::kCorrupt);
  Collect();
  ExpectNothingLeftBehind();
  EXPECT_EQ(ReadSnapshot(*repository_, project_, first_), TestChunks(1, 10));
}

TEST_F(CollectionTest, MakesADamagedWaitListAnew) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 10), kSmallPacks);
  auto reader = repository_->NewReader(project_);
  repository_->DeleteManifest(project_, first_);
  EXPECT_EQ(Collect().state, CollectionState::kWaiting);
  const std::string name = BlobNames("waits/").at(0);
  Bytes bad = store_->Get(name);
  bad.back() ^= 1;
  Replace(name, bad);
  EXPECT_EQ(Collect().waiting_for, 1U);
  EXPECT_NE(store_->Get(name), bad);
  reader.reset();
  EXPECT_EQ(Collect().state, CollectionState::kDone);
  ExpectNothingLeftBehind();
}

TEST_F(CollectionTest, RemovesAWaitListWithoutItsCondemnedList) {
  CommitSnapshot(*repository_, project_, first_, {});
  store_->Put(Name("waits", std::string(32, 'a')), AsBytes("x"));
  Collect();
  ExpectNothingLeftBehind();
}

// Takes no writes, like a disk that is full or mounted read-only.
class ReadOnlyStore final : public blob::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  void Put(std::string_view name, ByteView) override { Refuse(name); }

  void Delete(std::string_view name) override { Refuse(name); }

 private:
  static void Refuse(std::string_view name) {
    throw Error(ErrorCode::kIo, "writing " + std::string(name) + ": read-only file system");
  }
};

TEST_F(CollectionTest, AReaderNeedsNoWritesAndFollowsRewrittenChunks) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20));
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 5));
  ReadOnlyStore read_only(*store_);
  const auto other = Repository::Open(read_only, master_, random_);
  const auto reader = other->NewReader(project_);
  const ChunkRef list = other->LoadManifest(project_, second_).namespaces[0].runs[0].lists[0];
  repository_->DeleteManifest(project_, first_);
  EXPECT_EQ(Collect().state, CollectionState::kDone);
  const auto listed = reader->LoadList(list);
  ASSERT_THAT(listed, SizeIs(5));
  EXPECT_EQ(reader->Load(listed[4].ref), TestChunk(5));
}

TEST_F(CollectionTest, DropsSegmentsThatSayNothingNew) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  // A copy, as a collection that died before it condemned the first one leaves it.
  const ProjectKeys keys = [&] {
    const Bytes blob = store_->Get("keys/" + project_.ToString() + "/00000001");
    return ProjectKeys(project_, DecodeProjectKey(master_, project_, blob));
  }();
  const std::string name = BlobNames("index/").at(0);
  const auto bytes = ParseRandomId(name);
  ASSERT_TRUE(bytes.has_value());
  const IndexSegment segment = OpenIndexSegment(keys, SegmentId{bytes.value()}, store_->Get(name));
  const auto copy = SegmentId::Generate(random_);
  store_->Put(SegmentName(project_, copy), SealIndexSegment(keys, copy, segment, random_));
  EXPECT_EQ(Collect().state, CollectionState::kDone);
  EXPECT_THAT(BlobNames("index/"), SizeIs(1));
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 20));
}

TEST_F(CollectionTest, StatsTellWhatEachSnapshotHolds) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 10));
  const auto before = repository_->OpenMaintenance(project_)->ReadStats({});
  ASSERT_THAT(before.snapshots, SizeIs(1));
  EXPECT_EQ(before.snapshots[0].exclusive, before.snapshots[0].added);
  EXPECT_EQ(before.unreferenced, ByteCount{});
  EXPECT_EQ(before.chunks, 11U);
  CommitSnapshot(*repository_, project_, second_, TestChunks(6, 10));
  const auto stats = repository_->OpenMaintenance(project_)->ReadStats({});
  ASSERT_THAT(stats.snapshots, SizeIs(2));
  EXPECT_EQ(stats.snapshots[0].snapshot, first_);
  EXPECT_EQ(stats.snapshots[0].added, before.snapshots[0].added);
  EXPECT_LT(stats.snapshots[0].exclusive, stats.snapshots[0].added);
  EXPECT_EQ(stats.snapshots[1].exclusive, stats.snapshots[1].added);
  EXPECT_NEAR(static_cast<double>(stats.snapshots[1].added.value), 5 * 1050, 1500);
  std::uint64_t keys = 0;
  store_->List("keys/", [&](const std::string&, ByteCount size) { keys += size.value; });
  store_->List("format", [&](const std::string&, ByteCount size) { keys += size.value; });
  store_->List("master/", [&](const std::string&, ByteCount size) { keys += size.value; });
  EXPECT_EQ(stats.stored().value, StoredBytes() - keys);
  repository_->DeleteManifest(project_, second_);
  const auto after = repository_->OpenMaintenance(project_)->ReadStats({});
  EXPECT_EQ(after.unreferenced.value,
            stats.snapshots[1].exclusive.value - (stats.manifests.value - after.manifests.value));
}

TEST_F(CollectionTest, StatsOfAnEmptyProjectAreZero) {
  const auto stats = repository_->OpenMaintenance(project_)->ReadStats({});
  EXPECT_TRUE(stats.snapshots.empty());
  EXPECT_EQ(stats.stored(), ByteCount{});
}

// The collection dies at its n-th call to the store, for every n and every way to fail: what
// snapshots hold stays whole, and a later collection ends where an undisturbed one would.
class CollectionFaultTest : public testing::TestWithParam<blob::FaultPlan> {
 protected:
  static std::unique_ptr<blob::BlobStore> MakeStore() {
    SeededRandom random(1);
    auto store = blob::MakeMemoryStore();
    Repository::Create(*store, TestMasterKey(), random);
    const auto repository = Repository::Open(*store, TestMasterKey(), random);
    CommitSnapshot(*repository, kProject, kGone, TestChunks(1, 30), kSmallPacks);
    CommitSnapshot(*repository, kProject, kGone2, Joined(TestChunks(1, 2), TestChunks(50, 9)));
    // Alive: parts of packs that are kept, rewritten and (none of it) deleted.
    CommitSnapshot(*repository, kProject, kKept, Joined(TestChunks(3, 5), TestChunks(50, 2)));
    repository->DeleteManifest(kProject, kGone);
    repository->DeleteManifest(kProject, kGone2);
    return store;
  }

  static CollectionResult Collect(blob::BlobStore& store, std::uint64_t seed) {
    SeededRandom random(seed);
    return Repository::Open(store, TestMasterKey(), random)
        ->OpenMaintenance(kProject)
        ->Collect({.pack_size = KiB(4)}, {});
  }

  static std::uint64_t StoredBytes(blob::BlobStore& store) {
    std::uint64_t bytes = 0;
    store.List("", [&](const std::string&, ByteCount size) { bytes += size.value; });
    return bytes;
  }

  static void ExpectWhole(blob::BlobStore& store) {
    SeededRandom random(7);
    const auto repository = Repository::Open(store, TestMasterKey(), random);
    EXPECT_EQ(ReadSnapshot(*repository, kProject, kKept),
              Joined(TestChunks(3, 5), TestChunks(50, 2)));
    EXPECT_EQ(repository->OpenMaintenance(kProject)->CheckStructure({}).findings.total(), 0U);
  }

  static inline const ProjectId kProject = TestId<ProjectId>(0x11);
  static inline const SnapshotId kGone = TestId<SnapshotId>(0x21);
  static inline const SnapshotId kGone2 = TestId<SnapshotId>(0x22);
  static inline const SnapshotId kKept = TestId<SnapshotId>(0x23);
  static inline const SnapshotId kNew = TestId<SnapshotId>(0x24);
};

TEST_P(CollectionFaultTest, I13AnInterruptedCollectionHarmsNobodyAndIsRepeated) {
  const auto undisturbed = MakeStore();
  const CollectionResult expected = Collect(*undisturbed, 2);
  EXPECT_EQ(expected.state, CollectionState::kDone);
  EXPECT_FALSE(expected.plan.rewritten.empty());
  EXPECT_FALSE(expected.plan.deleted.empty());
  blob::FaultPlan plan = GetParam();
  for (plan.call = 1; !HasFailure(); ++plan.call) {
    SCOPED_TRACE("call " + std::to_string(plan.call));
    const auto store = MakeStore();
    blob::FaultyBlobStore faulty(*store, plan);
    bool done = false;
    try {
      Collect(faulty, 2);
      done = true;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUnavailable) << error.message();
    }
    ExpectWhole(*store);
    Collect(*store, 3);
    Collect(*store, 4);  // what the interrupted one copied may have become garbage
    ExpectWhole(*store);
    EXPECT_EQ(StoredBytes(*store), StoredBytes(*undisturbed));
    SeededRandom random(5);
    const auto repository = Repository::Open(*store, TestMasterKey(), random);
    CommitSnapshot(*repository, kProject, kNew, TestChunks(1, 30), kSmallPacks);
    EXPECT_EQ(ReadSnapshot(*repository, kProject, kNew), TestChunks(1, 30));
    if (done) {
      EXPECT_GT(plan.call, 25U);
      return;
    }
  }
}

using Effect = blob::FaultPlan::Effect;
using Span = blob::FaultPlan::Span;

INSTANTIATE_TEST_SUITE_P(EveryWay,
                         CollectionFaultTest,
                         testing::Values(blob::FaultPlan{},
                                         blob::FaultPlan{.effect = Effect::kDone},
                                         blob::FaultPlan{.span = Span::kFromThenOn},
                                         blob::FaultPlan{.effect = Effect::kDone,
                                                         .span = Span::kFromThenOn}),
                         [](const testing::TestParamInfo<blob::FaultPlan>& info) {
                           return std::string(info.param.effect == Effect::kDone ? "AnswerLost"
                                                                                 : "CallFails") +
                                  (info.param.span == Span::kOnce ? "Once" : "FromThenOn");
                         });

TEST(CondemnedList, RoundTripsAndFindsDamage) {
  const ProjectKeys keys(TestId<ProjectId>(0x11), TestMasterKey(9));
  SeededRandom random(4);
  const auto id = GenerationId::Generate(random);
  const Condemned condemned{{PackId::Generate(random), PackId::Generate(random)},
                            {SegmentId::Generate(random)}};
  const Bytes blob = SealCondemned(keys, id, condemned, random);
  EXPECT_EQ(OpenCondemned(keys, id, blob), condemned);
  for (std::size_t at = 0; at < blob.size(); ++at) {
    Bytes bad = blob;
    bad[at] ^= 1;
    const bool in_version = at >= 8 && at < 12;
    EXPECT_EQ(FailureOf([&] { OpenCondemned(keys, id, bad); }).code,
              in_version ? ErrorCode::kUnsupported : ErrorCode::kCorrupt);
    EXPECT_EQ(FailureOf([&] { OpenCondemned(keys, id, ByteView(blob).first(at)); }).code,
              ErrorCode::kCorrupt);
  }
  EXPECT_EQ(FailureOf([&] { OpenCondemned(keys, GenerationId{}, blob); }).code,
            ErrorCode::kCorrupt);
}

TEST(WaitList, RoundTripsAndFindsDamage) {
  const ProjectKeys keys(TestId<ProjectId>(0x11), TestMasterKey(9));
  SeededRandom random(4);
  const auto id = GenerationId::Generate(random);
  const std::vector<SessionId> sessions{SessionId::Generate(random), SessionId::Generate(random)};
  const Bytes blob = SealWaitList(keys, id, sessions, random);
  EXPECT_EQ(OpenWaitList(keys, id, blob), sessions);
  for (std::size_t at = 0; at < blob.size(); ++at) {
    EXPECT_EQ(FailureOf([&] { OpenWaitList(keys, id, ByteView(blob).first(at)); }).code,
              ErrorCode::kCorrupt);
  }
  const Bytes condemned = SealCondemned(keys, id, {}, random);
  EXPECT_EQ(FailureOf([&] { OpenWaitList(keys, id, condemned); }).code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace tidemark::repo
