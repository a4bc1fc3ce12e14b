#include <boost/json/serialize.hpp>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

// The schedule of cloud backups, in both versions, beside its other views.
class CloudScheduleTest : public ApiFixture {
 protected:
  CloudScheduleTest() {
    AddCluster("shared");
    Add("dedicated", domain::Tier::kDedicated);
    Add("flex", domain::Tier::kFlex);
  }

  void Add(const std::string& name, domain::Tier tier) {
    service::ClusterRegistration registration;
    registration.name = name;
    registration.tier = tier;
    registration.connection_string = Secret("mongodb://127.0.0.1:1/");
    const domain::Cluster cluster = clusters_->Register(first_.project.id, registration);
    store_->UpdateClusterFacts(cluster.id, domain::Topology::kReplicaSet, "7.0.42", "rs0");
  }

  std::string Path(const std::string& cluster = "dedicated") {
    return V2("/clusters/" + cluster + "/backup/schedule");
  }

  // With the version that Terraform asks for.
  http::Response Newer(http::Method method, const std::string& path, const std::string& body = {}) {
    http::Request request = MakeOwnerRequest(method, path, body);
    for (auto& [name, value] : request.headers) {
      if (name == "accept" || name == "content-type") {
        value = "application/vnd.atlas.2024-08-05+json";
      }
    }
    return api_->Handle(request);
  }

  boost::json::object Read(const std::string& cluster = "dedicated") {
    const http::Response response = Newer(http::Method::kGet, Path(cluster));
    EXPECT_EQ(response.status, 200) << response.body;
    return BodyOf(response);
  }

  static boost::json::array ItemsOf(const boost::json::object& body) {
    const auto& policies = body.at("policies").as_array();
    EXPECT_EQ(policies.size(), 1U);
    return policies.at(0).at("policyItems").as_array();
  }

  // "hourly/6/7 days"
  static std::vector<std::string> TextsOf(const boost::json::object& body) {
    std::vector<std::string> texts;
    for (const auto& item : ItemsOf(body)) {
      texts.push_back(std::string(item.at("frequencyType").as_string()) + "/" +
                      std::to_string(item.at("frequencyInterval").as_int64()) + "/" +
                      std::to_string(item.at("retentionValue").as_int64()) + " " +
                      std::string(item.at("retentionUnit").as_string()));
    }
    return texts;
  }

  static std::vector<std::string> IdsOf(const boost::json::object& body) {
    std::vector<std::string> ids;
    for (const auto& item : ItemsOf(body)) {
      ids.emplace_back(item.at("id").as_string());
    }
    return ids;
  }

  static boost::json::object Item(const std::string& frequency,
                                  int interval,
                                  const std::string& unit,
                                  int value,
                                  const std::string& id = {}) {
    boost::json::object item{{"frequencyType", frequency},
                             {"frequencyInterval", interval},
                             {"retentionUnit", unit},
                             {"retentionValue", value}};
    if (!id.empty()) {
      item["id"] = id;
    }
    return item;
  }

  static std::string Policies(const boost::json::array& items, const std::string& id = {}) {
    boost::json::object policy{{"policyItems", items}};
    if (!id.empty()) {
      policy["id"] = id;
    }
    return boost::json::serialize(
        boost::json::object{{"policies", boost::json::array{std::move(policy)}}});
  }

  // The code of a PATCH that has to be refused, and leaves everything as it was.
  std::string CodeOfChange(const std::string& change) {
    const auto before = Read();
    const http::Response response = Newer(http::Method::kPatch, Path(), change);
    EXPECT_EQ(response.status, 400) << change << response.body;
    EXPECT_EQ(Read(), before) << change;
    return CodeOf(response);
  }

  std::string CodeOfItem(const boost::json::object& item) { return CodeOfChange(Policies({item})); }
};

