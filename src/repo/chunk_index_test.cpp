#include "repo/internal/chunk_index.h"

#include <gtest/gtest.h>

#include "repo/internal/index_segment.h"

namespace tidemark::repo {
namespace {

ChunkId IdOf(std::uint64_t number) {
  ChunkId id{};
  SeededRandom(number).Fill(id);
  return id;
}

TEST(ChunkIndex, FindsNothingWhenEmpty) {
  EXPECT_EQ(ChunkIndex().Find(IdOf(1)), std::nullopt);
}

TEST(ChunkIndex, FindsEveryEntryAfterGrowing) {
  ChunkIndex index;
  const std::uint32_t pack = index.AddPack({});
  for (std::uint32_t i = 0; i < 20000; ++i) {
    ASSERT_TRUE(index.Insert(IdOf(i), {.pack = pack, .offset = i}));
  }
  for (std::uint32_t i = 0; i < 20000; ++i) {
    ASSERT_EQ(index.Find(IdOf(i)), (ChunkSlot{.pack = pack, .offset = i}));
  }
  EXPECT_EQ(index.Find(IdOf(20000)), std::nullopt);
}

TEST(ChunkIndex, TellsIdsWithEqualHashApart) {
  ChunkIndex index;
  index.AddPack({});
  ChunkId a{};
  ChunkId b{};
  b.back() = 1;
  EXPECT_TRUE(index.Insert(a, {.offset = 1}));
  EXPECT_EQ(index.Find(b), std::nullopt);
  EXPECT_TRUE(index.Insert(b, {.offset = 2}));
  EXPECT_EQ(index.Find(a)->offset, 1U);
  EXPECT_EQ(index.Find(b)->offset, 2U);
}

TEST(ChunkIndex, KeepsTheFirstPlaceOfAnId) {
  ChunkIndex index;
  index.AddPack({});
  EXPECT_TRUE(index.Insert(IdOf(1), {.offset = 1}));
  EXPECT_FALSE(index.Insert(IdOf(1), {.offset = 2}));
  EXPECT_EQ(index.Find(IdOf(1))->offset, 1U);
  EXPECT_EQ(index.entries().size(), 1U);
}

TEST(IndexSegment, SplitsAtItsLimitAndNumbersPacksAnew) {
  ChunkIndex index;
  SeededRandom random(1);
  const auto pack_a = PackId::Generate(random);
  const auto pack_b = PackId::Generate(random);
  index.AddPack(pack_a);
  const std::uint32_t b = index.AddPack(pack_b);
  for (std::size_t i = 0; i < kMaxSegmentEntries; ++i) {
    index.Insert(IdOf(i), {.pack = 0});
  }
  index.Insert(IdOf(kMaxSegmentEntries), {.pack = b, .offset = 9});
  const std::vector<IndexSegment> segments = SplitIntoSegments(index);
  ASSERT_EQ(segments.size(), 2U);
  EXPECT_EQ(segments[0].entries.size(), kMaxSegmentEntries);
  EXPECT_EQ(segments[0].packs, std::vector<PackId>{pack_a});
  EXPECT_EQ(segments[1].packs, std::vector<PackId>{pack_b});
  EXPECT_EQ(segments[1].entries.at(0).slot, (ChunkSlot{.pack = 0, .offset = 9}));
}

}  // namespace
}  // namespace tidemark::repo
