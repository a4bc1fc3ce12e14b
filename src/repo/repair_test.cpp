#include "repo/repair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repo/internal/quarantine.h"
#include "repo/maintenance.h"
#include "tests/fault/faulty_blob_store.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::repo {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr WriterOptions kSmallPacks{.pack_size = KiB(2)};

// Offers these chunks, whatever is damaged.
Healer OfferAll(std::vector<Bytes> chunks) {
  return [chunks = std::move(chunks)](DamagedProject& damaged) {
    for (const Bytes& chunk : chunks) {
      damaged.Offer(chunk, "offered");
    }
  };
}

class RepairTest : public RepositoryFixture {
 protected:
  RepairReport Repair(const Healer& heal = {}, const RepairOptions& options = {}) {
    return repository_->OpenMaintenance(project_)->Repair(options, heal, {});
  }

  std::uint64_t Findings() {
    return repository_->OpenMaintenance(project_)->CheckStructure({}).findings.total();
  }

  void Flip(const std::string& name, std::size_t offset) {
    Bytes bytes = store_->Get(name);
    bytes.at(offset) ^= 1;
    Replace(name, bytes);
  }

  // A bit of the first chunk of the only pack.
  void DamageFirstChunk() { Flip(BlobNames("packs/").at(0), 30); }

  Failure ReadFailure(const SnapshotId& snapshot) {
    return FailureOf([&] { ReadSnapshot(*repository_, project_, snapshot); });
  }

  CollectionResult Collect(int percent = 100) {
    return repository_->OpenMaintenance(project_)->Collect({.rewrite_below_percent = percent}, {});
  }
};

ProjectKeys TestKeys() {
  return {TestId<ProjectId>(0x11), codec::AeadKey{9}};
}

TEST(QuarantineList, RoundTripsAndFindsDamage) {
  SeededRandom random(1);
  const auto id = QuarantineId::Generate(random);
  const std::vector<BadPlace> places{{PackId::Generate(random), 12}, {PackId::Generate(random), 0}};
  Bytes blob = SealQuarantine(TestKeys(), id, places, random);
  EXPECT_EQ(OpenQuarantine(TestKeys(), id, blob), places);
  const auto other = QuarantineId::Generate(random);
  EXPECT_EQ(FailureOf([&] { OpenQuarantine(TestKeys(), other, blob); }).code, ErrorCode::kCorrupt);
  blob.back() ^= 1;
  EXPECT_EQ(FailureOf([&] { OpenQuarantine(TestKeys(), id, blob); }).code, ErrorCode::kCorrupt);
}

TEST(QuarantineList, KnowsPlacesAndPacks) {
  SeededRandom random(1);
  const BadPlace place{PackId::Generate(random), 77};
  Quarantine quarantine;
  quarantine.Add(place);
  EXPECT_TRUE(quarantine.Contains(place.pack, 77));
  EXPECT_FALSE(quarantine.Contains(place.pack, 78));
  EXPECT_TRUE(quarantine.Names(place.pack));
  EXPECT_FALSE(quarantine.Names(PackId::Generate(random)));
}

TEST(QuarantineList, IsCutAtItsBound) {
  SeededRandom random(1);
  const auto store = blob::MakeMemoryStore();
  const auto pack = PackId::Generate(random);
  std::set<BadPlace> places;
  for (std::uint32_t offset = 0; offset <= kMaxBadPlaces; ++offset) {
    places.insert({pack, offset});
  }
  PutQuarantine(*store, TestKeys(), places, random);
  EXPECT_EQ(LoadQuarantine(*store, TestKeys()).places(), places);
  std::size_t lists = 0;
  store->List("quarantine/", [&](const std::string&, ByteCount) { ++lists; });
  EXPECT_EQ(lists, 2U);
}

TEST_F(RepairTest, FindsNothingInAWholeRepository) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 5), kSmallPacks);
  const std::vector<std::string> before = BlobNames("");
  const RepairReport report = Repair();
  EXPECT_TRUE(report.AllWhole());
  EXPECT_THAT(report.chunks, IsEmpty());
  EXPECT_EQ(report.indexed + report.copied + report.quarantined, 0U);
  EXPECT_EQ(report.chunks_read, 6U);  // one is a list
  EXPECT_EQ(BlobNames(""), before);
}

