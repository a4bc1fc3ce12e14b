#include <gtest/gtest.h>

#include "repo/maintenance.h"
#include "tests/support/forwarding_store.h"
#include "tests/support/repository_fixture.h"

// Partial manifests: from where a snapshot that was cut goes on.
namespace tidemark::repo {
namespace {

class PartialTest : public RepositoryFixture {
 protected:
  // Stores one chunk and says that the namespace "db.<name>" is finished.
  static void Finish(SnapshotWriter& writer, Manifest& done, const std::string& name, int seed) {
    repo::Run run;
    run.documents = 1;
    const ChunkRef chunk = writer.Store(TestChunk(static_cast<std::uint64_t>(seed)));
    run.lists.push_back(writer.StoreList({{chunk, TestFirstId(seed)}}));
    done.namespaces.push_back({.database = "db", .collection = name, .runs = {run}});
  }

  Manifest Fresh() const {
    Manifest done;
    done.snapshot = second_;
    done.project = project_;
    return done;
  }

  std::size_t Partials() { return BlobNames("partials/").size(); }
};

TEST_F(PartialTest, ThereIsNoneBeforeOneIsSaved) {
  CommitSnapshot(*repository_, project_, first_, TestChunks(1, 3));
  EXPECT_FALSE(repository_->LoadPartial(project_, second_).has_value());
}

TEST_F(PartialTest, I18GivesBackTheLastWithEverythingItNeeds) {
  {
    const auto writer = repository_->NewSnapshot(project_, {});
    Manifest done = Fresh();
    Finish(*writer, done, "a", 1);
    writer->SavePartial(done);
    Finish(*writer, done, "b", 2);
    writer->SavePartial(done);
    Finish(*writer, done, "c", 3);  // and then the writer is gone
  }
  const auto repository = OpenRepository();
  const auto partial = repository->LoadPartial(project_, second_);
  ASSERT_TRUE(partial.has_value());
  ASSERT_EQ(partial->namespaces.size(), 2U);
  EXPECT_EQ(partial->namespaces[1].collection, "b");
  EXPECT_EQ(Partials(), 1U);
  const auto reader = repository->NewReader(project_);
  for (const NamespaceEntry& entry : partial->namespaces) {
    const auto listed = reader->LoadList(entry.runs.at(0).lists.at(0));
    EXPECT_EQ(reader->Load(listed.at(0).ref).size(), 1000U);
  }
}

TEST_F(PartialTest, I25KeepsTheChunksOfWhatIsUnfinished) {
  {
    const auto writer = repository_->NewSnapshot(project_, {});
    Manifest done = Fresh();
    Finish(*writer, done, "a", 1);
    done.unfinished.push_back(
        {.entry = done.namespaces[0], .own_runs = 1, .read_to = TestFirstId(1)});
    done.namespaces.clear();
    writer->SavePartial(done);
  }
  const auto maintenance = repository_->OpenMaintenance(project_);
  maintenance->Collect({}, {});
  maintenance->Collect({}, {});
  EXPECT_TRUE(maintenance->CheckStructure({}).findings.findings().empty());
  const auto partial = repository_->LoadPartial(project_, second_);
  ASSERT_TRUE(partial.has_value());
  const ChunkRef list = partial->unfinished.at(0).entry.runs.at(0).lists.at(0);
  const auto reader = repository_->NewReader(project_);
  EXPECT_EQ(reader->Load(reader->LoadList(list).at(0).ref).size(), 1000U);
}

// A crash may leave two; a run that goes on is ahead of the one before in bytes, not in namespaces.
TEST_F(PartialTest, TheOneThatHasReadMostCounts) {
  for (const std::uint64_t bytes : {30U, 90U, 60U}) {
    const auto writer = repository_->NewSnapshot(project_, {});
    Manifest done = Fresh();
    Finish(*writer, done, "a", 1);
    done.unfinished.push_back(
        {.entry = done.namespaces[0], .own_runs = 1, .read_to = TestFirstId(1)});
    done.unfinished[0].entry.logical_bytes = bytes;
    done.namespaces.clear();
    writer->SavePartial(done);
  }
  EXPECT_EQ(Partials(), 3U);
  const auto partial = repository_->LoadPartial(project_, second_);
  ASSERT_TRUE(partial.has_value());
  EXPECT_EQ(partial->unfinished.at(0).entry.logical_bytes, 90U);
}

TEST_F(PartialTest, IsNoSnapshot) {
  const auto writer = repository_->NewSnapshot(project_, {});
  writer->SavePartial(Fresh());
  EXPECT_TRUE(repository_->ListManifests(project_).empty());
  EXPECT_EQ(FailureOf([&] { repository_->LoadManifest(project_, second_); }).code,
            ErrorCode::kNotFound);
}

TEST_F(PartialTest, GoesWithTheCommit) {
  const auto writer = repository_->NewSnapshot(project_, {});
  Manifest done = Fresh();
  Finish(*writer, done, "a", 1);
  writer->SavePartial(done);
  Finish(*writer, done, "b", 2);
  writer->Commit(done);
  EXPECT_EQ(Partials(), 0U);
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, second_),
            (std::vector<Bytes>{TestChunk(1), TestChunk(2)}));
}

