#include <algorithm>

#include <boost/json/serialize.hpp>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr const char* kUnknownId = "0123456789abcdef01234567";

class CloudRestores : public ApiFixture {
 protected:
  std::string Path(const std::string& rest = {}) {
    return V2("/clusters/c0/backup/restoreJobs" + rest);
  }

  // A good request of that kind but for `more`, which goes on with a comma.
  std::string Body(const std::string& type, const std::string& more = {}) {
    return R"({"deliveryType":")" + type + R"(","snapshotId":")" + snapshot_.id.ToString() + "\"" +
           more + "}";
  }

  std::string Target(const std::string& cluster = "t0") {
    return R"(,"targetClusterName":")" + cluster + R"(","targetGroupId":")" + Group() + "\"";
  }

  json::object Download() {
    const auto response = Post(Path(), Body("download"));
    EXPECT_EQ(response.status, 200) << response.body;
    return BodyOf(response);
  }

  std::string Posted(const std::string& body) { return ErrorOf(Post(Path(), body)); }

  static std::string TextOf(const json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
  }

  ProjectId Project() const { return first_.project.id; }

  // Why a job of that key with that right fails as soon as it runs.
  std::string FailureOfRun(const domain::Key& key, domain::Permission right) {
    domain::RestoreJob restore;
    restore.id = RestoreJobId::Generate(clock_.Now(), random_);
    restore.project = Project();
    restore.cluster = source_.id;
    restore.cluster_name = source_.name;
    restore.snapshot = snapshot_.id;
    restore.target_project = Project();
    restore.target_cluster = target_.id;
    restore.target_name = target_.name;
    restore.created = clock_.Now();
    restore.requested_by = key.id;
    restore.right = right;
    store_->AddRestore(restore, JobFor(domain::JobKind::kRestore, restore.id.raw()), "stopped");
    const domain::Job job =
        store_->ClaimJob("node", clock_.Now(), std::chrono::seconds(60)).value();
    restores_->Run({.job = job, .lease = {job.id, job.fence}});
    return store_->FindRestore(restore.id).value().failure;
  }

  json::object Shown(const std::string& path) { return BodyOf(Get(path)); }

  // What anybody gets behind a link.
  std::string Fetched(const std::string& url) {
    constexpr std::string_view kOrigin = "http://backup.example:8080";
    EXPECT_THAT(url, StartsWith(std::string(kOrigin)));
    const auto response =
        api_->Handle(MakeRequest(http::Method::kHead, url.substr(kOrigin.size())));
    return std::to_string(response.status);
  }

  const domain::Cluster source_ = AddCluster("c0");
  const domain::Cluster target_ = AddCluster("t0");
  const domain::Snapshot snapshot_ = AddFinishedSnapshot(source_);
};

TEST_F(CloudRestores, DownloadHasTheRecordedMembersAndALinkThatWorks) {
  const json::object job = Download();
  EXPECT_THAT(MembersOf(job),
              UnorderedElementsAre("cancelled",
                                   "deliveryType",
                                   "deliveryUrl",
                                   "desiredTimestamp",
                                   "expired",
                                   "expiresAt",
                                   "failed",
                                   "id",
                                   "links",
                                   "snapshotId",
                                   "timestamp"));
  EXPECT_EQ(job.at("deliveryType"), "download");
  EXPECT_EQ(job.at("expiresAt"), "2026-11-25T11:00:00Z");
  EXPECT_EQ(job.at("timestamp"), "2026-11-25T10:00:00Z");
  EXPECT_EQ(job.at("snapshotId").as_string(), snapshot_.id.ToString());
  EXPECT_EQ(json::serialize(job.at("desiredTimestamp")),
            R"({"date":null,"increment":null,"time":null})");
  for (const char* flag : {"cancelled", "expired", "failed"}) {
    EXPECT_FALSE(job.at(flag).as_bool()) << flag;
  }
  ASSERT_EQ(job.at("deliveryUrl").as_array().size(), 1U);
  EXPECT_EQ(Fetched(std::string(job.at("deliveryUrl").at(0).as_string())), "200");
  EXPECT_EQ(Shown(Path("/" + TextOf(job, "id"))), job);
  EXPECT_EQ(json::serialize(job.at("links").at(1)),
            R"({"href":"http://backup.example:8080)" + V2("/clusters/c0/backup/snapshots/") +
                snapshot_.id.ToString() + R"(","rel":"https://cloud.mongodb.com/snapshot"})");
}