TEST_F(RepairTest, HealsAChunkFromItsBytes) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 5));
  DamageFirstChunk();
  EXPECT_THAT(ReadFailure(first_).message, HasSubstr("reading data chunk "));
  const RepairReport report = Repair(OfferAll(TestChunks(1, 5)));
  ASSERT_THAT(report.chunks, SizeIs(1));
  EXPECT_EQ(report.chunks[0].kind, ChunkKind::kData);
  EXPECT_EQ(report.chunks[0].fault, "it does not open");
  EXPECT_EQ(report.chunks[0].outcome, "offered");
  EXPECT_EQ(report.chunks[0].snapshots, std::vector{first_});
  EXPECT_EQ(report.chunks[0].first_id, TestFirstId(0));
  EXPECT_EQ(report.chunks[0].end_id, TestFirstId(1));
  EXPECT_EQ(report.healed, 1U);
  EXPECT_EQ(report.quarantined, 1U);
  EXPECT_TRUE(report.AllWhole());
  EXPECT_EQ(ReadSnapshot(*repository_, project_, first_), TestChunks(1, 5));
  EXPECT_EQ(Findings(), 0U);
  EXPECT_THAT(Repair().chunks, IsEmpty());
}

TEST_F(RepairTest, NamesWhatNobodyOffers) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 5));
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 5));
  DamageFirstChunk();
  const RepairReport report = Repair(OfferAll(TestChunks(100, 5)));
  ASSERT_THAT(report.chunks, SizeIs(1));
  EXPECT_FALSE(report.chunks[0].healed);
  EXPECT_EQ(report.chunks[0].snapshots, (std::vector{first_, second_}));
  EXPECT_EQ(report.lost, 1U);
  EXPECT_FALSE(report.AllWhole());
  EXPECT_EQ(ReadFailure(first_).code, ErrorCode::kCorrupt);
  EXPECT_GT(Findings(), 0U);  // without reading: the repair has left a note
}

TEST_F(RepairTest, ADryRunWritesNothing) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 5), kSmallPacks);
  DamageFirstChunk();
  Flip(BlobNames("packs/").at(1), store_->Size(BlobNames("packs/").at(1))->value - 20);
  const std::vector<std::string> before = BlobNames("");
  const RepairReport report = Repair(OfferAll(TestChunks(1, 5)), {.dry_run = true});
  EXPECT_EQ(report.healed, 1U);
  EXPECT_THAT(report.packs, SizeIs(1));
  EXPECT_GT(report.copied, 0U);
  EXPECT_TRUE(report.dry_run);
  EXPECT_EQ(BlobNames(""), before);
}

// I19
TEST_F(RepairTest, I19WritersDoNotCountOnPlacesInQuarantine) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 5));
  DamageFirstChunk();
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 5));
  EXPECT_EQ(ReadFailure(second_).code, ErrorCode::kCorrupt);  // shares what is damaged
  Repair();
  const auto third = TestId<SnapshotId>(0x23);
  CommitSnapshot(*repository_, project_, third, TestChunks(1, 5));
  for (const SnapshotId& snapshot : {first_, second_, third}) {
    EXPECT_EQ(ReadSnapshot(*repository_, project_, snapshot), TestChunks(1, 5));
  }
  EXPECT_EQ(Findings(), 0U);
}

TEST_F(RepairTest, I19HoldsForAWriterOfAnotherProcess) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 5));
  const auto other = OpenRepository();
  EXPECT_EQ(ReadSnapshot(*other, project_, first_), TestChunks(1, 5));  // has its index
  DamageFirstChunk();
  Repair();
  CommitSnapshot(*other, project_, second_, TestChunks(1, 5));
  EXPECT_EQ(ReadSnapshot(*other, project_, second_), TestChunks(1, 5));
}

TEST_F(RepairTest, AListThatNobodyOffersHidesWhatItLists) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  store_->Delete(BlobNames("packs/").at(0));
  const RepairReport nothing = Repair(OfferAll(TestChunks(1, 3)));
  EXPECT_EQ(nothing.lost, 1U);
  EXPECT_EQ(nothing.chunks[0].kind, ChunkKind::kList);
  EXPECT_EQ(nothing.chunks[0].fault, "it is in no pack");
}

