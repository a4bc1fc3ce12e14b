#include <boost/json/serialize.hpp>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::HasSubstr;

// A backup compliance policy, and every way in which somebody might try to get around it.
class CompliancePolicyTest : public ApiFixture {
 protected:
  CompliancePolicyTest() { Add("dedicated"); }

  domain::Cluster Add(const std::string& name) {
    service::ClusterRegistration registration;
    registration.name = name;
    registration.tier = domain::Tier::kDedicated;
    registration.connection_string = Secret("mongodb://127.0.0.1:1/");
    const domain::Cluster cluster = clusters_->Register(first_.project.id, registration);
    store_->UpdateClusterFacts(cluster.id, domain::Topology::kReplicaSet, "7.0.42", "rs0");
    return clusters_->Find(first_.project.id, name);
  }

  std::string Path() { return V2("/backupCompliancePolicy"); }

  http::Response Put(const std::string& body, const std::string& query = {}) {
    return api_->Handle(MakeOwnerRequest(http::Method::kPut, Path() + query, body));
  }

  static boost::json::object Policy() {
    return boost::json::parse(R"({
      "authorizedEmail": "a@b.example", "authorizedUserFirstName": "A",
      "authorizedUserLastName": "B", "restoreWindowDays": 3,
      "scheduledPolicyItems": [
        {"frequencyType": "hourly", "frequencyInterval": 6, "retentionUnit": "days", "retentionValue": 7},
        {"frequencyType": "weekly", "frequencyInterval": 6, "retentionUnit": "weeks", "retentionValue": 5}],
      "onDemandPolicyItem":
        {"frequencyType": "ondemand", "frequencyInterval": 0, "retentionUnit": "days", "retentionValue": 30}})")
        .as_object();
  }

  boost::json::object Enable() {
    const http::Response response = Put(boost::json::serialize(Policy()));
    EXPECT_EQ(response.status, 200) << response.body;
    return BodyOf(response);
  }

  // A PUT that has to be refused, and leaves the policy as it was.
  std::string CodeOfPut(const boost::json::object& policy) {
    const auto before = BodyOf(Get(Path()));
    const http::Response response = Put(boost::json::serialize(policy));
    EXPECT_EQ(response.status, 400) << response.body;
    EXPECT_EQ(BodyOf(Get(Path())), before);
    return CodeOf(response);
  }

  // A request that has to be refused with that code.
  void ExpectRefused(const http::Response& response, const std::string& code, int status = 400) {
    EXPECT_EQ(response.status, status) << response.body;
    EXPECT_EQ(CodeOf(response), code);
  }

  Instant ExpiryOf(const SnapshotId& id) { return store_->FindSnapshot(id).value().expires; }

  static constexpr std::chrono::hours kDay{24};
};

constexpr auto kTooWeak = "BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS";
constexpr auto kWeakened = "CANNOT_WEAKEN_BACKUP_COMPLIANCE_POLICY";
constexpr auto kNoDelete = "CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY";
constexpr auto kNoDecrease = "CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY";

TEST_F(CompliancePolicyTest, ComesBackAsItWasSet) {
  EXPECT_EQ(Get(Path()).body, "{}");
  const auto set = Enable();
  EXPECT_EQ(BodyOf(Get(Path())), set);
  EXPECT_EQ(set.at("state"), "ACTIVE");
  EXPECT_EQ(set.at("projectId").as_string(), Group());
  EXPECT_EQ(set.at("updatedDate"), "2026-11-25T10:00:00Z");
  EXPECT_EQ(set.at("scheduledPolicyItems").as_array().size(), 2U);
  EXPECT_EQ(set.at("onDemandPolicyItem").at("frequencyInterval").as_int64(), 0);
  EXPECT_FALSE(set.at("pitEnabled").as_bool());
  // Sent back it changes nothing: ids stay.
  EXPECT_EQ(BodyOf(Put(boost::json::serialize(set))), set);
  EXPECT_EQ(BodyOf(Put(boost::json::serialize(Policy()))), set);
  const http::Response old = Get(V1("/backupCompliancePolicy"));
  EXPECT_EQ(BodyOf(old).count("authorizedUserFirstName"), 0U);
  EXPECT_EQ(BodyOf(old).at("authorizedEmail"), "a@b.example");
}