TEST_F(CloudScheduleTest, TheDefaultIsAsRecorded) {
  const http::Response response = Get(Path());
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Content-Type"),
            "application/vnd.atlas.2023-01-01+json;charset=utf-8");
  EXPECT_EQ(HeaderOf(response, "Deprecation"), "Mon, 5 Aug 2024 00:00:00 GMT");
  EXPECT_EQ(HeaderOf(response, "Sunset"), "Thu, 1 Jul 2027 00:00:00 GMT");
  const auto body = BodyOf(response);
  EXPECT_THAT(MembersOf(body),
              UnorderedElementsAre("autoExportEnabled",
                                   "clusterId",
                                   "clusterName",
                                   "copyPolicyItemsEnabled",
                                   "copySettings",
                                   "links",
                                   "nextSnapshot",
                                   "policies",
                                   "referenceHourOfDay",
                                   "referenceMinuteOfHour",
                                   "restoreWindowDays",
                                   "useOrgAndGroupNamesInExportPrefix"));
  EXPECT_THAT(TextsOf(body),
              ElementsAre("hourly/6/7 days",
                          "daily/1/7 days",
                          "weekly/6/4 weeks",
                          "monthly/40/12 months",
                          "yearly/12/1 years"));
  EXPECT_EQ(body.at("clusterName"), "dedicated");
  EXPECT_EQ(body.at("restoreWindowDays").as_int64(), 7);
  EXPECT_EQ(body.at("referenceHourOfDay").as_int64(), 10);  // of its creation
  EXPECT_EQ(body.at("referenceMinuteOfHour").as_int64(), 0);
  EXPECT_EQ(body.at("nextSnapshot"), "2026-11-25T16:00:00Z");
  EXPECT_EQ(body.at("links").at(0).at("rel"), "self");
  EXPECT_EQ(body.at("links").at(0).at("href").as_string(), "http://backup.example:8080" + Path());
  EXPECT_THAT(TextsOf(Read("shared")), ElementsAre("daily/1/8 days"));
}

TEST_F(CloudScheduleTest, TheNewerVersionIsNotDeprecatedAndSaysTheSame) {
  const http::Response response = Newer(http::Method::kGet, Path());
  EXPECT_EQ(HeaderOf(response, "Content-Type"),
            "application/vnd.atlas.2024-08-05+json;charset=utf-8");
  EXPECT_EQ(HeaderOf(response, "Deprecation"), "");
  EXPECT_EQ(BodyOf(response), BodyOf(Get(Path())));
  EXPECT_EQ(BodyOf(Get(Path())), BodyOf(Get(Path())));
  const http::Response old = Get(V1("/clusters/dedicated/backup/schedule"));
  EXPECT_EQ(old.status, 200);
  EXPECT_EQ(IdsOf(BodyOf(old)), IdsOf(Read()));
}

TEST_F(CloudScheduleTest, AFlexClusterHasAnotherApi) {
  for (const auto method : {http::Method::kGet, http::Method::kPatch, http::Method::kDelete}) {
    const http::Response response =
        Newer(method, Path("flex"), method == http::Method::kPatch ? "{}" : "");
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(CodeOf(response), "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API");
  }
  EXPECT_EQ(CodeOf(Get(Path("nobody"))), "CLUSTER_NOT_FOUND");
}

TEST_F(CloudScheduleTest, AReaderReadsAndAnOwnerChanges) {
  const std::string reader = TokenWith(domain::Role::kGroupReadOnly);
  for (const auto method : {http::Method::kGet, http::Method::kPatch, http::Method::kDelete}) {
    http::Request request =
        MakeOwnerRequest(method, Path(), method == http::Method::kPatch ? "{}" : "");
    request.headers[1].second = "Bearer " + reader;
    const http::Response response = api_->Handle(request);
    EXPECT_EQ(response.status, method == http::Method::kGet ? 200 : 401);
  }
}