TEST_F(PartialTest, MayBeDropped) {
  const auto writer = repository_->NewSnapshot(project_, {});
  writer->SavePartial(Fresh());
  repository_->DropPartial(project_, second_);
  repository_->DropPartial(project_, second_);
  repository_->DropPartial(TestId<ProjectId>(0x55), second_);
  EXPECT_FALSE(repository_->LoadPartial(project_, second_).has_value());
}

TEST_F(PartialTest, I18OpensUnderItsOwnNameOnly) {
  const auto writer = repository_->NewSnapshot(project_, {});
  writer->SavePartial(Fresh());
  const std::string name = BlobNames("partials/").at(0);
  const Bytes blob = store_->Get(name);
  store_->Delete(name);
  store_->Put(name.substr(0, name.size() - 1) + (name.back() == '0' ? "1" : "0"), blob);
  EXPECT_EQ(FailureOf([&] { repository_->LoadPartial(project_, second_); }).code,
            ErrorCode::kCorrupt);
}

TEST_F(PartialTest, I18KeepsItsChunksFromCollections) {
  {
    const auto writer = repository_->NewSnapshot(project_, {});
    Manifest done = Fresh();
    Finish(*writer, done, "a", 1);
    writer->SavePartial(done);
  }
  const auto collect = [this] {
    const auto maintenance = repository_->OpenMaintenance(project_);
    maintenance->Collect({}, {});
    maintenance->Collect({}, {});
  };
  collect();
  const auto partial = repository_->LoadPartial(project_, second_);
  ASSERT_TRUE(partial.has_value());
  const ChunkRef list = partial->namespaces.at(0).runs.at(0).lists.at(0);
  EXPECT_EQ(repository_->NewReader(project_)->LoadList(list).size(), 1U);
  repository_->DropPartial(project_, second_);
  collect();
  EXPECT_TRUE(BlobNames("packs/").empty());
}

// Does something once, when segments have been listed.
class BehindTheIndex final : public blob::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  void SetAct(std::function<void()> act) { act_ = std::move(act); }

  void List(std::string_view prefix,
            const std::function<void(const std::string&, ByteCount)>& visit) override {
    ForwardingStore::List(prefix, visit);
    if (prefix.starts_with("index/") && act_) {
      std::exchange(act_, {})();
    }
  }

 private:
  std::function<void()> act_;
};

// A snapshot goes on between the moment when a collection or a check lists what is stored and the
// moment when it reads what the snapshot needs.
class GoingOnTest : public PartialTest {
 protected:
  GoingOnTest() {
    writer_ = repository_->NewSnapshot(project_, {});
    Finish(*writer_, done_, "a", 1);
    writer_->SavePartial(done_);
  }

  void GoOn() {
    Finish(*writer_, done_, "b", 2);
    writer_->SavePartial(done_);
  }

  void End() {
    GoOn();
    writer_->Commit(done_);
    writer_.reset();
  }

  // Nothing is damaged, whatever the writer does meanwhile.
  void ExpectNoComplaint(const std::function<void()>& act) {
    BehindTheIndex store(*store_);
    const auto repository = Repository::Open(store, master_, random_);
    const auto maintenance = repository->OpenMaintenance(project_);
    store.SetAct(act);
    EXPECT_NO_THROW(maintenance->Collect({}, {}));
    store.SetAct([this] { GoOn(); });
    EXPECT_EQ(maintenance->CheckStructure({}).findings.total(), 0U);
  }

  Manifest done_ = Fresh();
  std::unique_ptr<SnapshotWriter> writer_;
};

TEST_F(GoingOnTest, I18ACollectionAndACheckLeaveItToItsWriter) {
  ExpectNoComplaint([this] { GoOn(); });
  writer_->Commit(done_);
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, second_).size(), done_.namespaces.size());
}

TEST_F(GoingOnTest, I18ItsEndIsNoDamageEither) {
  BehindTheIndex store(*store_);
  const auto repository = Repository::Open(store, master_, random_);
  const auto maintenance = repository->OpenMaintenance(project_);
  store.SetAct([this] { End(); });
  EXPECT_NO_THROW(maintenance->Collect({}, {}));
  maintenance->Collect({}, {});
  EXPECT_EQ(ReadSnapshot(*OpenRepository(), project_, second_).size(), 2U);
  EXPECT_EQ(maintenance->CheckStructure({}).findings.total(), 0U);
}

// One that nobody goes on with is looked at.
TEST_F(GoingOnTest, I18WhatACutSnapshotHasLostIsFound) {
  writer_.reset();
  for (const std::string& pack : BlobNames("packs/")) {
    store_->Delete(pack);
  }
  EXPECT_GT(repository_->OpenMaintenance(project_)->CheckStructure({}).findings.total(), 0U);
}

}  // namespace
}  // namespace tidemark::repo
