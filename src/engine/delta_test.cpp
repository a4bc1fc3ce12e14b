#include <map>
#include <set>

#include <gmock/gmock.h>

#include "engine/internal/compaction.h"
#include "engine/internal/run_levels.h"
#include "engine/snapshot.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/forwarding_store.h"

namespace tidemark::engine {
namespace {

struct KeyLess {
  bool operator()(const Bytes& a, const Bytes& b) const { return IdLess(a, b); }
};

// Documents by _id, as the server holds them; the value is the whole document.
class Model {
 public:
  void Put(const Bytes& document) {
    documents_.erase(document);
    documents_.insert(document);
  }

  void Remove(const Bytes& document) { documents_.erase(document); }

  std::vector<Bytes> InOrder() const { return {documents_.begin(), documents_.end()}; }

  std::size_t size() const { return documents_.size(); }

  const Bytes& At(std::size_t position) const {
    return *std::next(documents_.begin(), static_cast<std::ptrdiff_t>(position));
  }

 private:
  std::set<Bytes, KeyLess> documents_;
};

Bytes WithText(const Bytes& document, std::string_view text) {
  return bson::Builder()
      .AppendElement("_id", *bson::Document(document).Find("_id"))
      .Append("text", text)
      .Finish();
}

class DeltaTest : public EngineFixture {
 protected:
  static std::vector<Bytes> Numbered(std::int64_t count) {
    std::vector<Bytes> documents;
    for (std::int64_t id = 0; id < count; ++id) {
      documents.push_back(NumberedDocument(id, "text " + std::to_string(id * 7919)));
    }
    return documents;
  }

  // The next snapshot, on top of the one before.
  SnapshotSummary TakeNext() {
    options_.base = options_.snapshot;
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    return Take();
  }

  SnapshotSummary TakeFirst(std::vector<Bytes> documents) {
    source_.Add("db", "c", std::move(documents));
    return Take();
  }

  SnapshotSummary TakeNext(std::vector<Bytes> documents) {
    source_.Replace("db", "c", std::move(documents));
    return TakeNext();
  }

  repo::NamespaceEntry Entry() { return Manifest().namespaces.at(0); }

  void ExpectHolds(const std::vector<Bytes>& documents) {
    const repo::NamespaceEntry entry = Entry();
    const std::vector<Bytes> read = Read(entry);
    EXPECT_EQ(read, documents);
    ExpectCounts(entry, documents);
  }

