#include <map>
#include <set>

#include <gmock/gmock.h>

#include "engine/snapshot.h"
#include "tests/support/engine_fixture.h"

// A snapshot that was cut goes on where it was.
namespace tidemark::engine {
namespace {

class ResumeTest : public EngineFixture {
 protected:
  ResumeTest() {
    options_.save_every = {1};  // after each namespace
    options_.parallel_namespaces = 1;
    for (const char* name : {"a", "b", "c", "d"}) {
      source_.Add("db", name, Documents(name, 100));
    }
  }

  static std::vector<Bytes> Documents(const std::string& name, std::int64_t count) {
    std::vector<Bytes> documents;
    for (std::int64_t id = 0; id < count; ++id) {
      documents.push_back(NumberedDocument(id, name));
    }
    return documents;
  }

  // The source is lost at the `number`-th document of all scans together.
  void CutAt(int number) {
    int left = number;
    source_.SetHook([left](std::size_t) mutable {
      if (--left < 0) {
        throw Error(ErrorCode::kUnavailable, "next batch: connection reset");
      }
    });
    EXPECT_THROW(Take(), Error);
    source_.SetHook({});
    EXPECT_TRUE(repository_->ListManifests(options_.project).empty());
  }

  void ExpectWhole() {
    const repo::Manifest manifest = Manifest();
    ASSERT_EQ(manifest.namespaces.size(), 4U);
    for (const repo::NamespaceEntry& entry : manifest.namespaces) {
      const std::vector<Bytes> read = Read(entry);
      EXPECT_EQ(read, Documents(entry.collection, 100)) << entry.collection;
      ExpectCounts(entry, read);
    }
  }

  std::size_t CountReads() {
    std::size_t reads = 0;
    source_.SetHook([&reads](std::size_t) { ++reads; });
    summary_ = Take();
    source_.SetHook({});
    return reads;
  }

  SnapshotSummary summary_;
  std::map<std::string, Bytes> damaged_;
};

TEST_F(ResumeTest, FinishedNamespacesAreNotReadAgain) {
  CutAt(250);
  EXPECT_EQ(CountReads(), 200U);
  EXPECT_EQ(summary_.resumed_collections, 2U);
  EXPECT_EQ(summary_.documents, 400U);
  ExpectWhole();
}

TEST_F(ResumeTest, MayBeCutAgainAndAgain) {
  CutAt(150);
  CutAt(150);
  EXPECT_EQ(CountReads(), 200U);
  ExpectWhole();
}

TEST_F(ResumeTest, ReopenedRepositoryGoesOnToo) {
  CutAt(350);
  repository_ = repo::Repository::Open(*store_, key_, nonces_);
  EXPECT_EQ(CountReads(), 100U);
  ExpectWhole();
}

TEST_F(ResumeTest, AnotherSnapshotBeginsAnew) {
  CutAt(250);
  options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
  EXPECT_EQ(CountReads(), 400U);
  ExpectWhole();
}

TEST_F(ResumeTest, WhatWasRemadeMeanwhileIsReadAgain) {
  CutAt(250);
  source_.catalog().namespaces[0].options = bson::Builder().Append("validator", 1).Finish();
  EXPECT_EQ(CountReads(), 300U);
  ExpectWhole();
}

TEST_F(ResumeTest, WhatWasDroppedMeanwhileIsLeftOut) {
  CutAt(250);
  MemorySource fresh;
  fresh.Add("db", "c", Documents("c", 100));
  const SnapshotSummary summary = TakeSnapshot(fresh, *repository_, options_, Context());
  EXPECT_EQ(summary.documents, 100U);
  EXPECT_EQ(Manifest().namespaces.size(), 1U);
}

TEST_F(ResumeTest, TheReasonNamesTheFirstBeginning) {
  source_.catalog().has_oplog = true;
  source_.catalog().position_seconds = 5;
  CutAt(250);
  clock_.Advance(std::chrono::hours(1));
  source_.catalog().position_seconds = 9;
  Take();
  EXPECT_EQ(Manifest().position_seconds, 5U);
  EXPECT_THAT(Manifest().inconsistent_reason,
              testing::HasSubstr("between 2023-11-14T22:13:20Z and 2023-11-14T23:13:20Z"));
}

TEST_F(ResumeTest, ADamagedPartialManifestMeansAnew) {
  CutAt(250);
  store_->List("partials/", [this](const std::string& name, ByteCount) {
    Bytes bytes = store_->Get(name);
    bytes.back() ^= 1U;
    damaged_.emplace(name, std::move(bytes));
  });
  ASSERT_EQ(damaged_.size(), 1U);
  for (const auto& [name, bytes] : damaged_) {
    store_->Delete(name);
    store_->Put(name, bytes);
  }
  EXPECT_EQ(CountReads(), 400U);
  ExpectWhole();
}

TEST_F(ResumeTest, WhatHasLostItsPacksIsReadAgain) {
  CutAt(250);
  std::vector<std::string> packs;
  store_->List("packs/", [&packs](const std::string& name, ByteCount) { packs.push_back(name); });
  ASSERT_EQ(packs.size(), 2U);  // one for each partial manifest
  store_->Delete(packs.front());
  EXPECT_EQ(CountReads(), 300U);
  ExpectWhole();
}

// Readers save while others store.
TEST_F(ResumeTest, ManyReadersAtOnce) {
  options_.parallel_namespaces = 4;
  options_.chunk_size = {200};
  for (int cut = 20; cut < 400; cut += 45) {
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    std::atomic<int> left = cut;
    source_.SetHook([&left](std::size_t) {
      if (--left < 0) {
        throw Error(ErrorCode::kUnavailable, "next batch: connection reset");
      }
    });
    EXPECT_THROW(Take(), Error);
    source_.SetHook({});
    Take();
    ExpectWhole();
  }
}

}  // namespace
}  // namespace tidemark::engine
