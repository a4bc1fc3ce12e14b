#include "base/bounded_queue.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tidemark {

TEST(BoundedQueue, GivesItemsInOrder) {
  BoundedQueue<int> queue(KiB(1));
  EXPECT_TRUE(queue.Push(1, {10}));
  EXPECT_TRUE(queue.Push(2, {10}));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), 2);
}

TEST(BoundedQueue, CloseLetsConsumersDrain) {
  BoundedQueue<int> queue(KiB(1));
  queue.Push(1, {10});
  queue.Close();
  queue.Close();
  EXPECT_FALSE(queue.Push(2, {10}));
  EXPECT_EQ(queue.Pop(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
}

TEST(BoundedQueue, AbortDropsWhatWaits) {
  BoundedQueue<std::shared_ptr<int>> queue(KiB(1));
  auto item = std::make_shared<int>(1);
  queue.Push(item, {10});
  queue.Abort();
  EXPECT_EQ(item.use_count(), 1);
  EXPECT_EQ(queue.Pop(), std::nullopt);
  EXPECT_FALSE(queue.Push(item, {10}));
}

TEST(BoundedQueue, LetsOneItemInThatIsLargerThanItself) {
  BoundedQueue<int> queue({10});
  EXPECT_TRUE(queue.Push(1, {1000}));
  EXPECT_EQ(queue.Pop(), 1);
}

TEST(BoundedQueue, NeverHoldsMoreThanItsCapacity) {
  BoundedQueue<int> queue({30});
  std::atomic<int> waiting{0};
  std::atomic<int> most{0};
  std::thread producer([&] {
    for (int i = 0; i < 1000; ++i) {
      queue.Push(i, {10});
      most = std::max(most.load(), ++waiting);
    }
    queue.Close();
  });
  int expected = 0;
  while (const std::optional<int> item = queue.Pop()) {
    --waiting;
    EXPECT_EQ(*item, expected++);
  }
  producer.join();
  EXPECT_EQ(expected, 1000);
  EXPECT_LE(most.load(), 4);  // three waiting and one counted before its Pop is
}

TEST(BoundedQueue, CloseReleasesABlockedProducer) {
  BoundedQueue<int> queue({10});
  queue.Push(1, {10});
  std::thread producer([&] { EXPECT_FALSE(queue.Push(2, {10})); });
  queue.Close();
  producer.join();
}

TEST(BoundedQueue, CloseReleasesABlockedConsumer) {
  BoundedQueue<int> queue({10});
  std::thread consumer([&] { EXPECT_EQ(queue.Pop(), std::nullopt); });
  queue.Close();
  consumer.join();
}

TEST(BoundedQueue, GivesEveryItemOnceToManyConsumers) {
  constexpr int kItems = 2000;
  BoundedQueue<int> queue({64});
  std::atomic<int> sum{0};
  std::vector<std::thread> threads;
  for (int consumer = 0; consumer < 3; ++consumer) {
    threads.emplace_back([&] {
      while (const std::optional<int> item = queue.Pop()) {
        sum += *item;
      }
    });
  }
  std::vector<std::thread> producers;
  for (int first = 0; first < 2; ++first) {
    producers.emplace_back([&queue, first] {
      for (int i = first; i < kItems; i += 2) {
        queue.Push(i, {static_cast<std::uint64_t>(i % 40)});
      }
    });
  }
  for (std::thread& producer : producers) {
    producer.join();
  }
  queue.Close();
  for (std::thread& consumer : threads) {
    consumer.join();
  }
  EXPECT_EQ(sum.load(), kItems * (kItems - 1) / 2);
}

TEST(BoundedQueue, TakesItemsThatOnlyMove) {
  BoundedQueue<std::unique_ptr<int>> queue({10});
  queue.Push(std::make_unique<int>(5), {1});
  EXPECT_EQ(**queue.Pop(), 5);
}

}  // namespace tidemark
