#include "http/internal/call_pool.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

namespace tidemark::http {
namespace {

using Fate = CallPool::Fate;

TEST(CallPool, RunsOnAThreadOfItsOwn) {
  CallPool pool("test", 1, 0);
  std::promise<std::thread::id> ran;
  ASSERT_TRUE(pool.TryRun([&ran](Fate) { ran.set_value(std::this_thread::get_id()); }));
  EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
}

TEST(CallPool, RefusesBeyondThreadsAndQueue) {
  CallPool pool("test", 1, 1);
  std::promise<void> go;
  const auto blocker = [gate = go.get_future().share()](Fate) { gate.wait(); };
  EXPECT_TRUE(pool.TryRun(blocker));
  EXPECT_TRUE(pool.TryRun(blocker));
  EXPECT_FALSE(pool.TryRun(blocker));
  go.set_value();
}

TEST(CallPool, StopDropsWhatWaitsAndJoinsWhatRuns) {
  CallPool pool("test", 1, 1);
  std::promise<void> running;
  std::promise<void> go;
  std::atomic<bool> ended = false;
  ASSERT_TRUE(pool.TryRun([&](Fate) {
    running.set_value();
    go.get_future().wait();
    ended = true;
  }));
  running.get_future().wait();
  Fate fate = Fate::kRun;
  ASSERT_TRUE(pool.TryRun([&](Fate given) {
    fate = given;
    go.set_value();
  }));
  pool.Stop();
  EXPECT_EQ(fate, Fate::kDropped);
  EXPECT_TRUE(ended);
  EXPECT_FALSE(pool.TryRun([](Fate) {}));
}

}  // namespace
}  // namespace tidemark::http
