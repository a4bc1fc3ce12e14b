#include "service/internal/archive_maps.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace tidemark::service {
namespace {

class ArchiveMapsTest : public testing::Test {
 protected:
  SnapshotId NewId() { return SnapshotId::Generate(Instant(std::chrono::seconds(1)), random_); }

  static archive::ArchiveMap MapTo(std::uint64_t offset) {
    archive::ArchiveMap map;
    archive::ArchiveMap::Point point;
    point.offset = offset;
    map.Record(point);
    return map;
  }

  std::uint64_t ReachOf(const SnapshotId& id) {
    const archive::ArchiveMap map = maps_.Find(id);
    const auto* last = map.FindBefore(UINT64_MAX);
    return last == nullptr ? 0 : last->offset;
  }

  SeededRandom random_{3};
  ArchiveMaps maps_;
};

TEST_F(ArchiveMapsTest, TheOneThatLeadsFurtherStays) {
  const SnapshotId id = NewId();
  EXPECT_EQ(ReachOf(id), 0U);
  maps_.Keep(id, MapTo(5U << 20));
  maps_.Keep(id, MapTo(3U << 20));
  EXPECT_EQ(ReachOf(id), 5U << 20);
  archive::ArchiveMap whole = MapTo(2U << 20);
  whole.RecordSize(9U << 20);
  maps_.Keep(id, std::move(whole));
  EXPECT_EQ(maps_.Find(id).size(), 9U << 20);
}

TEST_F(ArchiveMapsTest, TheOneThatWasUsedLeastIsForgotten) {
  const SnapshotId first = NewId();
  const SnapshotId second = NewId();
  maps_.Keep(first, MapTo(2U << 20));
  maps_.Keep(second, MapTo(2U << 20));
  for (std::size_t i = 2; i < ArchiveMaps::kMost; ++i) {
    maps_.Keep(NewId(), MapTo(2U << 20));
  }
  EXPECT_EQ(ReachOf(first), 2U << 20);
  maps_.Keep(NewId(), MapTo(2U << 20));
  EXPECT_EQ(ReachOf(first), 2U << 20);
  EXPECT_EQ(ReachOf(second), 0U);
}

}  // namespace
}  // namespace tidemark::service
