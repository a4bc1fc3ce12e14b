// Users and roles: from one memory server into a snapshot, and from there into another one.
#include <atomic>
#include <functional>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/two_memory_servers.h"

namespace tidemark::memory {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Fault NotAuthorized(std::string command, std::string ns) {
  return {.action = FaultAction::kFail,
          .commands = {std::move(command)},
          .ns = std::move(ns),
          .times = -1,
          .code = 13,
          .code_name = "Unauthorized",
          .message = "not authorized on admin"};
}

class AccountsTest : public TwoMemoryServers {
 protected:
  AccountsTest() : TwoMemoryServers({.replica_set = "rs1", .login = "admin.root"}) {
    Run(*from_, "shop", R"({"insert": "orders", "documents": [{"_id": 1}]})");
  }

  // Of MongoDB's own form, as recorded in tests/data.
  void AddUsersToTheSource() {
    Run(*from_, "admin", R"({"insert": "system.users", "documents": [
      {"_id": "shop.app", "user": "app", "db": "shop",
       "credentials": {"SCRAM-SHA-256": {"iterationCount": 15000, "salt": "dsmKBGqDXmjWlLkGix0n",
         "storedKey": "Cc7VPtNn6YyKKs9O", "serverKey": "iDVCJyjVy/fK9wSXh1jT"}},
       "roles": [{"role": "reader", "db": "shop"}, {"role": "readWrite", "db": "other"}]},
      {"_id": "admin.root", "user": "root", "db": "admin",
       "credentials": {"SCRAM-SHA-256": {"salt": "of the source"}}, "roles": []}]})");
    Run(*from_, "admin", R"({"insert": "system.roles", "documents": [
      {"_id": "shop.reader", "role": "reader", "db": "shop", "roles": [], "privileges": [
        {"resource": {"db": "shop", "collection": "items"}, "actions": ["find"]}]}]})");
    Run(*from_, "admin", R"({"insert": "system.version", "documents": [
      {"_id": "featureCompatibilityVersion", "version": "6.0"},
      {"_id": "authSchema", "currentVersion": 5}]})");
  }

  void AddUsersToTheTarget() {
    Run(*to_, "admin", R"({"insert": "system.users", "documents": [
      {"_id": "admin.root", "user": "root", "db": "admin",
       "credentials": {"SCRAM-SHA-256": {"salt": "of the target"}},
       "roles": [{"role": "operator", "db": "admin"}]},
      {"_id": "shop.stale", "user": "stale", "db": "shop", "roles": []}]})");
    Run(*to_, "admin", R"({"insert": "system.roles", "documents": [
      {"_id": "admin.operator", "role": "operator", "db": "admin", "privileges": [],
       "roles": [{"role": "helper", "db": "admin"}]},
      {"_id": "admin.helper", "role": "helper", "db": "admin", "privileges": [], "roles": []},
      {"_id": "shop.stale", "role": "stale", "db": "shop", "privileges": [], "roles": []}]})");
  }

  // Goes on from what a restore that was cut has left.
  delivery::RestoreSummary Restore(bool allow_lossy = false) {
    delivery::RestoreOptions options{.job = "job",
                                     .allow_lossy = allow_lossy,
                                     .retry_pause = std::chrono::milliseconds(0),
                                     .scope = scope_};
    options.is_at_work = [this](const std::string& job) { return job == at_work_; };
    delivery::RestoreSummary summary =
        RestoreWith(options,
                    {.on_progress = [](const engine::Progress&) {},
                     .save_checkpoint = [this](const std::string& text) { checkpoint_ = text; },
                     .checkpoint = checkpoint_,
                     .clock = clock_,
                     .log = *log_});
    checkpoint_.clear();  // the next one is another job
    return summary;
  }

  // What somebody does to a collection of admin after the snapshot's accounts have been put there
  // and before they are read back.
  void BehindTheServersBack(const std::string& collection,
                            const std::function<void(Store&, const NamespacePtr&)>& change) {
    target_.faults().SetHook([=, this, merged = std::make_shared<bool>(false)](
                                 std::string_view command, std::string_view ns) {
      if (command == "_mergeAuthzCollections") {
        *merged = true;
      } else if (*merged && command == "find" && ns == "admin." + collection) {
        *merged = false;
        target_.WithStore([&](Store& store) { change(store, store.Find("admin", collection)); });
      }
    });
  }

  static void Remove(Store& store, const NamespacePtr& ns, std::string_view id) {
    const Bytes key = bson::Builder().Append("_id", id).Finish();
    store.Delete(ns, ns->documents.FindId(*bson::Document(key).begin()).value());
  }

  static void Insert(Store& store, const NamespacePtr& ns, std::string_view json) {
    const Bytes document = bson::FromJson(json);
    store.Insert(
        ns, document, 0, Store::Order::kOrdered, [](std::int32_t, const CommandError& why) {
          throw CommandError(why);
        });
  }

  // The restore fails with `why`, and the target says that it is incomplete.
  void ExpectNotRestored(const std::string& why) {
    const Failure failure = FailureOf([&] { Restore(); });
    EXPECT_EQ(failure.code, ErrorCode::kConflict);
    EXPECT_THAT(failure.message, HasSubstr(why));
    target_.faults().SetHook({});
    EXPECT_EQ(to_->Count(mongo::kMarkerDatabase, mongo::kMarkerCollection), 1U);
    EXPECT_THAT(Found("tempusers"), IsEmpty());
    EXPECT_THAT(Found("temproles"), IsEmpty());
    Restore();  // and again without anybody's doing
    EXPECT_EQ(to_->Count(mongo::kMarkerDatabase, mongo::kMarkerCollection), 0U);
  }

  // _id and "salt" of what the target has, as text.
  std::vector<std::string> Found(std::string_view collection) {
    std::vector<std::string> found;
    to_->ForEachDocument("admin", collection, {}, [&](ByteView bytes) {
      const bson::Document document(bytes);
      const bson::Document scram = DocumentAt(DocumentAt(document, "credentials"), "SCRAM-SHA-256");
      found.push_back(std::string(TextAt(document, "_id")) + " " +
                      std::string(TextAt(scram, "salt")));
    });
    std::ranges::sort(found);
    return found;
  }

  std::string checkpoint_;  // of a restore that was cut
  std::string at_work_;     // another job that writes to the target
  delivery::RestoreScope scope_;
};

