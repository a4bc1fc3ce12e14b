#include "repo/repository.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mutex.h"
#include "tests/fault/faulty_blob_store.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::repo {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr WriterOptions kSmallPacks{.pack_size = KiB(4)};

class RepositoryTest : public RepositoryFixture {};

TEST_F(RepositoryTest, ReadsBackWhatWasStored) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20), kSmallPacks);
  EXPECT_EQ(ReadSnapshot(*repository_, project_, first_), TestChunks(1, 20));
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 20));
  EXPECT_EQ(repository_->ListManifests(project_), std::vector<SnapshotId>{first_});
  EXPECT_GT(BlobNames("packs/").size(), 4U);
}

TEST_F(RepositoryTest, KeepsAnEmptySnapshot) {
  CommitSnapshot(*repository_, project_, first_, {});
  EXPECT_TRUE(ReadSnapshot(*OpenRepository(), project_, first_).empty());
}

TEST_F(RepositoryTest, CountsAListChunksDocuments) {
  const auto writer = repository_->NewSnapshot(project_, {});
  Bytes plain = TestChunk(1);
  for (int i = 0; i < 2; ++i) {
    const Bytes more = TestChunk(2);
    plain.insert(plain.end(), more.begin(), more.end());
  }
  const ChunkRef chunk = writer->Store(plain);
  EXPECT_EQ(chunk.documents, 3U);
  EXPECT_EQ(chunk.plain_size, 3000U);
  EXPECT_EQ(writer->StoreList({{chunk, TestFirstId(1)}, {chunk, TestFirstId(2)}}).documents, 6U);
}

TEST_F(RepositoryTest, I8StoresEqualChunksOnce) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 20));
  const std::uint64_t before = StoredBytes();
  const auto writer = repository_->NewSnapshot(project_, {});
  CommitSnapshot(*writer, project_, second_, TestChunks(1, 20));
  EXPECT_EQ(BlobNames("packs/").size(), 1U);
  EXPECT_EQ(BlobNames("index/").size(), 1U);
  EXPECT_LT(writer->added().value, 600U);  // the manifest
  EXPECT_EQ(StoredBytes() - before, writer->added().value);
  EXPECT_EQ(ReadSnapshot(*repository_, project_, second_), TestChunks(1, 20));
}

TEST_F(RepositoryTest, I8StoresEqualChunksOfOneSnapshotOnce) {
  const auto writer = repository_->NewSnapshot(project_, {});
  const ChunkRef first = writer->Store(TestChunk(1));
  const ByteCount added = writer->added();
  EXPECT_EQ(writer->Store(TestChunk(1)).id, first.id);
  EXPECT_EQ(writer->added(), added);
}

TEST_F(RepositoryTest, CountsEveryByteItAdds) {
  CommitSnapshot(*repository_, project_, first_, {});
  const std::uint64_t before = StoredBytes();
  const auto writer = repository_->NewSnapshot(project_, kSmallPacks);
  CommitSnapshot(*writer, project_, second_, TestChunks(1, 20));
  EXPECT_EQ(writer->added().value, StoredBytes() - before);
}

TEST_F(RepositoryTest, KeepsProjectsApart) {
  const auto other = TestId<ProjectId>(0x12);
  const auto a = repository_->NewSnapshot(project_, {});
  const auto b = repository_->NewSnapshot(other, {});
  EXPECT_NE(a->Store(TestChunk(1)).id, b->Store(TestChunk(1)).id);
  CommitSnapshot(*a, project_, first_, TestChunks(1, 2));
  EXPECT_TRUE(repository_->ListManifests(other).empty());
}

TEST_F(RepositoryTest, WriterReadsItsOwnChunksFromOpenAndFromStoredPacks) {
  const auto writer = repository_->NewSnapshot(project_, kSmallPacks);
  std::vector<ChunkRef> refs;
  for (const Bytes& chunk : TestChunks(1, 9)) {
    refs.push_back(writer->Store(chunk));
  }
  for (std::size_t i = 0; i < refs.size(); ++i) {
    EXPECT_EQ(writer->Load(refs[i]), TestChunk(1 + i));
  }
  const ChunkRef list = writer->StoreList({{refs[0], TestFirstId(5)}});
  EXPECT_EQ(writer->LoadList(list).at(0).first_id, TestFirstId(5));
}

TEST_F(RepositoryTest, WriterReadsChunksOfEarlierSnapshots) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  const auto writer = repository_->NewSnapshot(project_, {});
  const ChunkRef list = repository_->LoadManifest(project_, first_).namespaces[0].runs[0].lists[0];
  EXPECT_EQ(writer->Load(writer->LoadList(list).at(2).ref), TestChunk(3));
}

