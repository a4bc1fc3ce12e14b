#include <map>
#include <set>

#include <gmock/gmock.h>

#include "engine/snapshot.h"
#include "repo/maintenance.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/sanitized.h"

// A collection that the source reads in order of _id goes on behind the last one.
namespace tidemark::engine {
namespace {

constexpr std::size_t kCount = 4000;  // documents of about 350 bytes

class ResumeByIdTest : public EngineFixture {
 protected:
  ResumeByIdTest() {
    options_.parallel_namespaces = 1;
    options_.chunk_size = KiB(2);
    options_.save_every = KiB(64);
    for (std::size_t i = 0; i < kCount; ++i) {
      documents_.push_back(MixedDocument(random_, 0));
    }
    std::ranges::sort(documents_, IdLess);
    source_.Add("db", "big", documents_).uuid = Bytes(16, 1);
    source_.OfferById();
    options_.pause = [this](std::chrono::milliseconds pause, const std::stop_token&) {
      pauses_.push_back(pause.count());
    };
  }

  // From the `number`-th document of all scans on the source is lost for good.
  void CutAt(std::size_t number) {
    std::size_t left = number;
    source_.SetHook([&left](std::size_t) {
      if (left == 0) {
        throw Error(ErrorCode::kUnavailable, "next batch: connection reset");
      }
      --left;
    });
    EXPECT_THROW(Take(), Error);
    source_.SetHook({});
    pauses_.clear();
  }

  // Before the source's end, together.
  void CutSometimes(std::uint64_t cuts) {
    std::size_t left = documents_.size();
    for (; cuts > 0 && left > 0; --cuts) {
      const std::size_t number = random_.Next() % left;
      CutAt(number);
      left -= number;
    }
  }

  std::size_t CountReads() {
    std::size_t reads = 0;
    source_.SetHook([&reads](std::size_t) { ++reads; });
    summary_ = Take();
    source_.SetHook({});
    return reads;
  }

  void Next() {
    options_.base = options_.snapshot;
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
  }

  repo::NamespaceEntry Entry() { return Manifest().namespaces.at(0); }

  void ExpectHolds(const std::vector<Bytes>& documents) {
    const repo::NamespaceEntry entry = Entry();
    const std::vector<Bytes> read = Read(entry);
    EXPECT_EQ(read, documents);
    ExpectCounts(entry, read);
  }

  std::uint64_t BytesOf(std::size_t first, std::size_t count) const {
    std::uint64_t bytes = 0;
    for (std::size_t i = first; i < first + count; ++i) {
      bytes += documents_[i].size();
    }
    return bytes;
  }

  // Some documents changed, some gone, some new.
  void Mutate(int version) {
    std::vector<Bytes> next;
    for (Bytes& document : documents_) {
      const std::uint64_t dice = random_.Next() % 20;
      if (dice == 0) {
        continue;
      }
      if (dice == 1) {
        next.push_back(MixedDocument(random_, version));
      }
      if (dice == 2) {
        document = bson::Builder()
                       .AppendElement("_id", *bson::Document(document).Find("_id"))
                       .Append("version", version)
                       .Finish();
      }
      next.push_back(std::move(document));
    }
    std::ranges::sort(next, IdLess);
    documents_ = std::move(next);
    source_.Replace("db", "big", documents_);
  }