TEST_F(RepairTest, AListThatIsHealedShowsWhatItLists) {
  const std::vector<Bytes> chunks = TestChunks(1, 3);
  std::vector<SnapshotWriter::ListedChunk> listed;
  {
    const auto writer = repository_->NewSnapshot(project_, {});
    for (const Bytes& chunk : chunks) {
      listed.push_back({writer->Store(chunk), TestFirstId(static_cast<int>(listed.size()))});
    }
    CommitSnapshot(*writer, project_, first_, chunks);
  }
  store_->Delete(BlobNames("packs/").at(0));
  const RepairReport report = Repair([&](DamagedProject& damaged) {
    EXPECT_EQ(damaged.size(), 1U);
    EXPECT_FALSE(damaged.Offer(chunks[0], "not known to be damaged yet"));
    EXPECT_TRUE(damaged.OfferList(listed, "list"));
    EXPECT_EQ(damaged.size(), 4U);
    EXPECT_EQ(damaged.chunk(3).first_document, 2U);
    for (const Bytes& chunk : chunks) {
      EXPECT_TRUE(damaged.Offer(chunk, "chunk"));
    }
    EXPECT_EQ(damaged.Load(listed[1].ref), chunks[1]);
  });
  EXPECT_EQ(report.healed, 4U);
  EXPECT_EQ(ReadSnapshot(*repository_, project_, first_), chunks);
  EXPECT_EQ(Findings(), 0U);
}

TEST_F(RepairTest, I20ADamagedSegmentIsMadeAnewFromPacks) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 10), kSmallPacks);
  Flip(BlobNames("index/").at(0), 40);
  EXPECT_EQ(FailureOf([&] { OpenRepository()->NewReader(project_); }).code, ErrorCode::kCorrupt);
  const RepairReport report = Repair();
  EXPECT_THAT(report.segments, SizeIs(1));
  EXPECT_EQ(report.indexed, 11U);
  EXPECT_TRUE(report.AllWhole());
  EXPECT_THAT(BlobNames("index/"), SizeIs(1));
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 10));
  EXPECT_EQ(Findings(), 0U);
}

TEST_F(RepairTest, ALostSegmentIsMadeAnewForWhatIsNeeded) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 10), kSmallPacks);
  store_->Delete(BlobNames("index/").at(0));
  EXPECT_EQ(Repair().indexed, 11U);
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 10));
}

TEST_F(RepairTest, APackWithoutAFooterIsLeftBehind) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 5));
  const std::string pack = BlobNames("packs/").at(0);
  Flip(pack, store_->Size(pack)->value - 20);
  EXPECT_GT(Findings(), 0U);
  const RepairReport report = Repair();
  EXPECT_THAT(report.packs, SizeIs(1));
  EXPECT_EQ(report.copied, 6U);
  EXPECT_EQ(Findings(), 0U);
  EXPECT_THAT(Repair().packs, IsEmpty());
  EXPECT_EQ(Collect().deleted_packs, 1U);
  Collect();
  EXPECT_THAT(BlobNames("quarantine/"), IsEmpty());  // its pack has gone
  EXPECT_EQ(ReadSnapshot(*repository_, project_, first_), TestChunks(1, 5));
}

TEST_F(RepairTest, ATruncatedPackGivesWhatIsLeft) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 5));
  const std::string pack = BlobNames("packs/").at(0);
  const Bytes bytes = store_->Get(pack);
  Replace(pack, ByteView(bytes).first(2500));
  std::size_t unlisted = 0;
  const RepairReport report = Repair([&](DamagedProject& damaged) {
    damaged.ForEachUnlisted([&](const ChunkId&, ByteView plain) {
      EXPECT_EQ(Bytes(plain.begin(), plain.end()).size(), 1000U);
      ++unlisted;
    });
  });
  EXPECT_EQ(unlisted, 2U);
  EXPECT_EQ(report.chunks.at(0).kind, ChunkKind::kList);  // at the end that is gone
  EXPECT_FALSE(report.AllWhole());
}

TEST_F(RepairTest, AFaultThatPassesIsNoDamage) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));

  class Flaky final : public blob::ForwardingStore {
   public:
    using ForwardingStore::ForwardingStore;

    Bytes GetRange(std::string_view name, std::uint64_t offset, std::size_t size) override {
      Bytes bytes = ForwardingStore::GetRange(name, offset, size);
      if (size > 1000 && std::exchange(first_, false)) {
        bytes[20] ^= 1;
      }
      return bytes;
    }

   private:
    bool first_ = true;
  };

  Flaky flaky(*store_);
  const auto repository = Repository::Open(flaky, master_, random_);
  const RepairReport report = repository->OpenMaintenance(project_)->Repair({}, {}, {});
  EXPECT_THAT(report.chunks, IsEmpty());
  EXPECT_EQ(report.quarantined, 0U);
}