TEST_F(AccountsTest, I27ASnapshotHoldsUsersRolesAndTheirSchemaAndNoNamespacesOfThem) {
  AddUsersToTheSource();
  TakeSnapshot();
  const repo::Manifest manifest = Manifest();
  EXPECT_EQ(manifest.accounts.users.size(), 2U);
  EXPECT_EQ(manifest.accounts.roles.size(), 1U);
  EXPECT_EQ(bson::ToJson(bson::Document(manifest.accounts.schema)),
            Canonical(R"({"_id": "authSchema", "currentVersion": 5})"));
  EXPECT_TRUE(manifest.accounts.left_out.empty());
  ASSERT_EQ(manifest.namespaces.size(), 1U);
  EXPECT_EQ(manifest.namespaces[0].database, "shop");
}

TEST_F(AccountsTest, I27WhatTheLoginMayNotReadIsSaid) {
  AddUsersToTheSource();
  source_.faults().Add(NotAuthorized("find", "admin.system.roles"));
  TakeSnapshot();
  EXPECT_TRUE(Manifest().accounts.empty());
  EXPECT_THAT(Manifest().accounts.left_out, HasSubstr("not authorized on admin"));
}

TEST_F(AccountsTest, TheTargetHasTheSnapshotsUsersAndItsOwnLogin) {
  AddUsersToTheSource();
  AddUsersToTheTarget();
  TakeSnapshot();
  Restore();
  EXPECT_THAT(Found("system.users"),
              ElementsAre("admin.root of the target", "shop.app dsmKBGqDXmjWlLkGix0n"));
  EXPECT_THAT(Found("system.roles"),
              ElementsAre("admin.helper ", "admin.operator ", "shop.reader "));
  EXPECT_THAT(Found("tempusers"), IsEmpty());
  EXPECT_THAT(Found("temproles"), IsEmpty());
}

