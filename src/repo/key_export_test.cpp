#include "repo/key_export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "repo/internal/key_export_codec.h"
#include "repo/key_rotation.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::repo {
namespace {

using testing::ElementsAre;

constexpr int kCheap = 4;  // log cost; each test opens many files
const Secret kPassphrase("correct horse battery staple");

class KeyExportTest : public RepositoryFixture {
 protected:
  KeyExportTest() { CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3)); }

  Bytes MakeFile() {
    return SealKeyExport(CollectKeys(*store_, master_), kPassphrase, random_, kCheap);
  }

  void DeleteAll(std::string_view prefix) {
    for (const std::string& name : BlobNames(prefix)) {
      store_->Delete(name);
    }
  }
};

TEST_F(KeyExportTest, RoundTrips) {
  const KeyExport keys = OpenKeyExport(MakeFile(), kPassphrase);
  EXPECT_EQ(keys.master_key, master_);
  EXPECT_EQ(keys.repository.size(), 32U);
  ASSERT_EQ(keys.blobs.size(), 2U);
  EXPECT_EQ(keys.blobs[0].name, "keys/" + project_.ToString() + "/00000001");
  EXPECT_EQ(keys.blobs[0].bytes, store_->Get(keys.blobs[0].name));
  EXPECT_EQ(keys.blobs[1].name, "master/00000001");
}

TEST_F(KeyExportTest, BringsBackAllKeysOfARepository) {
  const Bytes file = MakeFile();
  DeleteAll("keys/");
  DeleteAll("master/");
  DeleteAll("format");
  const KeyExport keys = OpenKeyExport(file, kPassphrase);
  const KeyImport done = ImportKeys(*store_, keys);
  EXPECT_EQ(done.written, 3U);
  EXPECT_EQ(done.present, 0U);
  const auto repository = Repository::Open(*store_, keys.master_key, random_);
  EXPECT_EQ(ReadSnapshot(*repository, project_, first_), TestChunks(1, 3));
  EXPECT_EQ(ImportKeys(*store_, keys).written, 0U);
}

TEST_F(KeyExportTest, DoesNotBringBackADeletedProject) {
  const Bytes file = MakeFile();
  repository_->ShredProject(project_);
  const KeyImport done = ImportKeys(*store_, OpenKeyExport(file, kPassphrase));
  EXPECT_EQ(done.skipped, 1U);
  EXPECT_TRUE(BlobNames("keys/").empty());
}

TEST_F(KeyExportTest, RefusesAnotherRepositoryARotatedOneAndNone) {
  const KeyExport keys = OpenKeyExport(MakeFile(), kPassphrase);
  const auto other = blob::MakeMemoryStore();
  EXPECT_EQ(FailureOf([&] { ImportKeys(*other, keys); }).code, ErrorCode::kNotFound);
  Repository::Create(*other, master_, random_);
  const Failure foreign = FailureOf([&] { ImportKeys(*other, keys); });
  EXPECT_EQ(foreign.code, ErrorCode::kConflict);
  EXPECT_TRUE(foreign.message.starts_with("importing keys: they are of repository " +
                                          keys.repository + ", this one is "))
      << foreign.message;
  AddMasterKey(*store_, master_, TestMasterKey(8), random_);
  RetireOtherMasterKeys(*store_, TestMasterKey(8));
  const Failure rotated = FailureOf([&] { ImportKeys(*store_, keys); });
  EXPECT_EQ(rotated.code, ErrorCode::kConflict);
  EXPECT_EQ(rotated.message,
            "importing keys: the repository's master key was changed after the export");
}

TEST_F(KeyExportTest, RefusesToExportADamagedKeyOrUnderAnotherMasterKey) {
  EXPECT_EQ(FailureOf([&] { CollectKeys(*store_, TestMasterKey(8)); }).code,
            ErrorCode::kUnauthenticated);
  const std::string name = BlobNames("keys/").at(0);
  Bytes bad = store_->Get(name);
  bad[40] ^= 1;
  Replace(name, bad);
  EXPECT_EQ(FailureOf([&] { MakeFile(); }).code, ErrorCode::kCorrupt);
}

TEST_F(KeyExportTest, RefusesAnotherPassphrase) {
  const Bytes file = MakeFile();
  const Failure failure = FailureOf([&] { OpenKeyExport(file, Secret("correct horse")); });
  EXPECT_EQ(failure.code, ErrorCode::kUnauthenticated);
  EXPECT_EQ(failure.message,
            "reading the key export: the passphrase is not the one it was made with");
}

TEST_F(KeyExportTest, I5FindsEveryFlippedBit) {
  Bytes file = MakeFile();
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      file[at] = static_cast<std::uint8_t>(file[at] ^ (1U << bit));
      const Failure failure = FailureOf([&] { OpenKeyExport(file, kPassphrase); });
      ASSERT_EQ(failure.code, at < 8 ? ErrorCode::kInvalidArgument : ErrorCode::kCorrupt)
          << "byte " << at << " bit " << bit << ": " << failure.message;
      file[at] = static_cast<std::uint8_t>(file[at] ^ (1U << bit));
    }
  }
  EXPECT_EQ(OpenKeyExport(file, kPassphrase).master_key, master_);
}

TEST_F(KeyExportTest, FindsEveryTruncation) {
  const Bytes file = MakeFile();
  for (std::size_t size = 0; size < file.size(); ++size) {
    const Failure failure =
        FailureOf([&] { OpenKeyExport(ByteView(file).first(size), kPassphrase); });
    ASSERT_EQ(failure.code, size < 8 ? ErrorCode::kInvalidArgument : ErrorCode::kCorrupt);
  }
}

// Whoever can make a file with a right checksum cannot make us spend memory without bound.
TEST_F(KeyExportTest, BoundsTheCostOfAForgedFile) {
  Bytes file = MakeFile();
  file.resize(file.size() - codec::kDigestSize);
  for (const int cost : {0, 19, 63, 255}) {
    Bytes forged = file;
    forged[12] = static_cast<std::uint8_t>(cost);
    const codec::Digest sum = codec::Sha256(forged);
    forged.insert(forged.end(), sum.begin(), sum.end());
    EXPECT_EQ(FailureOf([&] { OpenKeyExport(forged, kPassphrase); }).message,
              "reading key export: the cost of its passphrase is out of range");
  }
}

TEST(KeyExportCodec, RefusesBlobsThatAreNoKeys) {
  KeyExport keys;
  keys.repository = std::string(32, 'a');
  keys.blobs = {{"master/00000001", Bytes(80)}};
  EXPECT_EQ(DecodeKeyExport(EncodeKeyExport(keys)).blobs.at(0).bytes, Bytes(80));
  for (const std::string name : {"format", "packs/x", "../../etc/passwd", "master/1", ""}) {
    keys.blobs[0].name = name;
    EXPECT_EQ(FailureOf([&] { DecodeKeyExport(EncodeKeyExport(keys)); }).code, ErrorCode::kCorrupt)
        << name;
  }
  keys.blobs = {{"master/00000001", Bytes(4097)}};
  EXPECT_EQ(FailureOf([&] { DecodeKeyExport(EncodeKeyExport(keys)); }).code, ErrorCode::kCorrupt);
  keys.blobs.clear();
  keys.repository[5] = '/';
  EXPECT_EQ(FailureOf([&] { DecodeKeyExport(EncodeKeyExport(keys)); }).code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace tidemark::repo
