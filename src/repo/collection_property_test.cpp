#include <algorithm>
#include <list>
#include <set>

#include <gtest/gtest.h>

#include "repo/internal/pack.h"
#include "repo/internal/quarantine.h"
#include "repo/maintenance.h"
#include "tests/support/repository_fixture.h"
#include "tests/support/sanitized.h"

// Snapshots are written, deleted and read while collections and repairs run, and places are put
// into quarantine as if a read of them had failed, in random order. The order is
// deterministic, and as fine as it can be: between any two calls that one of them makes to the
// store, others may do something. After each step every snapshot reads back equal to a model.
namespace tidemark::repo {
namespace {

constexpr std::uint64_t kUniverse = 60;  // different chunks
constexpr WriterOptions kTinyPacks{.pack_size = KiB(1)};
const ProjectId kProject = TestId<ProjectId>(0x11);

// Calls a hook before each call.
class HookedStore final : public blob::BlobStore {
 public:
  explicit HookedStore(BlobStore& inner) : inner_(inner) {}

  void SetHook(std::function<void()> hook) { hook_ = std::move(hook); }

  void Put(std::string_view name, ByteView bytes) override {
    hook_();
    inner_.Put(name, bytes);
  }

  Bytes Get(std::string_view name) override {
    hook_();
    return inner_.Get(name);
  }

  Bytes GetRange(std::string_view name, std::uint64_t offset, std::size_t size) override {
    hook_();
    return inner_.GetRange(name, offset, size);
  }

  std::optional<ByteCount> Size(std::string_view name) override {
    hook_();
    return inner_.Size(name);
  }

  void List(std::string_view prefix,
            const std::function<void(const std::string&, ByteCount)>& visit) override {
    hook_();
    inner_.List(prefix, visit);
  }

  void Delete(std::string_view name) override {
    hook_();
    inner_.Delete(name);
  }

 private:
  BlobStore& inner_;
  std::function<void()> hook_ = [] {};
};

struct OpenWriter {
  std::unique_ptr<SnapshotWriter> writer;
  std::vector<SnapshotWriter::ListedChunk> listed;
  std::vector<std::uint64_t> chunks;  // seeds, of listed
  std::vector<Run> adopted;           // of older snapshots, as a delta would
  std::vector<std::uint64_t> adopted_chunks;
  const Repository* owner = nullptr;
};

struct OpenReader {
  std::unique_ptr<SnapshotReader> reader;
  Manifest manifest;
  std::vector<std::uint64_t> chunks;
  const Repository* owner = nullptr;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), nonces_(seed + 1'000'000) {
    Repository::Create(*store_, TestMasterKey(), nonces_);
    Restart();
    hooked_.SetHook([this] { BetweenCalls(); });
  }

  void Step() {
    top_ = true;
    nested_allowed_ = Chance(2);
    Act(*outer_);
    top_ = false;
    VerifyAll();
  }

  // Without sessions, one more collection leaves nothing that no snapshot needs.
  void ExpectNoGarbageAtTheEnd() {
    writers_.clear();
    readers_.clear();
    const auto maintenance = inner_->OpenMaintenance(kProject);
    maintenance->Repair({.pack_size = KiB(1)}, {}, {});
    maintenance->Collect({.rewrite_below_percent = 100, .pack_size = KiB(1)}, {});
    maintenance->Collect({.rewrite_below_percent = 100, .pack_size = KiB(1)}, {});
    maintenance->Collect({.rewrite_below_percent = 100, .pack_size = KiB(1)}, {});
    VerifyAll();
    EXPECT_EQ(maintenance->ReadStats({}).unreferenced, ByteCount{});
    EXPECT_EQ(maintenance->CheckStructure({}).findings.total(), 0U);
  }

  std::size_t collections() const { return collections_; }

  std::size_t spared() const { return spared_; }

  std::size_t lost_readers() const { return lost_readers_; }

  std::size_t copied() const { return copied_; }

  std::size_t refused() const { return refused_; }

 private:
  std::uint64_t Below(std::uint64_t bound) { return random_.Next() % bound; }

