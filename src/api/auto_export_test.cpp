// What a schedule exports by itself, and exports that are cancelled.
#include <boost/json/serialize.hpp>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::HasSubstr;

class AutoExportTest : public ApiFixture {
 protected:
  AutoExportTest() : cluster_(AddCluster("c0")), bucket_(AddBucket()) {}

  std::string AddBucket() {
    const auto target =
        Post(Own("/exportTargets"), R"({"kind": "directory", "bucketName": "bucket"})");
    EXPECT_EQ(target.status, 201) << target.body;
    const auto made = Post(V2("/backup/exportBuckets"),
                           R"({"cloudProvider": "AWS", "bucketName": "bucket", "iamRoleId": ")" +
                               std::string(24, '1') + R"("})");
    EXPECT_EQ(made.status, 200) << made.body;
    return std::string(BodyOf(made).at("_id").as_string());
  }

  static std::string ExportTo(const std::string& bucket, const std::string& frequency) {
    return R"("export": {"exportBucketId": ")" + bucket + R"(", "frequencyType": ")" + frequency +
           R"("})";
  }

  // The members that are asked for, of the schedule as `path` shows it.
  std::string Shown(const std::string& path) {
    const auto body = BodyOf(Get(path));
    boost::json::object shown;
    for (const char* member :
         {"autoExportEnabled", "export", "useOrgAndGroupNamesInExportPrefix"}) {
      if (const auto* value = body.if_contains(member)) {
        shown[member] = *value;
      }
    }
    return boost::json::serialize(shown);
  }

  std::string Change(const std::string& body, const std::string& path) {
    const auto before = Get(path).body;
    const auto answer = Patch(path, body);
    if (answer.status == 200) {
      EXPECT_EQ(answer.body, Get(path).body);
      return "";
    }
    EXPECT_EQ(Get(path).body, before) << body;
    return std::to_string(answer.status) + " " + CodeOf(answer);
  }

  std::string Change(const std::string& body) { return Change(body, schedule_); }

  std::string StartExport() {
    const domain::Snapshot queued = AddSnapshot(cluster_);
    const auto job = store_->ClaimJob("n", clock_.Now(), std::chrono::seconds{60});
    domain::Snapshot snapshot = store_->FindSnapshot(queued.id).value();
    snapshot.state = domain::SnapshotState::kCompleted;
    store_->FinishSnapshot({job->id, job->fence}, snapshot);
    const auto made = Post(V2("/clusters/c0/backup/exports"),
                           R"({"snapshotId": ")" + queued.id.ToString() +
                               R"(", "exportBucketId": ")" + bucket_ + R"("})");
    EXPECT_EQ(made.status, 200) << made.body;
    return std::string(BodyOf(made).at("id").as_string());
  }

  const std::string schedule_ = V2("/clusters/c0/backup/schedule");
  const std::string own_ = Own("/clusters/c0/schedule");
  const domain::Cluster cluster_;
  const std::string bucket_;
};

TEST_F(AutoExportTest, IsShownAsItWasAskedForInEveryView) {
  EXPECT_EQ(Shown(schedule_),
            R"({"autoExportEnabled":false,"useOrgAndGroupNamesInExportPrefix":false})");
  const std::string all =
      R"({"autoExportEnabled": true, "useOrgAndGroupNamesInExportPrefix": true, )" +
      ExportTo(bucket_, "daily") + "}";
  EXPECT_EQ(Change(all), "");
  const std::string want =
      R"({"autoExportEnabled":true,"export":{"exportBucketId":")" + bucket_ +
      R"(","frequencyType":"daily"},"useOrgAndGroupNamesInExportPrefix":true})";
  EXPECT_EQ(Shown(schedule_), want);
  EXPECT_EQ(Shown(V1("/clusters/c0/backup/schedule")), want);
  EXPECT_EQ(Shown(own_), want);
  EXPECT_EQ(Change(all), "");  // Terraform applies again
  EXPECT_EQ(Change(Get(schedule_).body), "");
  EXPECT_EQ(Change("{}"), "");
  EXPECT_EQ(Shown(schedule_), want);
}

TEST_F(AutoExportTest, MembersThatAreNotGivenStay) {
  EXPECT_EQ(Change("{" + ExportTo(bucket_, "daily") + "}"), "");
  EXPECT_THAT(Shown(schedule_), HasSubstr(R"("autoExportEnabled":false,"export":{)"));
  EXPECT_EQ(Change(R"({"autoExportEnabled": true})"), "");
  EXPECT_EQ(Change(R"({"export": {"exportBucketId": ")" + bucket_ + R"("}})"), "");
  EXPECT_EQ(Change(R"({"export": {}})"), "");
  const std::string on = Shown(schedule_);
  EXPECT_THAT(on, HasSubstr(R"("frequencyType":"daily")"));
  EXPECT_THAT(on, HasSubstr(R"("autoExportEnabled":true)"));
  EXPECT_EQ(Change(R"({"autoExportEnabled": false})", own_), "");
  EXPECT_THAT(Shown(schedule_), HasSubstr(R"("autoExportEnabled":false,"export":{)"));
  EXPECT_EQ(Change(R"({"autoExportEnabled": true, "keepLast": 2})", own_), "");
  EXPECT_EQ(Shown(schedule_), on);
}

