#include "base/file.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/random.h"
#include "tests/support/caught_error.h"

namespace tidemark {
namespace {

// A folder of its own, removed afterwards.
class ScratchFolder {
 public:
  ScratchFolder() {
    SystemRandom random;
    path_ = std::filesystem::path(testing::TempDir()) / ("tidemark-file-" + RandomHex(random, 8));
    std::filesystem::create_directory(path_);
  }

  ~ScratchFolder() { std::filesystem::remove_all(path_); }

  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

  std::size_t CountEntries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_),
                                                  std::filesystem::directory_iterator()));
  }

 private:
  std::filesystem::path path_;
};

std::string ReadText(const std::filesystem::path& path) {
  return std::string(AsText(ReadFile(path, 1U << 20)));
}

unsigned ModeOf(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(stat(path.c_str(), &status), 0);
  return status.st_mode & 0777U;
}

}  // namespace

TEST(WriteFileDurably, ReplacesWhatIsThere) {
  const ScratchFolder folder;
  WriteFileDurably(folder / "a", AsBytes("old"), 0600);
  WriteFileDurably(folder / "a", AsBytes("new"), 0600);
  EXPECT_EQ(ReadText(folder / "a"), "new");
  EXPECT_EQ(ModeOf(folder / "a"), 0600U);
  EXPECT_EQ(folder.CountEntries(), 1U);
}

TEST(WriteFileDurably, LeavesNothingBehindWhenItFails) {
  const ScratchFolder folder;
  std::filesystem::create_directory(folder / "taken");
  const Error error = Catch([&] { WriteFileDurably(folder / "taken", AsBytes("x"), 0600); });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_EQ(error.message(), "renaming to " + (folder / "taken").string() + ": Is a directory");
  EXPECT_EQ(folder.CountEntries(), 1U);
}

TEST(WriteFileDurably, NeedsTheFolder) {
  const ScratchFolder folder;
  EXPECT_EQ(Catch([&] { WriteFileDurably(folder / "no/a", {}, 0600); }).code(),
            ErrorCode::kNotFound);
}

TEST(FileWriter, TheFileIsThereOnlyWhenCommitted) {
  const ScratchFolder folder;
  FileWriter file(folder / "a", 0600);
  file.Write(AsBytes("one "));
  file.Write(AsBytes("two"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  file.Commit();
  EXPECT_EQ(ReadText(folder / "a"), "one two");
  EXPECT_EQ(ModeOf(folder / "a"), 0600U);
  EXPECT_EQ(folder.CountEntries(), 1U);
}

TEST(FileWriter, LeavesNothingWithoutCommit) {
  const ScratchFolder folder;
  {
    FileWriter(folder / "a", 0600).Write(AsBytes("x"));
  }
  EXPECT_EQ(folder.CountEntries(), 0U);
}

TEST(FileWriter, NeverOverwrites) {
  const ScratchFolder folder;
  WriteFileDurably(folder / "a", AsBytes("first"), 0600);
  EXPECT_EQ(Catch([&] { FileWriter(folder / "a", 0600); }).code(), ErrorCode::kConflict);
  FileWriter late(folder / "b", 0600);
  WriteFileDurably(folder / "b", AsBytes("first"), 0600);
  EXPECT_EQ(Catch([&] { late.Commit(); }).code(), ErrorCode::kConflict);
  EXPECT_EQ(ReadText(folder / "a") + ReadText(folder / "b"), "firstfirst");
}

TEST(CreateFileDurably, NeverOverwrites) {
  const ScratchFolder folder;
  CreateFileDurably(folder / "a", AsBytes("first"), 0400);
  const Error error = Catch([&] { CreateFileDurably(folder / "a", AsBytes("second"), 0400); });
  EXPECT_EQ(error.code(), ErrorCode::kConflict);
  EXPECT_EQ(error.message(), "creating " + (folder / "a").string() + ": File exists");
  EXPECT_EQ(ReadText(folder / "a"), "first");
  EXPECT_EQ(folder.CountEntries(), 1U);
}

TEST(CreateFileDurably, HasOneWinnerInARace) {
  const ScratchFolder folder;
  std::atomic<int> winners{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      try {
        CreateFileDurably(folder / "a", AsBytes("x"), 0600);
        ++winners;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kConflict);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(winners.load(), 1);
}

TEST(ReadFile, HoldsToTheLimit) {
  const ScratchFolder folder;
  WriteFileDurably(folder / "a", AsBytes("12345"), 0600);
  EXPECT_EQ(AsText(ReadFile(folder / "a", 5)), "12345");
  const Error error = Catch([&] { ReadFile(folder / "a", 4); });
  EXPECT_EQ(error.code(), ErrorCode::kResourceExhausted);
  EXPECT_EQ(error.message(),
            "reading " + (folder / "a").string() + ": 5 bytes are more than the limit of 4");
}

TEST(ReadFile, NamesAMissingFile) {
  const ScratchFolder folder;
  const Error error = Catch([&] { ReadFile(folder / "a", 4); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_EQ(error.message(), "opening " + (folder / "a").string() + ": No such file or directory");
}

TEST(FileLock, ExcludesASecondHolderUntilDestroyed) {
  const ScratchFolder folder;
  std::optional<FileLock> first = FileLock::TryAcquire(folder / "lock");
  ASSERT_TRUE(first);
  EXPECT_FALSE(FileLock::TryAcquire(folder / "lock"));
  first.reset();
  EXPECT_TRUE(FileLock::TryAcquire(folder / "lock"));
}

TEST(FileLock, MovesWithItsHolder) {
  const ScratchFolder folder;
  std::optional<FileLock> first = FileLock::TryAcquire(folder / "lock");
  {
    const FileLock second = std::move(*first);
    first.reset();
    EXPECT_FALSE(FileLock::TryAcquire(folder / "lock"));
  }
  EXPECT_TRUE(FileLock::TryAcquire(folder / "lock"));
}

}  // namespace tidemark