  bool Chance(std::uint64_t one_in) { return Below(one_in) == 0; }

  // As if the process had died and come back.
  void Restart() {
    nested_allowed_ = false;
    writers_.clear();
    readers_.clear();
    outer_ = Repository::Open(hooked_, TestMasterKey(), nonces_);
    inner_ = Repository::Open(*store_, TestMasterKey(), nonces_);
    if (Chance(2)) {
      store_->Put("sessions/" + kProject.ToString() + "/" + RandomHex(nonces_, 16), {});
    }
    inner_->DropSessions();
  }

  // Others act through a repository of their own: another index, no lock of ours.
  void BetweenCalls() {
    if (!top_ || !nested_allowed_ || !Chance(4)) {
      return;
    }
    top_ = false;
    Act(*inner_);
    top_ = true;
  }

  void Act(Repository& repository) {
    switch (Below(14)) {
      case 0:
        return BeginWriter(repository);
      case 1:
      case 2:
      case 3:
        return StoreChunk();
      case 4:
        return Adopt(repository);
      case 5:
      case 6:
        return Commit();
      case 7:
        return DeleteSnapshot(repository);
      case 8:
        return BeginReader(repository);
      case 9:
        return Read();
      case 10:
        return End();
      case 11:
        return Suspect();
      case 12:
        return Repair(repository);
      default:
        return Collect(repository);
    }
  }

  void BeginWriter(Repository& repository) {
    if (writers_.size() < 3) {
      OpenWriter opened{.writer = repository.NewSnapshot(kProject, kTinyPacks)};
      opened.owner = &repository;
      writers_.push_back(std::move(opened));
    }
  }

  // A writer that nobody works with, taken out while it is used.
  std::optional<OpenWriter> TakeWriter() {
    if (writers_.empty()) {
      return std::nullopt;
    }
    const auto at =
        std::next(writers_.begin(), static_cast<std::ptrdiff_t>(Below(writers_.size())));
    OpenWriter taken = std::move(*at);
    writers_.erase(at);
    return taken;
  }

  void StoreChunk() {
    std::optional<OpenWriter> taken = TakeWriter();
    if (!taken) {
      return;
    }
    OpenWriter& opened = taken.value();
    for (std::uint64_t i = 0; i < 3; ++i) {
      const std::uint64_t seed = Below(kUniverse);
      opened.listed.push_back({opened.writer->Store(TestChunk(seed, 300)), {}});
      opened.chunks.push_back(seed);
    }
    writers_.push_back(std::move(opened));
  }

  // As a delta does: takes over a run when all its chunks are there to be relied on.
  void Adopt(Repository& repository) {
    std::optional<OpenWriter> taken = TakeWriter();
    if (!taken) {
      return;
    }
    OpenWriter& opened = taken.value();
    if (const auto base = RandomSnapshot(); base && MayLoad(opened.owner)) {
      AdoptFrom(repository, *base, opened);
    }
    writers_.push_back(std::move(opened));
  }

  void AdoptFrom(Repository& repository, const SnapshotId& base, OpenWriter& opened) {
    const std::vector<std::uint64_t> chunks = model_.at(base);
    try {
      const Manifest manifest = repository.LoadManifest(kProject, base);
      for (const Run& run : manifest.namespaces[0].runs) {
        if (!HoldsAll(*opened.writer, run)) {
          return;
        }
      }
      opened.adopted = manifest.namespaces[0].runs;
      opened.adopted_chunks = chunks;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kNotFound) << error.message();  // deleted meanwhile
    }
  }

  static bool HoldsAll(SnapshotWriter& writer, const Run& run) {
    return std::ranges::all_of(run.lists, [&writer](const ChunkRef& list) {
      if (!writer.Holds(list)) {
        return false;
      }
      const auto listed = writer.LoadList(list);
      return std::ranges::all_of(listed,
                                 [&writer](const auto& chunk) { return writer.Holds(chunk.ref); });
    });
  }

