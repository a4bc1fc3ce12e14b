#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// Both views of schedules: the legacy one and our own.
class SchedulesTest : public ApiFixture {
 protected:
  SchedulesTest() {
    AddCluster("shared");
    service::ClusterRegistration registration;
    registration.name = "dedicated";
    registration.tier = domain::Tier::kDedicated;
    registration.connection_string = Secret("mongodb://127.0.0.1:1/");
    const domain::Cluster cluster = clusters_->Register(first_.project.id, registration);
    store_->UpdateClusterFacts(cluster.id, domain::Topology::kReplicaSet, "7.0.42", "rs0");
  }

  std::string Legacy(const std::string& cluster = "dedicated") {
    return V2("/clusters/" + cluster + "/snapshotSchedule");
  }

  std::string Ours(const std::string& cluster = "dedicated") {
    return Own("/clusters/" + cluster + "/schedule");
  }

  static std::vector<std::int64_t> NumbersOf(const boost::json::object& body) {
    std::vector<std::int64_t> numbers;
    for (const auto* name : {"snapshotIntervalHours",
                             "snapshotRetentionDays",
                             "dailySnapshotRetentionDays",
                             "weeklySnapshotRetentionWeeks",
                             "monthlySnapshotRetentionMonths",
                             "pointInTimeWindowHours",
                             "clusterCheckpointIntervalMin"}) {
      numbers.push_back(body.at(name).as_int64());
    }
    return numbers;
  }

  // The code of a PATCH that has to be refused, and leaves everything as it was.
  std::string CodeOfChange(const std::string& path, const std::string& change) {
    const auto before = BodyOf(Get(path));
    const http::Response response = Patch(path, change);
    EXPECT_EQ(response.status, 400) << change;
    EXPECT_EQ(BodyOf(Get(path)), before) << change;
    return CodeOf(response);
  }
};

TEST_F(SchedulesTest, TheDefaultIsAtlas) {
  const http::Response response = Get(Legacy());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Deprecation"), "Sun, 1 Jan 2023 00:00:00 GMT");
  const auto body = BodyOf(response);
  EXPECT_THAT(NumbersOf(body), ElementsAre(6, 5, 7, 4, 12, 168, 15));
  EXPECT_THAT(MembersOf(body),
              UnorderedElementsAre("clusterCheckpointIntervalMin",
                                   "clusterId",
                                   "dailySnapshotRetentionDays",
                                   "groupId",
                                   "links",
                                   "monthlySnapshotRetentionMonths",
                                   "pointInTimeWindowHours",
                                   "snapshotIntervalHours",
                                   "snapshotRetentionDays",
                                   "weeklySnapshotRetentionWeeks"));
  EXPECT_EQ(body.at("groupId").as_string(), Group());
  EXPECT_EQ(body.at("links").at(0).at("href").as_string(), "http://backup.example:8080" + Legacy());
}

TEST_F(SchedulesTest, TheSharedTierIsToldInNumbersThatTheFamilyHas) {
  EXPECT_THAT(NumbersOf(BodyOf(Get(Legacy("shared")))), ElementsAre(24, 5, 7, 0, 0, 0, 15));
}

TEST_F(SchedulesTest, AChangeIsPartialAndComesBack) {
  const http::Response response =
      Patch(Legacy(), R"({"snapshotIntervalHours": 12, "weeklySnapshotRetentionWeeks": 0})");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(NumbersOf(BodyOf(response)), ElementsAre(12, 5, 7, 0, 12, 168, 15));
  EXPECT_EQ(BodyOf(Get(Legacy())), BodyOf(response));
  EXPECT_EQ(BodyOf(Get(Ours())).at("items").as_array().size(), 4U);
}

TEST_F(SchedulesTest, AllThatWasGivenMayBeSentBack) {
  for (const auto* cluster : {"shared", "dedicated"}) {
    const http::Response first = Get(Legacy(cluster));
    const auto ours = BodyOf(Get(Ours(cluster)));
    const http::Response response = Patch(Legacy(cluster), first.body);
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(BodyOf(response), BodyOf(first));
    EXPECT_EQ(BodyOf(Get(Ours(cluster))), ours);  // what was rounded, too
  }
}

