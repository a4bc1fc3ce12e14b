#include "engine/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/engine_fixture.h"

namespace tidemark::engine {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class CheckTest : public EngineFixture {
 protected:
  CheckTest() {
    options_.chunk_size = ByteCount{2000};
    options_.encode_threads = 1;  // chunks in order
  }

  CheckReport Check(double percent) {
    return CheckRepository(*repo::Repository::Open(*store_, key_, nonces_),
                           options_.project,
                           {.read_percent = percent},
                           random_,
                           Context());
  }

  static std::vector<std::string> Texts(const CheckReport& report) {
    std::vector<std::string> texts;
    for (const repo::Finding& finding : report.findings.findings()) {
      texts.push_back(FormatFinding(finding));
    }
    return texts;
  }

  void TakeNumbered(std::int64_t count) {
    std::vector<Bytes> documents;
    for (std::int64_t id = 0; id < count; ++id) {
      documents.push_back(NumberedDocument(id, RandomHex(random_, 100)));
    }
    source_.Add("db", "c", std::move(documents));
    Take();
  }

  std::vector<std::string> BlobNames(std::string_view prefix) {
    std::vector<std::string> names;
    store_->List(prefix, [&](const std::string& name, ByteCount) { names.push_back(name); });
    return names;
  }

  void Flip(const std::string& name, std::size_t at) {
    Bytes bytes = store_->Get(name);
    bytes.at(at) ^= 1;
    store_->Delete(name);
    store_->Put(name, bytes);
  }

  // Commits a snapshot of one namespace "db.c" made by hand.
  void Commit(repo::SnapshotWriter& writer, const repo::NamespaceEntry& entry) {
    repo::Manifest manifest;
    manifest.snapshot = options_.snapshot;
    manifest.project = options_.project;
    manifest.namespaces.push_back(entry);
    writer.Commit(manifest);
  }

  static Bytes IdOf(std::int64_t id) { return bson::Builder().Append("", id).Finish(); }

  struct HandMade {
    std::vector<std::int64_t> ids;
    std::int64_t first_id = 0;
    std::int64_t last_id = 0;
    std::uint32_t documents = 0;
  };

  // One chunk, described as `made` says; returns what a full check finds.
  std::vector<std::string> FindingsOf(const HandMade& made) {
    const auto writer = repository_->NewSnapshot(options_.project, {});
    repo::NamespaceEntry entry{.database = "db", .collection = "c"};
    Bytes plain;
    for (const std::int64_t id : made.ids) {
      const Bytes document = NumberedDocument(id);
      plain.insert(plain.end(), document.begin(), document.end());
      entry.digest.Add(document);
    }
    repo::Run& run = entry.runs.emplace_back();
    run.documents = made.documents;
    run.first_id = IdOf(made.first_id);
    run.last_id = IdOf(made.last_id);
    repo::ChunkRef chunk = writer->Store(plain);
    chunk.documents = made.documents;
    run.lists.push_back(writer->StoreList({{chunk, IdOf(made.first_id)}}));
    Commit(*writer, entry);
    return Texts(Check(100));
  }
};

TEST_F(CheckTest, FindsNothingInAWholeSnapshot) {
  TakeNumbered(300);
  const CheckReport structure = Check(0);
  EXPECT_THAT(Texts(structure), IsEmpty());
  EXPECT_EQ(structure.snapshots, 1U);
  EXPECT_EQ(structure.chunks_read, 0U);
  const CheckReport data = Check(100);
  EXPECT_THAT(Texts(data), IsEmpty());
  EXPECT_GT(data.chunks_read, 10U);
  EXPECT_EQ(data.namespaces_compared, 1U);
  EXPECT_EQ(LastProgress().phase, "reading");
  EXPECT_EQ(LastProgress().bytes_done, data.bytes_read.value);
}

TEST_F(CheckTest, ReadsEqualNamespacesOfSeveralSnapshotsOnce) {
  TakeNumbered(300);
  const CheckReport one = Check(100);
  options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
  Take();
  const CheckReport two = Check(100);
  EXPECT_EQ(two.snapshots, 2U);
  EXPECT_EQ(two.chunks_read, one.chunks_read);
  EXPECT_EQ(two.namespaces_compared, 1U);
}

TEST_F(CheckTest, ReadsAShareOfTheChunks) {
  TakeNumbered(3000);
  const std::uint64_t all = Check(100).chunks_read;
  const CheckReport some = Check(20);
  EXPECT_GT(some.chunks_read, all / 10);
  EXPECT_LT(some.chunks_read, all / 3);
  EXPECT_EQ(some.namespaces_compared, 0U);
  EXPECT_THAT(Texts(some), IsEmpty());
}

TEST_F(CheckTest, RefusesAShareThatIsNoPercentage) {
  for (const double percent : {-1.0, 100.5, std::numeric_limits<double>::quiet_NaN()}) {
    try {
      Check(percent);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    }
  }
}

TEST_F(CheckTest, StopsWhenAskedTo) {
  TakeNumbered(30);
  stop_.request_stop();
  try {
    Check(100);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "checking the repository: cancelled");
  }
}

