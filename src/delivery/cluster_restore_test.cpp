#include "delivery/cluster_restore.h"

#include "delivery/internal/target_limits.h"
#include "tests/support/restore_fixture.h"

namespace tidemark::delivery {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(RestoreTest, StepsComeInOrderLargestFirstAndViewsLast) {
  AddView("recent");
  Add("small", {Doc(1)});
  Add("orders", {Doc(1), Doc(2), Doc(3)});
  const RestoreSummary summary = Restore();
  EXPECT_EQ(summary.collections, 3U);
  EXPECT_EQ(summary.documents, 4U);
  EXPECT_THAT(target_.Steps(),
              ElementsAre("incomplete j1",
                          "drop database old",
                          "drop database shop",
                          "drop shop.orders",
                          "create shop.orders",
                          "insert shop.orders 3",
                          "digest shop.orders",
                          "index shop.orders",
                          "drop shop.small",
                          "create shop.small",
                          "insert shop.small 1",
                          "digest shop.small",
                          "index shop.small",
                          "drop shop.recent",
                          "create shop.recent",
                          "complete"));
  EXPECT_THAT(checkpoints_,
              ElementsAre("wiped\n", "wiped\n2\n", "wiped\n1\n2\n", "wiped\n0\n1\n2\n"));
  EXPECT_EQ(progress_.documents_done, 4U);
  EXPECT_EQ(progress_.documents_total, 4U);
  EXPECT_EQ(progress_.collections_done, 3U);
}

TEST_F(RestoreTest, ContinuesAfterTheLastFinishedNamespaceWithoutDroppingAgain) {
  Add("orders", {Doc(1), Doc(2)});
  Add("small", {Doc(1)});
  checkpoint_ = "wiped\n0\n";
  Restore();
  EXPECT_THAT(target_.Steps(),
              ElementsAre("incomplete j1",
                          "drop shop.small",
                          "create shop.small",
                          "insert shop.small 1",
                          "digest shop.small",
                          "index shop.small",
                          "complete"));
  EXPECT_EQ(progress_.documents_done, 3U);
}

TEST_F(RestoreTest, UsersAndRolesComeAfterTheDataAndTheRightToWriteThemBeforeAnythingIsDropped) {
  Add("orders", {Doc(1)});
  manifest_.accounts.users = {Doc(1), Doc(2)};
  manifest_.accounts.roles = {Doc(3)};
  Restore();
  EXPECT_THAT(target_.Steps(),
              ElementsAre("check accounts",
                          "incomplete j1",
                          "drop database old",
                          "drop database shop",
                          "drop shop.orders",
                          "create shop.orders",
                          "insert shop.orders 1",
                          "digest shop.orders",
                          "index shop.orders",
                          "accounts 2 1",
                          "complete"));
}

TEST_F(RestoreTest, UsersAndRolesThatATargetCannotTakeAreALoss) {
  Add("orders", {Doc(1)});
  manifest_.accounts.users = {Doc(1)};
  target_.flavor = "ferretdb";
  try {
    Restore();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_THAT(std::string(error.message()),
                HasSubstr("1 users and 0 roles: the target (ferretdb)"));
  }
  EXPECT_THAT(target_.Steps(), IsEmpty());
  options_.allow_lossy = true;
  Restore();
  EXPECT_THAT(target_.Steps(), testing::Not(testing::Contains("accounts 1 0")));
}

TEST_F(RestoreTest, UsersThatTheSnapshotLacksAreSaidToBeMissing) {
  Add("orders", {Doc(1)});
  manifest_.accounts.left_out = "not authorized on admin";
  const std::string note =
      "the snapshot has no users and roles, those of the target stay: not authorized on admin";
  EXPECT_THAT(PlanRestore(manifest_, target_).notes, ElementsAre(note));
  EXPECT_THAT(Restore().notes, ElementsAre(note));
  options_.accounts = false;
  EXPECT_THAT(Restore().notes, IsEmpty());
}

TEST_F(RestoreTest, UsersAndRolesCanBeLeftOut) {
  Add("orders", {Doc(1)});
  manifest_.accounts.users = {Doc(1)};
  options_.accounts = false;
  Restore();
  EXPECT_THAT(target_.Steps(), testing::Not(testing::Contains(HasSubstr("accounts"))));
}

TEST_F(RestoreTest, APartOfASnapshotLeavesUsersAndRolesAlone) {
  Add("orders", {Doc(1)});
  manifest_.accounts.users = {Doc(1)};
  options_.scope.include = {{.database = "shop", .collection = "orders"}};
  Restore();
  EXPECT_THAT(target_.Steps(), testing::Not(testing::Contains(HasSubstr("accounts"))));
}

class GoingOnRestoreTest : public RestoreTest {
 protected:
  GoingOnRestoreTest() { options_.go_on_from = {1}; }
};

TEST_F(GoingOnRestoreTest, ALargeCollectionGoesOnWithWhatIsOnTheTarget) {
  Add("orders", {Doc(1), Doc(2), Doc(3)});
  checkpoint_ = "wiped\nbegun 0\n";
  target_.Keep(manifest_.namespaces[0], {Doc(1), Doc(3)});
  Restore();
  EXPECT_THAT(target_.Steps(),
              ElementsAre("incomplete j1",
                          "read shop.orders",
                          "insert shop.orders 1",
                          "digest shop.orders",
                          "index shop.orders",
                          "complete"));
  EXPECT_THAT(checkpoints_, ElementsAre("wiped\n0\n"));
  EXPECT_EQ(target_.Count("shop.orders"), 3U);
  EXPECT_EQ(progress_.documents_done, 3U);
}

TEST_F(GoingOnRestoreTest, SoItDoesWhenTheTargetIsLostInTheMiddle) {
  Add("orders", {Doc(1), Doc(2)});
  target_.failures["digest shop.orders"] = 1;
  Restore();
  EXPECT_THAT(target_.Steps(), testing::Contains("drop shop.orders").Times(1));
  EXPECT_THAT(target_.Steps(), testing::Contains("insert shop.orders 2").Times(1));
  EXPECT_THAT(checkpoints_, ElementsAre("wiped\n", "wiped\nbegun 0\n", "wiped\n0\n"));
}

TEST_F(GoingOnRestoreTest, WhatSomebodyElseHasDoneMeanwhileDoesNotStay) {
  Add("orders", {Doc(1), Doc(2)});
  checkpoint_ = "wiped\nbegun 0\n";
  const Bytes other = bson::Builder().Append("_id", std::int32_t{1}).Append("x", "y").Finish();
  target_.Keep(manifest_.namespaces[0], {other, Doc(9)});
  Restore();
  EXPECT_EQ(target_.DocumentsOf("shop.orders"), (std::vector<Bytes>{Doc(1), Doc(2)}));
}

TEST_F(GoingOnRestoreTest, WhatCannotBeComparedIsWrittenAnew) {
  Add("orders", {Doc(1), Doc(2)});
  checkpoint_ = "wiped\nbegun 0\n";
  target_.Keep(manifest_.namespaces[0], {Doc(1), Doc(2)});
  target_.shuffled = true;
  Restore();
  EXPECT_THAT(target_.Steps(), testing::Contains("drop shop.orders").Times(1));
  EXPECT_EQ(target_.Count("shop.orders"), 2U);
}

TEST_F(GoingOnRestoreTest, WhatIsGoneIsWrittenAnew) {
  Add("orders", {Doc(1)});
  checkpoint_ = "wiped\nbegun 0\n";
  Restore();
  EXPECT_THAT(target_.Steps(), testing::Contains("create shop.orders").Times(1));
}

TEST_F(RestoreTest, ASmallCollectionIsWrittenAnew) {
  Add("orders", {Doc(1), Doc(2)});
  target_.failures["digest shop.orders"] = 1;
  Restore();
  EXPECT_THAT(target_.Steps(), testing::Contains("drop shop.orders").Times(2));
  EXPECT_THAT(checkpoints_, ElementsAre("wiped\n", "wiped\n0\n"));
}

TEST_F(RestoreTest, BadLinesOfACheckpointAreRefused) {
  for (const std::string line : {"begun", "begun ", "begun x", "begun 1 2", "begun -1"}) {
    checkpoint_ = "wiped\n" + line + "\n";
    EXPECT_EQ(Failure().code(), ErrorCode::kCorrupt) << line;
  }
}

TEST_F(RestoreTest, DamagedCheckpointIsRefused) {
  checkpoint_ = "wiped\nsix\n";
  const Error error = Failure();
  EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
  EXPECT_EQ(error.message(), "reading a restore's checkpoint: bad line 'six'");
  EXPECT_THAT(target_.Steps(), IsEmpty());
}

TEST_F(RestoreTest, LossesAreRefusedBeforeAnythingIsWritten) {
  target_.flavor = "ferretdb";
  AddView("recent");
  const Error error = Failure();
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_EQ(error.message(),
            "restoring snapshot 000000000000000000000000: the target cannot take all of it: "
            "shop.recent: the target (ferretdb) has no views");
  EXPECT_THAT(error.hint(), HasSubstr("allowLossy"));
  EXPECT_THAT(target_.Steps(), IsEmpty());
}

TEST_F(RestoreTest, AllowedLossesAreLeftOut) {
  target_.flavor = "ferretdb";
  options_.allow_lossy = true;
  AddView("recent");
  Add("orders", {Doc(1)});
  const RestoreSummary summary = Restore();
  EXPECT_EQ(summary.collections, 1U);
  EXPECT_THAT(summary.notes,
              ElementsAre("left out: shop.recent: the target (ferretdb) has no views"));
  EXPECT_THAT(target_.Steps(), testing::Not(testing::Contains("create shop.recent")));
  EXPECT_EQ(target_.Count("shop.orders"), 1U);
}

TEST_F(RestoreTest, MissingDocumentFailsTheRestoreAndLeavesTheMark) {
  Add("orders", {Doc(1), Doc(2)});
  target_.lose_from = "shop.orders";
  const Error error = Failure();
  EXPECT_EQ(error.code(), ErrorCode::kConflict);
  EXPECT_EQ(error.message(),
            "restored shop.orders differs from the snapshot: 1 documents instead of 2");
  EXPECT_EQ(error.hint(), "is another client writing to the target?");
  EXPECT_THAT(target_.Steps(), testing::Not(testing::Contains("complete")));
}

TEST_F(RestoreTest, DocumentsThatExpireByThemselvesMayBeMissing) {
  Add("metrics", {Doc(1), Doc(2)});
  manifest_.namespaces.back().options = bson::FromJson(R"({"expireAfterSeconds":60})");
  target_.lose_from = "shop.metrics";
  Restore();
  EXPECT_EQ(target_.Steps().back(), "complete");
}

TEST_F(RestoreTest, LostConnectionIsRetriedFromAnEmptyNamespace) {
  Add("orders", {Doc(1), Doc(2)});
  target_.failures["index shop.orders"] = 1;
  target_.failures["insert shop.orders 2"] = 1;
  Restore();
  EXPECT_EQ(target_.Count("shop.orders"), 2U);
  EXPECT_EQ(std::ranges::count(target_.Steps(), "drop shop.orders"), 3);
  EXPECT_EQ(target_.Steps().back(), "complete");
}

TEST_F(RestoreTest, WritesThatArriveLateAreOutlasted) {
  Add("orders", {Doc(1), Doc(2)});
  target_.on_step = [creates = 0, inserts = 0](const std::string& step) mutable {
    if (step == "create shop.orders" && ++creates == 1) {
      throw Error(ErrorCode::kConflict, "collection exists");
    }
    if (step == "insert shop.orders 2" && ++inserts == 1) {
      throw Error(ErrorCode::kConflict, "duplicate key");
    }
  };
  Restore();
  EXPECT_EQ(target_.Count("shop.orders"), 2U);
  EXPECT_EQ(std::ranges::count(target_.Steps(), "drop shop.orders"), 3);
  EXPECT_EQ(pauses_.size(), 2U);
}

TEST_F(RestoreTest, GivesUpAfterThreeAttemptsNamingTheNamespace) {
  Add("orders", {Doc(1)});
  target_.failures["insert shop.orders 1"] = 9;
  const Error error = Failure();
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_EQ(error.message(), "3 attempts, the last: loading shop.orders: the connection broke");
  EXPECT_THAT(checkpoints_, ElementsAre("wiped\n"));
  EXPECT_EQ(progress_.documents_done, 0U);
}

TEST_F(RestoreTest, StopEndsTheRunWithoutMarkingItComplete) {
  Add("orders", {Doc(1)});
  Add("small", {});
  target_.on_step = [this](const std::string& step) {
    if (step == "create shop.orders") {
      stop_.request_stop();
    }
  };
  EXPECT_EQ(Failure().code(), ErrorCode::kCancelled);
  EXPECT_THAT(target_.Steps(), testing::Not(testing::Contains("complete")));
  EXPECT_THAT(checkpoints_, ElementsAre("wiped\n"));
}

TEST_F(RestoreTest, ManyDocumentsGoInBoundedBatchesThroughSeveralWriters) {
  std::vector<Bytes> documents;
  for (int i = 0; i < 2500; ++i) {
    documents.push_back(Doc(i));
  }
  Add("orders", documents);
  Add("other", {Doc(1)});
  options_.writers = 3;
  options_.parallel_namespaces = 2;
  Restore();
  EXPECT_EQ(target_.Count("shop.orders"), 2500U);
  const auto steps = target_.Steps();
  EXPECT_EQ(std::ranges::count(steps, "insert shop.orders 1000"), 2);
  EXPECT_EQ(std::ranges::count(steps, "insert shop.orders 500"), 1);
}

TEST_F(RestoreTest, LargeDocumentTravelsAlone) {
  const std::string large(5U << 20, 'l');
  Add("orders", {Doc(1), Doc(2, large), Doc(3)});
  Restore();
  EXPECT_EQ(std::ranges::count(target_.Steps(), "insert shop.orders 1"), 3);
}

TEST_F(RestoreTest, PlanIsPrintable) {
  AddView("recent");
  Add("orders", {Doc(1), Doc(2)});
  target_.flavor = "ferretdb";
  EXPECT_EQ(FormatPlan(PlanRestore(manifest_, target_)),
            "restore of snapshot 000000000000000000000000\n"
            "  drop  database old\n"
            "  drop  database shop\n"
            "  write collection shop.orders: 2 documents, 52 B, 0 indexes\n"
            "  write view shop.recent: 0 documents, 0 B, 0 indexes\n"
            "  lost  shop.recent: the target (ferretdb) has no views\n");
  EXPECT_THAT(target_.Steps(), IsEmpty());
}

mongo::ServerFacts Ferret() {
  return {.flavor = "ferretdb"};
}

mongo::ServerFacts MongoDb() {
  return {.flavor = "mongodb"};
}

std::string FittingIndexJson(const mongo::ServerFacts& target, std::string_view spec) {
  const Bytes bytes = bson::FromJson(spec);
  const auto fitting = FittingIndex(target, bson::Document(bytes));
  return fitting ? bson::ToJson(bson::Document(*fitting)) : "none";
}

std::string Canonical(std::string_view json) {
  const Bytes bytes = bson::FromJson(json);
  return bson::ToJson(bson::Document(bytes));
}

TEST(TargetLimits, IndexKeepsAllButNsOnMongoDb) {
  EXPECT_EQ(
      FittingIndexJson(
          MongoDb(),
          R"({"v":2,"key":{"b":1,"a":-1},"name":"b_1","ns":"shop.o","sparse":true,"unique":true})"),
      Canonical(R"({"v":2,"key":{"b":1,"a":-1},"name":"b_1","sparse":true,"unique":true})"));
  EXPECT_EQ(FittingIndexJson(MongoDb(), R"({"v":2,"key":{"_id":1},"name":"_id_"})"), "none");
  EXPECT_NE(FittingIndexJson(MongoDb(), R"({"v":2,"key":{"_id":"hashed"},"name":"_id_hashed"})"),
            "none");
}

TEST(TargetLimits, FerretDbGetsOnlyIndexesThatRefuseNoDocument) {
  EXPECT_EQ(
      FittingIndexJson(Ferret(), R"({"v":2,"key":{"a":1},"name":"a_1","expireAfterSeconds":60})"),
      Canonical(R"({"key":{"a":1},"name":"a_1"})"));
  EXPECT_EQ(
      FittingIndexJson(Ferret(), R"({"key":{"a":1},"name":"a_1","unique":true,"sparse":true})"),
      "none");
  EXPECT_EQ(FittingIndexJson(Ferret(), R"({"key":{"_fts":"text","_ftsx":1},"name":"t"})"), "none");
}

TEST(TargetLimits, LossesNameOptionAndIndex) {
  repo::NamespaceEntry entry{.database = "shop", .collection = "orders"};
  entry.options = bson::FromJson(R"({"capped":true,"size":4096,"validator":{"a":1}})");
  entry.indexes = {bson::FromJson(R"({"v":2,"key":{"_id":1},"name":"_id_"})"),
                   bson::FromJson(R"({"v":2,"key":{"a":1},"name":"a_1","hidden":true})"),
                   bson::FromJson(R"({"v":2,"key":{"a":"hashed"},"name":"a_hashed"})")};
  std::vector<std::string> losses;
  AddLosses(Ferret(), entry, losses);
  EXPECT_THAT(
      losses,
      ElementsAre("shop.orders: the target (ferretdb) has no collection option validator",
                  "shop.orders: index a_1: the target (ferretdb) has no index option hidden",
                  "shop.orders: index a_hashed: the target (ferretdb) has no hashed indexes"));
  AddLosses(MongoDb(), entry, losses);
  EXPECT_EQ(losses.size(), 3U);
}

TEST(TargetLimits, CreateOptionsAreVerbatimButForTheUuid) {
  repo::NamespaceEntry entry{.database = "shop", .collection = "orders"};
  entry.options = bson::FromJson(R"({"uuid":1,"capped":true,"size":4096,"validator":{"a":1}})");
  EXPECT_EQ(FittingOptions(MongoDb(), entry),
            bson::FromJson(R"({"capped":true,"size":4096,"validator":{"a":1}})"));
  EXPECT_EQ(FittingOptions(Ferret(), entry), bson::FromJson(R"({"capped":true,"size":4096})"));
}

}  // namespace
}  // namespace tidemark::delivery