TEST_F(RepairTest, BrokenListsAreDeleted) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 5));
  DamageFirstChunk();
  Repair();
  Flip(BlobNames("quarantine/").at(0), 30);
  const std::string name = "condemned/" + project_.ToString() + "/" + std::string(32, 'a');
  store_->Put(name, Bytes(60));
  const RepairReport report = Repair(OfferAll(TestChunks(1, 5)));
  EXPECT_THAT(report.lists, SizeIs(2));
  EXPECT_THAT(BlobNames("condemned/"), IsEmpty());
  EXPECT_THAT(BlobNames("quarantine/"), SizeIs(1));  // anew: the place is found bad again
  EXPECT_TRUE(report.AllWhole());
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 5));
}

TEST_F(RepairTest, NamesManifestsThatDoNotOpen) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 5));
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 5));
  Flip("manifests/" + project_.ToString() + "/" + first_.ToString(), 40);
  const RepairReport report = Repair();
  ASSERT_THAT(report.manifests, SizeIs(1));
  EXPECT_EQ(report.manifests[0].snapshot, first_);
  EXPECT_FALSE(report.AllWhole());
}

// The bytes are kept: better tools than ours may still make something of them.
TEST_F(RepairTest, ACollectionKeepsTheOnlyPlaceOfANeededChunk) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 5), kSmallPacks);
  DamageFirstChunk();
  Repair();
  const std::size_t packs = BlobNames("packs/").size();
  EXPECT_EQ(Collect().deleted_packs, 0U);
  EXPECT_THAT(BlobNames("packs/"), SizeIs(packs));
  EXPECT_THAT(BlobNames("quarantine/"), SizeIs(1));
}

TEST_F(RepairTest, ACollectionNeverKeepsTheBadOfTwoPlaces) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 4), kSmallPacks);
  CommitSnapshot(*repository_, project_, second_, TestChunks(5, 4), kSmallPacks);
  for (const std::string& pack : BlobNames("packs/")) {
    if (store_->Size(pack)->value > 2000) {  // not those of a list alone
      Flip(pack, 30);
    }
  }
  EXPECT_EQ(Repair(OfferAll(TestChunks(1, 8))).healed, 4U);
  repository_->DeleteManifest(project_, second_);
  for (int i = 0; i < 3; ++i) {
    Collect();
  }
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 4));
  EXPECT_EQ(Findings(), 0U);
}

// I20: cut at any call, then repeated.
TEST_F(RepairTest, I20FinishesWhenRepeated) {
  std::size_t failed = 0;
  for (std::size_t call = 1;; ++call) {
    SCOPED_TRACE("call " + std::to_string(call));
    const auto store = blob::MakeMemoryStore();
    Repository::Create(*store, master_, random_);
    CommitSnapshot(*Repository::Open(*store, master_, random_),
                   project_,
                   first_,
                   TestChunks(1, 8),
                   kSmallPacks);
    std::vector<std::string> packs;
    store->List("packs/", [&](const std::string& name, ByteCount size) {
      if (size.value > 2000) {  // not that of the list alone
        packs.push_back(name);
      }
    });
    const auto flip = [&](const std::string& name, std::size_t offset) {
      Bytes bytes = store->Get(name);
      bytes.at(offset) ^= 1;
      store->Delete(name);
      store->Put(name, bytes);
    };
    flip(packs.at(0), 30);
    flip(packs.at(1), store->Size(packs.at(1))->value - 20);
    const auto repair = [&](blob::BlobStore& through) {
      return Repository::Open(through, master_, random_)
          ->OpenMaintenance(project_)
          ->Repair({.pack_size = KiB(1)}, OfferAll(TestChunks(1, 8)), {});
    };
    bool done = false;
    try {
      blob::FaultyBlobStore faulty(*store,
                                   {.call = call, .span = blob::FaultPlan::Span::kFromThenOn});
      done = repair(faulty).AllWhole();
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kUnavailable) << error.message();
      ++failed;
    }
    EXPECT_TRUE(repair(*store).AllWhole());
    const auto repository = Repository::Open(*store, master_, random_);
    ASSERT_EQ(ReadSnapshot(*repository, project_, first_), TestChunks(1, 8));
    EXPECT_EQ(repository->OpenMaintenance(project_)->CheckStructure({}).findings.total(), 0U);
    if (done) {
      break;
    }
  }
  EXPECT_GT(failed, 30U);
}

TEST_F(RepairTest, StopsWhenAsked) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  std::stop_source stop;
  stop.request_stop();
  const auto failure =
      FailureOf([&] { repository_->OpenMaintenance(project_)->Repair({}, {}, stop.get_token()); });
  EXPECT_EQ(failure.code, ErrorCode::kCancelled);
  EXPECT_EQ(failure.message, "repairing the repository: cancelled");
  EXPECT_THAT(BlobNames("sessions/"), IsEmpty());
}

}  // namespace
}  // namespace tidemark::repo
