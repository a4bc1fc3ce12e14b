#include "blob/blob_store.h"

#include <filesystem>

#include "base/file.h"
#include "base/random.h"
#include "tests/conformance/blob_store_suite.h"

namespace tidemark::blob {
namespace {

namespace fs = std::filesystem;

// A folder that is removed with the process's last use of it.
fs::path FreshFolder() {
  SystemRandom random;
  return fs::temp_directory_path() / ("blob_store_test-" + RandomHex(random, 8));
}

class RemovedStore final : public BlobStore {
 public:
  RemovedStore() : folder_(FreshFolder()), store_(OpenDirectoryStore(folder_)) {}

  ~RemovedStore() override { fs::remove_all(folder_); }

  RemovedStore(const RemovedStore&) = delete;
  RemovedStore& operator=(const RemovedStore&) = delete;

  void Put(std::string_view name, ByteView bytes) override { store_->Put(name, bytes); }

  Bytes Get(std::string_view name) override { return store_->Get(name); }

  Bytes GetRange(std::string_view name, std::uint64_t offset, std::size_t size) override {
    return store_->GetRange(name, offset, size);
  }

  std::optional<ByteCount> Size(std::string_view name) override { return store_->Size(name); }

  void List(std::string_view prefix,
            const std::function<void(const std::string&, ByteCount)>& visit) override {
    store_->List(prefix, visit);
  }

  void Delete(std::string_view name) override { store_->Delete(name); }

 private:
  fs::path folder_;
  std::unique_ptr<BlobStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Memory, BlobStoreSuite, testing::Values(MakeMemoryStore));
INSTANTIATE_TEST_SUITE_P(Directory,
                         BlobStoreSuite,
                         testing::Values([]() -> std::unique_ptr<BlobStore> {
                           return std::make_unique<RemovedStore>();
                         }));

TEST(DirectoryStore, RemovesHalfWrittenBlobsWhenOpened) {
  const fs::path folder = FreshFolder();
  OpenDirectoryStore(folder)->Put("a/b", AsBytes("whole"));
  WriteFileDurably(folder / "a" / "c.tmp-1-0", AsBytes("half"), 0600);
  const auto store = OpenDirectoryStore(folder);
  EXPECT_FALSE(fs::exists(folder / "a" / "c.tmp-1-0"));
  EXPECT_EQ(AsText(store->Get("a/b")), "whole");
  fs::remove_all(folder);
}

TEST(DirectoryStore, NeverListsHalfWrittenBlobs) {
  const fs::path folder = FreshFolder();
  const auto store = OpenDirectoryStore(folder);
  store->Put("a/b", AsBytes("whole"));
  WriteFileDurably(folder / "a" / "c.tmp-1-0", AsBytes("half"), 0600);
  std::vector<std::string> names;
  store->List("", [&](const std::string& name, ByteCount) { names.push_back(name); });
  EXPECT_EQ(names, std::vector<std::string>{"a/b"});
  fs::remove_all(folder);
}

TEST(DirectoryStore, MakesFoldersAndFilesForTheOwnerOnly) {
  const fs::path folder = FreshFolder();
  OpenDirectoryStore(folder / "deep" / "root")->Put("a/b", AsBytes("x"));
  EXPECT_EQ(fs::status(folder / "deep" / "root").permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(folder / "deep" / "root" / "a" / "b").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  fs::remove_all(folder);
}

TEST(DirectoryStore, TreatsAFolderAsNoBlob) {
  const fs::path folder = FreshFolder();
  const auto store = OpenDirectoryStore(folder);
  store->Put("a/b", AsBytes("x"));
  EXPECT_EQ(store->Size("a"), std::nullopt);
  store->Delete("a");
  EXPECT_EQ(AsText(store->Get("a/b")), "x");
  fs::remove_all(folder);
}

TEST(DirectoryStoreForReading, ChangesNothing) {
  const fs::path folder = FreshFolder();
  EXPECT_THROW(OpenDirectoryStoreForReading(folder), Error);
  EXPECT_FALSE(fs::exists(folder));
  OpenDirectoryStore(folder)->Put("packs/a", AsBytes("bytes"));
  WriteFileDurably(folder / "packs" / "b.tmp-1-2", AsBytes("half"), 0600);  // somebody is writing
  const auto store = OpenDirectoryStoreForReading(folder);
  EXPECT_EQ(AsText(store->Get("packs/a")), "bytes");
  for (const auto& change : {std::function([&] { store->Put("packs/c", AsBytes("x")); }),
                             std::function([&] { store->Delete("packs/a"); })}) {
    try {
      change();
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied) << error.message();
    }
  }
  EXPECT_TRUE(fs::exists(folder / "packs" / "a"));
  EXPECT_TRUE(fs::exists(folder / "packs" / "b.tmp-1-2"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace tidemark::blob
