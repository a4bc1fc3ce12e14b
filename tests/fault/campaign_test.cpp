#include "tests/fault/campaign.h"

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "blob/blob_store.h"
#include "tests/fault/disk_model.h"
#include "tests/fault/file_calls.h"

namespace tidemark::fault {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

// A folder for one test.
class CampaignTest : public testing::Test {
 protected:
  CampaignTest() {
    std::string name = (ScratchFolder() / "tidemark-campaign-XXXXXX").string();
    directory_ = mkdtemp(name.data());
  }

  ~CampaignTest() override { fs::remove_all(directory_); }

  CampaignOptions Options(std::uint64_t count, std::uint64_t stride = 1) {
    return {.count = count, .seed = 3, .stride = stride, .directory = directory_};
  }

  static void ExpectClean(const CampaignReport& report) {
    EXPECT_EQ(report.violations(), 0U) << report.Figures() << "\n"
                                       << testing::PrintToString(report.texts());
  }

  static std::vector<std::string> Listed(blob::BlobStore& store) {
    std::vector<std::string> names;
    store.List("", [&names](const std::string& name, ByteCount) { names.push_back(name); });
    std::ranges::sort(names);
    return names;
  }

  fs::path directory_;
};

using KillTest = CampaignTest;

TEST_F(KillTest, SnapshotsOutliveKills) {
  const CampaignReport report = KillSnapshots(Options(15));
  ExpectClean(report);
  EXPECT_EQ(report.CountOf("kills"), 15U);
}

TEST_F(KillTest, CompactionsOutliveKills) {
  const CampaignReport report = KillCompactions(Options(10));
  ExpectClean(report);
  EXPECT_EQ(report.CountOf("kills"), 10U);
  EXPECT_GT(report.CountOf("compactions"), 0U);
}

TEST_F(KillTest, I13CollectionsOutliveKills) {
  const CampaignReport report = KillCollections(Options(15));
  ExpectClean(report);
  EXPECT_EQ(report.CountOf("kills"), 15U);
}

TEST_F(KillTest, RestoresOutliveKills) {
  const CampaignReport report = KillRestores(Options(10));
  ExpectClean(report);
  EXPECT_EQ(report.CountOf("kills"), 10U);
}

using PowerTest = CampaignTest;

TEST_F(PowerTest, I2I3I13I16I17NothingThatWasSaidToBeDoneIsLost) {
  const CampaignReport report = LosePower(Options(1, 40));
  ExpectClean(report);
  EXPECT_GT(report.CountOf("power-failures"), 40U);
  EXPECT_GT(report.CountOf("deaths-then-power-failures"), 50U);
  EXPECT_GT(report.CountOf("failed-syncs-then-power-failures"), 4U);
}

using AllAtOnceTest = CampaignTest;

TEST_F(AllAtOnceTest, I11I12SnapshotsAndACollectionLeaveEachOtherAlone) {
  const CampaignReport report = RunAllAtOnce(Options(30));
  ExpectClean(report);
  EXPECT_EQ(report.CountOf("rounds"), 30U);
}

using FileFaultTest = CampaignTest;

TEST_F(FileFaultTest, EveryCallMayFail) {
  const CampaignReport report = FailFiles(Options(1, 40));
  ExpectClean(report);
  EXPECT_GT(report.CountOf("EIO"), 40U);
  EXPECT_GT(report.CountOf("failed-cleanly"), 40U);
  EXPECT_GT(report.CountOf("short"), 0U);
}

using ExportTest = CampaignTest;

TEST_F(ExportTest, WhatIsSaidToBeExportedIsThereAfterAnyFault) {
  const CampaignReport report = ExportToDisk(Options(1, 8));
  ExpectClean(report);
  EXPECT_GT(report.CountOf("failed-cleanly"), 20U);
  EXPECT_GT(report.CountOf("power-failures"), 20U);
  EXPECT_GT(report.CountOf("deaths-then-power-failures"), 10U);
  EXPECT_GT(report.CountOf("failed-syncs-then-power-failures"), 2U);
}

using SocketFaultTest = CampaignTest;

TEST_F(SocketFaultTest, EveryCallMayFail) {
  const CampaignReport report = FailSockets(Options(4, 40));
  ExpectClean(report);
  EXPECT_GT(report.CountOf("snapshots-failed"), 2U);
  EXPECT_GT(report.CountOf("restores-failed"), 2U);
}

using DamageTest = CampaignTest;

TEST_F(DamageTest, I5I6IsFoundOrDoesNotMatter) {
  const CampaignReport report = DamageObjects(Options(300));
  ExpectClean(report);
  EXPECT_GT(report.CountOf("flip-packs-found"), 10U);
  // What nobody can find, because it is genuine (docs/testing.md).
  EXPECT_EQ(report.CountOf("older-manifests-reads-as-the-older"), 1U);
}

// ---- what the campaigns stand on

using DiskModelTest = CampaignTest;

class ModelledDisk {
 public:
  explicit ModelledDisk(const fs::path& above) : root_(above / "root"), left_(above / "left") {
    fs::create_directory(root_);
    model_.emplace(root_);
  }