TEST_F(CloudRestores, DownloadExpiresAfterAnHour) {
  const std::string id = TextOf(Download(), "id");
  clock_.Advance(std::chrono::minutes(59));
  EXPECT_FALSE(Shown(Path("/" + id)).at("expired").as_bool());
  clock_.Advance(std::chrono::minutes(1));
  token_ = access_->IssueToken(account_.key.public_name, account_.secret.Reveal())->Reveal();
  const json::object job = Shown(Path("/" + id));
  EXPECT_TRUE(job.at("expired").as_bool());
  EXPECT_TRUE(job.at("deliveryUrl").as_array().empty());
  EXPECT_EQ(ErrorOf(Delete(Path("/" + id))), "204");
  EXPECT_FALSE(Shown(Path("/" + id)).at("cancelled").as_bool());
}

TEST_F(CloudRestores, CancelledDownloadIsDeadEverywhere) {
  const json::object job = Download();
  const std::string id = TextOf(job, "id");
  const std::string url(job.at("deliveryUrl").at(0).as_string());
  const auto cancelled = Delete(Path("/" + id));
  EXPECT_EQ(cancelled.status, 204);
  EXPECT_EQ(cancelled.body, "");
  EXPECT_EQ(Fetched(url), "410");
  const json::object shown = Shown(Path("/" + id));
  EXPECT_TRUE(shown.at("cancelled").as_bool());
  EXPECT_FALSE(shown.at("expired").as_bool());
  EXPECT_TRUE(shown.at("deliveryUrl").as_array().empty());
  const json::object tenant = Shown(V2("/clusters/c0/backup/tenant/restores/") + id);
  EXPECT_EQ(tenant.at("status"), "FAILED");
  EXPECT_FALSE(tenant.contains("snapshotUrl"));
  const json::object legacy = Shown(V2("/clusters/c0/restoreJobs/") + id);
  EXPECT_EQ(legacy.at("statusName"), "KILLED");
  EXPECT_EQ(legacy.at("delivery").at("statusName"), "INTERRUPTED");
  EXPECT_EQ(Shown(Own("/clusters/c0/restoreJobs/") + id).at("cancelled"), "2026-11-25T10:00:00Z");
  EXPECT_EQ(ErrorOf(Delete(Path("/" + id))), "204");
  EXPECT_EQ(ErrorOf(Delete(V2("/clusters/c0/backup/snapshots/") + snapshot_.id.ToString())), "204");
}

// Between the moment when a request was let in and the one when it takes its place.
TEST_F(CloudRestores, DownloadThatIsCancelledMeanwhileIsNotBegun) {
  const auto id = RestoreJobId::Parse(TextOf(Download(), "id")).value();
  const domain::RestoreJob let_in = store_->FindRestore(id).value();
  downloads_->Cancel(let_in);
  try {
    downloads_->Fetch(let_in, {});
    ADD_FAILURE() << "it was begun";
  } catch (const service::Refusal& refusal) {
    EXPECT_EQ(refusal.reason(), service::Reason::kDownloadExpired);
  }
}

TEST_F(CloudRestores, SnapshotOfALiveDownloadStays) {
  Download();
  EXPECT_EQ(ErrorOf(Delete(V2("/clusters/c0/backup/snapshots/") + snapshot_.id.ToString())),
            "403 CANNOT_MODIFY_SNAPSHOT");
}

TEST_F(CloudRestores, AutomatedOneShowsItsTargetAndCannotBeCancelled) {
  const domain::RestoreJob job = AddRestore(source_, target_);
  const std::string path = Path("/" + job.id.ToString());
  json::object body = Shown(path);
  EXPECT_EQ(body.at("deliveryType"), "automated");
  EXPECT_EQ(body.at("targetClusterName"), "t0");
  EXPECT_EQ(body.at("targetDeploymentItemName"), "t0");
  EXPECT_EQ(body.at("targetGroupId").as_string(), Group());
  EXPECT_TRUE(body.at("deliveryUrl").as_array().empty());
  EXPECT_FALSE(body.contains("finishedAt"));
  EXPECT_FALSE(body.contains("expiresAt"));
  EXPECT_EQ(ErrorOf(Delete(path)), "400 CANNOT_CANCEL_AUTOMATED_RESTORE");
  auto claimed = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds(60));
  while (claimed && claimed->subject != job.id.raw()) {  // the snapshot's job is older
    claimed = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds(60));
  }
  ASSERT_TRUE(claimed.has_value());
  store_->FinishRestore(
      {claimed->id, claimed->fence}, domain::RestoreState::kFailed, "why", clock_.Now());
  body = Shown(path);
  EXPECT_TRUE(body.at("failed").as_bool());
  EXPECT_EQ(body.at("finishedAt"), "2026-11-25T10:00:00Z");
}

