#include "delivery/collection_choice.h"

#include "tests/support/restore_fixture.h"

namespace tidemark::delivery {
namespace {

using domain::NamespaceState;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Collection restores from memory into memory.
class CollectionChoice : public RestoreTest {
 protected:
  CollectionChoice() {
    target_.databases = {"old", "shop"};
    Add("orders", {Doc(1), Doc(2)});
    Add("people.a/b", {Doc(3)});
    manifest_.namespaces.push_back(reader_.Add("items", {Doc(4)}, "stock"));
    manifest_.empty_databases = {"empty"};
    options_.on_namespace = [this](const NamespaceEvent& event) {
      const MutexLock lock(mutex_);
      events_.push_back(event);
    };
  }

  std::vector<std::string> Chosen(const domain::CollectionRestore& request) {
    std::vector<std::string> lines;
    for (const auto& row : ChooseNamespaces(manifest_, request)) {
      lines.push_back(row.source + " > " + row.effective +
                      (row.state == NamespaceState::kNotFound ? " missing" : ""));
    }
    return lines;
  }

  void KeepOn(const std::string& database, const std::string& collection) {
    repo::NamespaceEntry entry{.database = database, .collection = collection};
    entry.options = bson::Builder().Finish();
    target_.Keep(entry, {Doc(99)});
  }

  void AddIndex(std::size_t ns, const std::string& json) {
    manifest_.namespaces[ns].indexes.push_back(bson::FromJson(json));
  }

  // "shop.orders" and the stages it went through.
  std::vector<NamespaceStage> StagesOf(const std::string& source) {
    const MutexLock lock(mutex_);
    std::vector<NamespaceStage> stages;
    for (const NamespaceEvent& event : events_) {
      if (event.source == source) {
        stages.push_back(event.stage);
      }
    }
    return stages;
  }

  void Create(const std::string& collection) {
    options_.scope = {.include = {{"shop", collection, "", ""}}, .mode = RestoreMode::kCreate};
  }

  std::vector<NamespaceEvent> events_;
};

TEST_F(CollectionChoice, ADatabaseIsAllOfItsCollections) {
  EXPECT_THAT(Chosen({.databases = {{"shop", ""}, {"empty", ""}}}),
              ElementsAre("shop.orders > shop.orders", "shop.people.a/b > shop.people.a/b"));
}

TEST_F(CollectionChoice, SuffixesGoToWhatHasNoNameOfItsOwn) {
  domain::CollectionRestore request{.database_suffix = "_d",
                                    .collection_suffix = "_c",
                                    .databases = {{"shop", "depot"}, {"stock", ""}},
                                    .collections = {{"shop.orders", "x.y.z"}}};
  EXPECT_THAT(Chosen(request),
              ElementsAre("shop.orders > x.y.z",
                          "shop.people.a/b > depot.people.a/b_c",
                          "stock.items > stock_d.items_c"));
  request.collections[0].target.clear();
  EXPECT_EQ(Chosen(request)[0], "shop.orders > shop_d.orders_c");
}

TEST_F(CollectionChoice, StoredFunctionsKeepTheirName) {
  Add("system.js", {});
  EXPECT_THAT(Chosen({.collection_suffix = "_c", .collections = {{"shop.system.js", ""}}}),
              ElementsAre("shop.system.js > shop.system.js"));
}

TEST_F(CollectionChoice, WhatTheSnapshotHasNotIsSaid) {
  EXPECT_THAT(Chosen({.databases = {{"nothing", ""}}, .collections = {{"shop.no", "a.b"}}}),
              ElementsAre("nothing > nothing missing", "shop.no > a.b missing"));
}

TEST_F(CollectionChoice, ListingSomethingTwiceIsRefused) {
  const domain::CollectionRestore request{
      .collections = {{"shop.orders", ""}, {"shop.orders", "a.b"}}};
  EXPECT_THROW(ChooseNamespaces(manifest_, request), Error);
}

// It would be written to collection ".x.orders" of database "shop".
TEST_F(CollectionChoice, ADotCannotMoveADatabasesCollections) {
  EXPECT_THROW(ChooseNamespaces(manifest_, {.database_suffix = ".x", .databases = {{"shop", ""}}}),
               Error);
  EXPECT_THROW(ChooseNamespaces(manifest_, {.databases = {{"shop", "a.b"}}}), Error);
}

TEST_F(CollectionChoice, TakenNamesAreAvoided) {
  KeepOn("shop", "orders");
  KeepOn("shop", "orders_restored");
  auto rows = ChooseNamespaces(
      manifest_,
      {.databases = {{"shop", ""}}, .collections = {{"stock.items", "shop.orders_restored_2"}}});
  AvoidTakenNames(target_, rows);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].target, "shop.orders");
  EXPECT_EQ(rows[0].effective, "shop.orders_restored_3");
  EXPECT_EQ(rows[1].effective, "shop.people.a/b");
  EXPECT_EQ(rows[2].effective, "shop.orders_restored_2");
}

TEST_F(CollectionChoice, TakenStoredFunctionsCannotBeAvoided) {
  Add("system.js", {});
  KeepOn("shop", "system.js");
  auto rows = ChooseNamespaces(manifest_, {.collections = {{"shop.system.js", ""}}});
  EXPECT_THROW(AvoidTakenNames(target_, rows), Error);
}