// Each flipped byte of a pack is found, with snapshot, namespace and the range it lies in.
TEST_F(CheckTest, NamesTheRangeOfADamagedChunk) {
  TakeNumbered(100);
  const std::string pack = BlobNames("packs/").at(0);
  Flip(pack, 100);  // in the first chunk
  const CheckReport report = Check(100);
  ASSERT_THAT(report.findings.findings(), SizeIs(1));
  const repo::Finding& finding = report.findings.findings()[0];
  EXPECT_EQ(finding.snapshot, options_.snapshot);
  EXPECT_EQ(finding.name_space, "db.c");
  EXPECT_EQ(IdText(finding.first_id), R"({ "_id" : { "$numberLong" : "0" } })");
  const std::string text = FormatFinding(finding);
  EXPECT_THAT(text, HasSubstr("snapshot " + options_.snapshot.ToString() + " db.c run 1 from { "));
  EXPECT_THAT(text, HasSubstr(R"( to before { "_id" : { "$numberLong" : ")"));
  EXPECT_THAT(text, HasSubstr("reading data chunk "));
  EXPECT_EQ(report.namespaces_compared, 0U);
  EXPECT_THAT(Texts(Check(0)), IsEmpty());  // the structure says nothing about a chunk's bytes
}

TEST_F(CheckTest, FindsEveryFlippedByteOfAPack) {
  TakeNumbered(40);
  const std::string pack = BlobNames("packs/").at(0);
  const std::size_t size = store_->Get(pack).size();
  for (std::size_t at = 0; at < size; at += 13) {
    Flip(pack, at);
    EXPECT_FALSE(Texts(Check(100)).empty()) << "byte " << at;
    Flip(pack, at);
  }
  EXPECT_THAT(Texts(Check(100)), IsEmpty());
}

TEST_F(CheckTest, GoesOnBehindALostPack) {
  TakeNumbered(100);
  const Bytes other = NumberedDocument(7);
  source_.Add("db", "other", {other});
  options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
  const std::vector<std::string> before = BlobNames("packs/");
  Take();
  store_->Delete(before.at(0));
  const CheckReport report = Check(100);
  EXPECT_EQ(report.findings.total(), 4U);     // both snapshots need the two lists of db.c
  EXPECT_EQ(report.namespaces_compared, 1U);  // db.other
}

TEST_F(CheckTest, FindsACountThatIsWrong) {
  EXPECT_THAT(FindingsOf({.ids = {1, 2}, .first_id = 1, .last_id = 2, .documents = 3}),
              testing::ElementsAre(HasSubstr("holds 2 documents, listed with 3")));
}

TEST_F(CheckTest, FindsDocumentsOutOfOrder) {
  EXPECT_THAT(FindingsOf({.ids = {1, 3, 2}, .first_id = 1, .last_id = 2, .documents = 3}),
              testing::ElementsAre(HasSubstr("its documents are not in order of _id")));
}

TEST_F(CheckTest, FindsADocumentThatIsThereTwice) {
  EXPECT_THAT(FindingsOf({.ids = {1, 1}, .first_id = 1, .last_id = 1, .documents = 2}),
              testing::ElementsAre(HasSubstr("its documents are not in order of _id")));
}

TEST_F(CheckTest, FindsAWrongFirstId) {
  EXPECT_THAT(FindingsOf({.ids = {1, 2}, .first_id = 0, .last_id = 2, .documents = 2}),
              testing::ElementsAre(HasSubstr("its first _id is not the one it is listed with")));
}

TEST_F(CheckTest, FindsAWrongLastId) {
  EXPECT_THAT(
      FindingsOf({.ids = {1, 2}, .first_id = 1, .last_id = 3, .documents = 2}),
      testing::ElementsAre(HasSubstr("its last _id is not the one that the manifest names")));
}

TEST_F(CheckTest, FindsAnotherDigest) {
  const auto writer = repository_->NewSnapshot(options_.project, {});
  const Bytes document = NumberedDocument(1);
  repo::NamespaceEntry entry{.database = "db", .collection = "c"};
  entry.digest.Add(NumberedDocument(2));
  repo::Run run{.documents = 1, .first_id = IdOf(1), .last_id = IdOf(1)};
  run.lists.push_back(writer->StoreList({{writer->Store(document), IdOf(1)}}));
  entry.runs = {run};
  Commit(*writer, entry);
  EXPECT_THAT(Texts(Check(100)),
              testing::ElementsAre("snapshot " + options_.snapshot.ToString() +
                                   " db.c: comparing with the manifest: its documents have another "
                                   "digest"));
}

TEST_F(CheckTest, ComparesTheMergedDocumentsOfSeveralRuns) {
  const auto writer = repository_->NewSnapshot(options_.project, {});
  repo::NamespaceEntry entry{.database = "db", .collection = "c"};
  for (const std::string text : {"old", "new"}) {
    const Bytes document = NumberedDocument(1, text);
    repo::Run run{.documents = 1, .first_id = IdOf(1), .last_id = IdOf(1)};
    run.lists.push_back(writer->StoreList({{writer->Store(document), IdOf(1)}}));
    entry.runs.push_back(run);
  }
  entry.digest.Add(NumberedDocument(1, "new"));
  Commit(*writer, entry);
  const CheckReport report = Check(100);
  EXPECT_THAT(Texts(report), IsEmpty());
  EXPECT_EQ(report.namespaces_compared, 1U);
}

TEST_F(CheckTest, ReadsKeyChunks) {
  const auto writer = repository_->NewSnapshot(options_.project, {});
  repo::NamespaceEntry entry{.database = "db", .collection = "c"};
  const Bytes document = NumberedDocument(1);
  entry.digest.Add(document);
  repo::Run run{.documents = 1, .first_id = IdOf(1), .last_id = IdOf(1)};
  run.lists.push_back(writer->StoreList({{writer->Store(document), IdOf(1)}}));
  repo::ChunkRef keys = writer->StoreKeys({{7}, IdOf(1)});
  keys.documents = 2;
  run.key_lists.push_back(writer->StoreList({{keys, IdOf(1)}}));
  entry.runs = {run};
  Commit(*writer, entry);
  EXPECT_THAT(Texts(Check(100)), testing::ElementsAre(HasSubstr("holds 1 keys, listed with 2")));
}

TEST_F(CheckTest, ChecksCappedCollectionsInTheirOwnOrder) {
  source_.Add("db", "capped", {NumberedDocument(5), NumberedDocument(1)}).capped = true;
  Take();
  EXPECT_THAT(Texts(Check(100)), IsEmpty());
  EXPECT_EQ(Check(100).namespaces_compared, 1U);
}

TEST(FormatFinding, SaysOnlyWhatIsKnown) {
  EXPECT_EQ(FormatFinding({.message = "pack aa: damaged"}), "pack aa: damaged");
  EXPECT_EQ(
      FormatFinding({.name_space = "db.c", .end_id = bson::Builder().Finish(), .message = "x"}),
      "db.c from its start to before { }: x");
}

}  // namespace
}  // namespace tidemark::engine
