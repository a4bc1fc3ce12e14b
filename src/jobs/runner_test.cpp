#include "jobs/runner.h"

#include <atomic>
#include <filesystem>
#include <latch>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/mutex.h"
#include "base/random.h"

namespace tidemark::jobs {
namespace {

constexpr Instant kNow{std::chrono::seconds{1'700'000'000}};
constexpr std::chrono::minutes kPatience{1};  // only a failing test waits this long

class SharedClock final : public Clock {
 public:
  Instant Now() const override { return FromMicros(micros_.load()); }

  void Advance(std::chrono::microseconds by) { micros_ += by.count(); }

 private:
  std::atomic<std::int64_t> micros_{ToMicros(kNow)};
};

class KeptLog final : public Log {
 public:
  bool Enabled(LogLevel level) const override { return level >= LogLevel::kWarn; }

  void Write(LogLevel /*level*/, std::string_view line) override {
    const MutexLock lock(mutex_);
    lines_.emplace_back(line);
  }

  std::vector<std::string> lines() {
    const MutexLock lock(mutex_);
    return lines_;
  }

 private:
  Mutex mutex_;
  std::vector<std::string> lines_ TIDEMARK_GUARDED_BY(mutex_);
};

// Something that one thread announces and another one waits for.
class Event {
 public:
  void Set() {
    const MutexLock lock(mutex_);
    set_ = true;
    changed_.NotifyAll();
  }

  bool Wait() {
    const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
    const MutexLock lock(mutex_);
    while (!set_ && std::chrono::steady_clock::now() < deadline) {
      changed_.WaitFor(mutex_, kPatience);
    }
    return set_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool set_ TIDEMARK_GUARDED_BY(mutex_) = false;
};

void WaitUntilStopped(const JobContext& context) {
  Event stopped;
  const std::stop_callback wake(context.stop, [&stopped] { stopped.Set(); });
  EXPECT_TRUE(stopped.Wait());
}

class RunnerTest : public testing::Test {
 protected:
  RunnerTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "runner_test_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    store_ = catalog::OpenSqliteStore({.path = directory_ / "catalog.db"});
    const domain::Organization organization{NewId<OrganizationId>(), "org"};
    store_->AddOrganization(organization);
    const domain::Project project{
        .id = NewId<ProjectId>(), .organization = organization.id, .name = "p", .created = kNow};
    store_->AddProject(project);
    cluster_ = {.id = NewId<ClusterId>(), .project = project.id, .name = "c0", .created = kNow};
    store_->AddCluster(cluster_);
  }

  ~RunnerTest() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  template <class Id>
  Id NewId() {
    return Id::Generate(kNow, random_);
  }

  domain::Snapshot Queue() {
    const domain::Snapshot snapshot{.id = NewId<SnapshotId>(),
                                    .project = cluster_.project,
                                    .cluster = cluster_.id,
                                    .cluster_name = cluster_.name,
                                    .scheduled = kNow,
                                    .expires = kNow};
    store_->AddSnapshot(snapshot,
                        {.id = NewId<JobId>(),
                         .kind = domain::JobKind::kTakeSnapshot,
                         .subject = snapshot.id.raw(),
                         .created = kNow});
    return snapshot;
  }

  domain::Job JobOf(const domain::Snapshot& snapshot) {
    return store_->FindJobBySubject(snapshot.id.raw()).value();
  }

  // As a handler has to.
  void Finish(const JobContext& context) {
    domain::Snapshot snapshot = store_->FindSnapshot(SnapshotId(context.job.subject)).value();
    snapshot.state = domain::SnapshotState::kCompleted;
    EXPECT_TRUE(store_->FinishSnapshot(context.lease, snapshot));
  }

  // An idle worker of it looks again only when it is woken.
  std::unique_ptr<Runner> Start(JobHandler handler, int workers = 1) {
    return Runner::Start(*store_,
                         clock_,
                         log_,
                         {.node = "node",
                          .workers = workers,
                          .lease = std::chrono::seconds{1},
                          .poll = std::chrono::hours{1}},
                         {{domain::JobKind::kTakeSnapshot, std::move(handler)}});
  }

  std::filesystem::path directory_;
  SeededRandom random_{11};
  SharedClock clock_;
  KeptLog log_;
  std::unique_ptr<catalog::Store> store_;
  domain::Cluster cluster_;
};

TEST_F(RunnerTest, GivesTheHandlerTheClaimedJob) {
  const domain::Snapshot snapshot = Queue();
  Event done;
  const auto runner = Start([&](const JobContext& context) {
    EXPECT_EQ(context.job.subject, snapshot.id.raw());
    EXPECT_EQ(context.job.owner, "node");
    EXPECT_EQ(context.lease.job, context.job.id);
    EXPECT_EQ(context.lease.fence, 1);
    EXPECT_FALSE(context.stop.stop_requested());
    Finish(context);
    done.Set();
  });
  ASSERT_TRUE(done.Wait());
  runner->Stop();
  EXPECT_EQ(JobOf(snapshot).state, domain::JobState::kDone);
  EXPECT_THAT(log_.lines(), testing::IsEmpty());
}

TEST_F(RunnerTest, LooksAgainWhenWoken) {
  Event done;
  const auto runner = Start([&](const JobContext& context) {
    Finish(context);
    done.Set();
  });
  Queue();
  runner->Wake();
  EXPECT_TRUE(done.Wait());
}

TEST_F(RunnerTest, LooksAgainAfterThePollInterval) {
  Event done;
  const auto runner =
      Runner::Start(*store_,
                    clock_,
                    log_,
                    {.node = "node", .poll = std::chrono::milliseconds{1}},
                    {{domain::JobKind::kTakeSnapshot, [&](const JobContext& context) {
                        Finish(context);
                        done.Set();
                      }}});
  Queue();
  EXPECT_TRUE(done.Wait());
}

TEST_F(RunnerTest, RunsAsManyJobsAtOnceAsItHasWorkers) {
  Queue();
  Queue();
  std::latch both(2);
  std::latch done(2);
  const auto runner = Start(
      [&](const JobContext& context) {
        both.arrive_and_wait();
        Finish(context);
        done.count_down();
      },
      2);
  done.wait();
}

TEST_F(RunnerTest, LeavesTheLeaseWhenAHandlerThrows) {
  const domain::Snapshot snapshot = Queue();
  Event called;
  Event next;
  const auto runner = Start([&](const JobContext& context) {
    if (context.job.subject == snapshot.id.raw()) {
      called.Set();
      throw std::runtime_error("bug");
    }
    Finish(context);
    next.Set();
  });
  ASSERT_TRUE(called.Wait());
  Queue();
  runner->Wake();
  ASSERT_TRUE(next.Wait());
  runner->Stop();
  const domain::Job job = JobOf(snapshot);
  EXPECT_EQ(job.state, domain::JobState::kRunning);
  EXPECT_EQ(job.owner, "node");
  EXPECT_THAT(log_.lines(),
              testing::ElementsAre("job=" + job.id.ToString() +
                                   " kind=" + std::string(domain::JobKindName(job.kind)) +
                                   "  handler failed: bug"));
}

TEST_F(RunnerTest, HandsTheJobBackWhenStopped) {
  const domain::Snapshot snapshot = Queue();
  Event started;
  const auto runner = Start([&](const JobContext& context) {
    context.save_checkpoint("half way");
    started.Set();
    WaitUntilStopped(context);
    throw Error(ErrorCode::kCancelled, "stopped");
  });
  ASSERT_TRUE(started.Wait());
  runner->Stop();
  runner->Stop();
  EXPECT_EQ(JobOf(snapshot).state, domain::JobState::kReady);
  EXPECT_THAT(log_.lines(), testing::IsEmpty());

  Event continued;
  const auto second = Start([&](const JobContext& context) {
    EXPECT_EQ(context.job.checkpoint, "half way");
    EXPECT_EQ(context.job.attempts, 2);
    Finish(context);
    continued.Set();
  });
  EXPECT_TRUE(continued.Wait());
}

TEST_F(RunnerTest, TakesNoJobAfterStop) {
  const auto runner =
      Start([](const JobContext&) { ADD_FAILURE() << "a stopped runner ran a job"; });
  runner->Stop();
  const domain::Snapshot snapshot = Queue();
  runner->Wake();
  EXPECT_EQ(JobOf(snapshot).attempts, 0);
}

TEST_F(RunnerTest, StopsTheHandlerWhoseLeaseIsLost) {
  const domain::Snapshot snapshot = Queue();
  Event started;
  Event stopped;
  const auto runner = Start([&](const JobContext& context) {
    started.Set();
    WaitUntilStopped(context);
    stopped.Set();
    throw Error(ErrorCode::kCancelled, "stopped");
  });
  ASSERT_TRUE(started.Wait());
  const auto thief =
      store_->ClaimJob("thief", kNow + std::chrono::hours{1}, std::chrono::seconds{15});
  ASSERT_TRUE(thief);
  ASSERT_TRUE(stopped.Wait());
  runner->Stop();
  EXPECT_EQ(JobOf(snapshot).owner, "thief");
  EXPECT_THAT(log_.lines(),
              testing::ElementsAre("job=" + thief->id.ToString() + " fence=1  lease lost"));
}

TEST_F(RunnerTest, CancelsTheSaveOfALostLease) {
  Queue();
  Event done;
  const auto runner = Start([&](const JobContext& context) {
    store_->ClaimJob("thief", kNow + std::chrono::hours{1}, std::chrono::seconds{15});
    try {
      context.save_checkpoint("late");
      ADD_FAILURE() << "the checkpoint was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCancelled);
      EXPECT_EQ(error.message(), "job " + context.job.id.ToString() + " ended: its lease is lost");
    }
    EXPECT_TRUE(context.stop.stop_requested());
    EXPECT_THROW(context.report({.phase = "reading"}), Error);
    done.Set();
  });
  ASSERT_TRUE(done.Wait());
}

TEST_F(RunnerTest, KeepsTheLeaseAlive) {
  const domain::Snapshot snapshot = Queue();
  Event started;
  const auto runner = Start([&](const JobContext& context) {
    started.Set();
    WaitUntilStopped(context);
  });
  ASSERT_TRUE(started.Wait());
  clock_.Advance(std::chrono::minutes{1});
  const Instant extended = clock_.Now() + std::chrono::seconds{1};
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  while (JobOf(snapshot).lease_until != extended && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  EXPECT_EQ(JobOf(snapshot).lease_until, extended);
}

TEST_F(RunnerTest, StoresProgressAtMostOnceASecond) {
  const domain::Snapshot snapshot = Queue();
  Event done;
  const auto runner = Start([&](const JobContext& context) {
    context.report({.phase = "first"});
    context.report({.phase = "second"});
    EXPECT_EQ(JobOf(snapshot).progress.phase, "first");
    clock_.Advance(std::chrono::seconds{1});
    context.report({.phase = "third"});
    EXPECT_EQ(JobOf(snapshot).progress.phase, "third");
    Finish(context);
    done.Set();
  });
  ASSERT_TRUE(done.Wait());
}

TEST_F(RunnerTest, SaysThatAKindHasNoHandler) {
  const domain::Snapshot snapshot = Queue();
  const auto runner = Runner::Start(*store_, clock_, log_, {.node = "node", .workers = 1}, {});
  const Deadline deadline = std::chrono::steady_clock::now() + kPatience;
  while (log_.lines().empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::yield();
  }
  runner->Stop();
  const domain::Job job = JobOf(snapshot);
  EXPECT_THAT(log_.lines(),
              testing::ElementsAre("job=" + job.id.ToString() + "  no handler for a " +
                                   std::string(domain::JobKindName(job.kind)) + " job"));
}

}  // namespace
}  // namespace tidemark::jobs
