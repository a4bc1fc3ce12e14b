#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/access_service.h"
#include "service/cluster_service.h"
#include "service/master_key.h"
#include "service/notice_service.h"
#include "tests/fault/faulty_blob_store.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::service {
namespace {

const SnapshotId kSnapshot = repo::TestId<SnapshotId>(0x21);

class ProjectDeletion : public testing::Test {
 protected:
  ProjectDeletion() {
    repo::Repository::Create(*blobs_, master_, random_);
    SystemRandom system_random;
    directory_ = std::filesystem::temp_directory_path() /
                 ("project_deletion_test-" + RandomHex(system_random, 8));
    std::filesystem::create_directories(directory_);
    store_ = catalog::OpenSqliteStore({.path = directory_ / "catalog.sqlite"});
    Start(*blobs_);
    first_ = access_->Initialize("Acme", "Project 0");
  }

  ~ProjectDeletion() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  // As a server does, over these blobs.
  void Start(blob::BlobStore& blobs) {
    access_.reset();
    clusters_.reset();
    repository_ = repo::Repository::Open(blobs, master_, random_);
    environment_.emplace(Environment{*store_, *repository_, clock_, random_, *log_, [] {}});
    access_.emplace(*environment_);
    clusters_.emplace(*environment_);
  }

  Caller Owner() { return {first_.key.key}; }

  void RegisterCluster() {
    ClusterRegistration registration;
    registration.name = "C0";
    registration.connection_string = Secret("mongodb://user:word@127.0.0.1:1/");
    clusters_->Register(first_.project.id, registration);
  }

  std::string RefusalOf(const std::function<void()>& action, Reason reason) {
    try {
      action();
    } catch (const Refusal& refusal) {
      EXPECT_EQ(refusal.reason(), reason);
      return std::string(refusal.message());
    }
    ADD_FAILURE() << "nothing was refused";
    return {};
  }

  bool HoldsBlobsOf(const ProjectId& project) {
    bool any = false;
    blobs_->List("", [&](const std::string& name, ByteCount) {
      any |= name.find(project.ToString()) != std::string::npos;
    });
    return any;
  }