TEST_F(AutoExportTest, WhatIsWrongIsRefused) {
  const std::string nobody(24, 'f');
  EXPECT_EQ(Change(R"({"autoExportEnabled": true})"), "400 INVALID_BACKUP_POLICY");
  EXPECT_EQ(Change(R"({"export": {"frequencyType": "daily"}})"), "400 INVALID_BACKUP_POLICY");
  EXPECT_EQ(Change(R"({"export": {"exportBucketId": ")" + bucket_ + R"("}})"),
            "400 INVALID_BACKUP_POLICY");
  EXPECT_EQ(Change("{" + ExportTo(nobody, "daily") + "}"), "404 EXPORT_BUCKET_NOT_FOUND");
  EXPECT_EQ(Change("{" + ExportTo(bucket_, "hourly") + "}"), "400 INVALID_ENUM_VALUE");
  EXPECT_EQ(Change("{" + ExportTo(bucket_, "MONTHLY") + "}"), "400 INVALID_ENUM_VALUE");
  EXPECT_EQ(Change("{" + ExportTo("x", "daily") + "}"), "400 VALIDATION_ERROR");
  EXPECT_EQ(Change(R"({"export": {"bucket": 1}})"), "400 INVALID_ATTRIBUTE");
  // A shared cluster has daily snapshots only.
  EXPECT_EQ(Change(R"({"autoExportEnabled": true, )" + ExportTo(bucket_, "monthly") + "}"),
            "400 INVALID_BACKUP_POLICY");
  EXPECT_EQ(Change(R"({"autoExportEnabled": true})", own_), "400 VALIDATION_ERROR");
  EXPECT_EQ(Change(R"({"export": {"frequencyType": "daily"}})", own_), "400 VALIDATION_ERROR");
  EXPECT_EQ(Change("{" + ExportTo(nobody, "daily") + "}", own_), "404 EXPORT_BUCKET_NOT_FOUND");
}

TEST_F(AutoExportTest, NoViewTakesTheItemAwayThatIsExported) {
  const std::string items =
      R"("items": [{"frequencyType": "daily", "frequencyInterval": 1, "retentionUnit": "days",
                    "retentionValue": 7},
                   {"frequencyType": "weekly", "frequencyInterval": 6, "retentionUnit": "weeks",
                    "retentionValue": 4}])";
  EXPECT_EQ(
      Change(R"({"autoExportEnabled": true, )" + items + ", " + ExportTo(bucket_, "weekly") + "}",
             own_),
      "");
  EXPECT_EQ(Change(R"({"weeklySnapshotRetentionWeeks": 0})", V2("/clusters/c0/snapshotSchedule")),
            "400 INVALID_SNAPSHOT_SCHEDULE");
  const std::string daily =
      R"({"frequencyType": "daily", "frequencyInterval": 1, "retentionUnit": "days",
          "retentionValue": 7})";
  EXPECT_EQ(Change(R"({"policies": [{"policyItems": [)" + daily + "]}]}"),
            "400 INVALID_BACKUP_POLICY");
  EXPECT_EQ(Change(R"({"items": [)" + daily + "]}", own_), "400 VALIDATION_ERROR");
  EXPECT_EQ(Change(R"({"autoExportEnabled": false, "items": [)" + daily + "]}", own_), "");
}

TEST_F(AutoExportTest, DeletedScheduleExportsNothing) {
  EXPECT_EQ(Change(R"({"autoExportEnabled": true, "useOrgAndGroupNamesInExportPrefix": true, )" +
                   ExportTo(bucket_, "daily") + "}"),
            "");
  EXPECT_EQ(Delete(schedule_).status, 200);
  EXPECT_EQ(Shown(schedule_),
            R"({"autoExportEnabled":false,"useOrgAndGroupNamesInExportPrefix":false})");
}

TEST_F(AutoExportTest, BucketStaysWhileAScheduleExportsToIt) {
  const std::string path = V2("/backup/exportBuckets/" + bucket_);
  EXPECT_EQ(Change(R"({"autoExportEnabled": true, )" + ExportTo(bucket_, "daily") + "}"), "");
  const auto refused = Delete(path);
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(CodeOf(refused), "EXPORT_BUCKET_DELETE_FAILED");
  EXPECT_EQ(Change(R"({"autoExportEnabled": false})"), "");
  EXPECT_EQ(Delete(path).status, 204);
  EXPECT_EQ(Shown(schedule_),
            R"({"autoExportEnabled":false,"useOrgAndGroupNamesInExportPrefix":false})");
}

// Those that people ask for, too.
TEST_F(AutoExportTest, PrefixesHaveNamesWhenTheScheduleSaysSo) {
  EXPECT_EQ(Change(R"({"useOrgAndGroupNamesInExportPrefix": true})"), "");
  const auto job = BodyOf(Get(V2("/clusters/c0/backup/exports/" + StartExport())));
  EXPECT_THAT(std::string(job.at("prefix").as_string()),
              testing::StartsWith("exported_snapshots/Acme/Project0/c0/2026-11-25T1000/"));
}

TEST_F(AutoExportTest, ExportIsCancelledInOurOwnApi) {
  const std::string id = StartExport();
  const auto listed = BodyOf(Get(Own("/clusters/c0/exports")));
  EXPECT_EQ(listed.at("totalCount"), 1);
  EXPECT_EQ(listed.at("results").at(0).at("state"), "Queued");
  EXPECT_EQ(listed.at("results").at(0).at("scheduled"), false);
  EXPECT_EQ(Delete(Own("/clusters/c0/exports/" + id)).status, 204);
  EXPECT_EQ(BodyOf(Get(V2("/clusters/c0/backup/exports/" + id))).at("state"), "Cancelled");
  const auto again = Delete(Own("/clusters/c0/exports/" + id));
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(CodeOf(again), "EXPORT_FINISHED");
  EXPECT_EQ(CodeOf(Delete(Own("/clusters/c0/exports/" + std::string(24, 'f')))),
            "EXPORT_JOB_NOT_FOUND");
  EXPECT_EQ(Delete(V2("/backup/exportBuckets/" + bucket_)).status, 204);
}

}  // namespace
}  // namespace tidemark::api