TEST_F(CloudScheduleTest, AChangeIsPartialAndAllThatWasGivenMayBeSentBack) {
  const auto before = Read();
  EXPECT_EQ(BodyOf(Newer(http::Method::kPatch, Path(), "{}")), before);
  for (const auto* cluster : {"dedicated", "shared"}) {
    const auto body = Read(cluster);
    const http::Response response =
        Newer(http::Method::kPatch, Path(cluster), boost::json::serialize(body));
    EXPECT_EQ(response.status, 200) << response.body;
    EXPECT_EQ(BodyOf(response), body);
  }
  auto want = before;
  const http::Response response =
      Patch(Path(),
            R"({"referenceHourOfDay": 3, "restoreWindowDays": 2, "clusterName": "ignored",
                "useOrgAndGroupNamesInExportPrefix": true, "autoExportEnabled": false,
                "extraRetentionSettings": [{"frequencyType": "HOURLY", "retentionDays": 3},
                                           {"frequencyType": "ON_DEMAND", "retentionDays": 1}]})");
  EXPECT_EQ(response.status, 200) << response.body;
  want["referenceHourOfDay"] = 3;
  want["restoreWindowDays"] = 2;
  want["useOrgAndGroupNamesInExportPrefix"] = true;
  want["nextSnapshot"] = "2026-11-25T15:00:00Z";
  want["extraRetentionSettings"] = boost::json::parse(
      R"([{"frequencyType": "HOURLY", "retentionDays": 3},
          {"frequencyType": "ON_DEMAND", "retentionDays": 1}])");
  EXPECT_EQ(BodyOf(response), want);
  EXPECT_EQ(Read(), want);
  want.erase("extraRetentionSettings");
  EXPECT_EQ(BodyOf(Patch(Path(), R"({"extraRetentionSettings": []})")), want);
}

TEST_F(CloudScheduleTest, AnItemKeepsItsIdANewOneGetsOneAMissingOneIsRemoved) {
  const auto before = Read();
  const auto ids = IdsOf(before);
  const std::string policy(before.at("policies").at(0).at("id").as_string());
  const auto after = BodyOf(Newer(http::Method::kPatch,
                                  Path(),
                                  Policies({Item("daily", 1, "days", 9, ids[1]),
                                            Item("hourly", 12, "days", 3, ids[0]),
                                            Item("weekly", 6, "weeks", 4),
                                            Item("weekly", 1, "weeks", 2)},
                                           policy)));
  EXPECT_THAT(
      TextsOf(after),
      ElementsAre("daily/1/9 days", "hourly/12/3 days", "weekly/6/4 weeks", "weekly/1/2 weeks"));
  EXPECT_EQ(after.at("policies").at(0).at("id").as_string(), policy);
  const auto now = IdsOf(after);
  EXPECT_EQ(now[0], ids[1]);
  EXPECT_EQ(now[1], ids[0]);
  for (const std::size_t fresh :
       {2U, 3U}) {  // that one looks like an old one, but does not name it
    EXPECT_THAT(now[fresh], testing::MatchesRegex("[0-9a-f]+"));
    EXPECT_EQ(std::ranges::find(ids, now[fresh]), ids.end());
  }
  EXPECT_EQ(Read(), after);
  EXPECT_EQ(BodyOf(Newer(http::Method::kPatch, Path(), boost::json::serialize(after))), after);
}

TEST_F(CloudScheduleTest, DeletedItTakesNoSnapshotsUntilAChangeBringsItBack) {
  auto want = Read();
  const http::Response response = Newer(http::Method::kDelete, Path());
  EXPECT_EQ(response.status, 200);
  want.erase("nextSnapshot");
  want["policies"].at(0).as_object()["policyItems"] = boost::json::array();
  EXPECT_EQ(BodyOf(response), want);
  EXPECT_EQ(Read(), want);
  EXPECT_EQ(BodyOf(Newer(http::Method::kDelete, Path())), want);  // again
  const ClusterId cluster = clusters_->Find(first_.project.id, "dedicated").id;
  for (const domain::Schedule& due :
       store_->ListSchedulesToStep(clock_.Now() + std::chrono::hours{24 * 400}, 10)) {
    EXPECT_NE(due.cluster, cluster);
  }
  // The other views can say it, and may be sent back.
  const std::string legacy = V2("/clusters/dedicated/snapshotSchedule");
  EXPECT_EQ(BodyOf(Get(legacy)).at("snapshotIntervalHours").as_int64(), 24);
  EXPECT_EQ(BodyOf(Get(Own("/clusters/dedicated/schedule"))).at("items").as_array().size(), 0U);
  EXPECT_EQ(Patch(Own("/clusters/dedicated/schedule"), R"({"keepLast": 2})").status, 200);
  EXPECT_EQ(Patch(legacy, Get(legacy).body).status, 200);
  EXPECT_EQ(Newer(http::Method::kPatch, Path(), boost::json::serialize(want)).status, 200);
  EXPECT_EQ(Read(), want);
  // Terraform creates a schedule so: DELETE, GET, PATCH without ids of items.
  const std::string policy(want.at("policies").at(0).at("id").as_string());
  const auto back =
      BodyOf(Newer(http::Method::kPatch, Path(), Policies({Item("daily", 1, "days", 7)}, policy)));
  EXPECT_THAT(TextsOf(back), ElementsAre("daily/1/7 days"));
  EXPECT_EQ(back.at("nextSnapshot"), "2026-11-26T10:00:00Z");
  EXPECT_EQ(back.at("policies").at(0).at("id").as_string(), policy);
  EXPECT_EQ(Read(), back);
}