  const fs::path& root() const { return root_; }

  template <class Work>
  void Do(const Work& work) {
    FileRecorder recorder;
    {
      const WatchingFiles watching(root_.string(), recorder);
      work();
    }
    for (const RecordedCall& call : recorder.calls()) {
      model_->Apply(call);
    }
  }

  // Names and sizes after the power has failed.
  std::map<std::string, std::uintmax_t> Left(Loss loss) {
    SeededRandom random(1);
    model_->Leave(left_, loss, random);
    std::map<std::string, std::uintmax_t> files;
    for (const auto& entry : fs::recursive_directory_iterator(left_)) {
      files[entry.path().lexically_relative(left_).string()] =
          entry.is_regular_file() ? entry.file_size() : 0;
    }
    return files;
  }

 private:
  const fs::path root_;
  const fs::path left_;
  std::optional<DiskModel> model_;
};

const Bytes kFive(5, 1);

TEST_F(DiskModelTest, LosesWhatWasNotSynced) {
  ModelledDisk disk(directory_);
  disk.Do([&] {
    std::ofstream(disk.root() / "ignored") << "written by a stream: no call of ours";
    WriteFileDurably(disk.root() / "durable", kFive, 0600);
  });
  EXPECT_THAT(disk.Left(Loss::kAll), ElementsAre(testing::Pair("durable", 5)));
  disk.Do([&] { fs::rename(disk.root() / "durable", disk.root() / "moved"); });
  EXPECT_THAT(disk.Left(Loss::kAll), ElementsAre(testing::Pair("durable", 5)));
  EXPECT_THAT(disk.Left(Loss::kContents), ElementsAre(testing::Pair("moved", 5)));
}

TEST_F(DiskModelTest, AFolderThatWasNotSyncedInItsParentIsLostWithAllInIt) {
  ModelledDisk disk(directory_);
  disk.Do([&] {
    fs::create_directory(disk.root() / "sub");
    WriteFileDurably(disk.root() / "sub" / "durable", kFive, 0600);
  });
  EXPECT_THAT(disk.Left(Loss::kAll), IsEmpty());
  disk.Do([&] { SyncDirectory(disk.root()); });
  EXPECT_EQ(disk.Left(Loss::kAll).size(), 2U);
}

TEST_F(DiskModelTest, ANameMayBeThereWithoutItsContents) {
  ModelledDisk disk(directory_);
  disk.Do([&] {
    std::optional<FileLock> made = FileLock::TryAcquire(disk.root() / "lock");
    EXPECT_TRUE(made.has_value());
    CreateFileDurably(disk.root() / "first", kFive, 0600);
  });
  EXPECT_EQ(disk.Left(Loss::kContents).at("first"), 5U);
}

// ---- what the campaigns have found, one by one

// Calls back before the first call that `wanted` picks.
class Intruder final : public FileWatcher {
 public:
  using Wanted = std::function<bool(FileOp op, const std::string& path)>;

  Intruder(Wanted wanted, std::function<int()> act)
      : wanted_(std::move(wanted)), act_(std::move(act)) {}

  FileFate Before(FileOp op, const std::string& path) override {
    if (acted_ || !wanted_(op, path)) {
      return {};
    }
    acted_ = true;
    return {.error = act_()};
  }

  bool acted() const { return acted_; }

 private:
  const Wanted wanted_;
  const std::function<int()> act_;
  std::atomic<bool> acted_{false};
};

class DirectoryStoreFaultTest : public CampaignTest {
 protected:
  static Intruder::Wanted SyncOf(const fs::path& path) {
    return [text = path.string()](FileOp op, const std::string& at) {
      return op == FileOp::kSync && at == text;
    };
  }

