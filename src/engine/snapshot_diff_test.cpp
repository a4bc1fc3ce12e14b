#include "engine/snapshot_diff.h"

#include <map>
#include <set>

#include <gmock/gmock.h>

#include "tests/support/engine_fixture.h"

namespace tidemark::engine {
namespace {

using testing::ElementsAre;

class SnapshotDiffTest : public EngineFixture {
 protected:
  SnapshotDiffTest() { source_.Add("db", "c", {}); }

  // Takes a snapshot on top of the one before.
  SnapshotId TakeOf(std::vector<Bytes> documents) {
    source_.Replace("db", "c", std::move(documents));
    options_.base = options_.snapshot;
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    Take();
    return options_.snapshot;
  }

  std::vector<NamespaceDiff> Diff(const SnapshotId& before, const SnapshotId& after) {
    const auto reader = repository_->NewReader(options_.project);
    seen_.clear();
    diff_options_.visit = [this](const DocumentDiff& diff) {
      seen_.emplace_back(Bytes(diff.before.begin(), diff.before.end()),
                         Bytes(diff.after.begin(), diff.after.end()));
    };
    return DiffSnapshots(*reader,
                         repository_->LoadManifest(options_.project, before),
                         repository_->LoadManifest(options_.project, after),
                         diff_options_,
                         stop_.get_token());
  }

  DiffOptions diff_options_;
  std::vector<std::pair<Bytes, Bytes>> seen_;
};

TEST_F(SnapshotDiffTest, EqualSnapshotsDoNotDiffer) {
  const std::vector<Bytes> documents{NumberedDocument(1), NumberedDocument(2)};
  const SnapshotId first = TakeOf(documents);
  EXPECT_TRUE(Diff(first, TakeOf(documents)).empty());
  EXPECT_TRUE(Diff(first, first).empty());
}

TEST_F(SnapshotDiffTest, TellsAddedRemovedAndChangedDocuments) {
  const SnapshotId first =
      TakeOf({NumberedDocument(1), NumberedDocument(2, "old"), NumberedDocument(3)});
  const SnapshotId second =
      TakeOf({NumberedDocument(2, "new"), NumberedDocument(3), NumberedDocument(4)});
  const auto diffs = Diff(first, second);
  ASSERT_EQ(diffs.size(), 1U);
  EXPECT_EQ(diffs[0].database + "." + diffs[0].collection, "db.c");
  EXPECT_EQ(diffs[0].added, 1U);
  EXPECT_EQ(diffs[0].removed, 1U);
  EXPECT_EQ(diffs[0].changed, 1U);
  EXPECT_THAT(seen_,
              ElementsAre(std::pair(NumberedDocument(1), Bytes()),
                          std::pair(NumberedDocument(2, "old"), NumberedDocument(2, "new")),
                          std::pair(Bytes(), NumberedDocument(4))));
}

TEST_F(SnapshotDiffTest, WorksBackwards) {
  const SnapshotId first = TakeOf({NumberedDocument(1)});
  const SnapshotId second = TakeOf({NumberedDocument(1), NumberedDocument(2)});
  const auto diffs = Diff(second, first);
  ASSERT_EQ(diffs.size(), 1U);
  EXPECT_EQ(diffs[0].removed, 1U);
  EXPECT_EQ(diffs[0].added, 0U);
}

TEST_F(SnapshotDiffTest, TellsOptionsIndexesAndNamespaces) {
  const SnapshotId first = TakeOf({});
  source_.catalog().namespaces[0].options = bson::Builder().Append("capped", false).Finish();
  source_.catalog().namespaces[0].indexes = {bson::Builder().Append("v", 2).Finish()};
  source_.Add("db", "new", {NumberedDocument(7)});
  const SnapshotId second = TakeOf({});
  const auto diffs = Diff(first, second);
  ASSERT_EQ(diffs.size(), 2U);
  EXPECT_TRUE(diffs[0].options_differ);
  EXPECT_TRUE(diffs[0].indexes_differ);
  EXPECT_FALSE(diffs[0].documents_differ);
  EXPECT_EQ(diffs[1].collection, "new");
  EXPECT_FALSE(diffs[1].in_before);
  EXPECT_TRUE(diffs[1].in_after);
  EXPECT_EQ(diffs[1].added, 1U);
}

TEST_F(SnapshotDiffTest, MayBeAskedForOneNamespace) {
  const SnapshotId first = TakeOf({NumberedDocument(1)});
  const SnapshotId second = TakeOf({NumberedDocument(2)});
  for (const auto& [only, found] :
       {std::pair("db", 1U), {"db.c", 1U}, {"db.other", 0U}, {"d", 0U}}) {
    diff_options_.only = only;
    EXPECT_EQ(Diff(first, second).size(), found) << only;
  }
}

TEST_F(SnapshotDiffTest, OfACappedCollectionTellsOnlyThatItDiffers) {
  source_.catalog().namespaces[0].capped = true;
  const SnapshotId first = TakeOf({NumberedDocument(1)});
  const SnapshotId second = TakeOf({NumberedDocument(1), NumberedDocument(2)});
  const auto diffs = Diff(first, second);
  ASSERT_EQ(diffs.size(), 1U);
  EXPECT_FALSE(diffs[0].by_document);
  EXPECT_TRUE(diffs[0].documents_differ);
  EXPECT_TRUE(seen_.empty());
}

// Any two of a row of snapshots, against what their documents say.
TEST_F(SnapshotDiffTest, EqualsTheDifferenceOfTheDocuments) {
  options_.chunk_size = KiB(1);
  SeededRandom random(3);
  std::map<std::int64_t, Bytes> model;
  std::vector<std::pair<SnapshotId, std::map<std::int64_t, Bytes>>> taken;
  for (int round = 0; round < 25; ++round) {
    for (int i = 0; i < 60; ++i) {
      const auto id = static_cast<std::int64_t>(random.Next() % 600);
      if (random.Next() % 4 == 0) {
        model.erase(id);
      } else {
        model[id] = NumberedDocument(id, RandomHex(random, 10));
      }
    }
    std::vector<Bytes> documents;
    for (const auto& [id, document] : model) {
      documents.push_back(document);
    }
    taken.emplace_back(TakeOf(std::move(documents)), model);
  }
  for (int i = 0; i < 60; ++i) {
    const auto& [before_id, before] = taken[random.Next() % taken.size()];
    const auto& [after_id, after] = taken[random.Next() % taken.size()];
    std::vector<std::pair<Bytes, Bytes>> expected;
    for (std::int64_t id = 0; id < 600; ++id) {
      const auto old = before.find(id);
      const auto now = after.find(id);
      const Bytes a = old == before.end() ? Bytes() : old->second;
      const Bytes b = now == after.end() ? Bytes() : now->second;
      if (a != b) {
        expected.emplace_back(a, b);
      }
    }
    Diff(before_id, after_id);
    ASSERT_EQ(seen_, expected);
  }
}

}  // namespace
}  // namespace tidemark::engine