  void Shuffle(std::vector<Bytes>& documents) {
    for (std::size_t i = documents.size(); i > 1; --i) {
      std::swap(documents[i - 1], documents[random_.Next() % i]);
    }
  }
};

TEST_F(DeltaTest, WhatHasNotChangedIsNotStoredAgain) {
  const std::vector<Bytes> documents = Numbered(20'000);
  const SnapshotSummary first = TakeFirst(documents);
  EXPECT_EQ(first.stored_documents, 20'000U);
  const SnapshotSummary second = TakeNext();
  EXPECT_EQ(second.stored_documents, 0U);
  EXPECT_EQ(second.removed_documents, 0U);
  EXPECT_LT(second.stored_bytes, 1000U);  // a manifest
  EXPECT_EQ(second.documents, 20'000U);
  ExpectHolds(documents);
}

TEST_F(DeltaTest, StoresNewAndChangedAndForgetsRemovedDocuments) {
  std::vector<Bytes> documents = Numbered(1000);
  TakeFirst(documents);
  documents[500] = NumberedDocument(500, "changed");
  documents.erase(documents.begin() + 20, documents.begin() + 23);
  documents.push_back(NumberedDocument(5000, "new"));
  const SnapshotSummary second = TakeNext(documents);
  EXPECT_EQ(second.stored_documents, 2U);
  EXPECT_EQ(second.removed_documents, 3U);
  EXPECT_EQ(second.documents, 998U);
  ExpectHolds(documents);
}

TEST_F(DeltaTest, ARemovedDocumentMayComeBack) {
  std::vector<Bytes> documents = Numbered(100);
  TakeFirst(documents);
  const Bytes gone = documents[40];
  documents.erase(documents.begin() + 40);
  TakeNext(documents);
  ExpectHolds(documents);
  documents.insert(documents.begin() + 40, gone);
  EXPECT_EQ(TakeNext(documents).stored_documents, 1U);
  ExpectHolds(documents);
  EXPECT_EQ(TakeNext(documents).stored_documents, 0U);
}

TEST_F(DeltaTest, AnIdOfAnotherNumericTypeIsTheSameDocumentChanged) {
  TakeFirst({NumberedDocument(1), NumberedDocument(2)});
  const std::vector<Bytes> documents{
      bson::Builder().Append("_id", 1.0).Append("text", "x").Finish(), NumberedDocument(2)};
  const SnapshotSummary second = TakeNext(documents);
  EXPECT_EQ(second.stored_documents, 1U);
  EXPECT_EQ(second.removed_documents, 0U);
  ExpectHolds(documents);
}

TEST_F(DeltaTest, EverythingMayGo) {
  TakeFirst(Numbered(300));
  EXPECT_EQ(TakeNext(std::vector<Bytes>{}).removed_documents, 300U);
  ExpectHolds({});
  EXPECT_EQ(TakeNext(Numbered(10)).stored_documents, 10U);
  ExpectHolds(Numbered(10));
}

TEST_F(DeltaTest, TheOrderOfTheSourceDoesNotMatter) {
  options_.sort_memory = KiB(64);
  options_.parallel_namespaces = 1;
  std::vector<Bytes> ordered = Numbered(5000);
  std::vector<Bytes> documents = ordered;
  Shuffle(documents);
  TakeFirst(documents);
  ordered[77] = NumberedDocument(77, "changed");
  documents = ordered;
  Shuffle(documents);
  const SnapshotSummary second = TakeNext(documents);
  EXPECT_EQ(second.stored_documents, 1U);
  ExpectHolds(ordered);
}

// A budget of design.md 11: what is stored again at 0.1 % and 1 % churn.
TEST_F(DeltaTest, StorageIsProportionalToTheChanges) {
  std::vector<Bytes> documents;
  for (std::int64_t id = 0; id < 100'000; ++id) {
    documents.push_back(NumberedDocument(id, RandomHex(random_, 60) + std::string(200, 'x')));
  }
  const std::uint64_t whole = TakeFirst(documents).stored_bytes;
  for (const auto& [every, percent] : {std::pair{1000, 0.5}, std::pair{100, 3.0}}) {
    for (std::size_t i = 3; i < documents.size(); i += static_cast<std::size_t>(every)) {
      documents[i] = WithText(documents[i], RandomHex(random_, 60) + std::string(200, 'y'));
    }
    const SnapshotSummary delta = TakeNext(documents);
    EXPECT_EQ(delta.stored_documents, documents.size() / static_cast<std::size_t>(every));
    EXPECT_LE(static_cast<double>(delta.stored_bytes), static_cast<double>(whole) * percent / 100);
  }
  ExpectHolds(documents);
}

// Counts the bytes that are read from packs.
class CountingStore final : public blob::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  std::uint64_t pack_bytes() const { return pack_bytes_; }

  Bytes GetRange(std::string_view name, std::uint64_t offset, std::size_t size) override {
    pack_bytes_ += size;
    return ForwardingStore::GetRange(name, offset, size);
  }

 private:
  std::atomic<std::uint64_t> pack_bytes_ = 0;
};

TEST_F(DeltaTest, OldDocumentsAreNotReadBack) {
  CountingStore counting(*store_);
  repository_ = repo::Repository::Open(counting, key_, nonces_);
  std::vector<Bytes> documents;
  for (std::int64_t id = 0; id < 20'000; ++id) {
    documents.push_back(NumberedDocument(id, RandomHex(random_, 200)));
  }
  const std::uint64_t whole = TakeFirst(documents).stored_bytes;
  for (std::size_t i = 0; i < documents.size(); i += 10) {
    documents[i] = WithText(documents[i], "changed");
  }
  TakeNext(documents);
  EXPECT_LT(counting.pack_bytes(), whole / 8);  // keys of each document, twice
  repository_ = repo::Repository::Open(*store_, key_, nonces_);
  ExpectHolds(documents);
}

TEST_F(DeltaTest, ADocumentShownTwiceCountsOnceInItsLastVersion) {
  const std::vector<Bytes> documents = Numbered(50);
  TakeFirst(documents);
  std::vector<Bytes> smeared = documents;
  smeared.push_back(NumberedDocument(7, "moved while it was read"));
  TakeNext(smeared);
  std::vector<Bytes> expected = documents;
  expected[7] = smeared.back();
  ExpectHolds(expected);
}

TEST_F(DeltaTest, ADocumentWithoutIdIsStoredWithAllOthers) {
  std::vector<Bytes> documents = Numbered(20);
  TakeFirst(documents);
  documents.insert(documents.begin(), bson::Builder().Append("a", 1).Finish());
  EXPECT_EQ(TakeNext(documents).stored_documents, 21U);
  ExpectHolds(documents);
  documents.push_back(NumberedDocument(100));
  EXPECT_EQ(TakeNext(documents).stored_documents, 22U);
  ExpectHolds(documents);
}

TEST_F(DeltaTest, ACappedCollectionIsStoredInItsOrder) {
  std::vector<Bytes> documents = Numbered(200);
  Shuffle(documents);
  source_.Add("db", "c", documents).capped = true;
  Take();
  EXPECT_LT(TakeNext().stored_bytes, 1000U);  // its chunks are there
  ExpectHolds(documents);
}

TEST_F(DeltaTest, ABaseOfAnotherClusterIsPassedOver) {
  TakeFirst(Numbered(30));
  options_.cluster = ClusterId::Generate(clock_.Now(), random_);
  EXPECT_EQ(TakeNext().stored_documents, 30U);
  ExpectHolds(Numbered(30));
}

TEST_F(DeltaTest, ABaseThatIsGoneIsPassedOver) {
  TakeFirst(Numbered(30));
  repository_->DeleteManifest(options_.project, options_.snapshot);
  EXPECT_EQ(TakeNext().stored_documents, 30U);
  ExpectHolds(Numbered(30));
}

TEST_F(DeltaTest, WhatHasLostAPackIsStoredWholly) {
  TakeFirst(Numbered(30));
  std::vector<std::string> packs;
  store_->List("packs/", [&packs](const std::string& name, ByteCount) { packs.push_back(name); });
  ASSERT_FALSE(packs.empty());
  store_->Delete(packs.front());
  EXPECT_EQ(TakeNext().stored_documents, 30U);
  ExpectHolds(Numbered(30));
}

TEST_F(DeltaTest, ReadsWhollyWhenTheSnapshotBeforeHasABadKeyChunk) {
  TakeFirst(Numbered(30));
  const repo::NamespaceEntry entry = Entry();
  std::string pack;
  store_->List("packs/", [&pack](const std::string& name, ByteCount) { pack = name; });
  // The pack's last chunks are lists and keys: everything after the documents is damaged.
  Bytes bytes = store_->Get(pack);
  const auto reader = repository_->NewReader(options_.project);
  const auto listed = reader->LoadList(entry.runs.at(0).key_lists.at(0));
  ASSERT_EQ(reader->LoadKeys(listed.at(0).ref).fingerprints.size(), 30U);
  store_->Delete(pack);
  for (std::size_t i = 12; i + 12 < bytes.size(); ++i) {
    bytes[i] ^= 0x40U;
  }
  store_->Put(pack, bytes);
  const SnapshotSummary second = TakeNext();
  EXPECT_EQ(second.stored_documents, 30U);
  EXPECT_EQ(second.documents, 30U);
}

std::size_t DeltaOverlap(const repo::NamespaceEntry& entry) {
  std::vector<const repo::Run*> runs;
  for (std::size_t i = entry.base_runs; i < entry.runs.size(); ++i) {
    runs.push_back(&entry.runs[i]);
  }
  return MaxOverlap(runs);
}

TEST_F(DeltaTest, ManySnapshotsKeepFewRuns) {
  std::vector<Bytes> documents = Numbered(2000);
  TakeFirst(documents);
  for (int round = 0; round < 60; ++round) {
    for (std::size_t i = 0; i < documents.size(); i += 100) {
      documents[(i + static_cast<std::size_t>(round) * 7) % documents.size()] = NumberedDocument(
          static_cast<std::int64_t>((i + static_cast<std::size_t>(round) * 7) % documents.size()),
          "round " + std::to_string(round));
    }
    TakeNext(documents);
    ASSERT_LE(DeltaOverlap(Entry()), kMaxDeltaRuns);
  }
  ExpectHolds(documents);
}

struct Mutations {
  const char* name;
  std::size_t sort_memory;
  bool shuffled;
};

class DeltaPropertyTest : public DeltaTest, public testing::WithParamInterface<Mutations> {};

// Every snapshot equals the model at its moment, also after all later ones.
TEST_P(DeltaPropertyTest, EverySnapshotEqualsTheModel) {
  options_.sort_memory = {GetParam().sort_memory};
  options_.parallel_namespaces = 1;
  options_.chunk_size = KiB(1);
  Model model;
  SeededRandom random(11);
  source_.Add("db", "c", {});
  Take();
  std::map<SnapshotId, std::vector<Bytes>> taken;
  for (int round = 0; round < 40; ++round) {
    for (std::uint64_t i = random.Next() % 150; i > 0; --i) {
      model.Put(MixedDocument(random, round));
    }
    for (std::uint64_t i = random.Next() % 30; i > 0 && model.size() > 0; --i) {
      model.Put(WithText(model.At(random.Next() % model.size()), RandomHex(random, 20)));
    }
    for (std::uint64_t i = random.Next() % 60; i > 0 && model.size() > 0; --i) {
      const Bytes victim = model.At(random.Next() % model.size());
      model.Remove(victim);
    }
    std::vector<Bytes> documents = model.InOrder();
    if (GetParam().shuffled) {
      Shuffle(documents);
    }
    TakeNext(std::move(documents));
    ASSERT_LE(DeltaOverlap(Entry()), kMaxDeltaRuns) << "round " << round;
    taken.emplace(options_.snapshot, model.InOrder());
  }
  for (const auto& [snapshot, documents] : taken) {
    options_.snapshot = snapshot;
    ExpectHolds(documents);
  }
}

INSTANTIATE_TEST_SUITE_P(Orders,
                         DeltaPropertyTest,
                         testing::Values(Mutations{"Sorted", 64U << 10, false},
                                         Mutations{"ShuffledInManyRuns", 16U << 10, true},
                                         Mutations{"ShuffledInMemory", 16U << 20, true}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace tidemark::engine