  void Commit() {
    std::optional<OpenWriter> taken = TakeWriter();
    if (!taken) {
      return;
    }
    OpenWriter& opened = taken.value();
    Manifest manifest;
    manifest.project = kProject;
    manifest.snapshot = SnapshotId::Generate(FromMicros(++time_ * 1'000'000), nonces_);
    std::vector<Run> runs = opened.adopted;
    Run& own = runs.emplace_back();
    own.natural_order = true;
    own.documents = opened.listed.size();
    own.lists.push_back(opened.writer->StoreList(opened.listed));
    manifest.namespaces.push_back({.database = "db", .collection = "c", .runs = runs});
    try {
      opened.writer->Commit(manifest);
    } catch (const Error& error) {
      // A list that it took over has been found bad since: it must not commit.
      EXPECT_EQ(error.code(), ErrorCode::kNotFound) << error.message();
      EXPECT_FALSE(opened.adopted.empty()) << error.message();
      ++refused_;
      return;
    }
    std::vector<std::uint64_t>& chunks = model_[manifest.snapshot];
    chunks = opened.adopted_chunks;
    chunks.insert(chunks.end(), opened.chunks.begin(), opened.chunks.end());
  }

  std::optional<SnapshotId> RandomSnapshot() {
    if (model_.empty()) {
      return std::nullopt;
    }
    return std::next(model_.begin(), static_cast<std::ptrdiff_t>(Below(model_.size())))->first;
  }

  void DeleteSnapshot(Repository& repository) {
    if (model_.size() < 3) {
      return;
    }
    const auto id = RandomSnapshot();
    ASSERT_TRUE(id.has_value());
    model_.erase(id.value());
    repository.DeleteManifest(kProject, id.value());
  }

  void BeginReader(Repository& repository) {
    const auto id = RandomSnapshot();
    if (!id || readers_.size() > 2) {
      return;
    }
    const std::vector<std::uint64_t> chunks = model_.at(id.value());
    OpenReader opened{.reader = repository.NewReader(kProject)};
    opened.owner = &repository;
    opened.chunks = chunks;
    if (model_.contains(id.value())) {
      opened.manifest = inner_->LoadManifest(kProject, id.value());
      readers_.push_back(std::move(opened));
    }
  }

  // Between the calls of outer_ its locks may be held: who does not find a chunk would wait for
  // himself.
  bool MayLoad(const Repository* owner) const { return top_ || owner == inner_.get(); }

  // Whatever has become of the snapshot since.
  void Read() {
    if (readers_.empty()) {
      return;
    }
    const auto at =
        std::next(readers_.begin(), static_cast<std::ptrdiff_t>(Below(readers_.size())));
    OpenReader opened = std::move(*at);
    readers_.erase(at);
    if (!MayLoad(opened.owner)) {
      readers_.push_back(std::move(opened));
      return;
    }
    try {
      EXPECT_EQ(ReadAll(*opened.reader, opened.manifest), ChunksOf(opened.chunks));
    } catch (const Error& error) {
      // A collection does not wait for a reader that came after its condemned list. What a snapshot
      // needs it spares; a snapshot that is deleted under such a reader may go.
      EXPECT_EQ(error.code(), ErrorCode::kNotFound) << error.message();
      EXPECT_FALSE(model_.contains(opened.manifest.snapshot)) << error.message();
      ++lost_readers_;
      return;
    }
    readers_.push_back(std::move(opened));
  }

  void End() {
    if (Chance(8) && !collecting_ && top_) {
      Restart();
    } else if (Chance(2)) {
      TakeWriter();
    } else if (!readers_.empty()) {
      const OpenReader ended = std::move(readers_.front());
      readers_.pop_front();
    }
  }

  void Collect(Repository& repository) {
    if (collecting_) {
      return;  // one process has the data directory
    }
    collecting_ = true;
    const int percent = Chance(2) ? 50 : 100;
    const auto result = repository.OpenMaintenance(kProject)->Collect(
        {.rewrite_below_percent = percent, .pack_size = KiB(1)}, {});
    EXPECT_EQ(result.damaged_packs, 0U);
    collections_ += result.state == CollectionState::kDone ? 1 : 0;
    spared_ += result.spared_packs;
    collecting_ = false;
  }

