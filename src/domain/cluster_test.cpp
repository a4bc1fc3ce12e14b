#include "domain/cluster.h"

#include <gtest/gtest.h>

#include "domain/job.h"
#include "domain/page.h"

namespace tidemark::domain {

TEST(ClusterName, TakesLettersDigitsAndInnerHyphens) {
  for (const std::string_view name : {"a", "7", "Cluster0", "my-cluster", "a-"}) {
    EXPECT_TRUE(IsClusterName(name)) << name;
  }
  EXPECT_TRUE(IsClusterName(std::string(64, 'a')));
}

TEST(ClusterName, RefusesEverythingElse) {
  for (const std::string_view name : {"", "-a", "a b", "a_b", "a.b", "caf\xc3\xa9", "a\n", "a/b"}) {
    EXPECT_FALSE(IsClusterName(name)) << name;
  }
  EXPECT_FALSE(IsClusterName(std::string(65, 'a')));
  EXPECT_FALSE(IsClusterName(std::string_view("a\0", 2)));
}

TEST(MajorVersion, IsTheFirstTwoNumbers) {
  EXPECT_EQ(MajorVersion("7.0.42"), "7.0");
  EXPECT_EQ(MajorVersion("10.12"), "10.12");
  EXPECT_EQ(MajorVersion("8.0.0-rc1"), "8.0");
}

TEST(MajorVersion, IsEmptyWhenMalformed) {
  for (const std::string_view version : {"", "7", "7.", ".0", "seven.0.1", "7.x.1", "7..1"}) {
    EXPECT_EQ(MajorVersion(version), "") << version;
  }
}

TEST(Tier, NamesRoundTrip) {
  for (const Tier tier : {Tier::kShared, Tier::kFlex, Tier::kDedicated}) {
    EXPECT_EQ(ParseTier(TierName(tier)), tier);
  }
  EXPECT_EQ(TierName(Tier::kFlex), "flex");
  EXPECT_EQ(ParseTier("Flex"), std::nullopt);
  EXPECT_EQ(ParseTier(""), std::nullopt);
}

TEST(Flex, IsAFlexClusterThatIsNotSharded) {
  Cluster cluster;
  for (const Tier tier : {Tier::kShared, Tier::kFlex, Tier::kDedicated}) {
    cluster.tier = tier;
    for (const Topology topology :
         {Topology::kUnknown, Topology::kStandalone, Topology::kReplicaSet, Topology::kSharded}) {
      cluster.topology = topology;
      EXPECT_EQ(IsFlex(cluster), tier == Tier::kFlex && topology != Topology::kSharded)
          << TierName(tier) << " " << TopologyName(topology);
    }
  }
}

TEST(Topology, HasTheNamesOfTheApi) {
  EXPECT_EQ(TopologyName(Topology::kUnknown), "unknown");
  EXPECT_EQ(TopologyName(Topology::kStandalone), "standalone");
  EXPECT_EQ(TopologyName(Topology::kReplicaSet), "replicaSet");
  EXPECT_EQ(TopologyName(Topology::kSharded), "sharded");
}

TEST(JobKind, HasANameForPeople) {
  EXPECT_EQ(JobKindName(JobKind::kTakeSnapshot), "takeSnapshot");
  EXPECT_EQ(JobKindName(JobKind::kRestore), "restore");
}

TEST(Page, CountsFromOne) {
  EXPECT_EQ(Page().Offset(), 0);
  EXPECT_EQ((Page{.number = 3, .size = 50}).Offset(), 100);
}

}  // namespace tidemark::domain