  std::vector<Bytes> documents_;
  SnapshotSummary summary_;
  std::vector<std::int64_t> pauses_;
};

TEST_F(ResumeByIdTest, OneRunOfWhatWasReadBeforeAndAfter) {
  CutAt(3000);
  const std::size_t reads = CountReads();
  EXPECT_GE(reads, kCount - 3000);
  EXPECT_LE(BytesOf(kCount - reads, reads), BytesOf(3000, kCount - 3000) + KiB(64).value);
  EXPECT_EQ(summary_.resumed_bytes, BytesOf(0, kCount - reads));
  EXPECT_EQ(summary_.documents, kCount);
  EXPECT_EQ(summary_.stored_documents, kCount);
  EXPECT_EQ(Entry().runs.size(), 1U);
  ExpectHolds(documents_);
}

// Also when a cut comes before the run that goes on has saved anything.
TEST_F(ResumeByIdTest, I25MayBeCutAnywhereAgainAndAgain) {
  for (int round = 0; round < UnlessSanitized(40, 10); ++round) {
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    CutSometimes(1 + random_.Next() % 4);
    Take();
    ExpectHolds(documents_);
  }
}

TEST_F(ResumeByIdTest, I25ChangesOnTopOfABaseMayBeCutToo) {
  Take();
  for (int round = 1; round < UnlessSanitized(25, 8); ++round) {
    Mutate(round);
    Next();
    CutSometimes(random_.Next() % 4);
    const SnapshotSummary summary = Take();
    EXPECT_LT(summary.stored_documents, kCount / 4);
    EXPECT_GT(summary.removed_documents, 0U);
    ExpectHolds(documents_);
  }
}

TEST_F(ResumeByIdTest, I25NeedsItsOwnBaseOnly) {
  Take();
  const SnapshotId first = options_.snapshot;
  Mutate(1);
  Next();
  CutAt(3000);
  repository_->DeleteManifest(options_.project, first);
  {
    const auto maintenance = repository_->OpenMaintenance(options_.project);
    maintenance->Collect({}, {});
    maintenance->Collect({}, {});
  }
  options_.base.reset();
  EXPECT_LT(CountReads(), kCount - 2500);
  EXPECT_LT(summary_.stored_documents, kCount / 4);
  ExpectHolds(documents_);
}

// A smear, but no document is missing that was there all the time, and none is there twice.
TEST_F(ResumeByIdTest, I26WhatWasThereAllTheTimeIsThereOnce) {
  for (int round = 1; round < 25; ++round) {
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    const std::vector<Bytes> before = documents_;
    CutAt(random_.Next() % documents_.size());
    Mutate(round);
    Take();
    const std::vector<Bytes> read = Read(Entry());
    ExpectCounts(Entry(), read);
    EXPECT_TRUE(std::ranges::is_sorted(read, IdLess));
    EXPECT_EQ(std::ranges::adjacent_find(read, std::not_fn(IdLess)), read.end());
    const std::set<Bytes> now(documents_.begin(), documents_.end());
    const std::set<Bytes> shown(read.begin(), read.end());
    for (const Bytes& document : before) {
      EXPECT_TRUE(!now.contains(document) || shown.contains(document));
    }
  }
}

TEST_F(ResumeByIdTest, I26ACollectionThatWasMadeAnewIsReadAnew) {
  CutAt(3000);
  Mutate(1);
  source_.catalog().namespaces[0].uuid = Bytes(16, 2);
  EXPECT_EQ(CountReads(), documents_.size());
  EXPECT_EQ(summary_.resumed_bytes, 0U);
  ExpectHolds(documents_);
}

TEST_F(ResumeByIdTest, WhatHasLostAPackIsReadAnew) {
  CutAt(3000);
  std::vector<std::string> packs;
  store_->List("packs/", [&packs](const std::string& name, ByteCount) { packs.push_back(name); });
  ASSERT_GT(packs.size(), 1U);
  store_->Delete(packs.front());
  EXPECT_EQ(CountReads(), kCount);
  ExpectHolds(documents_);
}

TEST_F(ResumeByIdTest, ManyReadersAtOnce) {
  options_.parallel_namespaces = 4;
  options_.save_every = KiB(16);
  for (const char* name : {"b", "c", "d", "e", "f"}) {
    source_.Add("db", name, documents_);
  }
  for (int round = 0; round < 4; ++round) {
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    std::atomic<std::int64_t> left = 1000 + 6000 * round;
    source_.SetHook([&left](std::size_t) {
      if (--left < 0) {
        throw Error(ErrorCode::kInternal, "the source has failed for good");
      }
    });
    EXPECT_THROW(Take(), Error);
    source_.SetHook({});
    const SnapshotSummary summary = Take();
    EXPECT_EQ(summary.documents, 6 * kCount);
    for (const repo::NamespaceEntry& entry : Manifest().namespaces) {
      ASSERT_EQ(Read(entry), documents_) << entry.collection;
    }
  }
}

// ---- a source that is lost for a while

TEST_F(ResumeByIdTest, ALossIsOutlastedBehindTheLastId) {
  std::size_t shown = 0;
  std::set<std::size_t> losses{0, 1, 700, 2500, 3999};
  source_.SetHook([&](std::size_t) {
    if (losses.erase(shown) != 0) {
      throw Error(ErrorCode::kUnavailable, "next batch: cursor id 7 not found");
    }
    ++shown;
  });
  const SnapshotSummary summary = Take();
  EXPECT_EQ(shown, kCount);  // none a second time
  EXPECT_EQ(pauses_, (std::vector<std::int64_t>{1000, 1000, 1000, 1000, 1000}));
  EXPECT_EQ(summary.documents, kCount);
  ExpectHolds(documents_);
}

TEST_F(ResumeByIdTest, ALossThatLastsFailsAfterItsAttempts) {
  source_.SetHook([](std::size_t) { throw Error(ErrorCode::kTimeout, "next batch: silence"); });
  try {
    Take();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kTimeout);
    EXPECT_EQ(error.message(), "6 attempts, the last: reading db.big: next batch: silence");
  }
  EXPECT_EQ(pauses_, (std::vector<std::int64_t>{1000, 2000, 4000, 8000, 16000}));
}

TEST_F(ResumeByIdTest, ALossInNaturalOrderBeginsAnewAndStoresNothingTwice) {
  MemorySource natural;
  natural.Add("db", "big", documents_);
  std::size_t shown = 0;
  natural.SetHook([&shown](std::size_t) {
    if (++shown == 3000) {
      throw Error(ErrorCode::kUnavailable, "next batch: connection reset");
    }
  });
  const SnapshotSummary cut = TakeSnapshot(natural, *repository_, options_, Context());
  EXPECT_EQ(shown, 3000 + kCount);
  EXPECT_EQ(LastProgress().documents_done, kCount);
  ExpectHolds(documents_);
  options_.project = ProjectId::Generate(clock_.Now(), random_);
  natural.SetHook({});
  const SnapshotSummary whole = TakeSnapshot(natural, *repository_, options_, Context());
  EXPECT_LT(cut.stored_bytes, whole.stored_bytes + whole.stored_bytes / 50);
}

TEST_F(ResumeByIdTest, NaturalOrderIsNotReadForEver) {
  MemorySource natural;
  natural.Add("db", "big", documents_);
  natural.SetHook([](std::size_t visited) {
    if (visited == 100) {
      throw Error(ErrorCode::kUnavailable, "next batch: connection reset");
    }
  });
  EXPECT_THROW(TakeSnapshot(natural, *repository_, options_, Context()), Error);
  EXPECT_EQ(pauses_.size(), 5U);
}

// The store's loss is not the source's.
class LostStore final : public blob::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  void Put(std::string_view name, ByteView bytes) override {
    if (name.starts_with("partials/")) {
      throw Error(ErrorCode::kUnavailable, "storing a partial manifest: out of reach");
    }
    ForwardingStore::Put(name, bytes);
  }
};

