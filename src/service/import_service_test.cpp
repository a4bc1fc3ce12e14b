#include "service/import_service.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "bson/builder.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::service {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class ImportServiceTest : public repo::RepositoryFixture {
 protected:
  ImportServiceTest() : repo_(repo::Repository::Open(*store_, master_, system_random_)) {
    fs::create_directories(Folder());
    const domain::Organization organization{
        .id = OrganizationId::Generate(clock_.Now(), system_random_), .name = "Acme"};
    catalog_->AddOrganization(organization);
    catalog_->AddProject(
        {.id = project_, .organization = organization.id, .name = "Shop", .created = clock_.Now()});
    catalog_->AddCluster({.id = ClusterId::Generate(clock_.Now(), system_random_),
                          .project = project_,
                          .name = "c0",
                          .created = clock_.Now()});
  }

  ~ImportServiceTest() override { fs::remove_all(directory_); }

  fs::path Folder() const { return directory_ / project_.ToString(); }

  void CopyGenuine(const char* name) const {
    fs::copy(fs::path(TIDEMARK_SOURCE_DIR) / "tests/data/mongod-4.0/mongodump-100.10" / name,
             Folder() / name,
             fs::copy_options::recursive);
  }

  domain::Snapshot Start(const std::string& path) {
    return service_.Start(project_, "c0", path, "from the old server");
  }

  // The next job, as a worker does it.
  void RunNext() {
    const domain::Job job =
        catalog_->ClaimJob("node", clock_.Now(), std::chrono::seconds(15)).value();
    jobs::JobContext context;
    context.job = job;
    context.lease = {job.id, job.fence};
    context.stop = stop_.get_token();
    context.report = [this](const domain::JobProgress& progress) {
      phases_.insert(progress.phase);
    };
    service_.Run(context);
  }

  domain::Snapshot Found(const SnapshotId& id) { return catalog_->FindSnapshot(id).value(); }

  void ExpectRefused(const std::string& path, const std::string& why) {
    try {
      Start(path);
      FAIL() << "it was taken";
    } catch (const Refusal& refusal) {
      EXPECT_EQ(refusal.reason(), Reason::kInvalidValue);
      EXPECT_THAT(std::string(refusal.message()), HasSubstr(why));
    }
  }

  SystemRandom system_random_;
  const std::unique_ptr<repo::Repository> repo_;
  ManualClock clock_{FromMicros(1'700'000'000'000'000)};
  const std::unique_ptr<Log> log_ = MakeNullLog();
  const fs::path directory_ =
      fs::temp_directory_path() / ("import_test-" + RandomHex(system_random_, 8));
  const bool made_ = fs::create_directories(directory_);
  const std::unique_ptr<catalog::Store> catalog_ =
      catalog::OpenSqliteStore({.path = directory_ / "catalog.sqlite"});
  Environment environment_{*catalog_, *repo_, clock_, system_random_, *log_, [] {}};
  ClusterService clusters_{environment_};
  SnapshotService snapshots_{environment_, clusters_, {}};
  ImportService service_{
      environment_, clusters_, snapshots_, {.folder = directory_, .spool_folder = directory_}};
  std::stop_source stop_;
  std::set<std::string> phases_;
};

TEST_F(ImportServiceTest, ImportBecomesASnapshot) {
  CopyGenuine("all.archive.gz");
  const domain::Snapshot queued = Start("all.archive.gz");
  EXPECT_EQ(Found(queued.id).state, domain::SnapshotState::kPending);
  RunNext();
  const domain::Snapshot done = Found(queued.id);
  EXPECT_EQ(done.state, domain::SnapshotState::kCompleted) << done.failure;
  EXPECT_EQ(done.mongodb_version, "4.0.3");
  EXPECT_EQ(done.description, "from the old server");
  EXPECT_FALSE(done.consistent);
  EXPECT_THAT(done.inconsistent_reason, HasSubstr("imported from a dump"));
  EXPECT_EQ(repo_->LoadManifest(project_, queued.id).namespaces.size(), 19U);
  const domain::Import import = service_.Find(queued.id).value();
  EXPECT_EQ(import.path, "all.archive.gz");
  EXPECT_EQ(import.format, "archive");
  EXPECT_EQ(repo_->LoadManifest(project_, queued.id).accounts.users.size(), 1U);
  EXPECT_TRUE(phases_.contains("checking the dump"));
}

TEST_F(ImportServiceTest, SecondImportStoresNothingAgain) {
  CopyGenuine("dir");
  CopyGenuine("all.archive");
  const domain::Snapshot first = Start("dir");
  RunNext();
  const domain::Snapshot second = Start("all.archive");
  RunNext();
  EXPECT_EQ(Found(second.id).state, domain::SnapshotState::kCompleted);
  EXPECT_EQ(Found(second.id).documents, Found(first.id).documents);
  EXPECT_LT(Found(second.id).stored_bytes,
            Found(first.id).stored_bytes / 2);  // capped ones go by their order
}

TEST_F(ImportServiceTest, DamagedDumpFailsAndLeavesNothing) {
  CopyGenuine("all.archive");
  fs::resize_file(Folder() / "all.archive", 20'000);
  const domain::Snapshot queued = Start("all.archive");
  RunNext();
  EXPECT_EQ(Found(queued.id).state, domain::SnapshotState::kFailed);
  EXPECT_THAT(Found(queued.id).failure, HasSubstr("reading the archive: "));
  EXPECT_TRUE(repo_->ListManifests(project_).empty());
  EXPECT_TRUE(repo_->ListPartials(project_).empty());
}

TEST_F(ImportServiceTest, PathsThatAreNoneAreRefusedAtOnce) {
  ExpectRefused("nothing", "nothing");
  try {
    Start("nothing");
  } catch (const Refusal& refusal) {  // where the server keeps dumps is its own business
    EXPECT_EQ(refusal.message().find(directory_.string()), std::string_view::npos);
  }
  ExpectRefused("../" + project_.ToString(), "not one below the import folder");
  ExpectRefused("/etc/passwd", "not one below the import folder");
  ExpectRefused(std::string(2000, 'x'), "longer than 1024 bytes");
  fs::create_symlink("/etc/passwd", Folder() / "link");
  ExpectRefused("link", "it is a link");
  EXPECT_THROW(service_.Start(project_, "none", "x", ""), Refusal);
}

// What one project has may not be read by another.
TEST_F(ImportServiceTest, OtherProjectsDumpsAreOutOfReach) {
  const fs::path other = directory_ / "32b6e34b3d91647abb20e7b8";
  fs::create_directories(other);
  std::ofstream(other / "dump.archive") << "x";
  ExpectRefused("../32b6e34b3d91647abb20e7b8/dump.archive", "not one below");
  ExpectRefused("dump.archive", "dump.archive");
}

TEST_F(ImportServiceTest, WithoutAFolderNothingIsImported) {
  ImportService off(environment_, clusters_, snapshots_, {});
  EXPECT_THROW(off.Start(project_, "c0", "x", ""), Refusal);
}

// The server is stopped amid the import; at the next try the file is another one.
TEST_F(ImportServiceTest, ImportThatWasCutBeginsAnew) {
  CopyGenuine("all.archive");
  const domain::Snapshot queued = Start("all.archive");
  stop_.request_stop();
  EXPECT_THROW(RunNext(), Error);
  EXPECT_EQ(Found(queued.id).state, domain::SnapshotState::kRunning);
  stop_ = {};
  repo::Manifest stale;
  stale.project = project_;
  stale.snapshot = queued.id;
  repo_->NewSnapshot(project_, {})->SavePartial(stale);
  EXPECT_EQ(repo_->ListPartials(project_).size(), 1U);
  clock_.Advance(std::chrono::seconds(20));
  RunNext();
  EXPECT_EQ(Found(queued.id).state, domain::SnapshotState::kCompleted);
  EXPECT_TRUE(repo_->ListPartials(project_).empty());
}

// mongodump may read a document twice that moves meanwhile, and a tree's files can be joined.
TEST_F(ImportServiceTest, DocumentsThatASnapshotCannotKeepAreTold) {
  const auto write = [this](const char* name, const std::vector<Bytes>& documents) {
    fs::create_directories(Folder() / name / "shop");
    std::ofstream file(Folder() / name / "shop" / "orders.bson", std::ios::binary);
    for (const Bytes& document : documents) {
      file << AsText(document);
    }
  };
  const auto numbered = [](std::int32_t id, const char* text) {
    return bson::Builder().Append("_id", id).Append("text", text).Finish();
  };
  write("twice", {numbered(1, "old"), numbered(2, "x"), numbered(1, "new")});
  const domain::Snapshot twice = Start("twice");
  RunNext();
  EXPECT_EQ(Found(twice.id).documents, 2U);
  EXPECT_THAT(service_.Find(twice.id)->notes, HasSubstr("has the same _id: 1\n"));

  write("nameless", {bson::Builder().Append("text", "x").Finish(), numbered(1, "y")});
  const domain::Snapshot nameless = Start("nameless");
  RunNext();
  EXPECT_EQ(Found(nameless.id).documents, 2U);
  EXPECT_THAT(service_.Find(nameless.id)->notes, HasSubstr("documents without an _id: 1;"));
  EXPECT_THAT(service_.Find(nameless.id)->notes, Not(HasSubstr("same _id")));
}

TEST_F(ImportServiceTest, DescriptionHasABound) {
  fs::create_directories(Folder() / "dump");
  service_.Start(project_, "c0", "dump", std::string(1024, 'x'));
  try {
    service_.Start(project_, "c0", "dump", std::string(1025, 'x'));
    FAIL() << "it was taken";
  } catch (const Refusal& refusal) {
    EXPECT_EQ(refusal.reason(), Reason::kInvalidValue);
    EXPECT_EQ(refusal.message(), "must be at most 1024 bytes long");
  }
}

TEST_F(ImportServiceTest, EmptyFolderIsNoDump) {
  fs::create_directories(Folder() / "empty");
  const domain::Snapshot queued = Start("empty");
  RunNext();
  EXPECT_EQ(Found(queued.id).state, domain::SnapshotState::kFailed);
  EXPECT_THAT(Found(queued.id).failure, HasSubstr("it holds no database and no prelude.json"));
}

TEST_F(ImportServiceTest, OtherSnapshotsAreTakenFromTheirCluster) {
  const domain::Snapshot queued = snapshots_.Take(project_, "c0", "");
  RunNext();
  EXPECT_EQ(Found(queued.id).state, domain::SnapshotState::kFailed);  // there is no cluster
  EXPECT_FALSE(service_.Find(queued.id));
}

}  // namespace
}  // namespace tidemark::service
