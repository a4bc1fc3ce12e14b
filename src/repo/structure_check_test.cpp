#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repo/internal/index_segment.h"
#include "repo/maintenance.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::repo {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr WriterOptions kSmallPacks{.pack_size = KiB(4)};

class StructureCheckTest : public RepositoryFixture {
 protected:
  StructureCheck Check() { return OpenRepository()->OpenMaintenance(project_)->CheckStructure({}); }

  std::vector<Finding> Findings() { return Check().findings.findings(); }

  // Whether one finding at least says that.
  testing::AssertionResult Finds(std::string_view text) {
    const std::vector<Finding> findings = Findings();
    std::string all;
    for (const Finding& finding : findings) {
      if (finding.message.find(text) != std::string::npos) {
        return testing::AssertionSuccess();
      }
      all += "\n  " + finding.message;
    }
    return testing::AssertionFailure() << "not found: " << text << "; but" << all;
  }

  void Flip(const std::string& name, std::size_t at) {
    Bytes bad = store_->Get(name);
    bad.at(at) ^= 1;
    Replace(name, bad);
  }

  ChunkRef ListOf(const SnapshotId& snapshot) {
    return repository_->LoadManifest(project_, snapshot).namespaces[0].runs[0].lists[0];
  }
};

TEST_F(StructureCheckTest, FindsNothingInAWholeRepository) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  CommitSnapshot(*repository_, project_, second_, TestChunks(11, 20), kSmallPacks);
  const StructureCheck check = Check();
  EXPECT_THAT(check.findings.findings(), IsEmpty());
  EXPECT_EQ(check.snapshots, 2U);
  EXPECT_EQ(check.chunks, 32U);
  EXPECT_EQ(check.segments, 2U);
  EXPECT_EQ(check.packs, BlobNames("packs/").size());
}

TEST_F(StructureCheckTest, FindsNothingBesideACondemnation) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  CommitSnapshot(*repository_, project_, second_, TestChunks(11, 5), kSmallPacks);
  const auto reader = repository_->NewReader(project_);
  repository_->DeleteManifest(project_, first_);
  repository_->OpenMaintenance(project_)->Collect({}, {});
  ASSERT_THAT(BlobNames("waits/"), SizeIs(1));
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(StructureCheckTest, NamesTheRangeOfChunksInALostPack) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  const auto reader = repository_->NewReader(project_);
  const auto listed = reader->LoadList(ListOf(first_));
  // The pack of chunk 6, which is not the one that holds the list.
  for (const std::string& name : BlobNames("packs/")) {
    const Bytes pack = store_->Get(name);
    store_->Delete(name);
    const std::vector<Finding> findings = Findings();
    store_->Put(name, pack);
    ASSERT_FALSE(findings.empty()) << name;
    for (const Finding& finding : findings) {
      ASSERT_TRUE(finding.snapshot.has_value());
      EXPECT_EQ(finding.snapshot, first_);
      EXPECT_EQ(finding.name_space, "db.c");
      EXPECT_EQ(finding.run, 1U);
      EXPECT_THAT(finding.message, HasSubstr(": it is in no pack"));
      const auto at = std::ranges::find(
          listed, finding.first_id, [](const auto& chunk) { return chunk.first_id; });
      if (at == listed.end()) {
        EXPECT_THAT(finding.message, StartsWith("reading list chunk "));
        continue;
      }
      const bool last = at + 1 == listed.end();
      EXPECT_EQ(finding.end_id, last ? Bytes() : (at + 1)->first_id);
    }
  }
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(StructureCheckTest, FindsAFlippedBitInEveryKindOfBlob) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 2));
  for (const std::string prefix : {"index/", "manifests/"}) {
    const std::string name = BlobNames(prefix).at(0);
    const Bytes good = store_->Get(name);
    for (std::size_t at = 0; at < good.size(); at += 7) {
      Flip(name, at);
      EXPECT_FALSE(Findings().empty()) << name << " byte " << at;
      Replace(name, good);
    }
  }
}

TEST_F(StructureCheckTest, FindsDamageOfAPackOutsideItsDataChunks) {
  const auto writer = repository_->NewSnapshot(project_, {});
  CommitSnapshot(*writer, project_, first_, TestChunks(1, 1));
  const std::string name = BlobNames("packs/").at(0);
  const std::size_t size = store_->Get(name).size();
  const std::size_t list_at = 12 + 1000 + 28 + 13;  // the data chunk does not compress
  for (std::size_t at = 0; at < size; at = at == 11 ? list_at : at + 1) {
    Flip(name, at);
    EXPECT_FALSE(Findings().empty()) << "byte " << at;
    Flip(name, at);
  }
}

TEST_F(StructureCheckTest, FindsEveryKindOfBlobTruncated) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 2));
  for (const std::string prefix : {"packs/", "index/", "manifests/"}) {
    const std::string name = BlobNames(prefix).at(0);
    const Bytes good = store_->Get(name);
    for (const std::size_t size : {std::size_t{0}, std::size_t{13}, good.size() - 1}) {
      Replace(name, ByteView(good).first(size));
      EXPECT_FALSE(Findings().empty()) << name << " cut to " << size;
    }
    Replace(name, good);
  }
}

TEST_F(StructureCheckTest, FindsEveryKindOfBlobDeleted) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 2));
  for (const std::string prefix : {"packs/", "index/"}) {
    const std::string name = BlobNames(prefix).at(0);
    const Bytes good = store_->Get(name);
    store_->Delete(name);
    EXPECT_TRUE(Finds(": it is in no pack"));
    store_->Put(name, good);
  }
}