TEST_F(SchedulesTest, OneChangeToAllThatWasGivenChangesThatAlone) {
  Patch(Ours(), R"({"items": [{"frequencyType": "hourly", "frequencyInterval": 1,
                               "retentionUnit": "days", "retentionValue": 10},
                              {"frequencyType": "daily", "frequencyInterval": 1,
                               "retentionUnit": "days", "retentionValue": 100},
                              {"frequencyType": "yearly", "frequencyInterval": 3,
                               "retentionUnit": "years", "retentionValue": 2}]})");
  auto want = BodyOf(Get(Ours())).at("items").as_array();
  std::string body = Get(Legacy()).body;
  const std::string daily = R"("dailySnapshotRetentionDays":90)";
  ASSERT_THAT(body, HasSubstr(daily));
  body.replace(body.find(daily), daily.size(), R"("dailySnapshotRetentionDays":120)");
  EXPECT_EQ(Patch(Legacy(), body).status, 200);
  want.at(1).as_object()["retentionValue"] = 120;
  EXPECT_EQ(BodyOf(Get(Ours())).at("items").as_array(), want);
}

TEST_F(SchedulesTest, EveryValueOfTheSchemaIsTaken) {
  const auto taken = [this](const std::string& name, std::initializer_list<int> values) {
    for (const int value : values) {
      const auto body =
          BodyOf(Patch(Legacy(), "{\"" + name + "\": " + std::to_string(value) + "}"));
      ASSERT_TRUE(body.contains(name)) << name << value;
      EXPECT_EQ(body.at(name).as_int64(), value) << name;
    }
  };
  taken("snapshotIntervalHours", {6, 8, 12, 24});
  taken("snapshotRetentionDays", {2, 3, 4, 5});
  taken("dailySnapshotRetentionDays", {0, 3, 4, 5, 6, 7, 15, 30, 60, 90, 120, 180, 360});
  taken("weeklySnapshotRetentionWeeks", {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 52});
  taken("monthlySnapshotRetentionMonths",
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 18, 24, 36});
  taken("pointInTimeWindowHours", {0, 24, 48});
}

TEST_F(SchedulesTest, OtherValuesAreRefused) {
  for (const std::string change : {R"({"snapshotIntervalHours": 7})",
                                   R"({"snapshotRetentionDays": 1})",
                                   R"({"dailySnapshotRetentionDays": 1})",
                                   R"({"weeklySnapshotRetentionWeeks": 53})",
                                   R"({"monthlySnapshotRetentionMonths": -1})",
                                   R"({"monthlySnapshotRetentionMonths": 9999999999})",
                                   R"({"pointInTimeWindowHours": -1})"}) {
    EXPECT_EQ(CodeOfChange(Legacy(), change), "INVALID_SNAPSHOT_SCHEDULE") << change;
  }
  EXPECT_EQ(CodeOfChange(Legacy(), R"({"clusterCheckpointIntervalMin": 7})"),
            "INVALID_CLUSTER_CHECKPOINT_INTERVAL");
  EXPECT_EQ(CodeOfChange(Legacy(), R"({"clusterCheckpointIntervalMin": 30})"),
            "CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET");
  EXPECT_EQ(CodeOfChange(Legacy(), R"({"clusterId": "000000000000000000000000"})"),
            "INVALID_ATTRIBUTE");
  EXPECT_EQ(CodeOfChange(Legacy(), R"({"referenceHour": 1})"), "INVALID_ATTRIBUTE");
  EXPECT_THAT(Patch(Legacy(), R"({"snapshotIntervalHours": 7})").body,
              HasSubstr("snapshotIntervalHours has to be one of 6, 8, 12, 24"));
}

TEST_F(SchedulesTest, ASchedulesLastItemStays) {
  EXPECT_EQ(CodeOfChange(Legacy("shared"), R"({"dailySnapshotRetentionDays": 0})"),
            "INVALID_SNAPSHOT_SCHEDULE");
}

TEST_F(SchedulesTest, NumbersAreStrictInV2Only) {
  for (const std::string change :
       {R"({"snapshotIntervalHours": "12"})", R"({"snapshotIntervalHours": 12.0})"}) {
    EXPECT_EQ(CodeOfChange(Legacy(), change), "INVALID_JSON_ATTRIBUTE");
    EXPECT_EQ(Patch(V1("/clusters/dedicated/snapshotSchedule"), change).status, 200) << change;
    Patch(Legacy(), R"({"snapshotIntervalHours": 6})");
  }
  for (const std::string change : {R"({"snapshotIntervalHours": "12h"})",
                                   R"({"snapshotIntervalHours": 12.5})",
                                   R"({"snapshotIntervalHours": 1e300})",
                                   R"({"snapshotIntervalHours": true})"}) {
    EXPECT_EQ(CodeOf(Patch(V1("/clusters/dedicated/snapshotSchedule"), change)),
              "INVALID_JSON_ATTRIBUTE");
  }
}