TEST_F(CompliancePolicyTest, OnlyAnOwnerSetsIt) {
  for (const auto role : {domain::Role::kGroupReadOnly, domain::Role::kGroupBackupManager}) {
    http::Request request =
        MakeOwnerRequest(http::Method::kPut, Path(), boost::json::serialize(Policy()));
    request.headers[1].second = "Bearer " + TokenWith(role);
    EXPECT_EQ(api_->Handle(request).status, 401);
  }
  EXPECT_EQ(Get(Path()).body, "{}");
}

TEST_F(CompliancePolicyTest, WhatCannotBePromisedIsRefused) {
  for (const auto* flag :
       {"copyProtectionEnabled", "deletable", "pitEnabled", "encryptionAtRestEnabled"}) {
    auto policy = Policy();
    policy[flag] = true;
    EXPECT_EQ(CodeOfPut(policy), "INVALID_BACKUP_POLICY") << flag;
    policy[flag] = false;
    EXPECT_EQ(Put(boost::json::serialize(policy)).status, 200);
  }
}

TEST_F(CompliancePolicyTest, IsStrengthenedButNeverWeakened) {
  Enable();
  const auto change = [](auto edit) {
    auto policy = Policy();
    edit(policy);
    return policy;
  };
  const auto item = [](boost::json::object& policy, std::size_t at) -> boost::json::object& {
    return policy["scheduledPolicyItems"].at(at).as_object();
  };
  EXPECT_EQ(CodeOfPut(change([&](auto& p) { item(p, 0)["retentionValue"] = 6; })), kWeakened);
  EXPECT_EQ(CodeOfPut(change([&](auto& p) { item(p, 0)["frequencyInterval"] = 12; })), kWeakened);
  EXPECT_EQ(CodeOfPut(change([&](auto& p) { item(p, 1)["retentionUnit"] = "days"; })), kWeakened);
  EXPECT_EQ(CodeOfPut(change([&](auto& p) { p["scheduledPolicyItems"].as_array().pop_back(); })),
            kWeakened);
  EXPECT_EQ(CodeOfPut(change([&](auto& p) { p.erase("scheduledPolicyItems"); })), kWeakened);
  EXPECT_EQ(CodeOfPut(change([&](auto& p) { p.erase("onDemandPolicyItem"); })), kWeakened);
  EXPECT_EQ(CodeOfPut(change(
                [&](auto& p) { p["onDemandPolicyItem"].as_object()["retentionValue"] = 29; })),
            kWeakened);
  EXPECT_EQ(CodeOfPut(change([&](auto& p) { p.erase("restoreWindowDays"); })), kWeakened);
  // Two items of one id would be judged by the first and stored as the second.
  EXPECT_EQ(CodeOfPut(change([&](auto& p) {
              p["scheduledPolicyItems"] = BodyOf(Get(Path())).at("scheduledPolicyItems");
              auto twin = item(p, 0);
              twin["frequencyInterval"] = 24;
              p["scheduledPolicyItems"].as_array().push_back(twin);
            })),
            "INVALID_BACKUP_POLICY");
  http::Request disable = MakeOwnerRequest(http::Method::kDelete, Path());
  disable.headers[2].second = "application/vnd.atlas.2024-11-13+json";
  ExpectRefused(api_->Handle(disable), kWeakened);
  EXPECT_EQ(Put(boost::json::serialize(change([&](auto& p) {
              item(p, 0)["retentionValue"] = 9;
            }))).status,
            200);
  EXPECT_EQ(CodeOfPut(Policy()), kWeakened);  // there is no way back
}

