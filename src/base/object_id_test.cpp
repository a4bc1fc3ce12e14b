#include "base/object_id.h"

#include <set>
#include <type_traits>

#include <gtest/gtest.h>

namespace tidemark {

TEST(ObjectId, StartsWithTheSecondOfCreation) {
  SeededRandom random(1);
  const ObjectId id = ObjectId::Generate(*ParseInstant("2024-02-29T12:34:56Z"), random);
  EXPECT_EQ(id.ToString().substr(0, 8), "65e079f0");
}

TEST(ObjectId, SortsByAge) {
  SeededRandom random(1);
  const Instant now = *ParseInstant("2024-02-29T12:34:56Z");
  EXPECT_LT(ObjectId::Generate(now, random),
            ObjectId::Generate(now + std::chrono::seconds(1), random));
}

TEST(ObjectId, IsAnotherOneEveryTime) {
  SeededRandom random(1);
  std::set<ObjectId> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.insert(ObjectId::Generate(Instant(), random));
  }
  EXPECT_EQ(ids.size(), 1000U);
}

TEST(ObjectId, ParseReadsWhatToStringWrites) {
  const std::string text = "0123456789abcdef01234567";
  ASSERT_TRUE(ObjectId::Parse(text));
  EXPECT_EQ(ObjectId::Parse(text)->ToString(), text);
  EXPECT_EQ(ObjectId::Parse(text)->bytes()[11], 0x67);
}

TEST(ObjectId, ParseRefusesEveryOtherForm) {
  for (const std::string_view text : {"",
                                      "0123456789abcdef0123456",
                                      "0123456789abcdef012345678",
                                      "0123456789ABCDEF01234567",
                                      "0123456789abcdeg01234567",
                                      " 123456789abcdef01234567"}) {
    EXPECT_FALSE(ObjectId::Parse(text)) << text;
  }
}

TEST(ObjectId, DefaultIsZero) {
  EXPECT_TRUE(ObjectId().IsZero());
  EXPECT_EQ(ObjectId().ToString(), "000000000000000000000000");
  EXPECT_FALSE(ObjectId::Parse("000000000000000000000001")->IsZero());
}

TEST(TypedId, KeepsItsObjectId) {
  static_assert(!std::is_convertible_v<SnapshotId, ProjectId>);
  const std::optional<SnapshotId> id = SnapshotId::Parse("0123456789abcdef01234567");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->ToString(), "0123456789abcdef01234567");
  EXPECT_EQ(id->raw(), *ObjectId::Parse("0123456789abcdef01234567"));
  EXPECT_FALSE(SnapshotId::Parse("x"));
  EXPECT_TRUE(SnapshotId().IsZero());
}

}  // namespace tidemark