TEST_F(StructureCheckTest, FindsSwappedBlobsOfEachKind) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 2));
  CommitSnapshot(*repository_, project_, second_, TestChunks(3, 2));
  for (const std::string prefix : {"packs/", "index/", "manifests/"}) {
    const std::vector<std::string> names = BlobNames(prefix);
    const Bytes a = store_->Get(names[0]);
    const Bytes b = store_->Get(names[1]);
    Replace(names[0], b);
    Replace(names[1], a);
    EXPECT_GE(Findings().size(), 2U) << prefix;
    Replace(names[0], a);
    Replace(names[1], b);
  }
}

TEST_F(StructureCheckTest, NamesTheSnapshotWhoseManifestIsDamaged) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 2));
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 2));
  Flip("manifests/" + project_.ToString() + "/" + second_.ToString(), 40);
  const std::vector<Finding> findings = Findings();
  ASSERT_THAT(findings, SizeIs(1));
  EXPECT_EQ(findings[0].snapshot, second_);
  EXPECT_EQ(findings[0].name_space, "");
}

TEST_F(StructureCheckTest, TellsEverySnapshotThatSharesADamagedChunk) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 8), kSmallPacks);
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 9), kSmallPacks);
  const std::vector<std::string> packs = BlobNames("packs/");
  std::size_t both = 0;
  for (const std::string& name : packs) {
    const Bytes pack = store_->Get(name);
    store_->Delete(name);
    std::set<SnapshotId> snapshots;
    for (const Finding& finding : Findings()) {
      snapshots.insert(finding.snapshot.value_or(SnapshotId()));
    }
    both += snapshots.size() == 2 ? 1 : 0;
    store_->Put(name, pack);
  }
  EXPECT_GE(both, 2U);
}

// Only a writer with a bug makes such: the segment is sealed like any other.
TEST_F(StructureCheckTest, FindsAnIndexThatDisagreesWithTheFooters) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 8));
  const ProjectKeys keys(
      project_, DecodeProjectKey(master_, project_, store_->Get("keys/" + project_.ToString())));
  const std::string name = BlobNames("index/").at(0);
  const auto bytes = ParseRandomId(name);
  ASSERT_TRUE(bytes.has_value());
  const SegmentId id{bytes.value_or(SegmentId().bytes)};
  IndexSegment segment = OpenIndexSegment(keys, id, store_->Get(name));
  segment.entries[3].slot.offset += 1;
  Replace(name, SealIndexSegment(keys, id, segment, random_));
  EXPECT_TRUE(Finds(": 1 chunks of the index are not in its footer"));
  segment.entries[3].slot.plain_size += 1;
  Replace(name, SealIndexSegment(keys, id, segment, random_));
  EXPECT_TRUE(Finds(": the index and its list differ in its size"));
  segment.entries[3].slot.plain_size -= 1;
  segment.entries[3].slot.stored_size = MiB(1).value;
  Replace(name, SealIndexSegment(keys, id, segment, random_));
  EXPECT_TRUE(Finds(" ends before it does"));
}

TEST_F(StructureCheckTest, FindsARunThatHoldsOtherCountsThanItsLists) {
  const auto writer = repository_->NewSnapshot(project_, {});
  Manifest manifest;
  manifest.snapshot = first_;
  manifest.project = project_;
  const ChunkRef list = writer->StoreList({{writer->Store(TestChunk(1)), TestFirstId(1)}});
  ChunkRef wrong = list;
  wrong.documents = 5;
  manifest.namespaces.push_back(
      {.database = "db", .collection = "c", .runs = {{.documents = 4, .lists = {wrong}}}});
  writer->Commit(manifest);
  EXPECT_TRUE(Finds("it does not list as many documents as the manifest says"));
  EXPECT_TRUE(Finds("reading the manifest: its lists hold 5 documents, the run is said to hold 4"));
}

TEST_F(StructureCheckTest, FindsKeyListsThatAreLost) {
  const auto writer = repository_->NewSnapshot(project_, {});
  const KeyBlock block{{7}, TestFirstId(1)};
  const ChunkRef keys = writer->StoreList({{writer->StoreKeys(block), TestFirstId(1)}});
  Manifest manifest;
  manifest.snapshot = first_;
  manifest.project = project_;
  manifest.namespaces.push_back(
      {.database = "db", .collection = "c", .runs = {{.key_lists = {keys}}}});
  writer->Commit(manifest);
  EXPECT_THAT(Findings(), IsEmpty());
  store_->Delete(BlobNames("packs/").at(0));
  EXPECT_TRUE(Finds(": it is in no pack"));
}

TEST_F(StructureCheckTest, CountsWhatItDoesNotList) {
  FindingList list;
  for (std::size_t i = 0; i < FindingList::kMax + 5; ++i) {
    list.Add({.message = std::to_string(i)});
  }
  EXPECT_THAT(list.findings(), SizeIs(FindingList::kMax));
  EXPECT_EQ(list.total(), FindingList::kMax + 5);
}

TEST_F(StructureCheckTest, StopsWhenAskedTo) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  std::stop_source stop;
  stop.request_stop();
  const Failure failure =
      FailureOf([&] { repository_->OpenMaintenance(project_)->CheckStructure(stop.get_token()); });
  EXPECT_EQ(failure.code, ErrorCode::kCancelled);
  EXPECT_EQ(failure.message, "checking the repository: cancelled");
}

}  // namespace
}  // namespace tidemark::repo
