#include "service/compliance_service.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/scheduler.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::service {
namespace {

using domain::Frequency;
using domain::RetentionUnit;
using std::chrono::days;
using std::chrono::hours;

// A project with a policy, a scheduler that acts on it, and jobs that end at once.
class ComplianceTest : public repo::RepositoryFixture {
 protected:
  ComplianceTest() : repo_(repo::Repository::Open(*store_, master_, system_random_)) {
    const domain::Organization organization{
        .id = OrganizationId::Generate(clock_.Now(), system_random_), .name = "org"};
    catalog_->AddOrganization(organization);
    catalog_->AddProject({.id = project_,
                          .organization = organization.id,
                          .name = "project",
                          .created = clock_.Now()});
  }

  domain::Cluster AddCluster(domain::Tier tier) {
    const domain::Cluster cluster{.id = ClusterId::Generate(clock_.Now(), system_random_),
                                  .project = project_,
                                  .name = "c" + std::to_string(clusters_++),
                                  .tier = tier,
                                  .topology = domain::Topology::kReplicaSet,
                                  .created = clock_.Now()};
    catalog_->AddCluster(cluster);
    return cluster;
  }

  domain::CompliancePolicy Policy() const {
    domain::CompliancePolicy policy{.project = project_, .email = "a@b.example"};
    policy.items = {{Frequency::kHourly, 6, RetentionUnit::kDays, 3},
                    {Frequency::kDaily, 1, RetentionUnit::kDays, 10},
                    {Frequency::kWeekly, 1, RetentionUnit::kMonths, 1}};
    return policy;
  }

  domain::Schedule ScheduleOf(const domain::Cluster& cluster) {
    return catalog_->FindSchedule(cluster.id).value();
  }

  void Pass() {
    scheduler_.RunOnce();
    while (const auto job = catalog_->ClaimJob("node", clock_.Now(), std::chrono::seconds{15})) {
      domain::Snapshot snapshot = catalog_->FindSnapshot(SnapshotId(job->subject)).value();
      snapshot.state = domain::SnapshotState::kCompleted;
      snapshot.finished = clock_.Now();
      EXPECT_TRUE(catalog_->FinishSnapshot({job->id, job->fence}, snapshot));
    }
    scheduler_.RunOnce();
  }

  template <class Call>
  std::optional<Reason> ReasonOf(const Call& call) {
    try {
      call();
    } catch (const Refusal& refusal) {
      return refusal.reason();
    }
    return std::nullopt;
  }

  template <class Call>
  void ExpectProtected(const Call& call) {
    try {
      call();
      ADD_FAILURE() << "it was done";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied) << error.message();
    }
  }

  SystemRandom system_random_;
  const std::unique_ptr<repo::Repository> repo_;
  const std::unique_ptr<catalog::Store> catalog_ =
      catalog::OpenSqliteStore({.path = ":memory:", .connections = 1});
  ManualClock clock_{ParseInstant("2027-01-01T00:00:00Z").value()};
  const std::unique_ptr<Log> log_ = MakeNullLog();
  Environment environment_{*catalog_, *repo_, clock_, system_random_, *log_, [] {}};
  RepositoryService maintenance_{environment_};
  Scheduler scheduler_{environment_, maintenance_, SchedulerOptions{.collect_every = hours{0}}};
  ScheduleService schedules_{environment_, Schedules::kOn};
  ComplianceService compliance_{schedules_};
  const Caller caller_{{.public_name = "owner"}};
  int clusters_ = 0;
};