TEST_F(AccountsTest, ASnapshotWithoutUsersLeavesThoseOfTheTargetAlone) {
  AddUsersToTheTarget();
  TakeSnapshot();
  Restore();
  EXPECT_THAT(Found("system.users"), ElementsAre("admin.root of the target", "shop.stale "));
  EXPECT_EQ(Found("system.roles").size(), 3U);
}

TEST_F(AccountsTest, ALoginThatMayNotWriteThemFailsBeforeAnythingIsDropped) {
  AddUsersToTheSource();
  Run(*to_, "shop", R"({"insert": "old", "documents": [{"_id": 1}]})");
  TakeSnapshot();
  target_.faults().Add(NotAuthorized("insert", "admin.tempusers"));
  const Failure failure = FailureOf([&] { Restore(); });
  EXPECT_EQ(failure.code, ErrorCode::kPermissionDenied);
  EXPECT_THAT(failure.message, HasSubstr("restoring users and roles: "));
  EXPECT_EQ(to_->Count("shop", "old"), 1U);
  EXPECT_THAT(Restore(true).notes, ElementsAre(HasSubstr("users and roles were left out: ")));
  EXPECT_EQ(to_->Count("shop", "orders"), 1U);
}

TEST_F(AccountsTest, ATargetWithoutTheCommandFailsTheRestore) {
  AddUsersToTheSource();
  TakeSnapshot();
  target_.faults().Add({.action = FaultAction::kFail,
                        .commands = {"_mergeAuthzCollections"},
                        .times = -1,
                        .code = 59,
                        .code_name = "CommandNotFound",
                        .message = "no such command"});
  EXPECT_EQ(FailureOf([&] { Restore(); }).code, ErrorCode::kUnsupported);
  EXPECT_THAT(Found("tempusers"), IsEmpty());
  EXPECT_EQ(to_->Count(mongo::kMarkerDatabase, mongo::kMarkerCollection), 1U);
}

TEST_F(AccountsTest, AUserThatGetsLostFailsTheRestore) {
  AddUsersToTheSource();
  TakeSnapshot();
  BehindTheServersBack("system.users",
                       [](Store& store, const NamespacePtr& ns) { Remove(store, ns, "shop.app"); });
  ExpectNotRestored("restored system.users differ from the snapshot in shop.app");
}

TEST_F(AccountsTest, AUserWithOtherCredentialsFailsTheRestore) {
  AddUsersToTheSource();
  TakeSnapshot();
  BehindTheServersBack("system.users", [](Store& store, const NamespacePtr& ns) {
    Remove(store, ns, "shop.app");
    Insert(store, ns, R"({"_id": "shop.app", "user": "app", "db": "shop",
      "credentials": {"SCRAM-SHA-256": {"iterationCount": 15000, "salt": "another"}},
      "roles": [{"role": "reader", "db": "shop"}, {"role": "readWrite", "db": "other"}]})");
  });
  ExpectNotRestored("restored system.users differ from the snapshot in shop.app");
}

TEST_F(AccountsTest, AUserWithOtherRolesFailsTheRestore) {
  AddUsersToTheSource();
  TakeSnapshot();
  for (const std::string_view roles :
       {R"([{"role": "reader", "db": "shop"}])",
        R"([{"role": "reader", "db": "shop"}, {"role": "readWrite", "db": "shop"}])",
        R"([{"role": "reader", "db": "shop"}, {"role": "readWrite", "db": "other"},
            {"role": "root", "db": "admin"}])"}) {
    BehindTheServersBack("system.users", [&](Store& store, const NamespacePtr& ns) {
      Remove(store, ns, "shop.app");
      Insert(store,
             ns,
             R"({"_id": "shop.app", "user": "app", "db": "shop",
               "credentials": {"SCRAM-SHA-256": {"iterationCount": 15000,
                 "salt": "dsmKBGqDXmjWlLkGix0n", "storedKey": "Cc7VPtNn6YyKKs9O",
                 "serverKey": "iDVCJyjVy/fK9wSXh1jT"}}, "roles": )" +
                 std::string(roles) + "}");
    });
    ExpectNotRestored("restored system.users differ from the snapshot in shop.app");
  }
}

