#include "api/internal/versions.h"

#include <array>

#include <gtest/gtest.h>

namespace tidemark::api {
namespace {

constexpr std::array kClusters{Version{"2023-01-01"}, Version{"2023-02-01"}, Version{"2024-08-05"}};
constexpr std::array kFlex{Version{"2024-11-13"}};

std::string Resolve(std::string_view accept, std::span<const Version> versions) {
  const Version* version = ResolveVersion(accept, versions);
  return version == nullptr ? "406" : std::string(version->date);
}

}  // namespace

TEST(ResolveVersion, PicksTheNewestThatIsNotLater) {
  EXPECT_EQ(Resolve("application/vnd.atlas.2023-01-01+json", kClusters), "2023-01-01");
  EXPECT_EQ(Resolve("application/vnd.atlas.2023-10-01+json", kClusters), "2023-02-01");
  EXPECT_EQ(Resolve("application/vnd.atlas.2024-08-05+json", kClusters), "2024-08-05");
  EXPECT_EQ(Resolve("application/vnd.atlas.2025-03-12+json", kClusters), "2024-08-05");
}

TEST(ResolveVersion, TakesDatesAfterTheNewestRelease) {
  EXPECT_EQ(Resolve("application/vnd.atlas.2031-01-01+json", kFlex), "2024-11-13");
}

TEST(ResolveVersion, RefusesDatesThatWereNeverReleased) {
  for (const char* date :
       {"2022-01-01", "2023-01-02", "2024-13-01", "2024-5-30", "2024-08-05.upcoming"}) {
    EXPECT_EQ(Resolve("application/vnd.atlas." + std::string(date) + "+json", kClusters), "406")
        << date;
  }
}

TEST(ResolveVersion, RefusesWhatIsTooEarlyForTheOperation) {
  EXPECT_EQ(Resolve("application/vnd.atlas.2024-10-23+json", kFlex), "406");
}

TEST(ResolveVersion, RefusesUnversionedAndOtherTypes) {
  for (const char* accept : {"",
                             "*/*",
                             "application/json",
                             "application/vnd.atlas.preview+json",
                             "application/vnd.atlas.2023-01-01+csv",
                             "application/vnd.atlas.",
                             "application/vnd.atlas.+json",
                             "application/vnd.atlas.json"}) {
    EXPECT_EQ(Resolve(accept, kClusters), "406") << accept;
  }
}

TEST(ResolveVersion, HonoursTheFirstVersionedMemberOfAList) {
  EXPECT_EQ(Resolve("text/html, Application/vnd.atlas.2023-02-01+json;q=0.5,"
                    "application/vnd.atlas.2024-08-05+json",
                    kClusters),
            "2023-02-01");
  EXPECT_EQ(Resolve("application/vnd.atlas.preview+json, application/vnd.atlas.2023-02-01+json",
                    kClusters),
            "406");
}

TEST(IsJsonMediaType, TakesJsonAndVersionedTypes) {
  EXPECT_TRUE(IsJsonMediaType(""));
  EXPECT_TRUE(IsJsonMediaType("application/JSON; charset=utf-8"));
  EXPECT_TRUE(IsJsonMediaType("application/vnd.atlas.2024-08-05+json"));
  EXPECT_FALSE(IsJsonMediaType("text/plain"));
  EXPECT_FALSE(IsJsonMediaType("application/vnd.atlas.nonsense+json"));
}

TEST(VersionedMediaType, HasNoSpace) {
  EXPECT_EQ(VersionedMediaType("2023-01-01"),
            "application/vnd.atlas.2023-01-01+json;charset=utf-8");
}

}  // namespace tidemark::api
