#pragma once

#include <string>
#include <vector>

#include "tests/conformance/store_fixture.h"

// The part of StoreSuite about restores that are asked for by collection.
namespace tidemark::catalog {

class CollectionRestoreSuite : public StoreSuite {
 protected:
  static domain::CollectionRestore NewRequest() {
    return {.write = domain::WriteStrategy::kOverwriteExisting,
            .indexes = domain::IndexStrategy::kAllExceptTtl,
            .database_suffix = std::nullopt,
            .collection_suffix = "_old",
            .databases = {{"shop", ""}, {"stock", "depot"}},
            .collections = {{"logs.2026.a/b", "logs.x"}}};
  }

  domain::RestoreJob AddByCollection(const domain::Cluster& target,
                                     const domain::CollectionRestore& request = NewRequest()) {
    domain::RestoreJob restore = NewRestore(snapshot_, target);
    restore.by_collection = true;
    store_->AddCollectionRestore(
        restore, request, NewJob(domain::JobKind::kRestore, restore.id.raw(), kNow), "stopped");
    return restore;
  }

  static domain::RestoredNamespace NewNamespace(const std::string& source,
                                                std::uint64_t documents = 10) {
    return {.source = source,
            .target = source + "_old",
            .effective = source + "_old",
            .documents_total = documents};
  }

  std::vector<std::string> Sources(const RestoreJobId& id,
                                   const CollectionRestores::NamespaceFilter& filter,
                                   const domain::Page& page = {}) {
    std::vector<std::string> sources;
    for (const auto& row : store_->ListRestoredNamespaces(id, filter, page).rows) {
      sources.push_back(row.source);
    }
    return sources;
  }

