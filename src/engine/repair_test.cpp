#include "engine/repair.h"

#include <gmock/gmock.h>

#include "engine/check.h"
#include "tests/support/engine_fixture.h"

namespace tidemark::engine {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// Documents of one namespace in memory, by _id.
class MemoryDocuments final : public DocumentSource {
 public:
  void Set(const std::vector<Bytes>& documents) {
    documents_ = documents;
    std::ranges::sort(documents_, IdLess);
  }

  void Fail(ErrorCode code) { code_ = code; }

  std::size_t asked() const { return asked_; }

  void Find(const repo::RunUse& use, const std::vector<Bytes>& ids, const Visitor& visit) override {
    Begin(use);
    for (const Bytes& id : ids) {
      for (const Bytes& document : documents_) {
        if (Compare(document, id) == 0) {
          visit(document);
        }
      }
    }
  }

  void FindFrom(const repo::RunUse& use,
                const Bytes& first_id,
                std::uint64_t count,
                const std::stop_token&,
                const Visitor& visit) override {
    Begin(use);
    for (const Bytes& document : documents_) {
      if (count > 0 && Compare(document, first_id) >= 0) {
        --count;
        visit(document);
      }
    }
  }

 private:
  static std::weak_ordering Compare(const Bytes& document, const Bytes& id) {
    return bson::CompareValues(*bson::Document(document).Find("_id"), *bson::Document(id).begin());
  }

  void Begin(const repo::RunUse& use) {
    EXPECT_EQ(use.database + "." + use.collection, "db.c");
    ++asked_;
    if (code_) {
      throw Error(*code_, "asking memory: not now");
    }
  }

  std::vector<Bytes> documents_;
  std::optional<ErrorCode> code_;
  std::size_t asked_ = 0;
};

class EngineRepairTest : public EngineFixture {
 protected:
  EngineRepairTest() {
    options_.chunk_size = KiB(4);
    options_.encode_threads = 1;  // the first chunk of a pack is the first of the collection
  }

  static std::vector<Bytes> Numbered(std::int64_t count, std::string_view text = "x") {
    std::vector<Bytes> documents;
    for (std::int64_t id = 0; id < count; ++id) {
      documents.push_back(NumberedDocument(id, std::string(100, 'y') + std::string(text)));
    }
    return documents;
  }

  void TakeFirst(const std::vector<Bytes>& documents) {
    source_.Add("db", "c", documents);
    documents_.Set(documents);
    Take();
  }

  // On top of the last, of what the source holds by now.
  SnapshotId TakeNext(const std::vector<Bytes>& documents) {
    source_.Replace("db", "c", documents);
    documents_.Set(documents);
    options_.base = options_.snapshot;
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    Take();
    return options_.snapshot;
  }

  repo::RepairReport Repair(DocumentSource* source, bool dry_run = false) {
    return RepairRepository(*repository_,
                            options_.project,
                            source,
                            {.dry_run = dry_run, .chunk_size = options_.chunk_size},
                            Context());
  }

  std::uint64_t Findings() {
    return CheckRepository(
               *repository_, options_.project, {.read_percent = 100}, random_, Context())
        .findings.total();
  }

  std::vector<std::string> Blobs(std::string_view prefix) {
    std::vector<std::string> names;
    store_->List(prefix, [&](const std::string& name, ByteCount) { names.push_back(name); });
    return names;
  }

  void Flip(const std::string& name, std::size_t offset) {
    Bytes bytes = store_->Get(name);
    bytes.at(offset) ^= 1;
    store_->Delete(name);
    store_->Put(name, bytes);
  }

  // One bit in each place of every chunk of that kind: pack footers tell nobody outside of repo,
  // so the chunk is looked for by trying.
  template <class Fails>
  void FlipUntil(const Fails& fails) {
    if (fails()) {
      return;
    }
    for (const std::string& pack : Blobs("packs/")) {
      const std::size_t size = store_->Size(pack)->value;
      for (std::size_t offset = 40; offset < size; offset += 50) {
        Flip(pack, offset);
        if (fails()) {
          return;
        }
        Flip(pack, offset);
      }
    }
    ADD_FAILURE() << "no such chunk";
  }

  static bool Throws(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error&) {
      return true;
    }
    return false;
  }

  std::vector<Bytes> ReadOf(const SnapshotId& snapshot) {
    return Read(repository_->LoadManifest(options_.project, snapshot).namespaces.at(0));
  }

  MemoryDocuments documents_;
};

