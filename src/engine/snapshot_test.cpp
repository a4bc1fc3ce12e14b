#include "engine/snapshot.h"

#include <gmock/gmock.h>

#include "engine/internal/run_levels.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/forwarding_store.h"

namespace tidemark::engine {
namespace {

using testing::HasSubstr;

class SnapshotTest : public EngineFixture {
 protected:
  static std::vector<Bytes> Numbered(std::int64_t count) {
    std::vector<Bytes> documents;
    for (std::int64_t id = 0; id < count; ++id) {
      documents.push_back(NumberedDocument(id, std::string(100, 'x')));
    }
    return documents;
  }

  // In an order that no sort would give.
  void Shuffle(std::vector<Bytes>& documents) {
    for (std::size_t i = documents.size(); i > 1; --i) {
      std::swap(documents[i - 1], documents[shuffle_.Next() % i]);
    }
  }

  void ExpectFailure(ErrorCode code, const std::string& message) {
    try {
      Take();
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_EQ(error.message(), message);
    }
    EXPECT_TRUE(repository_->ListManifests(options_.project).empty());
  }

  SeededRandom shuffle_{9};
};

TEST_F(SnapshotTest, OrderedDocumentsBecomeOneRun) {
  options_.sort_memory = KiB(64);
  const std::vector<Bytes> documents = Numbered(20'000);
  EXPECT_EQ(RoundTrip(documents), documents);
  EXPECT_EQ(Manifest().namespaces[0].runs.size(), 1U);
}

TEST_F(SnapshotTest, ShuffledDocumentsComeOutInOrder) {
  std::vector<Bytes> documents = Numbered(5000);
  const std::vector<Bytes> ordered = documents;
  Shuffle(documents);
  EXPECT_EQ(RoundTrip(documents), ordered);
}

TEST_F(SnapshotTest, ManyOverlappingRunsOfMixedIdsAreMerged) {
  options_.sort_memory = KiB(64);
  options_.parallel_namespaces = 1;
  options_.chunk_size = KiB(4);
  SeededRandom random(5);
  std::vector<Bytes> documents;
  for (int i = 0; i < 20'000; ++i) {
    documents.push_back(MixedDocument(random, i));
  }
  std::vector<Bytes> ordered = documents;
  std::ranges::sort(ordered, IdLess);
  EXPECT_EQ(RoundTrip(documents), ordered);
  const std::size_t runs = Manifest().namespaces[0].runs.size();
  EXPECT_GT(runs, 1U);
  EXPECT_LT(runs, kMaxOpenRuns);
}

TEST_F(SnapshotTest, NearlySortedDocumentsAreNotRewritten) {
  options_.sort_memory = KiB(64);
  options_.parallel_namespaces = 1;
  std::vector<Bytes> documents = Numbered(40'000);
  const std::vector<Bytes> ordered = documents;
  for (auto block = documents.begin(); block != documents.end(); block += 50) {
    std::reverse(block, block + 50);
  }
  EXPECT_EQ(RoundTrip(documents), ordered);
  EXPECT_GT(Manifest().namespaces[0].runs.size(), kMaxOpenRuns);
}

TEST_F(SnapshotTest, LaterVersionWinsAcrossRuns) {
  options_.sort_memory = KiB(64);
  std::vector<Bytes> documents;
  std::vector<Bytes> expected;
  for (std::int64_t id = 0; id < 5000; ++id) {
    documents.push_back(NumberedDocument(id, "old" + std::string(60, 'o')));
    expected.push_back(NumberedDocument(id, "new" + std::string(60, 'n')));
  }
  Shuffle(documents);
  documents.insert(documents.end(), expected.begin(), expected.end());
  EXPECT_EQ(RoundTrip(documents), expected);
}

TEST_F(SnapshotTest, DocumentsWithoutIdAreAllKept) {
  options_.sort_memory = KiB(4);
  std::vector<Bytes> documents = Numbered(200);
  const Bytes nameless = bson::Builder().Append("a", 1).Finish();
  std::vector<Bytes> expected = documents;
  for (int i = 0; i < 50; ++i) {
    documents.push_back(nameless);
    expected.insert(expected.begin(), nameless);
  }
  Shuffle(documents);
  EXPECT_EQ(RoundTrip(documents), expected);
}

TEST_F(SnapshotTest, CappedCollectionKeepsItsOrder) {
  std::vector<Bytes> documents = Numbered(3000);
  Shuffle(documents);
  source_.Add("db", "log", documents).capped = true;
  Take();
  const repo::Manifest manifest = Manifest();
  EXPECT_EQ(Read(manifest.namespaces[0]), documents);
  ExpectCounts(manifest.namespaces[0], documents);
  EXPECT_TRUE(manifest.namespaces[0].runs.at(0).natural_order);
}

TEST_F(SnapshotTest, KeepsEmptyCollectionsViewsAndDatabases) {
  source_.Add("db", "empty", {});
  source_.Add("db", "view", Numbered(1)).kind = repo::NamespaceKind::kView;
  source_.catalog().databases = {"db", "bare"};
  const SnapshotSummary summary = Take();
  const repo::Manifest manifest = Manifest();
  ASSERT_EQ(manifest.namespaces.size(), 2U);
  EXPECT_TRUE(manifest.namespaces[0].runs.empty());
  EXPECT_TRUE(manifest.namespaces[1].runs.empty());
  EXPECT_EQ(manifest.namespaces[1].kind, repo::NamespaceKind::kView);
  EXPECT_EQ(manifest.empty_databases, std::vector<std::string>{"bare"});
  EXPECT_EQ(summary.collections, 1U);
  EXPECT_EQ(summary.documents, 0U);
}

TEST_F(SnapshotTest, AnEmptySourceIsASnapshot) {
  EXPECT_EQ(Take().collections, 0U);
  EXPECT_TRUE(Manifest().namespaces.empty());
}

TEST_F(SnapshotTest, LargeDocumentsAreChunksOfTheirOwn) {
  options_.sort_memory = MiB(1);
  const std::string large(15U << 20, 'l');
  std::vector<Bytes> expected;
  for (std::int64_t id = 0; id < 5; ++id) {
    expected.push_back(NumberedDocument(id, id % 2 == 0 ? large : "small"));
  }
  EXPECT_EQ(RoundTrip({expected[4], expected[1], expected[3], expected[0], expected[2]}), expected);
}

TEST_F(SnapshotTest, SummaryAndManifestSayWhatWasTaken) {
  source_.Add("db", "c", Numbered(100));
  source_.Add("other", "c", Numbered(50));
  source_.catalog().mongodb_version = "7.0.14";
  source_.catalog().has_oplog = true;
  source_.catalog().position_seconds = 17;
  source_.catalog().position_increment = 3;
  const SnapshotSummary summary = Take();
  EXPECT_EQ(summary.mongodb_version, "7.0.14");
  EXPECT_FALSE(summary.consistent);
  EXPECT_EQ(summary.inconsistent_reason,
            "oplog replay is not implemented yet: documents were read between "
            "2023-11-14T22:13:20Z and 2023-11-14T22:13:20Z while writes went on");
  EXPECT_EQ(summary.position, (domain::OplogPosition{.seconds = 17, .increment = 3}));
  EXPECT_EQ(summary.collections, 2U);
  EXPECT_EQ(summary.documents, 150U);
  EXPECT_EQ(summary.logical_bytes, 150 * NumberedDocument(0, std::string(100, 'x')).size());
  EXPECT_GT(summary.stored_bytes, 0U);
  EXPECT_EQ(Manifest().inconsistent_reason, summary.inconsistent_reason);
}

TEST_F(SnapshotTest, WithoutOplogTheReasonSaysSo) {
  EXPECT_EQ(Take().inconsistent_reason, "the source has no oplog (standalone)");
}

TEST_F(SnapshotTest, ProgressEndsWithTheTotals) {
  source_.Add("db", "c", Numbered(100));
  Take();
  const Progress progress = LastProgress();
  EXPECT_EQ(progress.phase, "reading");
  EXPECT_EQ(progress.documents_done, 100U);
  EXPECT_EQ(progress.documents_total, 100U);
  EXPECT_EQ(progress.collections_done, 1U);
  EXPECT_EQ(progress.collections_total, 1U);
}

TEST_F(SnapshotTest, CancelledSnapshotLeavesNoManifest) {
  source_.Add("db", "c", Numbered(5000));
  source_.SetHook([this](std::size_t visited) {
    if (visited == 3000) {
      stop_.request_stop();
    }
  });
  ExpectFailure(ErrorCode::kCancelled, "snapshot " + options_.snapshot.ToString() + ": cancelled");
}

TEST_F(SnapshotTest, LostSourceLeavesNoManifest) {
  source_.Add("db", "c", Numbered(5000));
  source_.SetHook([](std::size_t visited) {
    if (visited == 3000) {
      throw Error(ErrorCode::kUnavailable, "next batch: connection reset");
    }
  });
  ExpectFailure(ErrorCode::kUnavailable,
                "6 attempts, the last: reading db.c: next batch: connection reset");
}

TEST_F(SnapshotTest, MalformedDocumentIsNotStored) {
  source_.Add("db", "c", {Bytes{1, 2, 3}});
  ExpectFailure(ErrorCode::kCorrupt,
                "reading db.c: reading BSON: 3 bytes are too few for a document");
}

TEST_F(SnapshotTest, RefusesOptionsThatCannotWork) {
  options_.chunk_size = MiB(17);
  ExpectFailure(ErrorCode::kInvalidArgument, "taking a snapshot: chunk_size is above 16 MiB");
}

// Stores nothing any more once the first pack is due.
class FullStore final : public blob::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  void Put(std::string_view name, ByteView bytes) override {
    if (name.starts_with("packs/")) {
      throw Error(ErrorCode::kResourceExhausted, "writing a pack: disk full");
    }
    ForwardingStore::Put(name, bytes);
  }
};

TEST_F(SnapshotTest, FullStoreStopsEveryThreadAndIsWhatIsReported) {
  FullStore full(*store_);
  repository_ = repo::Repository::Open(full, key_, nonces_);
  std::vector<Bytes> documents;
  for (std::int64_t id = 0; id < 40; ++id) {
    documents.push_back(NumberedDocument(id, RandomHex(random_, 512U << 10)));
  }
  for (const char* name : {"a", "b", "c"}) {
    source_.Add("db", name, documents);
  }
  EXPECT_THROW(
      {
        try {
          Take();
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
          EXPECT_THAT(std::string(error.message()), HasSubstr("disk full"));
          throw;
        }
      },
      Error);
  EXPECT_TRUE(repository_->ListManifests(options_.project).empty());
}

}  // namespace
}  // namespace tidemark::engine