TEST_F(RepositoryTest, RefusesAChunkThatIsTooLarge) {
  const auto writer = repository_->NewSnapshot(project_, {});
  EXPECT_EQ(FailureOf([&] { writer->Store(Bytes(kMaxChunkPlain + 1), {}); }).message,
            "storing a data chunk: 67108865 bytes are more than 64 MiB");
}

TEST_F(RepositoryTest, SaysWhichChunkIsInNoPack) {
  CommitSnapshot(*repository_, project_, first_, {});
  const Failure failure =
      FailureOf([&] { repository_->NewReader(project_)->Load({ChunkId{1}, 5, 1}); });
  EXPECT_EQ(failure.code, ErrorCode::kNotFound);
  EXPECT_EQ(failure.message, "reading data chunk 01" + std::string(62, '0') + ": it is in no pack");
}

TEST_F(RepositoryTest, RefusesAManifestWhoseListsAreNotStored) {
  const auto writer = repository_->NewSnapshot(project_, {});
  Manifest manifest;
  manifest.snapshot = first_;
  manifest.project = project_;
  manifest.namespaces.push_back({.runs = {{.lists = {{ChunkId{1}, 5, 1}}}}});
  EXPECT_EQ(FailureOf([&] { writer->Commit(manifest); }).code, ErrorCode::kNotFound);
  EXPECT_TRUE(repository_->ListManifests(project_).empty());
}

TEST_F(RepositoryTest, RefusesAManifestOfAnotherProject) {
  const auto writer = repository_->NewSnapshot(TestId<ProjectId>(0x12), {});
  EXPECT_EQ(FailureOf([&] { CommitSnapshot(*writer, project_, first_, {}); }).code,
            ErrorCode::kInvalidArgument);
}

TEST_F(RepositoryTest, I1RefusesToWriteASnapshotTwice) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 1));
  EXPECT_EQ(
      FailureOf([&] { CommitSnapshot(*repository_, project_, first_, TestChunks(5, 1)); }).code,
      ErrorCode::kConflict);
  EXPECT_EQ(ReadSnapshot(*repository_, project_, first_), TestChunks(1, 1));
}

TEST_F(RepositoryTest, DeletesASnapshotAndRepeatsIt) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  CommitSnapshot(*repository_, project_, second_, TestChunks(2, 3));
  repository_->DeleteManifest(project_, first_);
  repository_->DeleteManifest(project_, first_);
  EXPECT_EQ(repository_->ListManifests(project_), std::vector<SnapshotId>{second_});
  EXPECT_EQ(FailureOf([&] { repository_->LoadManifest(project_, first_); }).code,
            ErrorCode::kNotFound);
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, second_), TestChunks(2, 3));
}

TEST_F(RepositoryTest, I2I3WritesPacksThenIndexThenManifest) {
  blob::FaultyBlobStore watched(*store_);
  CommitSnapshot(*Repository::Open(watched, master_, random_),
                 project_,
                 first_,
                 TestChunks(1, 10),
                 kSmallPacks);
  std::vector<std::string> changes = watched.changes();
  ASSERT_GE(changes.size(), 5U);
  EXPECT_THAT(changes[0], StartsWith("put keys/"));
  EXPECT_THAT(changes[1], StartsWith("put sessions/"));
  EXPECT_EQ(changes.back(), "delete " + changes[1].substr(4));
  changes.pop_back();
  EXPECT_EQ(changes.back(), "put manifests/" + project_.ToString() + "/" + first_.ToString());
  EXPECT_THAT(changes[changes.size() - 2], StartsWith("put index/"));
  for (std::size_t i = 2; i + 2 < changes.size(); ++i) {
    EXPECT_THAT(changes[i], StartsWith("put packs/"));
  }
}

TEST_F(RepositoryTest, ShowsNothingOfAnAbandonedSnapshot) {
  {
    const auto writer = repository_->NewSnapshot(project_, kSmallPacks);
    for (const Bytes& chunk : TestChunks(1, 10)) {
      writer->Store(chunk);
    }
  }
  EXPECT_TRUE(OpenRepository()->ListManifests(project_).empty());
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 10));
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 10));
}

TEST_F(RepositoryTest, RefusesASecondRepositoryInTheStore) {
  const Failure failure = FailureOf([&] { Repository::Create(*store_, master_, random_); });
  EXPECT_EQ(failure.code, ErrorCode::kConflict);
  EXPECT_EQ(failure.message, "creating the repository: the store holds one already");
}

TEST_F(RepositoryTest, SaysThatTheStoreHoldsNoRepository) {
  const auto empty = blob::MakeMemoryStore();
  const Failure failure = FailureOf([&] { Repository::Open(*empty, master_, random_); });
  EXPECT_EQ(failure.code, ErrorCode::kNotFound);
  EXPECT_EQ(failure.message, "opening the repository: the store holds none");
}