TEST_F(SchedulesTest, CheckpointsOfAShardedClusterHaveAnInterval) {
  AddCluster("sharded", domain::Topology::kSharded);
  const auto body = BodyOf(Patch(Legacy("sharded"), R"({"clusterCheckpointIntervalMin": 60})"));
  EXPECT_EQ(body.at("clusterCheckpointIntervalMin").as_int64(), 60);
}

TEST_F(SchedulesTest, OurOwnTellsWhenTheNextOneIsDue) {
  const auto body = BodyOf(Get(Ours("shared")));
  EXPECT_EQ(body.at("clusterName"), "shared");
  EXPECT_TRUE(body.at("active").as_bool());
  EXPECT_TRUE(body.at("enabled").as_bool());
  EXPECT_EQ(body.at("nextDue"), "2026-11-26T10:00:00Z");
  EXPECT_EQ(body.at("referenceHourOfDay").as_int64(), 10);
  EXPECT_EQ(body.at("referenceMinuteOfHour").as_int64(), 0);
  EXPECT_EQ(body.at("keepLast").as_int64(), 8);
  EXPECT_EQ(body.at("missed").as_int64(), 0);
  EXPECT_FALSE(body.contains("last"));
  const auto& item = body.at("items").at(0);
  EXPECT_EQ(item.at("frequencyType"), "daily");
  EXPECT_EQ(item.at("frequencyInterval").as_int64(), 1);
  EXPECT_EQ(item.at("retentionUnit"), "days");
  EXPECT_EQ(item.at("retentionValue").as_int64(), 8);
}

TEST_F(SchedulesTest, OurOwnTellsWhatBecameOfTheLastOne) {
  const domain::Cluster cluster = clusters_->Find(first_.project.id, "shared");
  const domain::Snapshot snapshot = AddSnapshot(cluster);
  const domain::Schedule schedule = schedules_->Find(cluster);
  store_->AdvanceSchedule(schedule,
                          {.next_due = clock_.Now() + std::chrono::hours{24},
                           .due = clock_.Now(),
                           .attempt = 2,
                           .snapshot = snapshot.id,
                           .retry_at = clock_.Now() + std::chrono::minutes{20},
                           .missed = 3,
                           .last_missed = clock_.Now(),
                           .missed_reason = "no disk"},
                          {});
  const auto body = BodyOf(Get(Ours("shared")));
  EXPECT_EQ(body.at("missed").as_int64(), 3);
  EXPECT_EQ(body.at("lastMissed"), "2026-11-25T10:00:00Z");
  EXPECT_EQ(body.at("missedReason"), "no disk");
  const auto& last = body.at("last");
  EXPECT_EQ(last.at("snapshotId").as_string(), snapshot.id.ToString());
  EXPECT_EQ(last.at("state"), "PENDING");
  EXPECT_EQ(last.at("due"), "2026-11-25T10:00:00Z");
  EXPECT_EQ(last.at("attempt").as_int64(), 2);
  EXPECT_EQ(last.at("retryAt"), "2026-11-25T10:20:00Z");
}

TEST_F(SchedulesTest, OurOwnTellsTheLastVerification) {
  const auto body = BodyOf(Patch(Ours("shared"), R"({"verifyIntervalDays": 7})"));
  EXPECT_EQ(body.at("verifyIntervalDays").as_int64(), 7);
  EXPECT_FALSE(body.contains("lastVerified"));
  const domain::Cluster cluster = clusters_->Find(first_.project.id, "shared");
  store_->SaveVerification(
      cluster.id,
      {SnapshotId(cluster.id.raw()), clock_.Now(), std::chrono::milliseconds{1500}, "x"});
  const auto last = BodyOf(Get(Ours("shared"))).at("lastVerified");
  EXPECT_EQ(last.at("snapshotId").as_string(), cluster.id.ToString());
  EXPECT_EQ(last.at("finished"), "2026-11-25T10:00:00Z");
  EXPECT_EQ(last.at("milliseconds").as_int64(), 1500);
  EXPECT_FALSE(last.at("intact").as_bool());
  EXPECT_EQ(last.at("failure"), "x");
}