TEST_F(CompliancePolicyTest, SchedulesAreRaisedOrRefusedAndCannotGoBelow) {
  const std::string cloud = V2("/clusters/dedicated/backup/schedule");
  const http::Response refused =
      Put(boost::json::serialize(Policy()), "?overwriteBackupPolicies=false");
  ExpectRefused(refused, kTooWeak);  // weekly: 4 weeks
  EXPECT_THAT(refused.body, HasSubstr("cluster dedicated"));
  EXPECT_EQ(Get(Path()).body, "{}");
  Enable();
  const auto raised = BodyOf(Get(cloud));
  const auto& items = raised.at("policies").at(0).at("policyItems").as_array();
  EXPECT_EQ(items.size(), 5U);
  EXPECT_EQ(items.at(2).at("retentionValue").as_int64(), 5);
  EXPECT_EQ(items.at(3).at("retentionValue").as_int64(), 12);
  // Every view of it.
  const std::string legacy = V2("/clusters/dedicated/snapshotSchedule");
  const std::string own = Own("/clusters/dedicated/schedule");
  auto weak = raised;
  weak["policies"].at(0).at("policyItems").at(0).as_object()["retentionValue"] = 6;
  ExpectRefused(Patch(cloud, boost::json::serialize(weak)), kTooWeak);
  weak = raised;
  weak["policies"].at(0).at("policyItems").at(0).as_object()["frequencyInterval"] = 12;
  ExpectRefused(Patch(cloud, boost::json::serialize(weak)), kTooWeak);
  ExpectRefused(Patch(cloud, R"({"restoreWindowDays": 2})"), kTooWeak);
  ExpectRefused(Delete(cloud), kTooWeak);
  ExpectRefused(Patch(legacy, R"({"weeklySnapshotRetentionWeeks": 4})"), kTooWeak);
  ExpectRefused(Patch(legacy, R"({"weeklySnapshotRetentionWeeks": 0})"), kTooWeak);
  ExpectRefused(Patch(legacy, R"({"snapshotIntervalHours": 24})"), kTooWeak);
  ExpectRefused(Patch(legacy, R"({"pointInTimeWindowHours": 24})"), kTooWeak);
  ExpectRefused(Patch(own, R"({"enabled": false})"), kTooWeak);
  ExpectRefused(Patch(own, R"({"items": [{"frequencyType": "daily", "frequencyInterval": 1,
                               "retentionUnit": "years", "retentionValue": 9}]})"),
                kTooWeak);
  EXPECT_EQ(BodyOf(Get(cloud)), raised);
  // More is allowed, and what the policy does not speak of.
  EXPECT_EQ(Patch(legacy, R"({"weeklySnapshotRetentionWeeks": 6})").status, 200);
  EXPECT_EQ(Patch(legacy, R"({"monthlySnapshotRetentionMonths": 0})").status, 200);
  // A cluster that comes later, too.
  Add("later");
  EXPECT_EQ(BodyOf(Get(V2("/clusters/later/backup/schedule")))
                .at("policies")
                .at(0)
                .at("policyItems")
                .at(2)
                .at("retentionValue")
                .as_int64(),
            5);
}