TEST_F(CollectionChoice, TheScopeNamesEachAndLeavesOutTheRest) {
  auto rows =
      ChooseNamespaces(manifest_, {.databases = {{"shop", ""}}, .collections = {{"shop.no", ""}}});
  rows[1].state = NamespaceState::kUnsupported;
  rows[0].effective = "copy.orders";
  const RestoreScope scope = ScopeOf(rows, domain::WriteStrategy::kCreateNew);
  EXPECT_EQ(scope.mode, RestoreMode::kCreate);
  ASSERT_EQ(scope.include.size(), 1U);
  EXPECT_EQ(scope.include[0].database, "shop");
  EXPECT_EQ(scope.include[0].collection, "orders");
  EXPECT_EQ(scope.include[0].to_database, "copy");
  EXPECT_EQ(scope.include[0].to_collection, "");
}

TEST_F(CollectionChoice, WhatTheTargetCannotTakeIsUnsupported) {
  manifest_.namespaces[0].options = bson::FromJson(R"({"collation":{"locale":"de"}})");
  manifest_.namespaces[2].kind = repo::NamespaceKind::kTimeseries;
  auto rows = ChooseNamespaces(manifest_, {.databases = {{"shop", ""}, {"stock", ""}}});
  const auto states = [&rows] {
    std::vector<NamespaceState> all;
    for (const auto& row : rows) {
      all.push_back(row.state);
    }
    return all;
  };
  const mongo::ServerFacts ferretdb{.version = "7.0.42", .flavor = "ferretdb"};
  auto lossy = rows;
  MarkUnsupported(manifest_, ferretdb, options_, rows);
  using enum NamespaceState;
  EXPECT_THAT(states(), ElementsAre(kUnsupported, kNotStarted, kUnsupported));
  rows = lossy;
  options_.allow_lossy = true;
  MarkUnsupported(manifest_, ferretdb, options_, rows);
  EXPECT_THAT(states(), ElementsAre(kNotStarted, kNotStarted, kUnsupported));
}

TEST_F(CollectionChoice, CreatingNeverTouchesWhatIsThere) {
  KeepOn("shop", "orders");
  Create("orders");
  const Error error = Failure();
  EXPECT_EQ(error.code(), ErrorCode::kConflict);
  EXPECT_THAT(std::string(error.message()), HasSubstr("shop.orders"));
  EXPECT_THAT(target_.Steps(), ElementsAre("incomplete j1"));
  EXPECT_THAT(target_.DocumentsOf("shop.orders"), ElementsAre(Doc(99)));
}

TEST_F(CollectionChoice, CreatingGoesOnWithItsOwnAfterAFaultAndAfterACrash) {
  Create("orders");
  target_.failures["insert shop.orders 2"] = 3;  // as many as there are attempts
  EXPECT_EQ(Failure().code(), ErrorCode::kUnavailable);
  EXPECT_THAT(checkpoints_.back(), HasSubstr("claimed 0"));
  checkpoint_ = checkpoints_.back();
  Restore();
  EXPECT_THAT(target_.DocumentsOf("shop.orders"), ElementsAre(Doc(1), Doc(2)));
  EXPECT_EQ(checkpoints_.back(), "wiped\n0\n");
}

TEST_F(CollectionChoice, ANameThatIsTakenAtTheLastMomentIsNotDropped) {
  Create("orders");
  target_.refuse = "create shop.orders";  // as when another client has just created it
  EXPECT_EQ(Failure().code(), ErrorCode::kConflict);
  EXPECT_EQ(checkpoints_.back(), "wiped\n");
  EXPECT_THAT(target_.Steps(), testing::Not(testing::Contains("drop shop.orders")));
}

TEST_F(CollectionChoice, IndexesAreChosen) {
  AddIndex(0, R"({"v":2,"key":{"_id":1},"name":"_id_"})");
  AddIndex(0, R"({"v":2,"key":{"a":1},"name":"a"})");
  AddIndex(0, R"({"v":2,"key":{"t":1},"name":"t","expireAfterSeconds":5})");
  const auto built = [this](IndexChoice choice) {
    options_.indexes = choice;
    options_.scope = {.include = {{"shop", "orders", "", ""}}};
    Restore();
    return target_.FoundOf("shop.orders").indexes.size();
  };
  EXPECT_EQ(built(IndexChoice::kAll), 3U);
  EXPECT_EQ(built(IndexChoice::kAllButTtl), 2U);
  EXPECT_EQ(built(IndexChoice::kNone), 1U);
}

TEST_F(CollectionChoice, StagesAreToldInOrder) {
  Create("orders");
  Restore();
  using enum NamespaceStage;
  EXPECT_THAT(StagesOf("shop.orders"), ElementsAre(kLoading, kVerifying, kIndexing, kDone));
  EXPECT_EQ(events_.back().documents, 2U);
  EXPECT_THAT(StagesOf("stock.items"), IsEmpty());
}

TEST_F(CollectionChoice, AFailureSaysWhereItCame) {
  options_.scope = {.include = {{"shop", "orders", "", ""}}};
  target_.refuse = "index shop.orders";
  Failure();
  EXPECT_EQ(events_.back().stage, NamespaceStage::kFailed);
  EXPECT_EQ(events_.back().failed_in, NamespaceStage::kIndexing);
  EXPECT_THAT(events_.back().failure, HasSubstr("building the indexes of shop.orders"));
  target_.refuse.clear();
  target_.lose_from = "shop.orders";
  Failure();
  EXPECT_EQ(events_.back().failed_in, NamespaceStage::kVerifying);
}

TEST_F(CollectionChoice, AFinishedOneIsToldAgainAfterACrash) {
  Create("orders");
  Restore();
  events_.clear();
  checkpoint_ = checkpoints_.back();
  Restore();
  EXPECT_EQ(StagesOf("shop.orders").back(), NamespaceStage::kDone);
  EXPECT_EQ(events_.back().documents, 2U);
}

}  // namespace
}  // namespace tidemark::delivery