  const repo::MasterKey master_ = repo::TestMasterKey();
  ManualClock clock_{*ParseInstant("2026-11-25T10:00:00Z")};
  SeededRandom random_{7};
  std::unique_ptr<Log> log_ = MakeNullLog();
  std::unique_ptr<blob::BlobStore> blobs_ = blob::MakeMemoryStore();
  std::unique_ptr<repo::Repository> repository_;
  std::filesystem::path directory_;
  std::unique_ptr<catalog::Store> store_;
  std::optional<Environment> environment_;
  std::optional<AccessService> access_;
  std::optional<ClusterService> clusters_;
  AccessService::Bootstrap first_;
};

TEST_F(ProjectDeletion, DestroysWhatIsStored) {
  const ProjectId id = first_.project.id;
  repo::CommitSnapshot(*repository_, id, kSnapshot, repo::TestChunks(1, 3));
  ASSERT_TRUE(HoldsBlobsOf(id));
  access_->DeleteProject(Owner(), id);
  EXPECT_FALSE(HoldsBlobsOf(id));
  EXPECT_FALSE(store_->FindProject(id));
  EXPECT_TRUE(store_->ListProjectsToShred().empty());
  RefusalOf([&] { access_->DeleteProject(Owner(), id); }, Reason::kGroupNotFound);
}

TEST_F(ProjectDeletion, IsRefusedWhileClustersAreRegistered) {
  RegisterCluster();
  const ProjectId id = first_.project.id;
  EXPECT_EQ(RefusalOf([&] { access_->DeleteProject(Owner(), id); }, Reason::kProjectInUse),
            "cannot delete project " + id.ToString() + ": clusters are registered in it");
  clusters_->Remove(id, "C0");
  access_->DeleteProject(Owner(), id);
}

TEST_F(ProjectDeletion, IsForOwnersOfTheOrganization) {
  const auto made = access_->CreateKey(Owner(),
                                       domain::KeyKind::kApiKey,
                                       "test",
                                       {{domain::Role::kGroupOwner, {}, first_.project.id}});
  RefusalOf([&] { access_->DeleteProject({made.key}, first_.project.id); },
            Reason::kUserUnauthorized);
  access_->DeleteProject(Owner(), first_.project.id);
  EXPECT_FALSE(access_->FindDigestKey(made.key.public_name));
}

TEST_F(ProjectDeletion, IsFinishedByTheNextStart) {
  const ProjectId id = first_.project.id;
  repo::CommitSnapshot(*repository_, id, kSnapshot, repo::TestChunks(1, 3));
  // Four calls to open, then the list of keys: the store dies before the key is deleted.
  blob::FaultyBlobStore dying(*blobs_, {.call = 6, .span = blob::FaultPlan::Span::kFromThenOn});
  Start(dying);
  EXPECT_THROW(access_->DeleteProject(Owner(), id), Error);
  EXPECT_TRUE(HoldsBlobsOf(id));
  EXPECT_FALSE(store_->FindProject(id));
  Start(*blobs_);
  access_->FinishProjectDeletions();
  EXPECT_FALSE(HoldsBlobsOf(id));
  EXPECT_TRUE(store_->ListProjectsToShred().empty());
}

class Reseal : public ProjectDeletion {};

TEST_F(Reseal, PutsEverySecretUnderTheNewKey) {
  RegisterCluster();
  const repo::MasterKey next = repo::TestMasterKey(8);
  EXPECT_EQ(ResealSecrets(*store_, master_, next, random_), 2);
  EXPECT_EQ(ResealSecrets(*store_, master_, next, random_), 2);  // repeated
  const auto sealed = store_->FindCluster(first_.project.id, "C0").value();
  EXPECT_EQ(
      repo::OpenSecret(
          next, "connection-string:" + sealed.id.ToString(), sealed.connection_string.Reveal()),
      "mongodb://user:word@127.0.0.1:1/");
  EXPECT_THROW(access_->FindDigestKey(first_.key.key.public_name), Error);  // under the old key
  const auto stored = store_->FindKeyByPublicName(first_.key.key.public_name).value();
  EXPECT_EQ(
      repo::OpenSecret(next, "ha1:" + first_.key.key.public_name, stored.sealed_secret).size(),
      32U);
}

class NoTransport final : public notify::Transport {
 public:
  void Send(const notify::OpenChannel&, const notify::Message&, const std::stop_token&) override {}
};

TEST_F(Reseal, ChannelsOpenUnderTheNewKey) {
  NoTransport transport;
  NoticeService notices(*environment_, transport);
  ChannelRegistration registration;
  registration.url = Secret("https://hooks.example.org/secret");
  registration.secret = Secret("0123456789abcdef");
  const auto channel = notices.Add(first_.project.id, registration);
  EXPECT_EQ(channel.sealed_url.find("hooks"), std::string::npos);
  const repo::MasterKey next = repo::TestMasterKey(8);
  EXPECT_EQ(ResealSecrets(*store_, master_, next, random_), 3);  // the API key's too
  const auto sealed = store_->FindChannel(first_.project.id, channel.id).value();
  EXPECT_THROW(notices.Open(sealed), Error);  // under the old key
  const std::string id = channel.id.ToString();
  EXPECT_EQ(repo::OpenSecret(next, "notice-url:" + id, sealed.sealed_url),
            "https://hooks.example.org/secret");
  EXPECT_EQ(repo::OpenSecret(next, "notice-secret:" + id, sealed.sealed_secret),
            "0123456789abcdef");
}

TEST_F(Reseal, ChangesNothingWhenOneSecretDoesNotOpen) {
  RegisterCluster();
  const repo::Failure failure = repo::FailureOf(
      [&] { ResealSecrets(*store_, repo::TestMasterKey(9), repo::TestMasterKey(8), random_); });
  EXPECT_EQ(failure.code, ErrorCode::kCorrupt);
  EXPECT_TRUE(failure.message.starts_with("reading secret ha1:")) << failure.message;
  EXPECT_TRUE(access_->FindDigestKey(first_.key.key.public_name));
}

}  // namespace
}  // namespace tidemark::service