TEST_F(RepositoryTest, RefusesAnotherMasterKey) {
  EXPECT_EQ(FailureOf([&] { Repository::Open(*store_, TestMasterKey(8), random_); }).code,
            ErrorCode::kUnauthenticated);
}

TEST_F(RepositoryTest, I9NeverReplacesALostKey) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  const std::string name = "keys/" + project_.ToString();
  const Bytes key = store_->Get(name);
  store_->Delete(name);
  const Failure failure = FailureOf([&] { OpenRepository()->NewSnapshot(project_, {}); });
  EXPECT_EQ(failure.code, ErrorCode::kCorrupt);
  EXPECT_EQ(failure.message,
            "reading project key " + project_.ToString() +
                ": it is missing, but the project has stored data");
  store_->Put(name, key);
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 3));
}

TEST_F(RepositoryTest, I10StoresChunksOfALostPackAnew) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 10), kSmallPacks);
  store_->Delete(BlobNames("packs/").at(1));
  EXPECT_EQ(FailureOf([&] { ReadSnapshot(*repository_, project_, first_); }).code,
            ErrorCode::kNotFound);
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 10));
  EXPECT_EQ(ReadSnapshot(*repository_, project_, second_), TestChunks(1, 10));
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 10));
}

TEST_F(RepositoryTest, ReadsAPackThatWasPutBack) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 10), kSmallPacks);
  const std::string name = BlobNames("packs/").at(1);
  const Bytes pack = store_->Get(name);
  store_->Delete(name);
  repository_->NewReader(project_);
  store_->Put(name, pack);
  EXPECT_EQ(ReadSnapshot(*repository_, project_, first_), TestChunks(1, 10));
}

TEST_F(RepositoryTest, KeepsItsIndexWhenLoadingItAnewFails) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  const auto reader = repository_->NewReader(project_);
  const ChunkRef list = repository_->LoadManifest(project_, first_).namespaces[0].runs[0].lists[0];
  store_->Delete(BlobNames("index/").at(0));
  store_->Put("index/" + project_.ToString() + "/" + std::string(32, 'a'), AsBytes("damage"));
  EXPECT_EQ(FailureOf([&] { repository_->NewReader(project_); }).code, ErrorCode::kCorrupt);
  EXPECT_EQ(reader->LoadList(list).size(), 3U);
}

TEST_F(RepositoryTest, I10StoresChunksOfALostIndexSegmentAnew) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  store_->Delete(BlobNames("index/").at(0));
  EXPECT_EQ(FailureOf([&] { ReadSnapshot(*repository_, project_, first_); }).code,
            ErrorCode::kNotFound);
  CommitSnapshot(*repository_, project_, second_, TestChunks(1, 3));
  EXPECT_EQ(ReadSnapshot(*repository_, project_, first_), TestChunks(1, 3));
}

TEST_F(RepositoryTest, I5FindsAFlippedBitInEveryKindOfBlob) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 2));
  for (const std::string& name : BlobNames("")) {
    const Bytes good = store_->Get(name);
    Bytes bad = good;
    bad[name == "format" ? bad.size() / 2 : 40] ^= 1;
    Replace(name, bad);
    const Failure failure = FailureOf([&] { ReadSnapshot(*OpenRepository(), project_, first_); });
    EXPECT_EQ(failure.code, ErrorCode::kCorrupt) << name << ": " << failure.message;
    Replace(name, good);
  }
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, first_), TestChunks(1, 2));
}

TEST_F(RepositoryTest, I5FindsEveryKindOfBlobTruncated) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 2));
  for (const std::string& name : BlobNames("")) {
    const Bytes good = store_->Get(name);
    for (const std::size_t size : {std::size_t{0}, std::size_t{13}, good.size() / 2}) {
      Replace(name, ByteView(good).first(size));
      const Failure failure = FailureOf([&] { ReadSnapshot(*OpenRepository(), project_, first_); });
      EXPECT_EQ(failure.code, ErrorCode::kCorrupt) << name << ": " << failure.message;
    }
    Replace(name, good);
  }
}

TEST_F(RepositoryTest, NamesPackAndChunkThatAreCorrupt) {
  const auto writer = repository_->NewSnapshot(project_, {});
  const ChunkRef ref = writer->Store(TestChunk(1));
  CommitSnapshot(*writer, project_, first_, {});
  const std::string pack = BlobNames("packs/").at(0);
  Bytes bad = store_->Get(pack);
  bad[100] ^= 1;
  Replace(pack, bad);
  const Failure failure = FailureOf([&] { repository_->NewReader(project_)->Load(ref); });
  EXPECT_EQ(failure.code, ErrorCode::kCorrupt);
  EXPECT_THAT(failure.message,
              StartsWith("pack " + pack.substr(pack.rfind('/') + 1) + ": reading data chunk " +
                         HexEncode(ref.id) + ": "));
}

