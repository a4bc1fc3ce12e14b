#include <ranges>

#include "tests/support/restore_fixture.h"

namespace tidemark::delivery {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class SelectiveRestore : public RestoreTest {
 protected:
  SelectiveRestore() { target_.databases = {"old", "shop"}; }

  void AddTo(const std::string& database,
             const std::string& collection,
             const std::vector<Bytes>& documents) {
    manifest_.namespaces.push_back(reader_.Add(collection, documents, database));
  }

  // A collection of the target.
  void Keep(const std::string& collection,
            const std::vector<Bytes>& documents,
            const std::string& options = "{}",
            const std::vector<std::string>& indexes = {}) {
    repo::NamespaceEntry entry{.database = "shop", .collection = collection};
    entry.options = bson::FromJson(options);
    for (const std::string& index : indexes) {
      entry.indexes.push_back(bson::FromJson(index));
    }
    target_.Keep(entry, documents);
  }

  void Scope(const std::string& json) { options_.scope = ParseScope(json); }

  std::string Refusal(const std::string& json) {
    Scope(json);
    const Error error = Failure();
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(target_.Steps(), IsEmpty());
    return std::string(error.message());
  }

  std::string PlanText() { return FormatPlan(PlanRestore(manifest_, target_, options_.scope)); }
};

TEST_F(SelectiveRestore, TouchesOnlyWhatIsIncluded) {
  Add("orders", {Doc(1)});
  Add("people", {Doc(1), Doc(2)});
  Keep("orders", {Doc(7)});
  Keep("people", {Doc(8)});
  Scope(R"({"include":[{"database":"shop","collection":"orders"}]})");
  const RestoreSummary summary = Restore();
  EXPECT_EQ(summary.collections, 1U);
  EXPECT_FALSE(summary.changes.has_value());
  EXPECT_THAT(target_.Steps(),
              ElementsAre("incomplete j1",
                          "drop shop.orders",
                          "create shop.orders",
                          "insert shop.orders 1",
                          "digest shop.orders",
                          "index shop.orders",
                          "take mark j1"));
  EXPECT_THAT(target_.DocumentsOf("shop.people"), ElementsAre(Doc(8)));
  EXPECT_THAT(target_.DocumentsOf("shop.orders"), ElementsAre(Doc(1)));
}

TEST_F(SelectiveRestore, WritesUnderTheOtherNames) {
  Add("orders", {Doc(1)});
  Add("people", {Doc(2)});
  Keep("orders", {Doc(7)});
  Scope(R"({"include":[{"database":"shop","toDatabase":"copy"},)"
        R"({"database":"shop","collection":"orders","toDatabase":"copy","toCollection":"o"}]})");
  Restore();
  EXPECT_THAT(target_.DocumentsOf("copy.o"), ElementsAre(Doc(1)));
  EXPECT_THAT(target_.DocumentsOf("copy.people"), ElementsAre(Doc(2)));
  EXPECT_THAT(target_.DocumentsOf("shop.orders"), ElementsAre(Doc(7)));
}

TEST_F(SelectiveRestore, ViewFollowsWhatItReads) {
  Add("orders", {Doc(1)});
  AddView("recent");
  Scope(R"({"include":[{"database":"shop","collection":"orders","toCollection":"o2"},)"
        R"({"database":"shop","collection":"recent","toCollection":"r2"}]})");
  const RestoreSummary summary = Restore();
  EXPECT_EQ(target_.FoundOf("shop.r2").options, bson::FromJson(R"({"viewOn":"o2","pipeline":[]})"));
  EXPECT_THAT(summary.notes,
              ElementsAre("view shop.r2 reads shop.o2 now; the collections that its pipeline names "
                          "stay as they are"));
}

TEST_F(SelectiveRestore, ViewAloneIsKeptAndNoted) {
  Add("orders", {Doc(1)});
  AddView("recent");
  Scope(R"({"include":[{"database":"shop","collection":"recent"}]})");
  EXPECT_THAT(Restore().notes,
              ElementsAre("view shop.recent reads shop.orders, which is not restored along"));
}

TEST_F(SelectiveRestore, ViewCannotLeaveWhatItReads) {
  Add("orders", {Doc(1)});
  AddView("recent");
  EXPECT_EQ(Refusal(R"({"include":[{"database":"shop","collection":"recent","toDatabase":"x"}]})"),
            "include: view x.recent would not be in the database of shop.orders, which it reads");
}

TEST_F(SelectiveRestore, UnfitScopesAreRefusedBeforeAnythingIsWritten) {
  Add("orders", {Doc(1)});
  Add("people", {Doc(1)});
  AddTo("stock", "orders", {Doc(1)});
  EXPECT_EQ(Refusal(R"({"include":[{"database":"shop","collection":"nothing"}]})"),
            "include: snapshot 000000000000000000000000 holds no shop.nothing");
  EXPECT_EQ(Refusal(R"({"include":[{"database":"nothing"}]})"),
            "include: snapshot 000000000000000000000000 holds no database nothing");
  EXPECT_EQ(Refusal(R"({"include":[{"database":"shop"},{"database":"shop","toDatabase":"x"}]})"),
            "include: database shop is there twice");
  EXPECT_EQ(
      Refusal(R"({"include":[{"database":"shop"},{"database":"stock","toDatabase":"shop"}]})"),
      "include: both shop.orders and stock.orders would be written to shop.orders");
  EXPECT_EQ(Refusal(R"({"include":[{"database":"shop","toDatabase":"a.b"}]})"),
            "include: 'a.b' is no database name");
  EXPECT_EQ(Refusal(R"({"include":[{"database":"shop","toDatabase":"admin"}]})"),
            "include: nothing is restored into database admin: it is the server's own");
  EXPECT_EQ(
      Refusal(
          R"({"include":[{"database":"shop","collection":"orders","toCollection":"system.x"}]})"),
      "include: 'shop.system.x' is no name for a collection");
  EXPECT_EQ(
      Refusal(R"({"include":[{"database":"shop","collection":"orders","toCollection":".x"}]})"),
      "include: 'shop..x' is no name for a collection");
  EXPECT_EQ(Refusal(R"({"filter":{"database":"shop","collection":"orders","ids":1},)"
                    R"("include":[{"database":"shop"}]})"),
            "filter: it needs shop.orders to be all that is included");
}

TEST_F(SelectiveRestore, ViewsAndCappedCollectionsAreNotPickedFrom) {
  Add("orders", {Doc(1)});
  AddView("recent");
  Add("log", {Doc(1)});
  manifest_.namespaces.back().runs.front().natural_order = true;
  EXPECT_EQ(Refusal(R"({"filter":{"database":"shop","collection":"recent","ids":1}})"),
            "filter: shop.recent is a view: only the documents of collections can be picked");
  EXPECT_EQ(Refusal(R"({"filter":{"database":"shop","collection":"log","ids":1}})"),
            "filter: shop.log is capped: it can only be restored as a whole");
}

TEST_F(SelectiveRestore, PlanNamesCollectionsSourcesAndNotes) {
  Add("orders", {Doc(1), Doc(2)});
  AddView("recent");
  Keep("o2", {});
  Scope(R"({"include":[{"database":"shop","collection":"orders","toCollection":"o2"},)"
        R"({"database":"shop","collection":"recent"}]})");
  EXPECT_EQ(PlanText(),
            "restore of snapshot 000000000000000000000000\n"
            "  drop  shop.o2\n"
            "  write collection shop.o2 from shop.orders: 2 documents, 52 B, 0 indexes\n"
            "  write view shop.recent: 0 documents, 0 B, 0 indexes\n"
            "  note  view shop.recent reads shop.o2 now; the collections that its pipeline names "
            "stay as they are\n");
  EXPECT_THAT(target_.Steps(), IsEmpty());
}

class FilteredRestore : public SelectiveRestore {
 protected:
  FilteredRestore() {
    Add("orders", {Doc(1), Doc(2), Doc(3), Doc(4), Doc(5)});
    Scope(R"({"filter":{"database":"shop","collection":"orders","ids":{"$gte":2,"$lt":5}}})");
  }
};

TEST_F(FilteredRestore, WritesThePickedDocumentsAndNothingElse) {
  Keep("orders", {Doc(2), Doc(3, "changed"), Doc(5, "kept"), Doc(9, "kept")});
  const RestoreSummary summary = Restore();
  EXPECT_EQ(summary.changes,
            (domain::RestoreChanges{.left_alone = 1, .replaced = 1, .inserted = 1}));
  EXPECT_EQ(summary.documents, 3U);
  EXPECT_THAT(target_.DocumentsOf("shop.orders"),
              ElementsAre(Doc(2), Doc(3), Doc(4), Doc(5, "kept"), Doc(9, "kept")));
  EXPECT_THAT(target_.Steps(),
              ElementsAre("incomplete j1",
                          "find shop.orders 3",
                          "replace shop.orders 2",
                          "find shop.orders 3",
                          "take mark j1"));
  EXPECT_THAT(checkpoints_, ElementsAre("wiped\n", "wiped\n0 1 1 1 0\n"));
}

TEST_F(FilteredRestore, MakesTheCollectionThatIsMissing) {
  Restore();
  EXPECT_EQ(target_.Count("shop.orders"), 3U);
  EXPECT_THAT(target_.Steps(),
              AllOf(Contains("create shop.orders"), Contains("index shop.orders")));
}

TEST_F(FilteredRestore, IsNotWrittenThroughAView) {
  repo::NamespaceEntry view{
      .database = "shop", .collection = "orders", .kind = repo::NamespaceKind::kView};
  view.options = bson::FromJson(R"({"viewOn":"o","pipeline":[]})");
  target_.Keep(view, {});
  EXPECT_EQ(Failure().message(), "writing to shop.orders: the target has a view of that name");
  EXPECT_THAT(target_.Steps(), ElementsAre("incomplete j1"));
}

TEST_F(FilteredRestore, GoesUnderAnotherName) {
  Scope(R"({"filter":{"database":"shop","collection":"orders","ids":4},)"
        R"("include":[{"database":"shop","collection":"orders","toCollection":"found"}]})");
  Restore();
  EXPECT_THAT(target_.DocumentsOf("shop.found"), ElementsAre(Doc(4)));
}

TEST_F(FilteredRestore, DocumentOfAnotherIdTypeIsReplaced) {
  Keep("orders", {bson::Builder().Append("_id", 2.0).Finish()});
  EXPECT_EQ(Restore().changes, (domain::RestoreChanges{.replaced = 1, .inserted = 2}));
  EXPECT_THAT(target_.DocumentsOf("shop.orders"), ElementsAre(Doc(2), Doc(3), Doc(4)));
}

TEST_F(FilteredRestore, DifferenceThatIsReadBackFailsIt) {
  target_.on_step = [this, n = 0](const std::string& step) mutable {
    if (step.starts_with("find") && ++n == 2) {
      Keep("orders", {Doc(2, "changed by another client")});
    }
  };
  const Error error = Failure();
  EXPECT_EQ(error.code(), ErrorCode::kConflict);
  EXPECT_EQ(error.message(),
            "writing to shop.orders: restored documents of shop.orders differ from the snapshot");
  EXPECT_THAT(target_.Steps(), Not(AnyOf(Contains("complete"), Contains("take mark j1"))));
}

TEST_F(FilteredRestore, LostConnectionIsRetried) {
  target_.failures["replace shop.orders 3"] = 1;
  EXPECT_EQ(Restore().changes, (domain::RestoreChanges{.inserted = 3}));
  EXPECT_EQ(progress_.documents_done, 5U);
}

TEST_F(FilteredRestore, ReadsOnlyTheChunksThatMayHoldThem) {
  std::vector<Bytes> documents;
  std::vector<Bytes> newer;
  for (int i = 0; i < 60; ++i) {
    documents.push_back(Doc(i));
    newer.push_back(Doc(i, "newer"));
  }
  repo::NamespaceEntry& entry = manifest_.namespaces.front();
  entry.runs = {reader_.AddFineRun(documents, 10),
                reader_.AddFineRun({newer.begin() + 20, newer.begin() + 40}, 10)};
  entry.digest.documents = 60;
  Scope(R"({"filter":{"database":"shop","collection":"orders","ids":{"$in":[7,25,33]}}})");
  Restore();
  EXPECT_THAT(target_.DocumentsOf("shop.orders"), ElementsAre(Doc(7), newer[25], newer[33]));
  // Of each list the chunk, the one before it (which ends at its first _id), and the last one.
  EXPECT_LE(reader_.loads(), 16U);
  EXPECT_EQ(progress_.documents_done, progress_.documents_total);
}

TEST_F(FilteredRestore, EveryRangeFindsWhatItHolds) {
  std::vector<Bytes> documents;
  for (int i = 0; i < 12; ++i) {
    documents.push_back(Doc(2 * i));
  }
  manifest_.namespaces.front().runs = {reader_.AddFineRun(documents, 5)};
  for (int from = -1; from <= 24; ++from) {
    for (int to = from; to <= 25; to += 3) {
      Scope(R"({"filter":{"database":"shop","collection":"orders","ids":{"$gte":)" +
            std::to_string(from) + R"(,"$lte":)" + std::to_string(to) + "}}}");
      target_.DropCollection("shop", "orders");
      Restore();
      const auto expected = std::ranges::count_if(
          std::views::iota(0, 12), [&](int i) { return 2 * i >= from && 2 * i <= to; });
      EXPECT_EQ(target_.Count("shop.orders"), static_cast<std::size_t>(expected))
          << from << " to " << to;
    }
  }
}

class DeltaRestore : public SelectiveRestore {
 protected:
  DeltaRestore() {
    Scope(R"({"delta":true})");
    target_.databases = {"shop"};
  }
};

TEST_F(DeltaRestore, ChangesOnlyWhatDiffers) {
  Add("orders", {Doc(1), Doc(2), Doc(3), Doc(5)});
  Keep("orders", {Doc(1), Doc(2, "changed"), Doc(4), Doc(5), Doc(6)});
  const RestoreSummary summary = Restore();
  EXPECT_EQ(summary.changes,
            (domain::RestoreChanges{.left_alone = 2, .replaced = 1, .inserted = 1, .deleted = 2}));
  EXPECT_EQ(summary.documents, 4U);
  EXPECT_THAT(summary.notes, IsEmpty());
  EXPECT_THAT(target_.DocumentsOf("shop.orders"), ElementsAre(Doc(1), Doc(2), Doc(3), Doc(5)));
  EXPECT_THAT(target_.Steps(),
              ElementsAre("incomplete j1",
                          "read shop.orders",
                          "delete shop.orders 2",
                          "replace shop.orders 1",
                          "insert shop.orders 1",
                          "digest shop.orders",
                          "index shop.orders",
                          "complete"));
  EXPECT_THAT(checkpoints_, ElementsAre("wiped\n", "wiped\n0 2 1 1 2\n"));
  EXPECT_EQ(progress_.documents_done, 4U);
}

TEST_F(DeltaRestore, EqualTargetIsNotWrittenTo) {
  Add("orders", {Doc(1), Doc(2)});
  Keep("orders", {Doc(1), Doc(2)});
  EXPECT_EQ(Restore().changes, (domain::RestoreChanges{.left_alone = 2}));
  EXPECT_THAT(target_.Steps(),
              ElementsAre("incomplete j1",
                          "read shop.orders",
                          "digest shop.orders",
                          "index shop.orders",
                          "complete"));
}

TEST_F(DeltaRestore, DropsWhatTheSnapshotHasNot) {
  target_.databases.insert("old");
  Add("orders", {Doc(1)});
  Keep("orders", {Doc(1)});
  Keep("extra", {Doc(1)});
  EXPECT_EQ(PlanText(),
            "restore of snapshot 000000000000000000000000\n"
            "  drop  database old\n"
            "  drop  shop.extra\n"
            "  write collection shop.orders: 1 documents, 26 B, 0 indexes\n");
  Restore();
  EXPECT_THAT(target_.Steps(), AllOf(Contains("drop database old"), Contains("drop shop.extra")));
  EXPECT_THAT(target_.Steps(), Not(Contains("drop shop.orders")));
}

TEST_F(DeltaRestore, OfSomeCollectionsLeavesTheOthers) {
  Scope(R"({"delta":true,"include":[{"database":"shop","collection":"orders"}]})");
  Add("orders", {Doc(1)});
  Keep("orders", {Doc(2)});
  Keep("extra", {Doc(1)});
  EXPECT_EQ(Restore().changes, (domain::RestoreChanges{.inserted = 1, .deleted = 1}));
  EXPECT_EQ(target_.Count("shop.extra"), 1U);
}

TEST_F(DeltaRestore, MissingCollectionIsLoaded) {
  Add("orders", {Doc(1), Doc(2)});
  EXPECT_EQ(Restore().changes, (domain::RestoreChanges{.inserted = 2}));
  EXPECT_THAT(target_.Steps(), Contains("create shop.orders"));
}

TEST_F(DeltaRestore, ManyChangesGoInBoundedBatches) {
  std::vector<Bytes> documents;
  std::vector<Bytes> others;
  for (int i = 0; i < 2500; ++i) {
    documents.push_back(Doc(2 * i));
    others.push_back(Doc(2 * i + 1));
  }
  Add("orders", documents);
  Keep("orders", others);
  EXPECT_EQ(Restore().changes, (domain::RestoreChanges{.inserted = 2500, .deleted = 2500}));
  EXPECT_EQ(target_.DocumentsOf("shop.orders"), documents);
  EXPECT_THAT(target_.Steps(), Contains("delete shop.orders 1000"));
}

TEST_F(DeltaRestore, IdOfAnotherNumericTypeIsReplaced) {
  Add("orders", {Doc(1)});
  Keep("orders", {bson::Builder().Append("_id", 1.0).Append("text", "x").Finish()});
  EXPECT_EQ(Restore().changes, (domain::RestoreChanges{.replaced = 1}));
  EXPECT_THAT(target_.DocumentsOf("shop.orders"), ElementsAre(Doc(1)));
}

TEST_F(DeltaRestore, TargetThatSortsOtherwiseIsWrittenAnew) {
  Add("orders", {Doc(1), Doc(2)});
  Keep("orders", {Doc(1), Doc(3)});
  target_.shuffled = true;
  const RestoreSummary summary = Restore();
  EXPECT_EQ(summary.changes, (domain::RestoreChanges{.inserted = 2}));
  EXPECT_THAT(summary.notes,
              ElementsAre("shop.orders was written anew: the target does not deliver in MongoDB's "
                          "order of _id"));
  EXPECT_THAT(target_.DocumentsOf("shop.orders"), ElementsAre(Doc(1), Doc(2)));
  EXPECT_EQ(progress_.documents_done, 2U);
}

TEST_F(DeltaRestore, RefusedChangeIsWrittenAnew) {
  Add("orders", {Doc(1)});
  Keep("orders", {Doc(1, "changed")});
  target_.refuse = "replace shop.orders 1";
  EXPECT_THAT(Restore().notes, ElementsAre("shop.orders was written anew: duplicate key"));
  EXPECT_THAT(target_.DocumentsOf("shop.orders"), ElementsAre(Doc(1)));
}

TEST_F(DeltaRestore, OptionsThatCannotChangeMeanWritingAnew) {
  Add("orders", {Doc(1)});
  Keep("orders", {Doc(1)}, R"({"capped":true,"size":4096})");
  EXPECT_THAT(PlanText(),
              HasSubstr("  note  shop.orders will be written anew: its option capped differs\n"));
  EXPECT_THAT(Restore().notes,
              ElementsAre("shop.orders was written anew: its option capped differs"));
}

TEST_F(DeltaRestore, NamespacesThatCannotBeComparedAreWrittenAnew) {
  Add("log", {Doc(1)});
  manifest_.namespaces.back().runs.front().natural_order = true;
  Add("names", {Doc(1)});
  manifest_.namespaces.back().options = bson::FromJson(R"({"collation":{"locale":"de"}})");
  Add("series", {Doc(1)});
  manifest_.namespaces.back().kind = repo::NamespaceKind::kTimeseries;
  for (const repo::NamespaceEntry& entry : manifest_.namespaces) {
    target_.Keep(entry, {Doc(1)});
  }
  EXPECT_THAT(
      Restore().notes,
      testing::UnorderedElementsAre("shop.log was written anew: it is capped: its order counts",
                                    "shop.names was written anew: it has a collation",
                                    "shop.series was written anew: it is no ordinary "
                                    "collection"));
}

TEST_F(DeltaRestore, ValidatorIsChangedInPlace) {
  Add("orders", {Doc(1)});
  manifest_.namespaces.back().options = bson::FromJson(R"({"validator":{"a":1}})");
  Keep("orders", {Doc(1)}, R"({"validator":{"b":1},"validationLevel":"moderate"})");
  EXPECT_THAT(Restore().notes, IsEmpty());
  const std::string changed = bson::ToJson(bson::Document(
      ByteView(bson::FromJson(R"({"validator":{"a":1},"validationLevel":"strict"})"))));
  EXPECT_THAT(target_.Steps(), Contains("options shop.orders " + changed));
}

TEST_F(DeltaRestore, IndexesThatDifferOrExpireAreBuiltAnew) {
  Add("orders", {Doc(1)});
  const std::string id = R"({"v":2,"key":{"_id":1},"name":"_id_"})";
  const std::string same = R"({"v":2,"key":{"a":1},"name":"a_1"})";
  const std::string ttl = R"({"v":2,"key":{"t":1},"name":"t_1","expireAfterSeconds":60})";
  for (const std::string& index : {id, same, ttl}) {
    manifest_.namespaces.back().indexes.push_back(bson::FromJson(index));
  }
  Keep("orders",
       {Doc(1)},
       "{}",
       {id,
        R"({"v":2,"key":{"a":1},"name":"a_1","ns":"shop.orders"})",
        ttl,
        R"({"v":2,"key":{"b":1},"name":"b_1"})"});
  Restore();
  EXPECT_THAT(target_.Steps(),
              ElementsAre("incomplete j1",
                          "drop index shop.orders t_1",
                          "drop index shop.orders b_1",
                          "read shop.orders",
                          "digest shop.orders",
                          "index shop.orders",
                          "complete"));
}

TEST_F(DeltaRestore, LostConnectionIsRetriedAndCountedOnce) {
  Add("orders", {Doc(1), Doc(2)});
  Keep("orders", {Doc(1)});
  target_.failures["digest shop.orders"] = 1;
  Restore();
  EXPECT_EQ(std::ranges::count(target_.Steps(), "read shop.orders"), 2);
  EXPECT_EQ(progress_.documents_done, 2U);
}

TEST_F(DeltaRestore, ContinuesAndKeepsTheCounts) {
  Add("orders", {Doc(1), Doc(2)});
  Add("small", {Doc(1)});
  Keep("orders", {Doc(1)});
  Keep("small", {});
  checkpoint_ = "wiped\n0 1 0 1 7\n";
  EXPECT_EQ(Restore().changes,
            (domain::RestoreChanges{.left_alone = 1, .inserted = 2, .deleted = 7}));
  EXPECT_THAT(target_.Steps(), Not(Contains("read shop.orders")));
}

TEST_F(DeltaRestore, StopWhileComparingIsCancelled) {
  Add("orders", {Doc(1), Doc(2)});
  Keep("orders", {Doc(1), Doc(3)});
  target_.on_step = [this](const std::string& step) {
    if (step == "read shop.orders") {
      stop_.request_stop();
    }
  };
  EXPECT_EQ(Failure().code(), ErrorCode::kCancelled);
  EXPECT_THAT(target_.Steps(), Not(Contains(StartsWith("complete"))));
  EXPECT_THAT(checkpoints_, ElementsAre("wiped\n"));
}

TEST_F(SelectiveRestore, PausesDoubleUpToABound) {
  Add("orders", {Doc(1)});
  options_.attempts = 8;
  options_.retry_pause = std::chrono::milliseconds(1000);
  target_.failures["insert shop.orders 1"] = 7;
  Restore();
  using std::chrono::seconds;
  EXPECT_THAT(
      pauses_,
      ElementsAre(
          seconds(1), seconds(2), seconds(4), seconds(8), seconds(16), seconds(16), seconds(16)));
}

TEST_F(SelectiveRestore, EveryStepIsRetriedWhenTheTargetIsOutOfReach) {
  Add("orders", {Doc(1)});
  AddView("recent");
  for (const char* step :
       {"incomplete j1", "drop database old", "create shop.recent", "complete"}) {
    target_.failures[step] = 1;
  }
  Restore();
  EXPECT_EQ(pauses_.size(), 4U);
  EXPECT_EQ(target_.Steps().back(), "complete");
}

}  // namespace
}  // namespace tidemark::delivery
