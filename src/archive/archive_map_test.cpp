#include "archive/archive_map.h"

#include <gmock/gmock.h>

#include "bson/builder.h"
#include "codec/codec.h"
#include "tests/support/repository_fixture.h"

namespace tidemark::archive {
namespace {

using repo::FailureOf;
using testing::HasSubstr;

constexpr std::uint64_t kStep = ArchiveMap::kLeastSpacing;

ArchiveMap::Point PointAt(std::uint64_t offset, std::uint64_t documents, std::uint32_t index = 0) {
  ArchiveMap::Point point{.offset = offset, .checksum = static_cast<std::uint32_t>(offset)};
  point.place.opening = false;
  point.place.index = index;
  point.place.documents = documents;
  point.place.bytes = documents * 100;
  point.place.crc = 3;
  point.place.part = 4;
  point.place.digest.documents = documents;
  point.place.digest.sum[31] = 5;
  point.place.next_id = bson::Builder().Append("", static_cast<std::int64_t>(documents)).Finish();
  return point;
}

ArchiveMap Filled() {
  ArchiveMap map;
  map.Bind(77);
  for (std::uint64_t i = 1; i <= 5; ++i) {
    map.Record(PointAt(i * kStep, i * 10));
  }
  map.RecordSize(6 * kStep);
  return map;
}

std::uint64_t OffsetBefore(const ArchiveMap& map, std::uint64_t offset) {
  const ArchiveMap::Point* const point = map.FindBefore(offset);
  return point == nullptr ? 0 : point->offset;
}

// Puts the right checksum behind what a test has changed.
Bytes Signed(Bytes bytes) {
  bytes.resize(bytes.size() - 8);
  const codec::Digest digest = codec::Sha256(bytes);
  bytes.insert(bytes.end(), digest.begin(), digest.begin() + 8);
  return bytes;
}

TEST(ArchiveMap, FindsTheLastPlaceBefore) {
  const ArchiveMap map = Filled();
  EXPECT_EQ(map.FindBefore(kStep - 1), nullptr);
  EXPECT_EQ(OffsetBefore(map, kStep), kStep);
  EXPECT_EQ(OffsetBefore(map, 3 * kStep - 1), 2 * kStep);
  EXPECT_EQ(OffsetBefore(map, 99 * kStep), 5 * kStep);
  EXPECT_EQ(map.size(), 6 * kStep);
}

TEST(ArchiveMap, KeepsNoPlacesThatAreTooClose) {
  ArchiveMap map;
  map.Record(PointAt(kStep / 2, 1));
  map.Record(PointAt(kStep, 2));
  map.Record(PointAt(kStep * 3 / 2, 3));
  map.Record(PointAt(kStep * 3, 5));
  map.Record(PointAt(kStep * 5 / 2, 4));
  EXPECT_EQ(OffsetBefore(map, kStep * 3 - 1), kStep);
}

TEST(ArchiveMap, KeepsNoPlaceAtALargeId) {
  ArchiveMap map;
  ArchiveMap::Point point = PointAt(kStep, 1);
  point.place.next_id = bson::Builder().Append("", std::string(300, 'x')).Finish();
  map.Record(point);
  EXPECT_EQ(map.FindBefore(kStep), nullptr);
}

TEST(ArchiveMap, IsBounded) {
  ArchiveMap map;
  for (std::uint64_t i = 1; i <= 3 * ArchiveMap::kMaxPoints; ++i) {
    map.Record(PointAt(i * kStep, i));
  }
  std::uint64_t gap = 0;
  for (std::uint64_t i = 1; i <= 3 * ArchiveMap::kMaxPoints; ++i) {
    gap = std::max(gap, i * kStep - OffsetBefore(map, i * kStep));
  }
  EXPECT_LE(gap, 4 * kStep);
  EXPECT_LT(map.Encode().size(), ArchiveMap::kMaxPoints * 120);
  EXPECT_EQ(ArchiveMap::Decode(map.Encode()).Encode(), map.Encode());
}

TEST(ArchiveMap, SurvivesStorage) {
  const Bytes stored = Filled().Encode();
  ArchiveMap map = ArchiveMap::Decode(stored);
  EXPECT_EQ(map.Encode(), stored);
  EXPECT_EQ(map.size(), 6 * kStep);
  const ArchiveMap::Point* const point = map.FindBefore(2 * kStep);
  ASSERT_NE(point, nullptr);
  EXPECT_EQ(point->place.digest, PointAt(2 * kStep, 20).place.digest);
  EXPECT_EQ(point->place.next_id, PointAt(2 * kStep, 20).place.next_id);
  EXPECT_EQ(point->place.part, 4U);
  EXPECT_THROW(map.Bind(78), Error);
  EXPECT_NO_THROW(map.Bind(77));
}

TEST(ArchiveMap, BytesThatDifferFromAnEarlierDownloadAreNoticed) {
  ArchiveMap map = Filled();
  EXPECT_NO_THROW(map.Record(PointAt(2 * kStep, 20)));
  ArchiveMap::Point other = PointAt(2 * kStep, 20);
  other.checksum ^= 1U;
  EXPECT_EQ(FailureOf([&] { map.Record(other); }).code, ErrorCode::kInternal);
  EXPECT_THROW(map.Record(PointAt(2 * kStep, 21)), Error);        // another place there
  EXPECT_THROW(map.Record(PointAt(2 * kStep + 100, 20)), Error);  // the place elsewhere
  EXPECT_THROW(map.Record(PointAt(2 * kStep - 100, 20)), Error);
  EXPECT_THROW(map.Record(PointAt(2 * kStep + 100, 9)), Error);
  EXPECT_THROW(map.Record(PointAt(2 * kStep + 100, 31)), Error);
  EXPECT_THROW(map.RecordSize(6 * kStep + 1), Error);
  EXPECT_NO_THROW(map.RecordSize(6 * kStep));
  ArchiveMap open;
  open.Record(PointAt(2 * kStep, 20));
  EXPECT_THROW(open.RecordSize(2 * kStep), Error);
}

TEST(ArchiveMap, EveryFlippedBitAndEveryCutIsNoticed) {
  const Bytes stored = Filled().Encode();
  for (std::size_t bit = 0; bit < 8 * stored.size(); ++bit) {
    Bytes damaged = stored;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    EXPECT_EQ(FailureOf([&] { ArchiveMap::Decode(damaged); }).code, ErrorCode::kCorrupt);
  }
  for (std::size_t size = 0; size < stored.size(); ++size) {
    EXPECT_THROW(ArchiveMap::Decode(ByteView(stored).first(size)), Error);
  }
}

TEST(ArchiveMap, WellSignedNonsenseIsRefused) {
  const Bytes stored = Filled().Encode();
  const auto refused = [&](std::size_t at, std::uint8_t value) {
    Bytes changed = stored;
    changed[at] = value;
    return FailureOf([&] { ArchiveMap::Decode(Signed(changed)); }).message;
  };
  EXPECT_THAT(refused(4, 9), HasSubstr("another version"));
  EXPECT_THAT(refused(15, 0), HasSubstr("distance"));         // spacing 0
  EXPECT_THAT(refused(20, 0x80), HasSubstr("distance"));      // spacing 2^63
  EXPECT_THAT(refused(21, 2), HasSubstr("flag"));             // has size
  EXPECT_THAT(refused(24, 1), HasSubstr("beyond its size"));  // size 64 KiB
  EXPECT_THAT(refused(32, 0xff), HasSubstr("too many"));      // points
  EXPECT_THAT(refused(30, 9), HasSubstr("too early"));
  EXPECT_THAT(refused(30, 4), HasSubstr("more follows"));
  EXPECT_THAT(refused(36, 0), HasSubstr("not in order"));  // offset 0
}

}  // namespace
}  // namespace tidemark::archive