TEST_F(AccountsTest, AnotherOrderOfRolesIsTheSameUser) {
  AddUsersToTheSource();
  TakeSnapshot();
  BehindTheServersBack("system.users", [](Store& store, const NamespacePtr& ns) {
    Remove(store, ns, "shop.app");
    Insert(store, ns, R"({"_id": "shop.app", "userId": 7, "user": "app", "db": "shop",
      "credentials": {"SCRAM-SHA-256": {"iterationCount": 15000, "salt": "dsmKBGqDXmjWlLkGix0n",
        "storedKey": "Cc7VPtNn6YyKKs9O", "serverKey": "iDVCJyjVy/fK9wSXh1jT"}},
      "roles": [{"db": "other", "role": "readWrite"}, {"role": "reader", "db": "shop"}]})");
  });
  Restore();
  EXPECT_EQ(to_->Count(mongo::kMarkerDatabase, mongo::kMarkerCollection), 0U);
}

TEST_F(AccountsTest, AUserTooManyFailsTheRestore) {
  AddUsersToTheSource();
  TakeSnapshot();
  BehindTheServersBack("system.users", [](Store& store, const NamespacePtr& ns) {
    Insert(store, ns, R"({"_id": "shop.mallory", "user": "mallory", "db": "shop", "roles": []})");
  });
  ExpectNotRestored("restored system.users differ from the snapshot: ");
}

TEST_F(AccountsTest, ARoleThatGetsLostOrAllowsSomethingElseFailsTheRestore) {
  AddUsersToTheSource();
  TakeSnapshot();
  const std::string why = "restored system.roles differ from the snapshot in shop.reader";
  BehindTheServersBack("system.roles", [](Store& store, const NamespacePtr& ns) {
    Remove(store, ns, "shop.reader");
  });
  ExpectNotRestored(why);
  for (const std::string_view privilege :
       {R"({"resource": {"db": "shop", "collection": "items"}, "actions": ["find", "remove"]})",
        R"({"resource": {"db": "shop", "collection": ""}, "actions": ["find"]})"}) {
    BehindTheServersBack("system.roles", [&](Store& store, const NamespacePtr& ns) {
      Remove(store, ns, "shop.reader");
      Insert(store,
             ns,
             R"({"_id": "shop.reader", "role": "reader", "db": "shop", "roles": [],
               "privileges": [)" +
                 std::string(privilege) + "]}");
    });
    ExpectNotRestored(why);
  }
}

TEST_F(AccountsTest, AUserThatIsRefusedFailsTheRestore) {
  AddUsersToTheSource();
  TakeSnapshot();
  target_.faults().Add({.action = FaultAction::kRefuseDocuments,
                        .commands = {"insert"},
                        .ns = "admin.tempusers",
                        .skip = 1,  // the probe
                        .code = 121,
                        .code_name = "DocumentValidationFailure",
                        .message = "Document failed validation"});
  EXPECT_THAT(FailureOf([&] { Restore(); }).message, HasSubstr("restoring users and roles: "));
  EXPECT_EQ(to_->Count(mongo::kMarkerDatabase, mongo::kMarkerCollection), 1U);
  target_.faults().Add(NotAuthorized("_mergeAuthzCollections", {}));
  const Failure refused = FailureOf([&] { Restore(); });
  EXPECT_EQ(refused.code, ErrorCode::kPermissionDenied);
  EXPECT_EQ(to_->Count(mongo::kMarkerDatabase, mongo::kMarkerCollection), 1U);
  EXPECT_THAT(Found("tempusers"), IsEmpty());
}

TEST_F(AccountsTest, AnAnswerThatIsLostIsAskedForAgain) {
  AddUsersToTheSource();
  TakeSnapshot();
  for (const FaultAction action : {FaultAction::kDropConnection, FaultAction::kDropAfterwards}) {
    target_.faults().Add({.action = action, .commands = {"_mergeAuthzCollections"}});
    Restore();
    EXPECT_THAT(Found("system.users"), testing::Contains("shop.app dsmKBGqDXmjWlLkGix0n"));
  }
}

