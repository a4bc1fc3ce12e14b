#include "service/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace tidemark::service {
namespace {

MemoryRequest Default() {
  return {.budget = MiB(512), .chunk_size = KiB(256)};
}

TEST(MemoryPlan, DefaultsKeepEveryThread) {
  const MemoryPlan plan = PlanMemory(Default());
  EXPECT_EQ(plan.readers, 4);
  EXPECT_EQ(plan.writers, 4);
  EXPECT_EQ(plan.namespaces, 2);
  EXPECT_EQ(plan.streams, 8);
  EXPECT_EQ(plan.pack_size.value, MiB(170).value / 16);
  EXPECT_EQ(plan.sort_memory.value, MiB(170 - 8 - 64).value / 2 - MiB(170).value / 8);
  EXPECT_EQ(plan.merge_memory.value, plan.sort_memory.value / 8);
}

TEST(MemoryPlan, LittleMemoryMeansFewThreads) {
  MemoryRequest request = Default();
  request.budget = MiB(200);
  const MemoryPlan plan = PlanMemory(request);
  EXPECT_EQ(plan.streams, 2);
  EXPECT_EQ(plan.readers, 1);
  EXPECT_EQ(plan.namespaces, 1);
  EXPECT_EQ(plan.writers, 1);
  EXPECT_EQ(plan.pack_size, MiB(4));
}

// With one encoder and small chunks a snapshot needs less than an export.
TEST(MemoryPlan, AJobHasRoomForAnExport) {
  const MemoryRequest request{.budget = MiB(128), .jobs = 1, .encoders = 1, .chunk_size = KiB(64)};
  EXPECT_EQ(PlanMemory(request).readers, 1);
  MemoryRequest less = request;
  less.budget = MiB(127);
  EXPECT_THROW(PlanMemory(less), Error);
}

TEST(MemoryPlan, MoreJobsShareTheSame) {
  MemoryRequest request = Default();
  request.jobs = 4;
  EXPECT_LT(PlanMemory(request).sort_memory, PlanMemory(Default()).sort_memory);
}

TEST(MemoryPlan, MuchMemoryGoesToSorting) {
  MemoryRequest request = Default();
  request.budget = MiB(4096);
  const MemoryPlan plan = PlanMemory(request);
  EXPECT_GT(plan.sort_memory, MiB(900));
  EXPECT_EQ(plan.pack_size, MiB(16));
}

// What a plan gives out, by the arithmetic of its header, for every request that it takes.
TEST(MemoryPlan, NeverGivesOutMoreThanThereIs) {
  int taken = 0;
  for (std::uint64_t budget = 100; budget <= 2000; budget += 50) {
    for (int jobs = 1; jobs <= 8; ++jobs) {
      for (int encoders = 1; encoders <= 16; encoders *= 2) {
        const MemoryRequest request{.budget = MiB(budget),
                                    .jobs = jobs,
                                    .readers = 16,
                                    .encoders = encoders,
                                    .namespaces = 4,
                                    .writers = 16,
                                    .chunk_size = KiB(256)};
        try {
          const MemoryPlan plan = PlanMemory(request);
          ++taken;
          const auto readers = static_cast<std::uint64_t>(plan.readers);
          const auto writers = static_cast<std::uint64_t>(plan.writers);
          const std::uint64_t snapshot =
              (static_cast<std::uint64_t>(encoders) + 2) * plan.pack_size.value +
              static_cast<std::uint64_t>(encoders) * MiB(4).value + readers * MiB(16).value +
              plan.sort_memory.value + readers * 2 * plan.merge_memory.value;
          const std::uint64_t restore =
              static_cast<std::uint64_t>(plan.namespaces) *
              ((writers + 3) * MiB(4).value + writers * MiB(8).value + MiB(16).value);
          // One more: a download that is being measured.
          const std::uint64_t streams =
              (static_cast<std::uint64_t>(plan.streams) + 1) * MiB(12).value;
          // Lines of JSON, a part of an upload, chunks.
          const std::uint64_t exporting = MiB(28 + 8 + 4).value;
          const std::uint64_t most =
              (MiB(budget).value - MiB(64).value - streams) / static_cast<std::uint64_t>(jobs);
          EXPECT_GE(plan.streams, 1);
          EXPECT_LE(snapshot, most) << budget << " MiB, " << jobs << " jobs";
          EXPECT_LE(exporting, most) << budget << " MiB, " << jobs << " jobs";
          EXPECT_LE(restore, most) << budget << " MiB, " << jobs << " jobs";
          EXPECT_GE(plan.sort_memory.value, readers * MiB(4).value);
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
        }
      }
    }
  }
  EXPECT_GT(taken, 400);
}

TEST(MemoryPlan, SaysHowMuchIsNeeded) {
  MemoryRequest request = Default();
  request.budget = MiB(100);
  try {
    PlanMemory(request);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(),
              "dividing 100 MiB of memory among 2 jobs: they need at least 184 MiB");
    EXPECT_THAT(error.hint(), testing::HasSubstr("memory-budget-mib"));
  }
  request.budget = MiB(184);
  EXPECT_EQ(PlanMemory(request).readers, 1);
  request.budget = MiB(183);
  EXPECT_THROW(PlanMemory(request), Error);
}

}  // namespace
}  // namespace tidemark::service