TEST_F(ResumeByIdTest, AFaultOfOursIsNotTriedAgain) {
  LostStore store(*store_);
  repository_ = repo::Repository::Open(store, key_, nonces_);
  EXPECT_THROW(Take(), Error);
  EXPECT_TRUE(pauses_.empty());
  repository_.reset();
}

// ---- what cannot be read so

TEST_F(ResumeByIdTest, AnotherOrderThanOursIsReadInNaturalOrder) {
  std::swap(documents_[3000], documents_[3001]);
  source_.Replace("db", "big", documents_);
  Take();
  std::swap(documents_[3000], documents_[3001]);
  ExpectHolds(documents_);
}

TEST_F(ResumeByIdTest, ADocumentWithoutAnIdIsKept) {
  documents_.insert(documents_.begin(), bson::Builder().Append("text", "no _id").Finish());
  source_.Replace("db", "big", documents_);
  Take();
  EXPECT_EQ(Read(Entry()).size(), kCount + 1);
}

TEST_F(ResumeByIdTest, CappedCollectionsKeepTheirOrder) {
  std::ranges::reverse(documents_);
  source_.Replace("db", "big", documents_);
  source_.catalog().namespaces[0].capped = true;
  CutAt(3000);
  EXPECT_EQ(CountReads(), kCount);
  ExpectHolds(documents_);
}

}  // namespace
}  // namespace tidemark::engine
