#pragma once

#include "tests/conformance/store_fixture.h"

// Whatever a store keeps in memory of what every request asks for: a write that has returned is
// seen.
namespace tidemark::catalog {

TEST_P(StoreSuite, RevokedTokensAreRefusedFromThenOn) {
  const domain::Key key = NewKey("mdb_sa_id_1");
  const domain::ClientSecret secret{
      .id = NewId<ClientSecretId>(), .account = key.id, .ending = "abcd", .created = kNow};
  store_->AddServiceAccount(key, secret, "hash");
  store_->AddToken("t1", secret, kNow + std::chrono::hours(1));
  store_->AddToken("t2", secret, kNow + std::chrono::hours(1));
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(store_->FindKeyByToken("t1", kNow).value().id, key.id);
    ASSERT_EQ(store_->FindKeyByToken("t2", kNow).value().grants.size(), 2U);
  }
  store_->RevokeToken("t1");
  EXPECT_FALSE(store_->FindKeyByToken("t1", kNow));
  EXPECT_TRUE(store_->FindKeyByToken("t2", kNow));
  EXPECT_FALSE(store_->FindKeyByToken("t2", kNow + std::chrono::hours(1)));
  EXPECT_TRUE(store_->FindKeyByToken("t2", kNow));
  store_->RevokeKey(key.id, kNow);
  EXPECT_FALSE(store_->FindKeyByToken("t2", kNow));
  EXPECT_TRUE(store_->FindKeyByPublicName("mdb_sa_id_1").value().key.revoked);
}

TEST_P(StoreSuite, WhatIsMadeAfterItWasMissingIsFound) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(store_->FindCluster(project_.id, "c1"));
    EXPECT_FALSE(store_->FindKeyByPublicName("abcdefgh"));
  }
  const domain::Cluster cluster = AddCluster("c1");
  store_->AddKey(NewKey("abcdefgh"), "secret");
  EXPECT_EQ(store_->FindCluster(project_.id, "c1").value().id, cluster.id);
  EXPECT_EQ(store_->FindKeyByPublicName("abcdefgh").value().sealed_secret, "secret");
}

TEST_P(StoreSuite, ChangedAndRemovedClustersAreSeenAtOnce) {
  const domain::Cluster cluster = AddCluster("c1");
  ASSERT_EQ(store_->FindCluster(project_.id, "c1").value().mongodb_version, "7.0.1");
  store_->UpdateClusterFacts(cluster.id, domain::Topology::kReplicaSet, "8.0.4", "rs0");
  EXPECT_EQ(store_->FindCluster(project_.id, "c1").value().mongodb_version, "8.0.4");
  store_->RemoveCluster(cluster.id, kNow);
  EXPECT_FALSE(store_->FindCluster(project_.id, "c1"));
  const domain::Cluster again = AddCluster("c1");
  EXPECT_EQ(store_->FindCluster(project_.id, "c1").value().id, again.id);
}

TEST_P(StoreSuite, ADeletedProjectIsGoneAtOnce) {
  const domain::Project project = AddProject("other");
  ASSERT_TRUE(store_->FindProject(project.id));
  ASSERT_TRUE(store_->DeleteProject(project.id, kNow));
  EXPECT_FALSE(store_->FindProject(project.id));
}

TEST_P(StoreSuite, UnscheduledClustersAreThoseRegisteredWithoutASchedule) {
  const auto names = [this] {
    std::vector<std::string> found;
    for (const domain::Cluster& cluster : store_->ListUnscheduledClusters(10)) {
      found.push_back(cluster.name);
    }
    return found;
  };
  const domain::Cluster a = AddCluster("a");
  const domain::Cluster b = AddCluster("b");
  AddCluster("c");
  EXPECT_THAT(names(), testing::UnorderedElementsAre("a", "b", "c"));
  store_->AddSchedule(domain::DefaultSchedule(a, kNow));
  store_->RemoveCluster(b.id, kNow);
  EXPECT_THAT(names(), testing::ElementsAre("c"));
}

}  // namespace tidemark::catalog