TEST_F(CloudRestores, JobsThatTakeAPartAreLeftOut) {
  AddRestore(source_, target_, {1700000000, 3}, R"({"delta":true})");
  const domain::RestoreJob whole = AddRestore(source_, AddCluster("t1"));
  const std::string download = TextOf(Download(), "id");
  const json::object list = Shown(Path());
  EXPECT_EQ(list.at("totalCount"), 2);
  std::vector<std::string> ids;
  for (const json::value& row : list.at("results").as_array()) {
    ids.emplace_back(row.at("id").as_string());
  }
  EXPECT_THAT(ids, UnorderedElementsAre(whole.id.ToString(), download));
  const auto part = store_->ListRestores(source_.id, {}).rows;
  const auto selective =
      std::ranges::find_if(part, [](const domain::RestoreJob& job) { return !job.scope.empty(); });
  EXPECT_EQ(ErrorOf(Get(Path("/" + selective->id.ToString()))), "404 RESTORE_JOB_NOT_FOUND");
}

TEST_F(CloudRestores, BodiesAreChecked) {
  EXPECT_EQ(Posted("{}"), "400 MISSING_ATTRIBUTE");
  EXPECT_EQ(Posted(Body("copy")), "400 INVALID_ENUM_VALUE");
  EXPECT_EQ(Posted(Body("download", R"(,"colour":1)")), "400 INVALID_ATTRIBUTE");
  EXPECT_EQ(Posted(R"({"deliveryType":"download"})"), "400 MISSING_ATTRIBUTE");
  EXPECT_EQ(Posted(R"({"deliveryType":"download","snapshotId":"x"})"), "400 VALIDATION_ERROR");
  EXPECT_EQ(Posted(Body("download", R"(,"oplogTs":1700000000)")), "400 INVALID_ATTRIBUTE");
  EXPECT_EQ(Posted(Body("automated")), "400 MISSING_ATTRIBUTE");
  EXPECT_EQ(Posted(Body("automated", R"(,"targetClusterName":"t0")")), "400 MISSING_ATTRIBUTE");
  EXPECT_EQ(Posted(Body("automated", Target("-no-"))), "400 VALIDATION_ERROR");
  // What Go clients send of members that are read only, or not asked for.
  EXPECT_EQ(Posted(Body("download",
                        R"(,"targetClusterName":"","targetGroupId":"","cancelled":false,)"
                        R"("deliveryUrl":[],"desiredTimestamp":null)")),
            "200");
}

TEST_F(CloudRestores, RefusalsHaveTheFamilysCodes) {
  EXPECT_EQ(
      Posted(R"({"deliveryType":"download","snapshotId":")" + std::string(kUnknownId) + "\"}"),
      "404 SNAPSHOT_NOT_FOUND");
  const std::string unfinished = AddSnapshot(source_).id.ToString();
  EXPECT_EQ(Posted(R"({"deliveryType":"download","snapshotId":")" + unfinished + "\"}"),
            "409 CANNOT_DOWNLOAD_INCOMPLETE_SNAPSHOT");
  EXPECT_EQ(
      Posted(R"({"deliveryType":"automated","snapshotId":")" + unfinished + "\"" + Target() + "}"),
      "409 CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT");
  EXPECT_EQ(Posted(Body("automated", Target("none"))), "404 CLUSTER_NOT_FOUND");
  EXPECT_EQ(Posted(Body("automated", Target())), "409 RESTORE_INITIATION_FAILED");  // no server
  EXPECT_EQ(ErrorOf(Get(Path("/nope"))), "404 INVALID_JOB_ID");
  EXPECT_EQ(ErrorOf(Get(Path("/" + std::string(kUnknownId)))), "404 RESTORE_JOB_NOT_FOUND");
  EXPECT_EQ(ErrorOf(Delete(Path("/" + std::string(kUnknownId)))), "404 RESTORE_JOB_NOT_FOUND");
}

TEST_F(CloudRestores, PointsInTimeAreRefusedAsTheyAreNotKept) {
  const auto at = [&](const std::string& selector) {
    return Posted(R"({"deliveryType":"pointInTime")" + selector + Target() + "}");
  };
  EXPECT_EQ(at(""), "400 MISSING_ONE_OF_MANY_ATTRIBUTES");
  EXPECT_EQ(at(R"(,"oplogTs":1700000000)"), "400 MISSING_ATTRIBUTE");
  EXPECT_EQ(at(R"(,"oplogTs":1700000000,"oplogInc":0)"), "400 VALIDATION_ERROR");
  EXPECT_EQ(at(R"(,"oplogTs":1700000000,"oplogInc":1,"pointInTimeUTCSeconds":1700000000)"),
            "400 INVALID_ATTRIBUTE");
  EXPECT_EQ(at(R"(,"pointInTimeUTCSeconds":12)"), "400 VALIDATION_ERROR");
  EXPECT_EQ(at(R"(,"pointInTimeUTCSeconds":1700000000)"),
            "404 UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME");
  EXPECT_EQ(at(R"(,"oplogTs":1900000000,"oplogInc":1)"), "400 INVALID_PIT_RESTORE_TIME");
  EXPECT_EQ(Posted(R"({"deliveryType":"pointInTime","pointInTimeUTCSeconds":1900000000})"),
            "400 MISSING_ATTRIBUTE");
}