  const fs::path root_ = directory_ / "store";
  std::unique_ptr<blob::BlobStore> store_ = blob::OpenDirectoryStore(root_.string());
};

TEST_F(DirectoryStoreFaultTest, NobodySeesABlobBeforeItIsDurable) {
  store_->Put("a/other", kFive);
  std::vector<std::string> seen;
  std::optional<ByteCount> size = ByteCount{1};
  Intruder intruder(SyncOf(root_ / "a"), [&] {
    seen = Listed(*store_);
    size = store_->Size("a/new");
    EXPECT_THROW(store_->Get("a/new"), Error);
    EXPECT_THROW(store_->GetRange("a/new", 0, 1), Error);
    return 0;
  });
  {
    const WatchingFiles watching(root_.string(), intruder);
    store_->Put("a/new", kFive);
  }
  EXPECT_TRUE(intruder.acted());
  EXPECT_THAT(seen, ElementsAre("a/other"));
  EXPECT_EQ(size, std::nullopt);
  EXPECT_EQ(store_->Get("a/new"), kFive);
}

TEST_F(DirectoryStoreFaultTest, ABlobWhoseFolderCannotBeSyncedIsTakenAway) {
  store_->Put("a/other", kFive);
  Intruder intruder(SyncOf(root_ / "a"), [] { return EIO; });
  {
    const WatchingFiles watching(root_.string(), intruder);
    EXPECT_THROW(store_->Put("a/new", kFive), Error);
  }
  EXPECT_THAT(Listed(*store_), ElementsAre("a/other"));
  store_->Put("a/new", kFive);
  EXPECT_EQ(store_->Get("a/new"), kFive);
}

TEST_F(DirectoryStoreFaultTest, ADeletionThatWasNotSyncedIsBeforeAnybodyReliesOnIt) {
  store_->Put("a/old", kFive);
  Intruder failing(SyncOf(root_ / "a"), [] { return EIO; });
  {
    const WatchingFiles watching(root_.string(), failing);
    EXPECT_THROW(store_->Delete("a/old"), Error);
  }
  Intruder counting(SyncOf(root_ / "a"), [] { return 0; });
  {
    const WatchingFiles watching(root_.string(), counting);
    EXPECT_THAT(Listed(*store_), IsEmpty());
  }
  EXPECT_TRUE(counting.acted());
}

// True when opening makes durable what is there.
bool SyncsWhenOpened(const fs::path& root) {
  Intruder intruder([](FileOp op, const std::string&) { return op == FileOp::kSyncAll; },
                    [] { return 0; });
  const WatchingFiles watching(root.string(), intruder);
  blob::OpenDirectoryStore(root.string());
  return intruder.acted();
}

TEST_F(DirectoryStoreFaultTest, OpeningMakesDurableWhatAKilledProcessHasLeft) {
  EXPECT_TRUE(SyncsWhenOpened(root_));  // store_ has not ended
  EXPECT_FALSE(SyncsWhenOpened(root_));
  EXPECT_THAT(Listed(*store_), IsEmpty());  // the mark is no blob
  store_.reset();
  EXPECT_FALSE(SyncsWhenOpened(root_));
}

TEST_F(DirectoryStoreFaultTest, AFailedPutIsLookedAtByTheNextProcess) {
  Intruder intruder(SyncOf(root_ / "a"), [] { return EIO; });
  {
    const WatchingFiles watching(root_.string(), intruder);
    EXPECT_THROW(store_->Put("a/new", kFive), Error);
  }
  store_.reset();
  EXPECT_TRUE(SyncsWhenOpened(root_));
}

TEST_F(DirectoryStoreFaultTest, WhatCannotBeMadeDurableCannotBeOpened) {
  Intruder intruder([](FileOp op, const std::string&) { return op == FileOp::kSyncAll; },
                    [] { return EIO; });
  const WatchingFiles watching(root_.string(), intruder);
  EXPECT_THROW(blob::OpenDirectoryStore(root_.string()), Error);
}

// Whoever takes a list that was cut short for all there is deletes too much.
TEST_F(DirectoryStoreFaultTest, AFolderThatVanishesWhileItIsListedIsAnError) {
  store_->Put("a/b/first", kFive);
  store_->Put("a/c/second", kFive);
  fs::create_directory(root_ / "a" / "empty");
  Intruder intruder(
      [this](FileOp op, const std::string& path) {
        return op == FileOp::kOpen && path == (root_ / "a" / "empty").string();
      },
      [this] {
        fs::remove(root_ / "a" / "empty");
        return 0;
      });
  {
    const WatchingFiles watching(root_.string(), intruder);
    EXPECT_THROW(Listed(*store_), Error);
  }
  EXPECT_TRUE(intruder.acted());
  EXPECT_THAT(Listed(*store_), ElementsAre("a/b/first", "a/c/second"));
}

}  // namespace
}  // namespace tidemark::fault