TEST_F(RepositoryTest, I6FindsSwappedObjects) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 2));
  CommitSnapshot(*repository_, project_, second_, TestChunks(3, 2));
  for (const std::string prefix : {"packs/", "index/", "manifests/"}) {
    const std::vector<std::string> names = BlobNames(prefix);
    ASSERT_EQ(names.size(), 2U);
    const Bytes a = store_->Get(names[0]);
    const Bytes b = store_->Get(names[1]);
    Replace(names[0], b);
    Replace(names[1], a);
    EXPECT_EQ(FailureOf([&] { ReadSnapshot(*OpenRepository(), project_, first_); }).code,
              ErrorCode::kCorrupt)
        << prefix;
    Replace(names[0], a);
    Replace(names[1], b);
  }
}

TEST_F(RepositoryTest, I6FindsAKeyOfAnotherProject) {
  const auto other = TestId<ProjectId>(0x12);
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 2));
  CommitSnapshot(*repository_, other, second_, TestChunks(1, 2));
  Replace("keys/" + project_.ToString(), store_->Get("keys/" + other.ToString()));
  EXPECT_THAT(FailureOf([&] { ReadSnapshot(*OpenRepository(), project_, first_); }).message,
              StartsWith("reading project key " + project_.ToString()));
}

TEST_F(RepositoryTest, SealsSecretsUnderTheirLabel) {
  const std::string sealed = repository_->SealSecret("uri of c0", "mongodb://u:p@h");
  EXPECT_THAT(sealed, testing::Not(HasSubstr("mongodb")));
  EXPECT_EQ(OpenRepository()->OpenSecret("uri of c0", sealed), "mongodb://u:p@h");
  const Failure other = FailureOf([&] { repository_->OpenSecret("uri of c1", sealed); });
  EXPECT_EQ(other.code, ErrorCode::kCorrupt);
  EXPECT_THAT(other.message, StartsWith("reading secret uri of c1: "));
  EXPECT_EQ(FailureOf([&] { repository_->OpenSecret("x", "no base64!"); }).code,
            ErrorCode::kCorrupt);
}

TEST_F(RepositoryTest, NeverStoresPlaintext) {
  const Bytes plain = bson::Builder().Append("a", std::string(1000, 'A')).Finish();
  CommitSnapshot(*repository_, project_, first_, {plain});
  for (const std::string& name : BlobNames("")) {
    EXPECT_THAT(std::string(AsText(store_->Get(name))), testing::Not(HasSubstr("AAAA"))) << name;
  }
}

TEST_F(RepositoryTest, LetsSeveralThreadsStoreAtOnce) {
  SystemRandom system_random;
  const auto repository = Repository::Open(*store_, master_, system_random);
  const auto writer = repository->NewSnapshot(project_, kSmallPacks);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (const Bytes& chunk : TestChunks(1, 100)) {
          EXPECT_EQ(writer->Load(writer->Store(chunk)), chunk);
        }
      });
    }
  }
  CommitSnapshot(*writer, project_, first_, TestChunks(1, 100));
  EXPECT_EQ(ReadSnapshot(*repository, project_, first_), TestChunks(1, 100));
  EXPECT_LT(writer->added().value, 150'000U);  // 100 chunks of 1000 bytes, each once
}

TEST(NamespaceDigest, IgnoresTheOrderOfDocuments) {
  NamespaceDigest forward;
  NamespaceDigest backward;
  for (int i = 0; i < 50; ++i) {
    forward.Add(TestFirstId(i));
    backward.Add(TestFirstId(49 - i));
  }
  EXPECT_EQ(forward, backward);
  EXPECT_EQ(forward.documents, 50U);
}

TEST(NamespaceDigest, SeesADocumentThatIsThereTwice) {
  NamespaceDigest once;
  once.Add(TestFirstId(1));
  NamespaceDigest twice = once;
  twice.Merge(once);
  EXPECT_NE(once.ToHex(), twice.ToHex());
  NamespaceDigest added = once;
  added.Add(TestFirstId(1));
  EXPECT_EQ(added, twice);
}

TEST(NamespaceDigest, IsTheHashOfOneDocument) {
  NamespaceDigest digest;
  EXPECT_EQ(digest.ToHex(), std::string(64, '0'));
  digest.Add(AsBytes("abc"));
  EXPECT_EQ(digest.ToHex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(NamespaceDigest, DropsTheCarryOutOfTheLastByte) {
  NamespaceDigest all;
  all.sum.fill(0xff);
  NamespaceDigest one;
  one.sum[0] = 1;
  all.Merge(one);
  EXPECT_EQ(all.ToHex(), std::string(64, '0'));
}

}  // namespace
}  // namespace tidemark::repo