TEST_F(CloudScheduleTest, WhatIsWrongIsRefusedWithItsCode) {
  const auto before = Read();
  const std::string hourly = IdsOf(before).at(0);
  const std::string nobody = "0123456789abcdef01234567";
  const boost::json::object daily = Item("daily", 1, "days", 7);
  EXPECT_EQ(CodeOfChange(R"({"referenceHourOfDay": 24})"), "INVALID_REFERENCE_HOUR_OF_DAY");
  EXPECT_EQ(CodeOfChange(R"({"referenceHourOfDay": -1})"), "INVALID_REFERENCE_HOUR_OF_DAY");
  EXPECT_EQ(CodeOfChange(R"({"referenceMinuteOfHour": 60})"), "INVALID_REFERENCE_MINUTE_OF_HOUR");
  EXPECT_EQ(CodeOfChange(R"({"restoreWindowDays": 0})"), "INVALID_RESTORE_WINDOW");
  EXPECT_EQ(CodeOfChange(R"({"restoreWindowDays": 367})"), "INVALID_RESTORE_WINDOW");
  EXPECT_EQ(CodeOfChange(R"({"policies": []})"), "INVALID_NUM_OF_POLICIES");
  EXPECT_EQ(CodeOfChange(R"({"policies": [{"policyItems": []}, {"policyItems": []}]})"),
            "INVALID_NUM_OF_POLICIES");
  EXPECT_EQ(CodeOfChange(Policies({})), "INVALID_NUM_OF_POLICY_ITEMS");
  EXPECT_EQ(CodeOfChange(Policies(boost::json::array(17, daily))), "INVALID_NUM_OF_POLICY_ITEMS");
  EXPECT_EQ(CodeOfChange(Policies({daily}, nobody)), "INVALID_POLICY_ID");
  EXPECT_EQ(CodeOfItem(Item("daily", 1, "days", 7, nobody)), "INVALID_POLICY_ITEM_ID");
  EXPECT_EQ(CodeOfItem(Item("daily", 1, "days", 7, "x")), "INVALID_POLICY_ITEM_ID");
  const boost::json::object known = Item("hourly", 6, "days", 7, hourly);
  EXPECT_EQ(CodeOfChange(Policies({known, known})), "INVALID_POLICY_ITEM_ID");
  EXPECT_EQ(CodeOfItem(Item("daily", 1, "days", 7, hourly)), "INVALID_FREQUENCY_TYPE_CHANGE");
  for (const auto* member :
       {"frequencyType", "frequencyInterval", "retentionUnit", "retentionValue"}) {
    boost::json::object part = daily;
    part.erase(member);
    EXPECT_EQ(CodeOfItem(part), "MISSING_POLICY_ITEM_PARAMETERS") << member;
  }
  EXPECT_EQ(CodeOfItem(Item("hourly", 5, "days", 7)), "INVALID_BACKUP_POLICY");
  EXPECT_EQ(CodeOfItem(Item("daily", 1, "days", 0)), "INVALID_BACKUP_POLICY");
  EXPECT_EQ(CodeOfItem(Item("daily", 1, "years", 2000000)), "INVALID_BACKUP_POLICY");
  EXPECT_EQ(CodeOfItem(Item("ondemand", 1, "days", 1)), "INVALID_BACKUP_POLICY");
  EXPECT_EQ(CodeOfItem(Item("fortnightly", 1, "days", 1)), "INVALID_ENUM_VALUE");
  EXPECT_EQ(CodeOfItem(Item("daily", 1, "hours", 1)), "INVALID_ENUM_VALUE");
  EXPECT_EQ(CodeOfChange(R"({"policies": [1]})"), "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(CodeOfChange(R"({"policies": [{}]})"), "MISSING_ATTRIBUTE");
  EXPECT_EQ(CodeOfChange(R"({"nextSnapshots": 1})"), "INVALID_ATTRIBUTE");
  EXPECT_EQ(CodeOfChange(
                R"({"extraRetentionSettings": [{"frequencyType": "daily", "retentionDays": 1}]})"),
            "INVALID_ENUM_VALUE");
  EXPECT_EQ(CodeOfChange(R"({"extraRetentionSettings": [{"frequencyType": "DAILY"}]})"),
            "MISSING_ATTRIBUTE");
  EXPECT_EQ(CodeOfChange(
                R"({"extraRetentionSettings": [{"frequencyType": "DAILY", "retentionDays": -1}]})"),
            "INVALID_BACKUP_POLICY");
}

TEST_F(CloudScheduleTest, WhatIsNotDoneIsRefusedNotDropped) {
  for (const std::string change :
       {R"({"copySettings": [{"cloudProvider": "AWS", "zoneId": "0123456789abcdef01234567"}]})",
        R"({"deleteCopiedBackups": [{"regionName": "US_EAST_1"}]})",
        R"({"copyPolicyItemsEnabled": true})",
        R"({"autoCopySettingsEnabled": true})",
        R"({"deleteSnapshots": true})"}) {
    EXPECT_EQ(CodeOfChange(change), "INVALID_BACKUP_POLICY") << change;
  }
  EXPECT_EQ(Newer(http::Method::kPatch,
                  Path(),
                  R"({"copySettings": [], "deleteCopiedBackups": [], "export": {},
                      "autoExportEnabled": false, "deleteSnapshots": false,
                      "deleteCopySnapshots": true, "updateCopySnapshots": true})")
                .status,
            200);
  EXPECT_EQ(CodeOf(Patch(Path(), R"({"autoCopySettingsEnabled": false})")), "INVALID_ATTRIBUTE");
}

