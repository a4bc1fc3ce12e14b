// Users and roles: from one memory server into a snapshot, and from there into another one.
#include <map>

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

TEST_F(AccountsTest, APlanNamesThem) {
  AddUsersToTheSource();
  TakeSnapshot();
  const auto target = delivery::MakeClusterTarget(*to_);
  const delivery::RestorePlan plan = delivery::PlanRestore(Manifest(), *target);
  EXPECT_THAT(plan.notes, ElementsAre(HasSubstr("2 users and 1 roles")));
}

}  // namespace
}  // namespace tidemark::memory
