#pragma once

#include "tests/conformance/store_fixture.h"

// The part of StoreSuite about deleting projects and about sealed secrets.
namespace tidemark::catalog {

TEST_P(StoreSuite, DeletedProjectIsGoneAndItsNameFree) {
  EXPECT_TRUE(store_->DeleteProject(project_.id, kNow));
  EXPECT_FALSE(store_->DeleteProject(project_.id, kNow));
  EXPECT_FALSE(store_->DeleteProject(NewId<ProjectId>(), kNow));
  EXPECT_FALSE(store_->FindProject(project_.id));
  EXPECT_EQ(store_->ListProjects({organization_.id}, {project_.id}, {}).total, 0);
  AddProject("project");
  EXPECT_EQ(store_->ListProjects({organization_.id}, {project_.id}, {}).total, 1);
}

TEST_P(StoreSuite, DeletedProjectTakesItsSnapshotsAndKeysWithIt) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot snapshot = AddFinishedSnapshot(cluster);
  store_->RemoveCluster(cluster.id, kNow);
  domain::Key own = NewKey("own");
  own.grants = {{.role = domain::Role::kGroupOwner, .project = project_.id}};
  domain::Key wider = NewKey("wider");
  store_->AddKey(own, "");
  store_->AddKey(wider, "");
  const auto deleted = store_->DeleteProject(project_.id, kNow);
  ASSERT_TRUE(deleted.has_value());
  EXPECT_EQ(deleted->snapshots, 1);
  EXPECT_EQ(deleted->keys, 1);
  EXPECT_EQ(store_->FindSnapshot(snapshot.id).value().deleted, kNow);
  EXPECT_EQ(store_->FindKey(own.id).value().key.revoked, kNow);
  EXPECT_FALSE(store_->FindKey(wider.id).value().key.revoked);
}

TEST_P(StoreSuite, ProjectInUseIsNotDeleted) {
  const domain::Cluster cluster = AddCluster("c0");
  const std::string refusal = "Conflict: cannot delete project " + project_.id.ToString() + ": ";
  EXPECT_EQ(Refusal([&] { store_->DeleteProject(project_.id, kNow); }),
            refusal + "clusters are registered in it");
  AddSnapshot(cluster);
  store_->RemoveCluster(cluster.id, kNow);
  EXPECT_EQ(Refusal([&] { store_->DeleteProject(project_.id, kNow); }),
            refusal + "it has unfinished jobs");
  EXPECT_TRUE(store_->FindProject(project_.id));
}

TEST_P(StoreSuite, ProjectThatARestoreWritesToIsNotDeleted) {
  const domain::Snapshot snapshot = AddFinishedSnapshot(AddCluster("c0"));
  const domain::Project other = AddProject("other");
  domain::Cluster target = NewCluster("target");
  target.project = other.id;
  store_->AddCluster(target);
  AddRestore(NewRestore(snapshot, target));
  EXPECT_EQ(Refusal([&] { store_->RemoveCluster(target.id, kNow); }),
            "Conflict: cannot unregister cluster " + target.id.ToString() +
                ": a restore into it is unfinished");
  EXPECT_EQ(
      Refusal([&] { store_->DeleteProject(other.id, kNow); }),
      "Conflict: cannot delete project " + other.id.ToString() + ": clusters are registered in it");
}

TEST_P(StoreSuite, NothingIsAddedToADeletedProject) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot snapshot = AddFinishedSnapshot(cluster);
  store_->RemoveCluster(cluster.id, kNow);
  store_->DeleteProject(project_.id, kNow);
  const std::string refusal = "NotFound: catalog statement failed: the project has been deleted";
  EXPECT_EQ(Refusal([&] { AddCluster("c1"); }), refusal);
  EXPECT_EQ(Refusal([&] { AddSnapshot(cluster); }),
            "NotFound: cannot take a snapshot of cluster 'c0': it is not registered any more");
}

TEST_P(StoreSuite, DeletedProjectIsShreddedOnce) {
  EXPECT_TRUE(store_->ListProjectsToShred().empty());
  store_->MarkProjectShredded(project_.id, kNow);  // not deleted: no effect
  store_->DeleteProject(project_.id, kNow);
  Reopen();
  EXPECT_EQ(store_->ListProjectsToShred(), std::vector{project_.id});
  store_->MarkProjectShredded(project_.id, kNow);
  EXPECT_TRUE(store_->ListProjectsToShred().empty());
}

TEST_P(StoreSuite, SecretsAreResealedAllOrNone) {
  domain::Key key = NewKey("abcdefgh");
  key.kind = domain::KeyKind::kApiKey;
  store_->AddKey(key, "one");
  store_->AddKey(NewKey("mdb_sa_id_1"), "a hash, not sealed");
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Cluster removed = AddCluster("c1");
  store_->RemoveCluster(removed.id, kNow);
  const auto reseal = [](const Store::SealedSecret& secret) { return "new " + secret.sealed; };
  EXPECT_EQ(Refusal([&] {
              store_->ResealSecrets([&](const Store::SealedSecret& secret) {
                if (secret.owner == removed.id.ToString()) {
                  throw Error(ErrorCode::kCorrupt, "damaged");
                }
                return reseal(secret);
              });
            }),
            "Corrupt: damaged");
  EXPECT_EQ(store_->FindKey(key.id).value().sealed_secret, "one");
  EXPECT_EQ(store_->ResealSecrets(reseal), 3);
  EXPECT_EQ(store_->FindKey(key.id).value().sealed_secret, "new one");
  EXPECT_EQ(store_->FindKeyByPublicName("mdb_sa_id_1").value().sealed_secret, "a hash, not sealed");
  for (const ClusterId& id : {cluster.id, removed.id}) {
    EXPECT_EQ(store_->FindCluster(id).value().connection_string.Reveal(),
              "new " + cluster.connection_string.Reveal());
  }
}

}  // namespace tidemark::catalog