TEST_F(CompliancePolicyTest, NoSnapshotIsDeletedOrKeptLessLong) {
  const domain::Cluster cluster = clusters_->Find(first_.project.id, "dedicated");
  const domain::Snapshot before = AddFinishedSnapshot(cluster);  // of 8 days
  Enable();
  EXPECT_EQ(ExpiryOf(before.id), before.scheduled + 30 * kDay);
  clock_.Advance(std::chrono::seconds(1));  // ids of the same moment come in any order
  const domain::Snapshot snapshot = AddFinishedSnapshot(cluster);
  EXPECT_EQ(snapshot.expires, snapshot.scheduled + 30 * kDay);
  const std::string legacy = V2("/clusters/dedicated/snapshots/" + snapshot.id.ToString());
  const std::string own = Own("/clusters/dedicated/snapshots/" + snapshot.id.ToString());
  ExpectRefused(Delete(own), kNoDelete);
  ExpectRefused(Delete(legacy), kNoDelete);
  ExpectRefused(Patch(legacy, R"({"expires": "2026-12-01T00:00:00Z"})"), kNoDecrease);
  // What is not to be deleted may be again, but not earlier.
  EXPECT_EQ(Patch(legacy, R"({"doNotDelete": true})").status, 200);
  ExpectRefused(Patch(legacy, R"({"doNotDelete": false, "expires": "2026-12-01T00:00:00Z"})"),
                kNoDecrease);
  EXPECT_EQ(Patch(legacy, R"({"doNotDelete": false})").status, 200);
  EXPECT_EQ(Patch(legacy, R"({"expires": "2027-12-01T00:00:00Z"})").status, 200);
  EXPECT_EQ(FormatInstant(ExpiryOf(snapshot.id)), "2027-12-01T00:00:00Z");
  // Whatever asks the catalog.
  const auto code = [](auto call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kInternal;
  };
  EXPECT_EQ(code([&] { store_->MarkSnapshotDeleted(snapshot.id, clock_.Now()); }),
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(code([&] { store_->UpdateRetention(snapshot.id, {false, clock_.Now(), {}}); }),
            ErrorCode::kPermissionDenied);
  EXPECT_EQ(code([&] { store_->SetExpiries({{before.id, clock_.Now()}}); }),
            ErrorCode::kPermissionDenied);
  EXPECT_TRUE(store_->ExpireSnapshots(clock_.Now() + 29 * kDay, clock_.Now(), 100).empty());
  EXPECT_EQ(store_->FindSnapshot(snapshot.id).value().deleted, std::nullopt);
  // It goes when its time has come, as it would without a policy.
  EXPECT_EQ(store_->ExpireSnapshots(clock_.Now() + 31 * kDay, clock_.Now(), 100).size(), 1U);
}

TEST_F(CompliancePolicyTest, TheOlderVersionKeepsWhoAnswersForIt) {
  Enable();
  boost::json::object older = Policy();
  older.erase("authorizedUserFirstName");
  older.erase("authorizedUserLastName");
  http::Request request =
      MakeOwnerRequest(http::Method::kPut,
                       "/api/atlas/v1.0" + Path().substr(Path().find("/groups")),
                       boost::json::serialize(older));
  EXPECT_EQ(api_->Handle(request).status, 200);
  const auto now = BodyOf(Get(Path()));
  EXPECT_EQ(now.at("authorizedUserFirstName"), "A");
  EXPECT_EQ(now.at("authorizedUserLastName"), "B");
}

TEST_F(CompliancePolicyTest, ANewSnapshotTellsHowLongItIsKept) {
  Enable();
  const std::string snapshots = V2("/clusters/dedicated/backup/snapshots");
  const auto made = BodyOf(Post(snapshots, R"({"retentionInDays": 1})"));
  EXPECT_EQ(made.at("expiresAt").as_string(), FormatInstant(clock_.Now() + 30 * kDay));
  const std::string id(made.at("id").as_string());
  EXPECT_EQ(BodyOf(Get(snapshots + "/" + id)).at("expiresAt"), made.at("expiresAt"));
}

TEST_F(CompliancePolicyTest, AChangeOfTheScheduleShortensNoSnapshot) {
  const domain::Cluster cluster = clusters_->Find(first_.project.id, "dedicated");
  Enable();
  auto queued = snapshots_->Prepare(cluster, "scheduled");
  const domain::Schedule schedule = schedules_->Find(cluster);
  queued.snapshot.frequency = domain::Frequency::kMonthly;
  queued.snapshot.policy_items = {schedule.items.at(3).id};
  queued.snapshot.expires = clock_.Now() + 365 * kDay;
  store_->AddSnapshot(queued.snapshot, queued.job);
  auto body = BodyOf(Get(V2("/clusters/dedicated/backup/schedule")));
  body["updateSnapshots"] = true;
  body["policies"].at(0).at("policyItems").at(3).as_object()["retentionValue"] = 2;
  const http::Response response =
      Patch(V2("/clusters/dedicated/backup/schedule"), boost::json::serialize(body));
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_EQ(ExpiryOf(queued.snapshot.id), clock_.Now() + 365 * kDay);
}

TEST_F(CompliancePolicyTest, TheProjectStays) {
  Enable();
  const domain::Cluster cluster = clusters_->Find(first_.project.id, "dedicated");
  store_->RemoveCluster(cluster.id, clock_.Now());
  ExpectRefused(Delete(Own("")), "CANNOT_CLOSE_GROUP_WITH_BACKUP_COMPLIANCE_POLICY", 409);
  EXPECT_TRUE(store_->FindProject(first_.project.id));
}

}  // namespace
}  // namespace tidemark::api
