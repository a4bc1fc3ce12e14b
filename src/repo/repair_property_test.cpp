#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "repo/maintenance.h"
#include "tests/support/repository_fixture.h"
#include "tests/support/sanitized.h"

// Snapshots are written and deleted, blobs are damaged and lost, collections and repairs run, in
// random order. A model knows which chunks a snapshot holds. Whatever a repair calls whole reads
// back equal to the model, what it calls lost does not read at all, and no read is ever wrong.
namespace tidemark::repo {
namespace {

constexpr std::uint64_t kUniverse = 60;  // different chunks
constexpr WriterOptions kTinyPacks{.pack_size = KiB(1)};
const ProjectId kProject = TestId<ProjectId>(0x11);

using ListedChunks = std::vector<SnapshotWriter::ListedChunk>;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), nonces_(seed + 1'000'000) {
    Repository::Create(*store_, TestMasterKey(), nonces_);
    Reopen();
  }

  void Step() {
    switch (Below(8)) {
      case 0:
      case 1:
      case 2:
        return Take();
      case 3:
        return Delete();
      case 4:
        return Damage();
      case 5:
        return Collect();
      case 6:
        return ReadAny();
      default:
        return RepairAndVerify();
    }
  }

  // With a source that still has everything nothing stays lost.
  void HealEverything() {
    const RepairReport report = Repair(1);
    EXPECT_TRUE(report.AllWhole());
    for (const auto& [id, seeds] : model_) {
      EXPECT_EQ(ReadSnapshot(*repository_, kProject, id), ChunksOf(seeds));
    }
    EXPECT_EQ(repository_->OpenMaintenance(kProject)->CheckStructure({}).findings.total(), 0U);
    Collect();
    Collect();
    for (const auto& [id, seeds] : model_) {
      EXPECT_EQ(ReadSnapshot(*repository_, kProject, id), ChunksOf(seeds));
    }
  }

  std::size_t healed() const { return healed_; }

  std::size_t lost() const { return lost_; }

  std::size_t collections() const { return collections_; }

 private:
  std::uint64_t Below(std::uint64_t bound) { return random_.Next() % bound; }

  // Sometimes the index is read anew, as by another process.
  void Reopen() { repository_ = Repository::Open(*store_, TestMasterKey(), nonces_); }

  static std::vector<Bytes> ChunksOf(const std::vector<std::uint64_t>& seeds) {
    std::vector<Bytes> chunks;
    for (const std::uint64_t seed : seeds) {
      chunks.push_back(TestChunk(seed, 300));
    }
    return chunks;
  }

  // Writers give up where the index does not open; nothing else may stop them.
  void Take() {
    if (Below(3) == 0) {
      Reopen();
    }
    std::vector<std::uint64_t> seeds(1 + Below(6));
    std::ranges::generate(seeds, [this] { return Below(kUniverse); });
    const auto id = SnapshotId::Generate(FromMicros(++time_ * 1'000'000), nonces_);
    try {
      const auto writer = repository_->NewSnapshot(kProject, kTinyPacks);
      ListedChunks listed;
      for (const std::uint64_t seed : seeds) {
        listed.push_back({writer->Store(TestChunk(seed, 300)), {}});
      }
      Run run{.natural_order = true, .documents = seeds.size()};
      run.lists.push_back(writer->StoreList(listed));
      lists_[run.lists[0].id] = listed;
      Manifest manifest;
      manifest.project = kProject;
      manifest.snapshot = id;
      manifest.namespaces.push_back({.database = "db", .collection = "c", .runs = {run}});
      writer->Commit(manifest);
    } catch (const Error& error) {
      EXPECT_TRUE(segment_damaged_) << error.message();
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.message();
      return;
    }
    model_[id] = seeds;
  }

  void Delete() {
    if (model_.size() > 2) {
      const auto at = std::next(model_.begin(), static_cast<std::ptrdiff_t>(Below(model_.size())));
      repository_->DeleteManifest(kProject, at->first);
      model_.erase(at);
    }
  }

  std::optional<std::string> AnyBlob(const std::string& prefix) {
    std::vector<std::string> names;
    store_->List(prefix, [&](const std::string& name, ByteCount) { names.push_back(name); });
    return names.empty() ? std::nullopt : std::optional(names[Below(names.size())]);
  }