// One schedule, three views: what one cannot say is left alone by its changes.
TEST_F(CloudScheduleTest, AChangeInOneViewLeavesWhatTheOthersSet) {
  Patch(Path(), R"({"extraRetentionSettings": [{"frequencyType": "YEARLY", "retentionDays": 5}],
                    "useOrgAndGroupNamesInExportPrefix": true})");
  const std::string own = Own("/clusters/dedicated/schedule");
  Patch(own, R"({"keepLast": 3, "verifyIntervalDays": 7, "pointInTimeWindowHours": 36})");
  const auto before = Read();
  EXPECT_EQ(before.at("restoreWindowDays").as_int64(), 1);
  EXPECT_EQ(Newer(http::Method::kPatch, Path(), boost::json::serialize(before)).status, 200);
  EXPECT_EQ(BodyOf(Get(own)).at("pointInTimeWindowHours").as_int64(), 36);
  EXPECT_EQ(BodyOf(Get(own)).at("keepLast").as_int64(), 3);
  EXPECT_EQ(BodyOf(Get(own)).at("verifyIntervalDays").as_int64(), 7);
  // The legacy family knows no yearly item, and no ids.
  EXPECT_EQ(
      Patch(V2("/clusters/dedicated/snapshotSchedule"), R"({"dailySnapshotRetentionDays": 30})")
          .status,
      200);
  auto want = before;
  want["policies"].at(0).at("policyItems").at(1).as_object()["retentionValue"] = 30;
  EXPECT_EQ(Read(), want);
  // Our own API's items have no ids: an item that stands for another keeps its id.
  auto items = BodyOf(Get(own)).at("items").as_array();
  items.at(0).as_object()["retentionValue"] = 5;
  EXPECT_EQ(Patch(own, boost::json::serialize(boost::json::object{{"items", items}})).status, 200);
  want["policies"].at(0).at("policyItems").at(0).as_object()["retentionValue"] = 5;
  EXPECT_EQ(Read(), want);
  // A schedule that our own API has turned off stays off.
  Patch(own, R"({"enabled": false})");
  want.erase("nextSnapshot");
  EXPECT_EQ(Read(), want);
  Newer(http::Method::kPatch, Path(), boost::json::serialize(want));
  EXPECT_FALSE(BodyOf(Get(own)).at("enabled").as_bool());
}

