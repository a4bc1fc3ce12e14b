#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

class LegacySnapshotsTest : public ApiFixture {
 protected:
  // Ends the snapshot that has waited longest.
  domain::Snapshot Finish(domain::SnapshotState state = domain::SnapshotState::kCompleted) {
    domain::Job job = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds{15}).value();
    if (job.kind == domain::JobKind::kRestore) {  // as old as the snapshot: ids decide
      job = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds{15}).value();
    }
    domain::Snapshot snapshot = store_->FindSnapshot(SnapshotId(job.subject)).value();
    snapshot.state = state;
    snapshot.finished = clock_.Now();
    snapshot.mongodb_version = "7.0.42";
    snapshot.position = {1700000000, 3};
    snapshot.logical_bytes = 1000;
    snapshot.stored_bytes = 100;
    EXPECT_TRUE(store_->FinishSnapshot({job.id, job.fence}, snapshot));
    return snapshot;
  }

  domain::Snapshot AddFinished() {
    AddSnapshot(cluster_);
    return Finish();
  }

  std::string Path(const std::string& rest = {}) { return V2("/clusters/c0/snapshots" + rest); }

  std::string Path(const domain::Snapshot& snapshot) { return Path("/" + snapshot.id.ToString()); }

  std::vector<std::string> Listed(const std::string& query) {
    std::vector<std::string> ids;
    const auto body = BodyOf(Get(Path(query)));
    for (const auto& row : body.at("results").as_array()) {
      ids.emplace_back(row.at("id").as_string());
    }
    EXPECT_EQ(body.at("totalCount").as_int64(), static_cast<std::int64_t>(ids.size()));
    return ids;
  }

  const domain::Cluster cluster_ = AddCluster("c0");
};

TEST_F(LegacySnapshotsTest, ACompletedOneHasTheMembersOfTheSchema) {
  const domain::Snapshot snapshot = AddFinished();
  const http::Response response = Get(Path(snapshot));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Deprecation"), "Sun, 1 Jan 2023 00:00:00 GMT");
  const auto body = BodyOf(response);
  EXPECT_THAT(MembersOf(body),
              UnorderedElementsAre("clusterId",
                                   "clusterName",
                                   "complete",
                                   "created",
                                   "doNotDelete",
                                   "expires",
                                   "groupId",
                                   "id",
                                   "lastOplogAppliedTimestamp",
                                   "links",
                                   "parts"));
  EXPECT_TRUE(body.at("complete").as_bool());
  EXPECT_FALSE(body.at("doNotDelete").as_bool());
  EXPECT_EQ(body.at("expires"), "2026-12-03T10:00:00Z");
  EXPECT_EQ(body.at("created").at("date"), "2026-11-25T10:00:00Z");
  EXPECT_EQ(body.at("lastOplogAppliedTimestamp").at("date"), "2023-11-14T22:13:20Z");
  EXPECT_EQ(body.at("lastOplogAppliedTimestamp").at("increment").as_int64(), 3);
  EXPECT_EQ(body.at("links").at(0).at("href").as_string(),
            "http://backup.example:8080" + Path(snapshot));
  const auto& part = body.at("parts").at(0);
  EXPECT_EQ(part.at("typeName"), "REPLICA_SET");
  EXPECT_EQ(part.at("replicaSetName"), "rs0");
  EXPECT_EQ(part.at("mongodVersion"), "7.0.42");
  EXPECT_EQ(part.at("dataSizeBytes").as_int64(), 1000);
  EXPECT_EQ(part.at("storageSizeBytes").as_int64(), 100);
}

TEST_F(LegacySnapshotsTest, TheOldVersionsTellTheSame) {
  const domain::Snapshot snapshot = AddFinished();
  auto v2 = BodyOf(Get(Path(snapshot)));
  auto v1 = BodyOf(Get(V1("/clusters/c0/snapshots/" + snapshot.id.ToString())));
  v2.erase("links");
  v1.erase("links");
  EXPECT_EQ(v1, v2);
}

