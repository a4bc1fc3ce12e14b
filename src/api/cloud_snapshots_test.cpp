#include <boost/json/serialize.hpp>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr const char* kUnknownId = "0123456789abcdef01234567";

class CloudSnapshots : public ApiFixture {
 protected:
  // Ends the snapshot that has waited longest.
  domain::Snapshot Finish(domain::SnapshotState state = domain::SnapshotState::kCompleted) {
    const domain::Job job =
        store_->ClaimJob("node", clock_.Now(), std::chrono::seconds{15}).value();
    domain::Snapshot snapshot = store_->FindSnapshot(SnapshotId(job.subject)).value();
    snapshot.state = state;
    snapshot.finished = clock_.Now();
    snapshot.mongodb_version = "7.0.42";
    snapshot.stored_bytes = 100;
    EXPECT_TRUE(store_->FinishSnapshot({job.id, job.fence}, snapshot));
    return store_->FindSnapshot(snapshot.id).value();
  }

  std::string Path(const std::string& rest = {}) {
    return V2("/clusters/c0/backup/snapshots" + rest);
  }

  std::string Path(const domain::Snapshot& snapshot) { return Path("/" + snapshot.id.ToString()); }

  json::object Take(const std::string& body) {
    const auto response = Post(Path(), body);
    EXPECT_EQ(response.status, 200) << response.body;
    return BodyOf(response);
  }

  const domain::Cluster cluster_ = AddCluster("c0");
};

class CloudRetention : public CloudSnapshots {
 protected:
  std::string Change(const std::string& value, const std::string& unit) {
    const auto response =
        Patch(Path(snapshot_),
              R"({"retentionValue":)" + value + R"(,"retentionUnit":")" + unit + R"("})");
    return response.status == 200 ? std::string(BodyOf(response).at("expiresAt").as_string())
                                  : ErrorOf(response);
  }

  const domain::Snapshot snapshot_ = [this] {
    AddSnapshot(cluster_);
    return Finish();
  }();
};

TEST_F(CloudSnapshots, AQueuedOneHasTheRecordedMembers) {
  const json::object body = Take(R"({"description":"before the move","retentionInDays":3})");
  EXPECT_THAT(MembersOf(body),
              UnorderedElementsAre("copyRegions",
                                   "description",
                                   "expiresAt",
                                   "frequencyType",
                                   "id",
                                   "links",
                                   "policyItems",
                                   "replicaSetName",
                                   "snapshotType",
                                   "status",
                                   "storageSizeBytes",
                                   "type"));
  EXPECT_EQ(body.at("description"), "before the move");
  EXPECT_EQ(body.at("status"), "queued");
  EXPECT_EQ(body.at("snapshotType"), "onDemand");
  EXPECT_EQ(body.at("frequencyType"), "ondemand");
  EXPECT_EQ(body.at("type"), "replicaSet");
  EXPECT_EQ(body.at("replicaSetName"), "rs0");
  EXPECT_EQ(body.at("storageSizeBytes"), 0);
  EXPECT_EQ(body.at("expiresAt"), "2026-11-28T10:00:00Z");
  const std::string id(body.at("id").as_string());
  const std::string base = "http://backup.example:8080";
  EXPECT_EQ(json::serialize(body.at("links")),
            R"([{"href":")" + base + Path("/" + id) + R"(","rel":"self"},{"href":")" + base +
                V2("/clusters/c0") + R"(","rel":"https://cloud.mongodb.com/cluster"}])");
  EXPECT_EQ(BodyOf(Get(Path("/" + id))), body);
}

TEST_F(CloudSnapshots, RetentionCountsFromTheCompletion) {
  Take(R"({"description":"d","retentionInDays":3})");
  clock_.Advance(std::chrono::minutes(30));
  const domain::Snapshot snapshot = Finish();
  const json::object body = BodyOf(Get(Path(snapshot)));
  EXPECT_EQ(body.at("status"), "completed");
  EXPECT_EQ(body.at("createdAt"), "2026-11-25T10:30:00Z");
  EXPECT_EQ(body.at("expiresAt"), "2026-11-28T10:30:00Z");
  EXPECT_EQ(body.at("mongodVersion"), "7.0.42");
  EXPECT_EQ(body.at("storageSizeBytes"), 100);
}

TEST_F(CloudSnapshots, WithoutRetentionTheDefaultHolds) {
  EXPECT_EQ(Take("{}").at("expiresAt"), "2026-12-03T10:00:00Z");
}

TEST_F(CloudSnapshots, StatesHaveTheFamilysWords) {
  Take(R"({"description":"d"})");
  const auto job = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds{15}).value();
  const std::string path = Path("/" + job.subject.ToString());
  EXPECT_EQ(BodyOf(Get(path)).at("status"), "inProgress");
  EXPECT_EQ(ErrorOf(Delete(path)), "400 CANNOT_DELETE_IN_PROGRESS_SNAPSHOT");
  EXPECT_EQ(ErrorOf(Patch(path, R"({"retentionValue":1,"retentionUnit":"DAYS"})")),
            "400 CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION");
  store_->ReleaseJob({job.id, job.fence});
  Finish(domain::SnapshotState::kFailed);
  const json::object failed = BodyOf(Get(path));
  EXPECT_EQ(failed.at("status"), "failed");
  EXPECT_FALSE(failed.contains("createdAt"));
  EXPECT_EQ(Delete(path).status, 204);
  EXPECT_EQ(ErrorOf(Get(path)), "404 SNAPSHOT_NOT_FOUND");
}