TEST_F(CloudScheduleTest, ExistingSnapshotsFollowWhenAsked) {
  const domain::Cluster cluster = clusters_->Find(first_.project.id, "dedicated");
  const domain::Schedule schedule = schedules_->Find(cluster);
  const auto add = [&](std::initializer_list<std::size_t> items) {
    auto queued = snapshots_->Prepare(cluster, "scheduled");
    for (const std::size_t item : items) {
      queued.snapshot.policy_items.push_back(schedule.items.at(item).id);
    }
    queued.snapshot.expires = clock_.Now() + std::chrono::hours{24 * 7};
    store_->AddSnapshot(queued.snapshot, queued.job);
    return queued.snapshot.id;
  };
  const SnapshotId hourly = add({0});
  const SnapshotId both = add({0, 1});
  const SnapshotId asked = add({});
  const SnapshotId held = add({0});
  const auto days = [&](const SnapshotId& id) {
    return (store_->FindSnapshot(id).value().expires - clock_.Now()) / std::chrono::hours{24};
  };
  // Finished, so that a person can say how long it is kept.
  for (auto job = store_->ClaimJob("n", clock_.Now(), std::chrono::seconds{60}); job;
       job = store_->ClaimJob("n", clock_.Now(), std::chrono::seconds{60})) {
    domain::Snapshot snapshot = store_->FindSnapshot(SnapshotId(job->subject)).value();
    snapshot.state = domain::SnapshotState::kCompleted;
    store_->FinishSnapshot({job->id, job->fence}, snapshot);
  }
  snapshots_->Keep(cluster, held, {.expires = clock_.Now() + std::chrono::hours{24 * 40}});
  const auto body = Read();
  const auto ids = IdsOf(body);
  const std::string change =
      Policies({Item("hourly", 6, "days", 3, ids[0]), Item("daily", 1, "days", 10, ids[1])});
  Newer(http::Method::kPatch, Path(), change);
  EXPECT_EQ(days(hourly), 7);
  std::string follow = change;
  follow.insert(1, R"("updateSnapshots": true, )");
  const http::Response response = Newer(http::Method::kPatch, Path(), follow);
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, testing::Not(HasSubstr("updateSnapshots")));
  EXPECT_EQ(days(hourly), 3);
  EXPECT_EQ(days(both), 10);
  EXPECT_EQ(days(asked), 7);
  EXPECT_EQ(days(held), 40);
  // Extra days count; the daily item goes: nothing gets shorter for that.
  Newer(http::Method::kPatch,
        Path(),
        R"({"updateSnapshots": true, "policies": [{"policyItems": [)" +
            boost::json::serialize(Item("hourly", 6, "days", 3, ids[0])) +
            R"(]}], "extraRetentionSettings": [{"frequencyType": "HOURLY", "retentionDays": 2}]})");
  EXPECT_EQ(days(hourly), 5);
  EXPECT_EQ(days(both), 10);
}

TEST_F(CloudScheduleTest, ExtraDaysOfOnDemandSnapshotsCount) {
  const domain::Cluster cluster = clusters_->Find(first_.project.id, "dedicated");
  const Instant before = AddSnapshot(cluster).expires;
  Patch(Path(),
        R"({"extraRetentionSettings": [{"frequencyType": "ON_DEMAND", "retentionDays": 30}]})");
  EXPECT_EQ(AddSnapshot(cluster).expires - before, std::chrono::hours{24 * 30});
}

}  // namespace
}  // namespace tidemark::api