  // Some places of a pack, though their bytes are good: whoever reads may still find them.
  void Suspect() {
    if (collecting_) {
      return;
    }
    std::vector<std::pair<PackId, ByteCount>> packs;
    store_->List(PackPrefix(kProject), [&](const std::string& name, ByteCount size) {
      packs.emplace_back(PackId{ParseRandomId(name).value()}, size);
    });
    if (packs.empty()) {
      return;
    }
    const ProjectKeys keys = LoadProjectKeys(*store_, {TestMasterKey(), 1}, kProject);
    const auto& [pack, size] = packs[Below(packs.size())];
    std::set<BadPlace> places;
    for (const PackEntry& entry : ReadPackFooter(keys, pack, *store_, size)) {
      if (Chance(2)) {
        places.insert({pack, entry.offset});
      }
    }
    PutQuarantine(*store_, keys, places, nonces_);
  }

  void Repair(Repository& repository) {
    if (collecting_) {
      return;  // one process has the data directory
    }
    collecting_ = true;
    const auto report = repository.OpenMaintenance(kProject)->Repair({.pack_size = KiB(1)}, {}, {});
    EXPECT_TRUE(report.AllWhole());
    copied_ += report.copied;
    collecting_ = false;
  }

  static std::vector<Bytes> ChunksOf(const std::vector<std::uint64_t>& seeds) {
    std::vector<Bytes> chunks;
    for (const std::uint64_t seed : seeds) {
      chunks.push_back(TestChunk(seed, 300));
    }
    return chunks;
  }

  static std::vector<Bytes> ReadAll(SnapshotReader& reader, const Manifest& manifest) {
    std::vector<Bytes> chunks;
    for (const Run& run : manifest.namespaces[0].runs) {
      for (const ChunkRef& list : run.lists) {
        for (const auto& [ref, first_id] : reader.LoadList(list)) {
          chunks.push_back(reader.Load(ref));
        }
      }
    }
    return chunks;
  }

  void VerifyAll() {
    const auto listed = inner_->ListManifests(kProject);
    EXPECT_EQ(listed.size(), model_.size());
    for (const auto& [id, seeds] : model_) {
      EXPECT_EQ(ReadSnapshot(*inner_, kProject, id), ChunksOf(seeds)) << id.ToString();
    }
  }

  SeededRandom random_;
  SeededRandom nonces_;
  std::unique_ptr<blob::BlobStore> store_ = blob::MakeMemoryStore();
  HookedStore hooked_{*store_};
  std::unique_ptr<Repository> outer_;
  std::unique_ptr<Repository> inner_;
  std::list<OpenWriter> writers_;
  std::list<OpenReader> readers_;
  std::map<SnapshotId, std::vector<std::uint64_t>> model_;
  std::int64_t time_ = 0;
  bool top_ = false;  // inside a step, not in one between its calls
  bool nested_allowed_ = false;
  bool collecting_ = false;
  std::size_t collections_ = 0;
  std::size_t spared_ = 0;
  std::size_t lost_readers_ = 0;
  std::size_t copied_ = 0;  // by repairs, from quarantine
  std::size_t refused_ = 0;
};

TEST(CollectionProperty, I11I12I19EverySnapshotReadsBackWhateverRunsBeside) {
  std::size_t collections = 0;
  std::size_t spared = 0;
  std::size_t lost_readers = 0;
  std::size_t copied = 0;
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= UnlessSanitized(40U, 10U); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    for (int step = 0; step < 600 && !testing::Test::HasFailure(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      world.Step();
    }
    world.ExpectNoGarbageAtTheEnd();
    collections += world.collections();
    spared += world.spared();
    lost_readers += world.lost_readers();
    copied += world.copied();
    refused += world.refused();
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  EXPECT_GT(collections, UnlessSanitized(100U, 25U));
  EXPECT_GT(spared, UnlessSanitized(10U, 2U));
  EXPECT_LT(lost_readers, 5U);
  EXPECT_GT(copied, UnlessSanitized(100U, 25U));
  EXPECT_LT(refused, 10U);
}

}  // namespace
}  // namespace tidemark::repo