// The server of ours that ended between the documents and the accounts.
TEST_F(AccountsTest, ARestoreThatWasCutBehindItsDocumentsGoesOnWithTheAccounts) {
  AddUsersToTheSource();
  TakeSnapshot();
  target_.faults().Add({.commands = {"_mergeAuthzCollections"}, .times = 1, .code = 2});
  EXPECT_EQ(FailureOf([&] { Restore(); }).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(to_->Count("shop", "orders"), 1U);
  EXPECT_THAT(Found("system.users"), IsEmpty());
  EXPECT_NE(checkpoint_, "");
  std::atomic<bool> wrote = false;
  target_.faults().SetHook([&wrote](std::string_view command, std::string_view ns) {
    wrote = wrote || (command == "insert" && ns == "shop.orders");
  });
  Restore();
  target_.faults().SetHook({});
  EXPECT_FALSE(wrote);
  EXPECT_THAT(Found("system.users"), testing::Contains("shop.app dsmKBGqDXmjWlLkGix0n"));
  EXPECT_EQ(to_->Count(mongo::kMarkerDatabase, mongo::kMarkerCollection), 0U);
}

TEST_F(AccountsTest, UsersWithoutANameOrTwiceAreNotTakenForFewer) {
  AddUsersToTheSource();
  TakeSnapshot();
  repo::Manifest manifest = Manifest();
  const auto target = delivery::MakeClusterTarget(*to_);
  manifest.accounts.users = {bson::FromJson(R"({"_id": 1})"), bson::FromJson(R"({"_id": 2})")};
  EXPECT_EQ(FailureOf([&] { target->ReplaceAccounts(manifest.accounts); }).code,
            ErrorCode::kCorrupt);
  manifest.accounts.users = {bson::FromJson(R"({"_id": "a.b"})"),
                             bson::FromJson(R"({"_id": "a.b"})")};
  EXPECT_EQ(FailureOf([&] { target->ReplaceAccounts(manifest.accounts); }).code,
            ErrorCode::kCorrupt);
}

// One server under two names: the job that came first has marked it and is at work.
TEST_F(AccountsTest, ARestoreIntoAServerThatAnotherOneWritesToDropsNothing) {
  TakeSnapshot();
  const auto target = delivery::MakeClusterTarget(*to_);
  target->MarkIncomplete("other", "snapshot");
  Run(*to_, "kept", R"({"insert": "data", "documents": [{"_id": 1}]})");
  at_work_ = "other";
  const Failure failure = FailureOf([&] { Restore(); });
  EXPECT_EQ(failure.code, ErrorCode::kConflict);
  EXPECT_THAT(failure.message, HasSubstr("job other is writing to the same server"));
  EXPECT_EQ(to_->Count("kept", "data"), 1U);
  EXPECT_THAT(target->ListMarks(), ElementsAre("other"));
  at_work_.clear();  // it has failed: what it has left is replaced, and so is its mark
  Restore();
  EXPECT_EQ(to_->Count("kept", "data"), 0U);
  EXPECT_THAT(target->ListMarks(), IsEmpty());
}

TEST_F(AccountsTest, ARestoreOfAPartLeavesTheMarksOfOthers) {
  TakeSnapshot();
  const auto target = delivery::MakeClusterTarget(*to_);
  target->MarkIncomplete("failed", "snapshot");
  scope_.include = {{.database = "shop"}};
  Restore();
  EXPECT_EQ(to_->Count("shop", "orders"), 1U);
  EXPECT_THAT(target->ListMarks(), ElementsAre("failed"));
  target->TakeMark("failed");
  EXPECT_THAT(to_->ListDatabases(), testing::Not(testing::Contains(mongo::kMarkerDatabase)));
}

TEST_F(AccountsTest, APlanNamesThem) {
  AddUsersToTheSource();
  TakeSnapshot();
  const auto target = delivery::MakeClusterTarget(*to_);
  const delivery::RestorePlan plan = delivery::PlanRestore(Manifest(), *target);
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("2 users and 1 roles")));
}

}  // namespace
}  // namespace tidemark::memory