TEST_F(CloudRestores, RightsAreThoseOfTheFamily) {
  const std::string reader = TokenWith(domain::Role::kGroupReadOnly);
  const std::string manager = TokenWith(domain::Role::kGroupBackupManager);
  const std::string unauthorized = "401 USER_UNAUTHORIZED";
  EXPECT_EQ(ErrorOf(SendAs(reader, http::Method::kGet, Path())), unauthorized);
  EXPECT_EQ(ErrorOf(SendAs(reader, http::Method::kPost, Path(), Body("download"))), unauthorized);
  EXPECT_EQ(ErrorOf(SendAs(manager, http::Method::kGet, Path())), "200");
  const auto made = SendAs(manager, http::Method::kPost, Path(), Body("download"));
  EXPECT_EQ(made.status, 200);
  EXPECT_EQ(BodyOf(made).at("deliveryUrl").as_array().size(), 1U);
  const std::string job = Path("/" + TextOf(BodyOf(made), "id"));
  EXPECT_EQ(ErrorOf(SendAs(reader, http::Method::kDelete, job)), unauthorized);
  EXPECT_EQ(ErrorOf(SendAs(manager, http::Method::kDelete, job)), "204");
}

// Backup Manager is enough for this family, and only for it; the right is asked for on the target.
TEST_F(CloudRestores, RightIsAskedForOnTheTarget) {
  const std::string manager = TokenWith(domain::Role::kGroupBackupManager);
  EXPECT_EQ(ErrorOf(SendAs(manager, http::Method::kPost, Path(), Body("automated", Target()))),
            "409 RESTORE_INITIATION_FAILED");  // the last check but the server's
  const domain::Project other = access_->CreateProject({account_.key}, "Other");
  const std::string elsewhere =
      R"(,"targetClusterName":"t0","targetGroupId":")" + other.id.ToString() + "\"";
  EXPECT_EQ(ErrorOf(SendAs(manager, http::Method::kPost, Path(), Body("automated", elsewhere))),
            "403 CANNOT_RESTORE_TO_TARGET");
}

// The job's own right counts when it starts, not the one of another family. Behind it comes the
// look at the target, which is not registered any more.
TEST_F(CloudRestores, RightOfTheJobIsAskedForAgainWhenItStarts) {
  const auto manager = access_->CreateKey({first_.key.key},
                                          domain::KeyKind::kApiKey,
                                          "manager",
                                          {{domain::Role::kGroupBackupManager, {}, Project()}});
  EXPECT_THAT(FailureOfRun(manager.key, domain::Permission::kRestoreInto),
              Not(AnyOf(IsEmpty(), HasSubstr("has lost the right"))));  // it has no manifest
  EXPECT_THAT(FailureOfRun(manager.key, domain::Permission::kProjectOwner),
              HasSubstr("has lost the right"));
  access_->RevokeKey({first_.key.key}, manager.key.id);
  EXPECT_THAT(FailureOfRun(manager.key, domain::Permission::kRestoreInto),
              HasSubstr("has lost the right"));
}

TEST_F(CloudRestores, FlexClustersAreOfTheOtherHalf) {
  service::ClusterRegistration registration;
  registration.name = "flexible";
  registration.tier = domain::Tier::kFlex;
  registration.connection_string = Secret("mongodb://127.0.0.1:1/");
  clusters_->Register(first_.project.id, registration);
  const std::string path = V2("/clusters/flexible/backup/restoreJobs");
  const std::string refused = "400 CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API";
  EXPECT_EQ(ErrorOf(Get(path)), refused);
  EXPECT_EQ(ErrorOf(Get(path + "/" + kUnknownId)), refused);
  EXPECT_EQ(ErrorOf(Post(path, Body("download"))), refused);
  EXPECT_EQ(ErrorOf(Post(path, Body("automated", Target()))), refused);
  EXPECT_EQ(ErrorOf(Delete(path + "/" + kUnknownId)), refused);
}

}  // namespace
}  // namespace tidemark::api