TEST_F(SchedulesTest, OurOwnIsChanged) {
  const http::Response response = Patch(Ours(), R"({
      "referenceHourOfDay": 3, "referenceMinuteOfHour": 30, "keepLast": 2,
      "items": [{"frequencyType": "weekly", "frequencyInterval": 7,
                 "retentionUnit": "weeks", "retentionValue": 10}]})");
  EXPECT_EQ(response.status, 200) << response.body;
  const auto body = BodyOf(response);
  EXPECT_EQ(body.at("nextDue"), "2026-11-29T03:30:00Z");
  EXPECT_EQ(body.at("keepLast").as_int64(), 2);
  EXPECT_EQ(BodyOf(Get(Ours())), body);
  EXPECT_THAT(NumbersOf(BodyOf(Get(Legacy()))), ElementsAre(24, 5, 0, 8, 0, 168, 15));
  const auto off = BodyOf(Patch(Ours(), R"({"enabled": false})"));
  EXPECT_FALSE(off.at("enabled").as_bool());
  EXPECT_FALSE(off.contains("nextDue"));
  EXPECT_EQ(BodyOf(Patch(Ours(), R"({"enabled": true})")).at("nextDue"), "2026-11-29T03:30:00Z");
}

TEST_F(SchedulesTest, WhatIsWrongWithOurOwnIsNamed) {
  const auto item = [](const std::string& type, int interval, const std::string& unit, int value) {
    return R"({"items": [{"frequencyType": ")" + type + R"(", "frequencyInterval": )" +
           std::to_string(interval) + R"(, "retentionUnit": ")" + unit +
           R"(", "retentionValue": )" + std::to_string(value) + "}]}";
  };
  for (const std::string& change : {item("hourly", 5, "days", 1),
                                    item("ondemand", 1, "days", 1),
                                    item("daily", 1, "hours", 1),
                                    item("daily", 1, "days", 0),
                                    item("daily", 1, "days", -3),
                                    std::string(R"({"items": []})"),
                                    std::string(R"({"referenceHourOfDay": 24})"),
                                    std::string(R"({"referenceMinuteOfHour": 60})"),
                                    std::string(R"({"keepLast": 0})"),
                                    std::string(R"({"verifyIntervalDays": 367})"),
                                    std::string(R"({"pointInTimeWindowHours": 100000})")}) {
    EXPECT_EQ(CodeOfChange(Ours(), change), "VALIDATION_ERROR") << change;
  }
  EXPECT_EQ(CodeOfChange(Ours(), R"({"items": [1]})"), "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(CodeOfChange(Ours(), R"({"items": [{"frequencyType": "daily"}]})"),
            "MISSING_ATTRIBUTE");
  EXPECT_EQ(CodeOfChange(Ours(), R"({"keepLast": "1"})"), "INVALID_JSON_ATTRIBUTE");
  const auto body = BodyOf(Patch(Ours(), R"({"keepLast": 0})"));
  EXPECT_EQ(body.at("badRequestDetail").at("fields").at(0).at("field"), "keepLast");
}

TEST_F(SchedulesTest, ChangingIsForOwners) {
  const std::string token = TokenWith(domain::Role::kGroupBackupManager);
  for (const std::string& path : {V1("/clusters/shared/snapshotSchedule"), Ours("shared")}) {
    EXPECT_EQ(GetAs(token, path).status, 200);
    http::Request request = MakeRequest(http::Method::kPatch, path);
    request.headers.emplace_back("authorization", "Bearer " + token);
    const http::Response response = api_->Handle(request);
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(CodeOf(response), "USER_UNAUTHORIZED");
  }
}

TEST_F(SchedulesTest, AnUnregisteredClusterHasNone) {
  EXPECT_EQ(CodeOf(Get(Legacy("none"))), "CLUSTER_NOT_FOUND");
  EXPECT_EQ(CodeOf(Patch(Legacy("none"), "{}")), "CLUSTER_NOT_FOUND");
  EXPECT_EQ(CodeOf(Get(Ours("none"))), "CLUSTER_NOT_FOUND");
}

}  // namespace
}  // namespace tidemark::api
