#include "service/drill_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/mutex.h"
#include "base/stage_group.h"
#include "bson/builder.h"
#include "catalog/store.h"
#include "delivery/cluster_restore.h"
#include "service/snapshot_service.h"
#include "tests/support/memory_server_fixture.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::service {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

// Two servers in memory: one that snapshots are taken of, one that drills may wipe.
class DrillServiceTest : public repo::RepositoryFixture {
 protected:
  DrillServiceTest() : repo_(repo::Repository::Open(*store_, master_, system_random_)) {
    const domain::Organization organization{OrganizationId::Generate(clock_.Now(), system_random_),
                                            "org"};
    catalog_->AddOrganization(organization);
    catalog_->AddProject({project_, organization.id, "project", clock_.Now()});
    source_server_.Generate("shop.orders", 500, 100);
    source_server_.Generate("shop.items", 20, 100);
    source_ = Register("c0", source_server_.Uri());
    scratch_ = Register("scratch", scratch_server_.Uri());
    drills_.Change(source_, {.interval_days = 1});
  }

  domain::Cluster Register(const std::string& name, const std::string& uri) {
    return clusters_.Register(project_, {.name = name, .connection_string = Secret(uri)});
  }

  // As a person asks for it.
  RestoreJobId QueueRestoreInto(const domain::Cluster& target, const SnapshotId& snapshot) {
    const auto id = RestoreJobId::Generate(clock_.Now(), system_random_);
    catalog_->AddRestore({.id = id,
                          .project = project_,
                          .cluster = source_.id,
                          .cluster_name = "c0",
                          .snapshot = snapshot,
                          .target_project = project_,
                          .target_cluster = target.id,
                          .target_name = target.name,
                          .created = clock_.Now()},
                         {.id = JobId::Generate(clock_.Now(), system_random_),
                          .kind = domain::JobKind::kRestore,
                          .subject = id.raw(),
                          .created = clock_.Now()},
                         "a restore needs it");
    return id;
  }

  // Runs the next job as a worker does; false when there is none.
  bool RunNext() {
    const auto job = catalog_->ClaimJob("node", clock_.Now(), std::chrono::seconds{15});
    if (!job) {
      return false;
    }
    jobs::JobContext context;
    context.job = *job;
    context.lease = {job->id, job->fence};
    context.stop = stop_.get_token();
    context.report = [this](const domain::JobProgress& progress) {
      const MutexLock lock(reporting_);  // several threads of a restore report
      if (on_report_) {
        on_report_(progress);
      }
    };
    context.save_checkpoint = [this, lease = context.lease](const std::string& text) {
      if (!catalog_->SaveCheckpoint(lease, text)) {
        throw Error(ErrorCode::kCancelled, "the lease is lost");
      }
    };
    if (job->kind == domain::JobKind::kDrill) {
      drills_.Run(context);
    } else {
      snapshots_.Run(context);
    }
    return true;
  }

  SnapshotId TakeSnapshot() {
    const domain::Snapshot snapshot = snapshots_.Take(project_, "c0", "");
    EXPECT_TRUE(RunNext());
    EXPECT_EQ(catalog_->FindSnapshot(snapshot.id).value().failure, "");
    return snapshot.id;
  }

  void UseTarget() {
    drills_.MarkScratch(scratch_);
    drills_.Change(source_, {.target = "scratch"});
  }

  domain::Drill RunDrill() {
    const domain::Drill drill = drills_.Start(source_);
    EXPECT_TRUE(RunNext());
    return drills_.Find(source_, drill.id).value();
  }

  static std::vector<std::string> DatabasesOf(memory::MemoryServer& server) {
    const auto connection = mongo::Connection::Open(Secret(server.Uri()), {});
    std::vector<std::string> names = connection->ListDatabases();
    std::erase_if(names, [](const std::string& name) {
      return name == "local" || name == "admin" || name == "config";
    });
    return names;
  }