  const domain::Cluster source_ = AddCluster("source");
  const domain::Cluster target_ = AddCluster("target");
  const domain::Snapshot snapshot_ = AddFinishedSnapshot(source_);
};

TEST_P(CollectionRestoreSuite, ComesBackAsItWasAskedFor) {
  const domain::RestoreJob restore = AddByCollection(target_);
  EXPECT_TRUE(store_->FindRestore(restore.id).value().by_collection);
  EXPECT_EQ(store_->FindCollectionRestore(restore.id).value(), NewRequest());
  EXPECT_FALSE(store_->FindCollectionRestore(NewId<RestoreJobId>()));
}

TEST_P(CollectionRestoreSuite, NoOtherListShowsOrCountsIt) {
  const domain::RestoreJob restore = AddByCollection(target_);
  const domain::RestoreJob whole = NewRestore(snapshot_, AddCluster("third"));
  AddRestore(whole);
  const auto listed = store_->ListRestores(source_.id, {});
  ASSERT_EQ(listed.rows.size(), 1U);
  EXPECT_EQ(listed.rows[0].id, whole.id);
  EXPECT_EQ(listed.total, 1);
  EXPECT_EQ(store_->ListWholeRestores(source_.id, {}).total, 1);
  EXPECT_EQ(store_->ListWholeRestores(source_.id, {}).rows.size(), 1U);
  const auto own = store_->ListCollectionRestores(source_.id, {});
  ASSERT_EQ(own.rows.size(), 1U);
  EXPECT_EQ(own.rows[0].id, restore.id);
  EXPECT_EQ(own.total, 1);
  EXPECT_EQ(store_->ListCollectionRestores(target_.id, {}).total, 0);
}

TEST_P(CollectionRestoreSuite, TwoIntoOneTargetConflictWithEachOther) {
  AddByCollection(target_);
  EXPECT_EQ(Refusal([&] { AddByCollection(target_); }),
            "Conflict: cannot restore into cluster 'target': it takes part in an unfinished "
            "restore");
  EXPECT_EQ(store_->ListCollectionRestores(source_.id, {}).total, 1);
}

TEST_P(CollectionRestoreSuite, NamespacesAreAddedOnceAndKeepTheirOrder) {
  const domain::RestoreJob restore = AddByCollection(target_);
  const domain::Lease lease = Claim();
  EXPECT_EQ(store_->CountRestoredNamespaces(restore.id), domain::RestoredNamespaceTotals());
  const std::vector<domain::RestoredNamespace> namespaces{
      NewNamespace("shop.b"), NewNamespace("shop.a"), NewNamespace("logs.2026.a/b")};
  EXPECT_TRUE(store_->AddRestoredNamespaces(lease, namespaces));
  EXPECT_TRUE(store_->AddRestoredNamespaces(lease, {NewNamespace("other.x")}));
  EXPECT_EQ(store_->ReadRestoredNamespaces(restore.id), namespaces);
  EXPECT_EQ(store_->FindRestoredNamespace(restore.id, "logs.2026.a/b").value(), namespaces[2]);
  EXPECT_FALSE(store_->FindRestoredNamespace(restore.id, "other.x"));
  Reopen();
  EXPECT_EQ(store_->ReadRestoredNamespaces(restore.id), namespaces);
}

TEST_P(CollectionRestoreSuite, NamespacesAreListedByStateAndName) {
  const domain::RestoreJob restore = AddByCollection(target_);
  const domain::Lease lease = Claim();
  store_->AddRestoredNamespaces(
      lease, {NewNamespace("a.a"), NewNamespace("a.b"), NewNamespace("a.c"), NewNamespace("a.d")});
  domain::RestoredNamespace done = NewNamespace("a.b");
  done.state = domain::NamespaceState::kSuccessful;
  EXPECT_TRUE(store_->SaveRestoredNamespace(lease, done));
  using testing::ElementsAre;
  EXPECT_THAT(Sources(restore.id, {}), ElementsAre("a.a", "a.b", "a.c", "a.d"));
  EXPECT_THAT(Sources(restore.id, {.state = domain::NamespaceState::kSuccessful}),
              ElementsAre("a.b"));
  EXPECT_THAT(Sources(restore.id, {.state = domain::NamespaceState::kNotStarted}, {2, 2}),
              ElementsAre("a.d"));
  EXPECT_THAT(Sources(restore.id, {.source = "a.c"}), ElementsAre("a.c"));
  EXPECT_THAT(Sources(restore.id, {.target = "a.d_old"}), ElementsAre("a.d"));
  EXPECT_EQ(store_->ListRestoredNamespaces(restore.id, {}, {.size = 1}).total, 4);
}

TEST_P(CollectionRestoreSuite, ProgressIsSavedUnderTheLeaseOnly) {
  const domain::RestoreJob restore = AddByCollection(target_);
  const domain::Lease lost = Claim();
  const domain::Lease lease = Claim(kNow + 2 * kLease);
  EXPECT_FALSE(store_->AddRestoredNamespaces(lost, {NewNamespace("a.a")}));
  EXPECT_TRUE(store_->AddRestoredNamespaces(lease, {NewNamespace("a.a", 10)}));
  domain::RestoredNamespace row = NewNamespace("a.a");
  row.state = domain::NamespaceState::kInProgress;
  row.documents_restored = 4;
  EXPECT_FALSE(store_->SaveRestoredNamespace(lost, row));
  EXPECT_FALSE(store_->FailRestoredNamespaces(lost));
  EXPECT_EQ(store_->FindRestoredNamespace(restore.id, "a.a").value().documents_restored, 0U);
  EXPECT_TRUE(store_->SaveRestoredNamespace(lease, row));
  const auto totals = store_->CountRestoredNamespaces(restore.id);
  EXPECT_EQ(totals.namespaces, 1);
  EXPECT_EQ(totals.unwritten, 1);
  EXPECT_EQ(totals.documents_total, 10U);
  EXPECT_EQ(totals.documents_restored, 4U);
}

TEST_P(CollectionRestoreSuite, AFailureEndsWhatIsUnfinished) {
  const domain::RestoreJob restore = AddByCollection(target_);
  const domain::Lease lease = Claim();
  using enum domain::NamespaceState;
  std::vector<domain::RestoredNamespace> rows;
  for (const auto state : {kNotStarted, kInProgress, kFinalizing, kSuccessful, kNotFound}) {
    rows.push_back(NewNamespace("a." + std::to_string(rows.size())));
    rows.back().state = state;
  }
  rows[2].indexes = domain::IndexBuildState::kInProgress;
  rows[3].indexes = domain::IndexBuildState::kSuccessful;
  store_->AddRestoredNamespaces(lease, rows);
  EXPECT_TRUE(store_->FailRestoredNamespaces(lease));
  std::vector<domain::NamespaceState> states;
  std::vector<domain::IndexBuildState> indexes;
  for (const auto& row : store_->ReadRestoredNamespaces(restore.id)) {
    states.push_back(row.state);
    indexes.push_back(row.indexes);
  }
  EXPECT_THAT(states, testing::ElementsAre(kNotRestored, kFailed, kFailed, kSuccessful, kNotFound));
  using Index = domain::IndexBuildState;
  EXPECT_THAT(indexes,
              testing::ElementsAre(Index::kNotRestored,
                                   Index::kNotRestored,
                                   Index::kFailed,
                                   Index::kSuccessful,
                                   Index::kNotStarted));
}

}  // namespace tidemark::catalog