TEST_F(CloudSnapshots, AnotherOneWaitsForTheFirst) {
  Take("{}");
  EXPECT_EQ(ErrorOf(Post(Path(), "{}")), "400 UNFINISHED_ON_DEMAND_SNAPSHOT");
  Finish();
  Take("{}");
}

TEST_F(CloudSnapshots, BodiesAreChecked) {
  EXPECT_EQ(ErrorOf(Post(Path(), R"({"retentionInDays":0})")),
            "400 BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID");
  EXPECT_EQ(ErrorOf(Post(Path(), R"({"retentionInDays":36501})")),
            "400 BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID");
  EXPECT_EQ(ErrorOf(Post(Path(), R"({"retentionInDays":"3"})")), "400 INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(ErrorOf(Post(Path(), R"({"retention":3})")), "400 INVALID_ATTRIBUTE");
  EXPECT_EQ(store_->ListSnapshots(cluster_.id, {}).total, 0);
}

TEST_F(CloudSnapshots, NewestComesFirst) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.insert(ids.begin(), std::string(Take("{}").at("id").as_string()));
    Finish();
    clock_.Advance(std::chrono::minutes(1));
  }
  const json::object list = BodyOf(Get(Path("?itemsPerPage=2")));
  EXPECT_EQ(list.at("totalCount"), 3);
  ASSERT_EQ(list.at("results").as_array().size(), 2U);
  EXPECT_EQ(list.at("results").at(0).at("id").as_string(), ids[0]);
  EXPECT_EQ(list.at("results").at(1).at("id").as_string(), ids[1]);
  EXPECT_THAT(json::serialize(list.at("links")), HasSubstr(R"("rel":"next")"));
}

TEST_F(CloudSnapshots, V1ShowsTheSame) {
  const json::object taken = BodyOf(
      Post(V1("/clusters/c0/backup/snapshots"), R"({"description":"d","retentionInDays":"2"})"));
  EXPECT_EQ(taken.at("expiresAt"), "2026-11-27T10:00:00Z");  // numbers as text, as in all of v1.0
  const std::string id(taken.at("id").as_string());
  json::object v1 = BodyOf(Get(V1("/clusters/c0/backup/snapshots/") + id));
  json::object v2 = BodyOf(Get(Path("/" + id)));
  v1.erase("links");
  v2.erase("links");
  EXPECT_EQ(v1, v2);
}