  void WriteToScratch(const std::string& ns) { scratch_server_.Generate(ns, 3, 100); }

  std::optional<Reason> ReasonOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const Refusal& refusal) {
      message_ = refusal.message();
      return refusal.reason();
    }
    return std::nullopt;
  }

  SystemRandom system_random_;
  const std::unique_ptr<repo::Repository> repo_;
  const std::unique_ptr<catalog::Store> catalog_ =
      catalog::OpenSqliteStore({.path = ":memory:", .connections = 1});
  ManualClock clock_{FromMicros(1'700'000'000'000'000)};
  const std::unique_ptr<Log> log_ = MakeNullLog();
  memory::MemoryServer source_server_{{.replica_set = "rs0"}, clock_, system_random_};
  memory::MemoryServer scratch_server_{{}, clock_, system_random_};
  Environment environment_{*catalog_, *repo_, clock_, system_random_, *log_, [] {}};
  ClusterService clusters_{environment_};
  SnapshotService snapshots_{environment_, clusters_, engine::SnapshotOptions{}};
  ScheduleService schedules_{environment_, Schedules::kOn};
  DrillService drills_{environment_, clusters_, schedules_, {.attempts = 1}};
  std::stop_source stop_;
  Mutex reporting_;
  std::function<void(const domain::JobProgress&)> on_report_;
  std::string message_;
  domain::Cluster source_;
  domain::Cluster scratch_;
};

TEST_F(DrillServiceTest, WithoutASnapshotNothingIsDue) {
  EXPECT_FALSE(drills_.QueueNext());
  EXPECT_EQ(ReasonOf([&] { drills_.Start(source_); }), Reason::kSnapshotNotFound);
}

TEST_F(DrillServiceTest, WithoutATargetTheNewestSnapshotIsReadOnceInAWhile) {
  const SnapshotId snapshot = TakeSnapshot();
  EXPECT_TRUE(drills_.QueueNext());
  EXPECT_FALSE(drills_.QueueNext());
  EXPECT_EQ(ReasonOf([&] { drills_.Start(source_); }), Reason::kClusterBusy);
  EXPECT_TRUE(RunNext());
  const domain::Drill drill = drills_.FindLast(source_).value();
  EXPECT_EQ(drill.failure, "");
  EXPECT_EQ(drill.state, domain::DrillState::kPassed);
  EXPECT_FALSE(drill.restored);
  EXPECT_EQ(drill.documents, 520U);
  EXPECT_EQ(drills_.FindLastOf(snapshot).value().id, drill.id);
  EXPECT_EQ(catalog_->FindSchedule(source_.id).value().verified.value().failure, "");
  EXPECT_FALSE(drills_.QueueNext());
  clock_.Advance(std::chrono::hours{24});
  EXPECT_TRUE(drills_.QueueNext());
}

TEST_F(DrillServiceTest, ATargetGetsAllOfItAndIsWiped) {
  TakeSnapshot();
  UseTarget();
  WriteToScratch("old.data");
  std::vector<std::string> seen;
  on_report_ = [&](const domain::JobProgress& progress) { seen.push_back(progress.phase); };
  const domain::Drill drill = RunDrill();
  EXPECT_EQ(drill.failure, "");
  EXPECT_EQ(drill.state, domain::DrillState::kPassed);
  EXPECT_TRUE(drill.restored);
  EXPECT_EQ(drill.documents, 520U);
  EXPECT_EQ(drill.collections, 2U);
  EXPECT_EQ(drill.target_name, "scratch");
  EXPECT_THAT(DatabasesOf(scratch_server_), IsEmpty());
  EXPECT_THAT(DatabasesOf(source_server_), testing::Contains("shop"));
  EXPECT_FALSE(seen.empty());
}

TEST_F(DrillServiceTest, OnlyAMarkedClusterIsATarget) {
  EXPECT_EQ(ReasonOf([&] { drills_.Change(source_, {.target = "scratch"}); }),
            Reason::kInvalidValue);
  EXPECT_EQ(message_, "drilling with cluster scratch: it is not marked as a scratch target");
  drills_.MarkScratch(source_);
  EXPECT_EQ(ReasonOf([&] { drills_.Change(source_, {.target = "c0"}); }), Reason::kInvalidValue);
  EXPECT_EQ(message_, "drilling with cluster c0: it is the one that the snapshots are of");
  EXPECT_EQ(ReasonOf([&] { drills_.Change(source_, {.target = "none"}); }),
            Reason::kClusterNotFound);
}

TEST_F(DrillServiceTest, ATargetThatLostItsMarkIsNotTouched) {
  TakeSnapshot();
  UseTarget();
  WriteToScratch("kept.data");
  ASSERT_TRUE(drills_.QueueNext());
  drills_.UnmarkScratch(scratch_);
  EXPECT_FALSE(RunNext());
  const domain::Drill stopped = drills_.List(source_, {}).rows.at(0);
  EXPECT_EQ(stopped.state, domain::DrillState::kStopped);
  EXPECT_EQ(stopped.failure, "stopped: the mark of a scratch target was taken off scratch");
  EXPECT_EQ(ReasonOf([&] { drills_.Start(source_); }), Reason::kInvalidValue);
  ASSERT_TRUE(drills_.QueueNext());  // the target is still named
  EXPECT_TRUE(RunNext());
  const domain::Drill drill = drills_.FindLast(source_).value();
  EXPECT_EQ(drill.state, domain::DrillState::kFailed);
  EXPECT_THAT(drill.failure, HasSubstr("it is not marked as a scratch target"));
  EXPECT_THAT(DatabasesOf(scratch_server_), testing::ElementsAre("kept"));
}

TEST_F(DrillServiceTest, WhoTakesTheMarkOffARunningDrillsTargetIsToldToWait) {
  TakeSnapshot();
  UseTarget();
  std::optional<Reason> told;
  on_report_ = [&](const domain::JobProgress&) {
    if (!told) {
      told = ReasonOf([&] { drills_.UnmarkScratch(scratch_); });
      std::this_thread::sleep_for(std::chrono::milliseconds{600});  // the drill looks within 250
    }
  };
  EXPECT_EQ(RunDrill().state, domain::DrillState::kStopped);
  EXPECT_EQ(told, Reason::kClusterBusy);
  EXPECT_FALSE(drills_.IsScratch(scratch_));
  EXPECT_EQ(ReasonOf([&] { drills_.UnmarkScratch(scratch_); }), std::nullopt);
}

TEST_F(DrillServiceTest, ADrillLeavesLoginsAlone) {
  const auto add = [](memory::MemoryServer& server, const std::string& name) {
    const auto connection = mongo::Connection::Open(Secret(server.Uri()), {});
    const Bytes user = bson::Builder()
                           .Append("_id", "admin." + name)
                           .Append("user", name)
                           .Append("db", "admin")
                           .Finish();
    connection->InsertMany("admin", "system.users", {ByteView(user)});
  };
  add(source_server_, "of-the-source");
  add(scratch_server_, "of-the-target");
  TakeSnapshot();
  UseTarget();
  EXPECT_EQ(RunDrill().state, domain::DrillState::kPassed);
  std::vector<std::string> users;
  const auto connection = mongo::Connection::Open(Secret(scratch_server_.Uri()), {});
  connection->ForEachDocument("admin", "system.users", {}, [&](ByteView document) {
    users.emplace_back(memory::TextAt(bson::Document(document), "user"));
  });
  EXPECT_THAT(users, testing::ElementsAre("of-the-target"));
}

// The target is another registered cluster's server, too, and somebody restores into that.
TEST_F(DrillServiceTest, ADrillBesideARestoreIntoTheSameServerWipesNothing) {
  const SnapshotId snapshot = TakeSnapshot();
  UseTarget();
  const domain::Cluster twin = Register("twin", scratch_server_.Uri());
  const RestoreJobId id = QueueRestoreInto(twin, snapshot);
  ASSERT_TRUE(catalog_->ClaimJob("node", clock_.Now(), std::chrono::seconds{15}));
  WriteToScratch("half.restored");
  const auto connection = mongo::Connection::Open(Secret(scratch_server_.Uri()), {});
  delivery::MakeClusterTarget(*connection)->MarkIncomplete(id.ToString(), snapshot.ToString());
  const domain::Drill drill = RunDrill();
  EXPECT_EQ(drill.state, domain::DrillState::kFailed);
  EXPECT_THAT(drill.failure, HasSubstr(id.ToString() + " is writing to the same server"));
  EXPECT_EQ(connection->Count("half", "restored"), 3U);
  EXPECT_THAT(delivery::MakeClusterTarget(*connection)->ListMarks(),
              testing::ElementsAre(id.ToString()));
}

// As above, and what is read meanwhile is nobody's data.
TEST_F(DrillServiceTest, ASnapshotBesideARestoreIntoTheSameServerFails) {
  source_server_.faults().SetHook([this](std::string_view command, std::string_view ns) {
    if (command == "find" && ns == "shop.items") {
      source_server_.Generate("tidemark_restore.incomplete", 1, 50);
    }
  });
  const domain::Snapshot snapshot = snapshots_.Take(project_, "c0", "");
  EXPECT_TRUE(RunNext());
  source_server_.faults().SetHook({});
  const domain::Snapshot ended = catalog_->FindSnapshot(snapshot.id).value();
  EXPECT_EQ(ended.state, domain::SnapshotState::kFailed);
  EXPECT_THAT(ended.failure, HasSubstr("an unfinished restore has left it incomplete"));
  EXPECT_THAT(BlobNames("manifests/"), IsEmpty());
}

TEST_F(DrillServiceTest, TheSourceUnderAnotherNameIsNotTouched) {
  TakeSnapshot();
  const domain::Cluster twin = Register("twin", source_server_.Uri());
  drills_.MarkScratch(twin);
  drills_.Change(source_, {.target = "twin"});
  const domain::Drill drill = RunDrill();
  EXPECT_EQ(drill.state, domain::DrillState::kFailed);
  EXPECT_THAT(drill.failure, HasSubstr("it is the same server as cluster c0"));
  const auto connection = mongo::Connection::Open(Secret(source_server_.Uri()), {});
  EXPECT_EQ(connection->Count("shop", "orders"), 500U);
}

TEST_F(DrillServiceTest, ASourceThatCannotBeAskedMakesItRead) {
  TakeSnapshot();
  UseTarget();
  WriteToScratch("kept.data");
  source_server_.StepDown();
  const domain::Drill drill = RunDrill();
  EXPECT_EQ(drill.failure, "");
  EXPECT_EQ(drill.state, domain::DrillState::kPassed);
  EXPECT_FALSE(drill.restored);
  EXPECT_THAT(drill.notes, HasSubstr("read and decoded, not restored"));
  EXPECT_THAT(DatabasesOf(scratch_server_), testing::Contains("kept"));
}

TEST_F(DrillServiceTest, FindsALostPackAndWipesTheTarget) {
  TakeSnapshot();
  UseTarget();
  store_->Delete(BlobNames("packs/").at(0));
  const domain::Drill drill = RunDrill();
  EXPECT_EQ(drill.state, domain::DrillState::kFailed);
  EXPECT_NE(drill.failure, "");
  EXPECT_FALSE(drill.restored);
  EXPECT_THAT(DatabasesOf(scratch_server_), IsEmpty());
  EXPECT_EQ(catalog_->FindSchedule(source_.id).value().verified.value().failure, drill.failure);
}

TEST_F(DrillServiceTest, FindsALostManifestWithoutATarget) {
  const SnapshotId snapshot = TakeSnapshot();
  repo_->DeleteManifest(project_, snapshot);
  EXPECT_EQ(RunDrill().state, domain::DrillState::kFailed);
}

TEST_F(DrillServiceTest, AWorkerThatHasLostItsLeaseWipesNothing) {
  TakeSnapshot();
  UseTarget();
  on_report_ = [&](const domain::JobProgress&) { catalog_->BreakAllLeases(); };
  EXPECT_EQ(RunDrill().state, domain::DrillState::kRunning);
  EXPECT_THAT(DatabasesOf(scratch_server_), testing::Contains("shop"));
  on_report_ = {};
  EXPECT_TRUE(RunNext());  // whoever claims it next
  EXPECT_EQ(drills_.FindLast(source_).value().state, domain::DrillState::kPassed);
  EXPECT_THAT(DatabasesOf(scratch_server_), IsEmpty());
}

TEST_F(DrillServiceTest, ADeletedSnapshotProvesNothing) {
  const SnapshotId snapshot = TakeSnapshot();
  const domain::Drill drill = drills_.Start(source_);
  catalog_->MarkSnapshotDeleted(snapshot, clock_.Now());
  repo_->DeleteManifest(project_, snapshot);
  EXPECT_TRUE(RunNext());
  EXPECT_EQ(drills_.Find(source_, drill.id).value().state, domain::DrillState::kStopped);
  EXPECT_FALSE(catalog_->FindSchedule(source_.id).value().verified);
}

TEST_F(DrillServiceTest, AnotherVersionIsRefusedBeforeAnythingIsWiped) {
  memory::MemoryServer newer({.version = "7.0.1"}, clock_, system_random_);
  newer.Generate("kept.data", 3, 100);
  TakeSnapshot();
  drills_.MarkScratch(Register("newer", newer.Uri()));
  drills_.Change(source_, {.target = "newer"});
  const domain::Drill drill = RunDrill();
  EXPECT_THAT(drill.failure, HasSubstr("drilling a snapshot of MongoDB 6.0.16"));
}

TEST_F(DrillServiceTest, AStoppedServerHandsItBackAndItGoesOn) {
  TakeSnapshot();
  const domain::Drill drill = drills_.Start(source_);
  stop_.request_stop();
  EXPECT_THROW(RunNext(), Error);
  EXPECT_EQ(drills_.Find(source_, drill.id).value().state, domain::DrillState::kRunning);
  catalog_->BreakAllLeases();
  stop_ = {};
  EXPECT_TRUE(RunNext());
  EXPECT_EQ(drills_.Find(source_, drill.id).value().state, domain::DrillState::kPassed);
}

TEST_F(DrillServiceTest, APersonsRestoreEndsADrillThatRuns) {
  const SnapshotId snapshot = TakeSnapshot();
  UseTarget();
  bool asked = false;
  on_report_ = [&](const domain::JobProgress&) {
    if (std::exchange(asked, true)) {
      return;
    }
    QueueRestoreInto(scratch_, snapshot);
    std::this_thread::sleep_for(std::chrono::milliseconds{600});  // the drill looks within 250
  };
  const domain::Drill drill = RunDrill();
  ASSERT_TRUE(asked);
  EXPECT_EQ(drill.state, domain::DrillState::kStopped);
  EXPECT_EQ(drill.failure, "a restore needs it");
  EXPECT_FALSE(drills_.FindLast(source_));
}

TEST_F(DrillServiceTest, WorkQueuesUntilItIsStopped) {
  TakeSnapshot();
  StageGroup threads;
  threads.Start("drills", [this](const std::stop_token& stop) { drills_.Work(stop); });
  while (drills_.List(source_, {}).total == 0) {
    std::this_thread::yield();
  }
}

}  // namespace
}  // namespace tidemark::service