TEST_F(EngineRepairTest, HealsADataChunkFromTheCluster) {
  const std::vector<Bytes> documents = Numbered(300);
  TakeFirst(documents);
  Flip(Blobs("packs/").at(0), 60);  // of the first chunk
  const SnapshotId first = options_.snapshot;
  std::vector<Bytes> changed = documents;
  changed.back() = NumberedDocument(299, "changed");
  const SnapshotId second = TakeNext(changed);  // shares the damage
  EXPECT_GT(Findings(), 0U);
  const repo::RepairReport plan = Repair(&documents_, true);
  EXPECT_EQ(plan.healed, 1U);
  EXPECT_GT(Findings(), 0U);
  const repo::RepairReport report = Repair(&documents_);
  EXPECT_TRUE(report.AllWhole());
  EXPECT_EQ(report.healed, 1U);
  ASSERT_EQ(report.chunks.size(), 1U);
  EXPECT_THAT(report.chunks[0].snapshots, testing::UnorderedElementsAre(first, second));
  EXPECT_EQ(Findings(), 0U);
  EXPECT_EQ(ReadOf(first), documents);
  EXPECT_EQ(ReadOf(second), changed);
  EXPECT_THAT(FormatRepair(report), HasSubstr("healed data chunk of db.c run 1 from { \"_id\" : "));
  EXPECT_THAT(FormatRepair(report),
              HasSubstr(": from the documents of the cluster\nbad places put into quarantine: 1\n"
                        "damaged chunks healed: 1\n"));
}

TEST_F(EngineRepairTest, SaysWhatHasChangedAtTheCluster) {
  TakeFirst(Numbered(300));
  Flip(Blobs("packs/").at(0), 60);
  std::vector<Bytes> changed = Numbered(300);
  changed[0] = NumberedDocument(0, "changed");
  changed.erase(changed.begin() + 1);
  documents_.Set(changed);
  const repo::RepairReport report = Repair(&documents_);
  EXPECT_FALSE(report.AllWhole());
  ASSERT_EQ(report.chunks.size(), 1U);
  EXPECT_THAT(report.chunks[0].outcome, HasSubstr("2 of its "));
  EXPECT_THAT(report.chunks[0].outcome, HasSubstr("documents have changed or gone"));
  EXPECT_GT(Findings(), 0U);
}

// What a snapshot that comes later stores anew heals nothing wrong and shares no damage.
TEST_F(EngineRepairTest, I19LaterSnapshotsDoNotBuildOnQuarantine) {
  const std::vector<Bytes> documents = Numbered(300);
  TakeFirst(documents);
  const SnapshotId first = options_.snapshot;
  Flip(Blobs("packs/").at(0), 60);
  EXPECT_EQ(Repair(nullptr).lost, 1U);
  std::vector<Bytes> changed = documents;
  changed[7] = NumberedDocument(7, "changed");
  const SnapshotId second = TakeNext(changed);
  EXPECT_EQ(ReadOf(second), changed);
  const SnapshotId third = TakeNext(documents);
  EXPECT_EQ(ReadOf(third), documents);
  EXPECT_TRUE(Throws([&] { ReadOf(first); }) || ReadOf(first) == documents);
}

TEST_F(EngineRepairTest, InsertedDocumentsAreNoHindrance) {
  std::vector<Bytes> documents;
  for (std::int64_t id = 0; id < 300; ++id) {
    documents.push_back(NumberedDocument(id * 2, std::string(100, 'y')));
  }
  TakeFirst(documents);
  Flip(Blobs("packs/").at(0), 60);
  std::vector<Bytes> more = documents;
  more.push_back(NumberedDocument(1, "between"));
  documents_.Set(more);
  EXPECT_TRUE(Repair(&documents_).AllWhole());
  EXPECT_EQ(ReadOf(options_.snapshot), documents);
}

TEST_F(EngineRepairTest, HealsKeysFromDocuments) {
  const std::vector<Bytes> documents = Numbered(300);
  TakeFirst(documents);
  const repo::Run run = Manifest().namespaces.at(0).runs.at(0);
  const repo::ChunkRef keys =
      repository_->NewReader(options_.project)->LoadList(run.key_lists.at(0)).at(0).ref;
  FlipUntil(
      [&] { return Throws([&] { repository_->NewReader(options_.project)->LoadKeys(keys); }); });
  const repo::RepairReport report = Repair(nullptr);
  EXPECT_TRUE(report.AllWhole());
  EXPECT_EQ(report.healed, 1U);
  EXPECT_EQ(report.chunks.at(0).kind, repo::ChunkKind::kKeys);
  EXPECT_EQ(Findings(), 0U);
  EXPECT_EQ(documents_.asked(), 0U);
}

TEST_F(EngineRepairTest, HealsKeyListsFromDocuments) {
  TakeFirst(Numbered(300));
  const repo::Run run = Manifest().namespaces.at(0).runs.at(0);
  FlipUntil([&] {
    return Throws([&] { repository_->NewReader(options_.project)->LoadList(run.key_lists.at(0)); });
  });
  const repo::RepairReport report = Repair(nullptr);
  EXPECT_TRUE(report.AllWhole());
  EXPECT_EQ(report.healed, 1U);
  EXPECT_TRUE(report.chunks.at(0).of_keys);
  EXPECT_EQ(Findings(), 0U);
}