  void Damage() {
    const bool segment = Below(4) == 0;
    const std::string quarantine = Below(8) == 0 ? "quarantine/" : "";
    const auto name = AnyBlob(!quarantine.empty() ? quarantine : segment ? "index/" : "packs/");
    if (!name) {
      return;
    }
    segment_damaged_ |= segment;
    Bytes bytes = store_->Get(*name);
    store_->Delete(*name);
    switch (Below(4)) {
      case 0:
        return;  // lost
      case 1:
        bytes.resize(bytes.size() - Below(bytes.size()) / 2 - 1);
        break;
      default:
        // Behind the version, of which nobody can say that it is damage.
        bytes[12 + Below(bytes.size() - 12)] ^= static_cast<std::uint8_t>(1 + Below(255));
    }
    store_->Put(*name, bytes);
  }

  // Gives up where it cannot tell what is garbage; never makes anything worse.
  void Collect() {
    const int percent = Below(2) == 0 ? 50 : 100;
    try {
      const auto result = repository_->OpenMaintenance(kProject)->Collect(
          {.rewrite_below_percent = percent, .pack_size = KiB(1)}, {});
      collections_ += result.state == CollectionState::kDone ? 1 : 0;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt) << error.message();
    }
  }

  // No read is ever wrong.
  bool ReadsWell(const SnapshotId& id) {
    try {
      EXPECT_EQ(ReadSnapshot(*repository_, kProject, id), ChunksOf(model_.at(id)));
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  void ReadAny() {
    for (const auto& [id, seeds] : model_) {
      ReadsWell(id);
    }
  }

  // The source has one in `one_in` of the chunks.
  RepairReport Repair(std::uint64_t one_in, bool dry_run = false) {
    const std::uint64_t salt = Below(one_in);
    const RepairOptions options{.dry_run = dry_run, .pack_size = KiB(1)};
    const auto heal = [&](DamagedProject& damaged) {
      for (const auto& [id, listed] : lists_) {
        damaged.OfferList(listed, "list");
      }
      for (std::uint64_t seed = salt; seed < kUniverse; seed += one_in) {
        damaged.Offer(TestChunk(seed, 300), "chunk");
      }
      damaged.Offer(TestChunk(kUniverse, 300), "of no snapshot");
    };
    RepairReport report = repository_->OpenMaintenance(kProject)->Repair(options, heal, {});
    if (!dry_run) {
      segment_damaged_ = false;
    }
    return report;
  }

  void RepairAndVerify() {
    if (Below(3) == 0) {
      Repair(1, true);
    }
    const RepairReport report = Repair(1 + Below(3));
    EXPECT_TRUE(report.manifests.empty());
    std::set<SnapshotId> damaged;
    for (const DamagedChunk& chunk : report.chunks) {
      healed_ += chunk.healed ? 1 : 0;
      lost_ += chunk.healed ? 0 : 1;
      if (!chunk.healed) {
        damaged.insert(chunk.snapshots.begin(), chunk.snapshots.end());
      }
    }
    for (const auto& [id, seeds] : model_) {
      EXPECT_EQ(ReadsWell(id), !damaged.contains(id)) << id.ToString();
    }
    const StructureCheck check = repository_->OpenMaintenance(kProject)->CheckStructure({});
    const std::string first =
        check.findings.total() == 0 ? "" : check.findings.findings().front().message;
    EXPECT_EQ(first.empty(), damaged.empty()) << first;
    // I19: a snapshot that begins now is whole, whatever it shares with older ones.
    Take();
    EXPECT_TRUE(ReadsWell(model_.rbegin()->first));
  }

  SeededRandom random_;
  SeededRandom nonces_;
  std::unique_ptr<blob::BlobStore> store_ = blob::MakeMemoryStore();
  std::unique_ptr<Repository> repository_;
  std::map<SnapshotId, std::vector<std::uint64_t>> model_;
  std::map<ChunkId, ListedChunks> lists_;  // all that were ever stored
  std::int64_t time_ = 0;
  bool segment_damaged_ = false;  // since the last repair
  std::size_t healed_ = 0;
  std::size_t lost_ = 0;
  std::size_t collections_ = 0;
};

TEST(RepairProperty, I19I20WhatARepairCallsWholeIsWhole) {
  std::size_t healed = 0;
  std::size_t lost = 0;
  std::size_t collections = 0;
  for (std::uint64_t seed = 1; seed <= UnlessSanitized(40U, 10U); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int step = 0; step < 120 && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      world.Step();
    }
    world.HealEverything();
    healed += world.healed();
    lost += world.lost();
    collections += world.collections();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  EXPECT_GT(healed, UnlessSanitized(100U, 25U));
  EXPECT_GT(lost, UnlessSanitized(50U, 12U));
  EXPECT_GT(collections, UnlessSanitized(50U, 12U));
}

}  // namespace
}  // namespace tidemark::repo