TEST_F(CloudSnapshots, UnknownAndMalformedIds) {
  EXPECT_EQ(ErrorOf(Get(Path("/nope"))), "404 INVALID_SNAPSHOT_ID");
  EXPECT_EQ(ErrorOf(Delete(Path("/" + std::string(kUnknownId)))), "404 SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(ErrorOf(Get(V2("/clusters/none/backup/snapshots"))), "404 CLUSTER_NOT_FOUND");
}

TEST_F(CloudSnapshots, FlexClustersAreOfTheOtherHalf) {
  service::ClusterRegistration registration;
  registration.name = "flexible";
  registration.tier = domain::Tier::kFlex;
  registration.connection_string = Secret("mongodb://127.0.0.1:1/");
  clusters_->Register(first_.project.id, registration);
  const std::string path = V2("/clusters/flexible/backup/snapshots");
  const std::string refused = "400 CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API";
  EXPECT_EQ(ErrorOf(Get(path)), refused);
  EXPECT_EQ(ErrorOf(Post(path, "{}")), refused);
  EXPECT_EQ(ErrorOf(Get(path + "/" + kUnknownId)), refused);
  EXPECT_EQ(ErrorOf(Get(path + "/shardedClusters")), refused);
}

TEST_F(CloudSnapshots, ShardedClustersHaveNone) {
  AddCluster("shards", domain::Topology::kSharded);
  const std::string path = V2("/clusters/shards/backup/snapshots");
  EXPECT_EQ(BodyOf(Get(path)).at("totalCount"), 0);
  EXPECT_EQ(ErrorOf(Post(path, "{}")), "403 FEATURE_UNSUPPORTED");
  EXPECT_EQ(ErrorOf(Get(path + "/" + kUnknownId)), "404 SNAPSHOT_NOT_FOUND");
  const json::object list = BodyOf(Get(path + "/shardedClusters?pageNum=1"));
  EXPECT_TRUE(list.at("results").as_array().empty());
  EXPECT_EQ(list.at("totalCount"), 0);
  EXPECT_EQ(ErrorOf(Get(path + "/shardedCluster/" + kUnknownId)), "404 SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(ErrorOf(Delete(path + "/shardedCluster/" + kUnknownId)), "404 SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(ErrorOf(Get(path + "/shardedCluster/x")), "404 INVALID_SNAPSHOT_ID");
}

TEST_F(CloudSnapshots, RightsAreThoseOfTheFamily) {
  const std::string reader = TokenWith(domain::Role::kGroupReadOnly);
  const std::string manager = TokenWith(domain::Role::kGroupBackupManager);
  EXPECT_EQ(ErrorOf(SendAs(reader, http::Method::kGet, Path())), "200");
  EXPECT_EQ(ErrorOf(SendAs(reader, http::Method::kPost, Path(), "{}")), "401 USER_UNAUTHORIZED");
  EXPECT_EQ(ErrorOf(SendAs(manager, http::Method::kPost, Path(), "{}")), "200");
  const domain::Snapshot snapshot = Finish();
  const std::string change = R"({"retentionValue":1,"retentionUnit":"DAYS"})";
  EXPECT_EQ(ErrorOf(SendAs(reader, http::Method::kPatch, Path(snapshot), change)),
            "401 USER_UNAUTHORIZED");
  EXPECT_EQ(ErrorOf(SendAs(reader, http::Method::kDelete, Path(snapshot))),
            "401 USER_UNAUTHORIZED");
  EXPECT_EQ(ErrorOf(SendAs(manager, http::Method::kPatch, Path(snapshot), change)), "200");
  EXPECT_EQ(ErrorOf(SendAs(manager, http::Method::kDelete, Path(snapshot))), "204");
}

TEST_F(CloudSnapshots, ScheduledOnesSayWhatTheyWereTakenFor) {
  auto queued = snapshots_->Prepare(cluster_, "");
  queued.snapshot.due = clock_.Now();
  queued.snapshot.attempt = 1;
  queued.snapshot.frequency = domain::Frequency::kWeekly;
  queued.snapshot.policy_items = {domain::PolicyItemId::Parse("0123456789abcdef01234567").value()};
  store_->AddSnapshot(queued.snapshot, queued.job);
  const json::object body = BodyOf(Get(Path(queued.snapshot)));
  EXPECT_EQ(body.at("snapshotType"), "scheduled");
  EXPECT_EQ(body.at("frequencyType"), "weekly");
  EXPECT_EQ(json::serialize(body.at("policyItems")), R"(["0123456789abcdef01234567"])");
  EXPECT_FALSE(body.contains("description"));
  Take("{}");  // nobody's rival
}

TEST_F(CloudSnapshots, OneThatIsKeptForGoodHasNoExpiry) {
  AddSnapshot(cluster_);
  const domain::Snapshot snapshot = Finish();
  snapshots_->Keep(cluster_, snapshot.id, {.do_not_delete = true});
  EXPECT_FALSE(BodyOf(Get(Path(snapshot))).contains("expiresAt"));
  EXPECT_EQ(ErrorOf(Delete(Path(snapshot))), "403 CANNOT_MODIFY_SNAPSHOT");
}

TEST_F(CloudRetention, UnitsFollowTheCalendarFromTheCompletionOn) {
  EXPECT_EQ(Change("5", "DAYS"), "2026-11-30T10:00:00Z");
  EXPECT_EQ(Change("2", "WEEKS"), "2026-12-09T10:00:00Z");
  EXPECT_EQ(Change("3", "MONTHS"), "2027-02-25T10:00:00Z");
  EXPECT_EQ(Change("100", "YEARS"), "2126-11-25T10:00:00Z");
  clock_.Advance(std::chrono::minutes(30));
  EXPECT_EQ(Change("1", "DAYS"), "2026-11-26T10:00:00Z");
}

TEST_F(CloudRetention, WrongOnesAreRefusedAndChangeNothing) {
  const std::string invalid = "400 BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID";
  EXPECT_EQ(Change("0", "DAYS"), invalid);
  EXPECT_EQ(Change("-1", "MONTHS"), invalid);
  EXPECT_EQ(Change("101", "YEARS"), invalid);
  EXPECT_EQ(Change("1.5", "DAYS"), "400 INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(Change("1", "HOURS"), "400 INVALID_ENUM_VALUE");
  EXPECT_EQ(ErrorOf(Patch(Path(snapshot_), R"({"retentionValue":1})")), "400 MISSING_ATTRIBUTE");
  EXPECT_EQ(store_->FindSnapshot(snapshot_.id).value().expires, snapshot_.expires);
}

TEST_F(CloudRetention, WhatWouldBeOverAlreadyIsRefused) {
  clock_.Advance(std::chrono::hours(25));
  token_ = access_->IssueToken(account_.key.public_name, account_.secret.Reveal())->Reveal();
  EXPECT_EQ(Change("1", "DAYS"), "400 BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID");
  EXPECT_EQ(Change("2", "DAYS"), "2026-11-27T10:00:00Z");
}

}  // namespace
}  // namespace tidemark::api