TEST_F(EngineRepairTest, HealsListsFromWhatPacksHold) {
  const std::vector<Bytes> documents = Numbered(300);
  TakeFirst(documents);
  const repo::Run run = Manifest().namespaces.at(0).runs.at(0);
  FlipUntil([&] {
    return Throws([&] { repository_->NewReader(options_.project)->LoadList(run.lists.at(0)); });
  });
  const repo::RepairReport report = Repair(nullptr);
  EXPECT_TRUE(report.AllWhole());
  EXPECT_EQ(report.healed, 1U);
  EXPECT_EQ(report.chunks.at(0).outcome, "from what packs hold");
  EXPECT_EQ(ReadOf(options_.snapshot), documents);
  EXPECT_EQ(Findings(), 0U);
}

// Documents, keys, and the lists of both.
TEST_F(EngineRepairTest, HealsALostPackWithAllThatWasInIt) {
  const std::vector<Bytes> documents = Numbered(300);
  TakeFirst(documents);
  store_->Delete(Blobs("packs/").at(0));
  ASSERT_THAT(Blobs("packs/"), IsEmpty());
  EXPECT_EQ(Repair(nullptr).lost, 2U);  // two lists; nobody knows what they listed
  EXPECT_TRUE(Repair(&documents_, true).AllWhole());
  options_.chunk_size = KiB(17);  // that it was another one is no hindrance
  const repo::RepairReport report = Repair(&documents_);
  EXPECT_TRUE(report.AllWhole());
  EXPECT_GT(report.healed, 5U);
  EXPECT_EQ(ReadOf(options_.snapshot), documents);
  EXPECT_EQ(Findings(), 0U);
}

TEST_F(EngineRepairTest, HealsChangesAndDeletions) {
  TakeFirst(Numbered(300));
  const std::vector<std::string> before = Blobs("packs/");
  std::vector<Bytes> changed = Numbered(300);
  changed[10] = NumberedDocument(10, "changed");
  changed[200] = NumberedDocument(200, "changed");
  changed.erase(changed.begin() + 20, changed.begin() + 25);
  const SnapshotId second = TakeNext(changed);
  ASSERT_EQ(Manifest().namespaces.at(0).runs.size(), 3U);
  for (const std::string& pack : Blobs("packs/")) {
    if (std::ranges::find(before, pack) == before.end()) {
      Flip(pack, 60);
    }
  }
  FlipUntil([&, deletes = Manifest().namespaces.at(0).runs.at(2)] {
    const auto reader = repository_->NewReader(options_.project);
    return Throws([&] { reader->Load(reader->LoadList(deletes.lists.at(0)).at(0).ref); });
  });
  EXPECT_TRUE(Repair(&documents_).AllWhole());
  EXPECT_EQ(ReadOf(second), changed);
  EXPECT_EQ(Findings(), 0U);
}

TEST_F(EngineRepairTest, AClusterThatCannotBeAskedIsAReason) {
  TakeFirst(Numbered(300));
  Flip(Blobs("packs/").at(0), 60);
  documents_.Fail(ErrorCode::kUnavailable);
  const repo::RepairReport report = Repair(&documents_);
  EXPECT_EQ(report.lost, 1U);
  EXPECT_EQ(report.chunks.at(0).outcome, "asking memory: not now");
  documents_.Fail(ErrorCode::kCancelled);
  EXPECT_TRUE(Throws([&] { Repair(&documents_); }));
}

TEST_F(EngineRepairTest, SaysThatNaturalOrderCannotBeHealed) {
  source_.Add("db", "c", Numbered(300)).capped = true;
  Take();
  Flip(Blobs("packs/").at(0), 60);
  const repo::RepairReport report = Repair(&documents_);
  EXPECT_EQ(report.lost, 1U);
  EXPECT_THAT(report.chunks.at(0).outcome, HasSubstr("no order of _id"));
  EXPECT_EQ(documents_.asked(), 0U);
}

// Random damage; the cluster still has everything.
TEST_F(EngineRepairTest, HealsWhateverIsDamagedWhenNothingHasChanged) {
  SeededRandom mixed(7);
  std::vector<Bytes> documents;
  for (int i = 0; i < 400; ++i) {
    documents.push_back(NumberedDocument(i, std::string(20 + mixed.Next() % 300, 'a')));
  }
  TakeFirst(documents);
  const SnapshotId first = options_.snapshot;
  for (std::uint64_t round = 0; round < 30; ++round) {
    SCOPED_TRACE(round);
    for (std::uint64_t flips = 1 + mixed.Next() % 4; flips > 0; --flips) {
      const std::vector<std::string> packs = Blobs("packs/");
      const std::string& pack = packs[mixed.Next() % packs.size()];
      Flip(pack, 12 + mixed.Next() % (store_->Size(pack)->value - 12));
    }
    const repo::RepairReport report = Repair(&documents_);
    ASSERT_TRUE(report.AllWhole()) << FormatRepair(report);
    ASSERT_EQ(ReadOf(first), documents);
    ASSERT_EQ(Findings(), 0U);
    repository_->OpenMaintenance(options_.project)->Collect({.rewrite_below_percent = 100}, {});
  }
}

}  // namespace
}  // namespace tidemark::engine