TEST_F(ComplianceTest, EverySchedulePromisesItWhoeverMakesIt) {
  const domain::Cluster before = AddCluster(domain::Tier::kDedicated);
  schedules_.Change(before, [](domain::Schedule& schedule) { schedule.enabled = false; });
  compliance_.Put(caller_, Policy(), WeakSchedules::kRaise);
  const domain::Cluster shared = AddCluster(domain::Tier::kShared);
  const domain::Cluster asked = AddCluster(domain::Tier::kDedicated);
  schedules_.Find(asked);  // a request is quicker than the scheduler
  scheduler_.RunOnce();
  const domain::CompliancePolicy policy = compliance_.Find(project_).value();
  EXPECT_EQ(policy.updated_by, "owner");
  for (const domain::Cluster& cluster : {before, shared, asked}) {
    EXPECT_EQ(domain::ShortfallOf(ScheduleOf(cluster), policy), "") << cluster.name;
    EXPECT_TRUE(ScheduleOf(cluster).run.next_due) << cluster.name;
  }
  EXPECT_EQ(ScheduleOf(shared).keep_last, 8);
}

TEST_F(ComplianceTest, APolicyThatComesWhileAScheduleIsChangedCounts) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kDedicated);
  const auto reason = ReasonOf([&] {
    schedules_.Change(cluster, [&](domain::Schedule& schedule) {
      compliance_.Put(caller_, Policy(), WeakSchedules::kRaise);
      schedule.items.pop_back();
      schedule.items.erase(schedule.items.begin() + 2);
    });
  });
  EXPECT_EQ(reason, Reason::kSchedulesTooWeak);
  EXPECT_EQ(domain::ShortfallOf(ScheduleOf(cluster), Policy()), "");
}

TEST_F(ComplianceTest, IsWrittenOnce) {
  AddCluster(domain::Tier::kDedicated);
  compliance_.Disable(project_);  // there is none
  const auto set = compliance_.Put(caller_, Policy(), WeakSchedules::kRaise);
  auto weaker = Policy();
  weaker.items.pop_back();
  EXPECT_EQ(ReasonOf([&] { compliance_.Put(caller_, weaker, WeakSchedules::kRaise); }),
            Reason::kComplianceWeakened);
  EXPECT_EQ(ReasonOf([&] { compliance_.Disable(project_); }), Reason::kComplianceWeakened);
  EXPECT_EQ(compliance_.Find(project_).value().items, set.items);
}

// Two months in which somebody tries everything every day.
TEST_F(ComplianceTest, EverySnapshotLivesAsLongAsThePolicySays) {
  const domain::Cluster cluster = AddCluster(domain::Tier::kDedicated);
  compliance_.Put(caller_, Policy(), WeakSchedules::kRaise);
  const std::map<Frequency, days> least{{Frequency::kHourly, days{3}},
                                        {Frequency::kDaily, days{10}},
                                        {Frequency::kWeekly, days{31}},
                                        {Frequency::kMonthly, days{0}},
                                        {Frequency::kYearly, days{0}}};
  std::map<SnapshotId, Instant> promised;
  for (int quarter = 1; quarter <= 4 * 60; ++quarter) {
    clock_.Advance(hours{6});
    Pass();
    const domain::Snapshot newest =
        catalog_->ListSnapshots(cluster.id, domain::Page()).rows.front();
    promised[newest.id] = newest.scheduled + least.at(newest.frequency.value());
    ExpectProtected([&] { catalog_->MarkSnapshotDeleted(newest.id, clock_.Now()); });
    ExpectProtected([&] { catalog_->UpdateRetention(newest.id, {false, clock_.Now(), {}}); });
    ExpectProtected([&] { catalog_->SetExpiries({{newest.id, clock_.Now()}}); });
    EXPECT_EQ(ReasonOf([&] {
                schedules_.Change(
                    cluster,
                    [](domain::Schedule& schedule) { schedule.items.front().retention = 1; },
                    ExistingSnapshots::kFollow);
              }),
              Reason::kSchedulesTooWeak);
    EXPECT_EQ(ReasonOf([&] { schedules_.Delete(cluster); }), Reason::kSchedulesTooWeak);
    for (const auto& [id, until] : promised) {
      ASSERT_TRUE(until <= clock_.Now() || !catalog_->FindSnapshot(id).value().deleted) << quarter;
    }
  }
  EXPECT_EQ(promised.size(), 4U * 60);
}

}  // namespace
}  // namespace tidemark::service
