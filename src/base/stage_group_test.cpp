#include "base/stage_group.h"

#include <array>
#include <atomic>
#include <stdexcept>

#include <gtest/gtest.h>
#include <pthread.h>

#include "base/bounded_queue.h"
#include "base/error.h"

namespace tidemark {
namespace {

std::string WaitError(StageGroup& group) {
  try {
    group.Wait();
  } catch (const Error& error) {
    return std::string(error.message());
  }
  return "";
}

Error MakeError(const std::string& message) {
  return Error(ErrorCode::kIo, message);
}

// Blocks until the token is stopped.
void WaitForStop(const std::stop_token& stop) {
  BoundedQueue<int> queue({1});
  const std::stop_callback close(stop, [&] { queue.Close(); });
  queue.Pop();
}

}  // namespace

TEST(StageGroup, WaitsForEveryStage) {
  std::atomic<int> done{0};
  StageGroup group;
  for (int i = 0; i < 4; ++i) {
    group.Start("stage", [&](const std::stop_token&) { ++done; });
  }
  group.Wait();
  EXPECT_EQ(done.load(), 4);
  EXPECT_FALSE(group.token().stop_requested());
  group.Wait();
}

TEST(StageGroup, StagesPassItemsThroughAQueue) {
  BoundedQueue<int> queue({16});
  int sum = 0;
  StageGroup group;
  group.OnStop([&] { queue.Abort(); });
  group.Start("produce", [&](const std::stop_token&) {
    for (int i = 1; i <= 100; ++i) {
      queue.Push(i, {8});
    }
    queue.Close();
  });
  group.Start("consume", [&](const std::stop_token&) {
    while (const std::optional<int> item = queue.Pop()) {
      sum += *item;
    }
  });
  group.Wait();
  EXPECT_EQ(sum, 5050);
}

TEST(StageGroup, AFailureStopsTheOthersAndIsRethrownOnce) {
  StageGroup group;
  group.Start("waits", &WaitForStop);
  group.Start("fails", [](const std::stop_token&) { throw MakeError("reading x: broken"); });
  EXPECT_EQ(WaitError(group), "reading x: broken");
  EXPECT_TRUE(group.token().stop_requested());
  EXPECT_NO_THROW(group.Wait());
}

TEST(StageGroup, KeepsTheFirstOfTwoFailures) {
  StageGroup group;
  group.Start("second", [](const std::stop_token& stop) {
    WaitForStop(stop);
    throw MakeError("the consequence");
  });
  group.Start("first", [](const std::stop_token&) { throw MakeError("the cause"); });
  EXPECT_EQ(WaitError(group), "the cause");
}

TEST(StageGroup, FailStopsTheGroupFromOutside) {
  StageGroup group;
  group.Start("waits", &WaitForStop);
  group.Fail(std::make_exception_ptr(MakeError("from outside")));
  EXPECT_EQ(WaitError(group), "from outside");
}

TEST(StageGroup, AStopOfTheParentStopsTheGroup) {
  std::stop_source parent;
  bool called = false;
  StageGroup group(parent.get_token());
  group.OnStop([&] { called = true; });
  group.Start("waits", &WaitForStop);
  parent.request_stop();
  EXPECT_NO_THROW(group.Wait());
  EXPECT_TRUE(called);
}

TEST(StageGroup, OnStopRunsAtOnceWhenAlreadyStopped) {
  std::stop_source parent;
  parent.request_stop();
  bool called = false;
  StageGroup group(parent.get_token());
  group.OnStop([&] { called = true; });
  EXPECT_TRUE(called);
}

TEST(StageGroup, DestructionStopsAndJoins) {
  std::atomic<bool> ended{false};
  {
    StageGroup group;
    group.Start("waits", [&](const std::stop_token& stop) {
      WaitForStop(stop);
      ended = true;
    });
  }
  EXPECT_TRUE(ended.load());
}

TEST(StageGroup, NamesItsThreads) {
  std::array<char, 16> name{};
  StageGroup group;
  group.Start("a name that is too long", [&](const std::stop_token&) {
    pthread_getname_np(pthread_self(), name.data(), name.size());
  });
  group.Wait();
  EXPECT_STREQ(name.data(), "a name that is ");
}

}  // namespace tidemark