TEST_F(LegacySnapshotsTest, CompletedDecidesWhatIsListed) {
  const std::string completed = AddFinished().id.ToString();
  AddSnapshot(cluster_);
  Finish(domain::SnapshotState::kFailed);
  const std::string pending = AddSnapshot(cluster_).id.ToString();
  EXPECT_THAT(Listed(""), UnorderedElementsAre(completed));
  EXPECT_THAT(Listed("?completed=true"), UnorderedElementsAre(completed));
  EXPECT_THAT(Listed("?completed=false"), UnorderedElementsAre(pending));
  EXPECT_THAT(Listed("?completed=all"), UnorderedElementsAre(completed, pending));
  const http::Response wrong = Get(Path("?completed=yes"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(CodeOf(wrong), "INVALID_QUERY_PARAMETER");
  EXPECT_EQ(BodyOf(Get(Path("?completed=all"))).at("links").at(0).at("href").as_string(),
            "http://backup.example:8080" + Path() +
                "?includeCount=true&completed=all&pageNum=1&itemsPerPage=100");
}

TEST_F(LegacySnapshotsTest, OneThatIsBeingTakenHasNoParts) {
  const auto body = BodyOf(Get(Path(AddSnapshot(cluster_))));
  EXPECT_FALSE(body.at("complete").as_bool());
  EXPECT_THAT(body.at("parts").as_array(), IsEmpty());
  EXPECT_FALSE(body.contains("lastOplogAppliedTimestamp"));
}

TEST_F(LegacySnapshotsTest, TellsWhatIsNotThere) {
  EXPECT_EQ(CodeOf(Get(Path("/x"))), "INVALID_SNAPSHOT_ID");
  const http::Response unknown = Get(Path("/000000000000000000000000"));
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(CodeOf(unknown), "SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(CodeOf(Get(V2("/clusters/none/snapshots"))), "CLUSTER_NOT_FOUND");
  AddSnapshot(cluster_);
  EXPECT_EQ(CodeOf(Get(Path(Finish(domain::SnapshotState::kFailed)))), "SNAPSHOT_NOT_FOUND");
  AddCluster("c1");
  EXPECT_EQ(CodeOf(Get(V2("/clusters/c1/snapshots/" + AddFinished().id.ToString()))),
            "SNAPSHOT_NOT_FOUND");
}

TEST_F(LegacySnapshotsTest, ExpiresIsChanged) {
  const domain::Snapshot snapshot = AddFinished();
  const http::Response response = Patch(Path(snapshot), R"({"expires": "2027-01-01"})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(BodyOf(response).at("expires"), "2027-01-01T00:00:00Z");
  EXPECT_EQ(BodyOf(Get(Path(snapshot))).at("expires"), "2027-01-01T00:00:00Z");
}

TEST_F(LegacySnapshotsTest, WhatIsNotToBeDeletedHasNoExpiry) {
  const domain::Snapshot snapshot = AddFinished();
  const auto kept = BodyOf(Patch(Path(snapshot), R"({"doNotDelete": true})"));
  EXPECT_TRUE(kept.at("doNotDelete").as_bool());
  EXPECT_FALSE(kept.contains("expires"));
  const http::Response refused = Delete(Path(snapshot));
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(CodeOf(refused), "CANNOT_MODIFY_SNAPSHOT");
  EXPECT_EQ(Delete(Own("/clusters/c0/snapshots/" + snapshot.id.ToString())).status, 403);
  // Its expiry has passed long ago when it may be deleted again: another day is left.
  clock_.Advance(std::chrono::hours{24 * 365});
  token_ = access_->IssueToken(account_.key.public_name, account_.secret.Reveal())->Reveal();
  const auto loose = BodyOf(Patch(Path(snapshot), R"({"doNotDelete": false})"));
  EXPECT_EQ(loose.at("expires"), "2027-11-26T10:00:00Z");
  EXPECT_EQ(Delete(Path(snapshot)).status, 204);
  EXPECT_EQ(Get(Path(snapshot)).status, 404);
}

TEST_F(LegacySnapshotsTest, WrongChangesAreRefused) {
  const domain::Snapshot snapshot = AddFinished();
  const auto code = [&](const std::string& body) {
    const http::Response response = Patch(Path(snapshot), body);
    EXPECT_EQ(response.status, 400) << body;
    return CodeOf(response);
  };
  EXPECT_EQ(code(R"({"expires": "2027-01-01", "doNotDelete": true})"), "INVALID_ATTRIBUTE");
  EXPECT_EQ(code("{}"), "MISSING_ONE_OF_MANY_ATTRIBUTES");
  EXPECT_EQ(code(R"({"id": "000000000000000000000000"})"), "MISSING_ONE_OF_MANY_ATTRIBUTES");
  EXPECT_EQ(code(R"({"expires": "soon"})"), "INVALID_DATE_FORMAT");
  EXPECT_EQ(code(R"({"expires": "2026-11-25T10:00:00Z"})"), "VALIDATION_ERROR");
  EXPECT_EQ(code(R"({"doNotDelete": 1})"), "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(code(R"({"retention": 1})"), "INVALID_ATTRIBUTE");
  EXPECT_EQ(BodyOf(Get(Path(snapshot))).at("expires"), "2026-12-03T10:00:00Z");
  EXPECT_EQ(Patch(Path(snapshot), R"({"expires": "2027-01-01", "doNotDelete": false})").status,
            200);
}

TEST_F(LegacySnapshotsTest, WhatIsBeingTakenIsLeftAlone) {
  const domain::Snapshot snapshot = AddSnapshot(cluster_);
  EXPECT_EQ(CodeOf(Patch(Path(snapshot), R"({"doNotDelete": true})")),
            "CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION");
  const http::Response refused = Delete(Path(snapshot));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(CodeOf(refused), "CANNOT_DELETE_IN_PROGRESS_SNAPSHOT");
}

TEST_F(LegacySnapshotsTest, WhatARestoreReadsIsNotDeleted) {
  const domain::RestoreJob restore = AddRestore(cluster_, AddCluster("c1"));
  store_->ClaimJob("node", clock_.Now(), std::chrono::hours{1});  // the restore goes first
  const domain::Snapshot snapshot = Finish();
  ASSERT_EQ(restore.snapshot, snapshot.id);
  EXPECT_EQ(CodeOf(Delete(Path(snapshot))), "CANNOT_MODIFY_SNAPSHOT");
}

TEST_F(LegacySnapshotsTest, ChangingIsForOwners) {
  const domain::Snapshot snapshot = AddFinished();
  const std::string token = TokenWith(domain::Role::kGroupReadOnly);
  const std::string path = V1("/clusters/c0/snapshots/" + snapshot.id.ToString());
  EXPECT_EQ(GetAs(token, path).status, 200);
  for (const http::Method method : {http::Method::kPatch, http::Method::kDelete}) {
    http::Request request = MakeRequest(method, path);
    request.headers.emplace_back("authorization", "Bearer " + token);
    const http::Response response = api_->Handle(request);
    EXPECT_EQ(response.status, 401);
    EXPECT_EQ(CodeOf(response), "USER_UNAUTHORIZED");
  }
}

TEST_F(LegacySnapshotsTest, AReplicaSetHasNoCheckpoints) {
  const std::string path = V2("/clusters/c0/backupCheckpoints");
  EXPECT_THAT(BodyOf(Get(path)).at("results").as_array(), IsEmpty());
  EXPECT_EQ(BodyOf(Get(path)).at("totalCount").as_int64(), 0);
  const http::Response unknown = Get(path + "/000000000000000000000000");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(CodeOf(unknown), "CHECKPOINT_NOT_FOUND");
  EXPECT_EQ(CodeOf(Get(path + "/x")), "INVALID_CHECKPOINT_ID");
  EXPECT_EQ(CodeOf(Get(V2("/clusters/none/backupCheckpoints"))), "CLUSTER_NOT_FOUND");
}

}  // namespace
}  // namespace tidemark::api
