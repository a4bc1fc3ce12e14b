// Export buckets, export jobs and the targets behind them.
#include <fstream>

#include <boost/json/serialize.hpp>

#include "base/bytes.h"
#include "tests/support/api_fixture.h"
#include "tests/support/s3_server.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kRole = "0123456789abcdef01234567";

class ExportsTest : public ApiFixture {
 protected:
  std::string AddTarget(const std::string& bucket = "bucket") {
    const auto made =
        Post(Own("/exportTargets"),
             json::serialize(json::object{{"kind", "s3"},
                                          {"bucketName", bucket},
                                          {"endpoint", server_.endpoint()},
                                          {"region", objectstore::S3Server::kRegion},
                                          {"accessKeyId", objectstore::S3Server::kAccessKey},
                                          {"secretAccessKey", objectstore::S3Server::kSecretKey}}));
    EXPECT_EQ(made.status, 201) << made.body;
    return std::string(BodyOf(made).at("id").as_string());
  }

  static std::string AwsBody(const std::string& name = "bucket") {
    return R"({"cloudProvider":"AWS","bucketName":")" + name + R"(","iamRoleId":")" +
           std::string(kRole) + R"("})";
  }

  std::string AddBucket() {
    AddTarget();
    const auto made = Post(V2("/backup/exportBuckets"), AwsBody());
    EXPECT_EQ(made.status, 200) << made.body;
    return std::string(BodyOf(made).at("_id").as_string());
  }

  http::Response Version(http::Method method,
                         const std::string& target,
                         const std::string& version,
                         const std::string& body = {}) {
    http::Request request = MakeOwnerRequest(method, target, body);
    for (auto& [name, value] : request.headers) {
      if (name == "accept") {
        value = "application/vnd.atlas." + version + "+json";
      }
    }
    return api_->Handle(request);
  }

  // A finished snapshot of two collections.
  domain::Snapshot AddFilledSnapshot(const domain::Cluster& cluster) {
    const domain::Snapshot queued = AddSnapshot(cluster);
    const auto writer = repository_->NewSnapshot(cluster.project, {});
    repo::Manifest manifest;
    manifest.snapshot = queued.id;
    manifest.project = cluster.project;
    manifest.cluster = cluster.id;
    manifest.cluster_name = cluster.name;
    manifest.created = clock_.Now();
    for (const char* name : {"orders", "empty"}) {
      repo::NamespaceEntry entry;
      entry.database = "shop";
      entry.collection = name;
      if (std::string_view(name) == "orders") {
        const Bytes document = HexDecode("0e000000105f6964000100000000");  // {_id: 1}
        const repo::ChunkRef chunk = writer->Store(document);
        const Bytes id = HexDecode("0b00000010000100000000");  // {"": 1}
        repo::Run run{
            .documents = 1, .logical_bytes = document.size(), .first_id = id, .last_id = id};
        run.lists.push_back(writer->StoreList({{chunk, id}}));
        entry.runs.push_back(run);
        entry.base_runs = 1;
        entry.digest.Add(document);
        entry.logical_bytes = document.size();
      }
      manifest.namespaces.push_back(entry);
    }
    writer->Commit(manifest);
    const auto claimed = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds(60));
    domain::Snapshot snapshot = *store_->FindSnapshot(queued.id);
    snapshot.state = domain::SnapshotState::kCompleted;
    snapshot.finished = clock_.Now();
    snapshot.collections = 2;
    EXPECT_TRUE(store_->FinishSnapshot({claimed->id, claimed->fence}, snapshot));
    return *store_->FindSnapshot(queued.id);
  }

  // Claims the next job and runs it as the job engine does.
  void RunNextJob() {
    const auto job = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds(60));
    ASSERT_TRUE(job.has_value());
    ASSERT_EQ(job->kind, domain::JobKind::kExport);
    const domain::Lease lease{job->id, job->fence};
    jobs::JobContext context{
        .job = *job,
        .lease = lease,
        .stop = {},
        .report = [&](const domain::JobProgress& p) { store_->SaveProgress(lease, p); },
        .save_checkpoint = [&](const std::string& text) { store_->SaveCheckpoint(lease, text); }};
    exports_->Run(context);
  }

  std::string ExportBody(const std::string& snapshot, const std::string& bucket) {
    return R"({"snapshotId":")" + snapshot + R"(","exportBucketId":")" + bucket +
           R"(","customData":[{"key":"exported by","value":"me"}]})";
  }

  objectstore::S3Server server_{"bucket"};
};

TEST_F(ExportsTest, TargetIsShownWithoutItsSecret) {
  const std::string id = AddTarget();
  const auto found = Get(Own("/exportTargets/" + id));
  EXPECT_THAT(
      MembersOf(BodyOf(found)),
      testing::UnorderedElementsAre(
          "id", "projectId", "bucketName", "kind", "endpoint", "region", "accessKeyId", "created"));
  EXPECT_THAT(found.body, testing::Not(HasSubstr(objectstore::S3Server::kSecretKey)));
  EXPECT_EQ(BodyOf(Get(Own("/exportTargets"))).at("totalCount"), 1);
  std::ifstream catalog(directory_ / "catalog.sqlite-wal", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(catalog)), {});
  EXPECT_THAT(bytes, HasSubstr(server_.endpoint()));
  EXPECT_THAT(bytes, testing::Not(HasSubstr(objectstore::S3Server::kSecretKey)));
}

TEST_F(ExportsTest, TargetsNeedWhatTheirKindNeeds) {
  const auto field = [this](const std::string& body) {
    const auto answer = Post(Own("/exportTargets"), body);
    EXPECT_EQ(answer.status, 400) << answer.body;
    return std::string(BodyOf(answer).at("parameters").as_array().at(0).as_string());
  };
  EXPECT_EQ(field(R"({"kind":"ftp","bucketName":"bucket"})"), "kind");
  EXPECT_EQ(field(R"({"kind":"directory","bucketName":"b"})"), "bucketName");
  EXPECT_EQ(field(R"({"kind":"directory","bucketName":"abc","region":"r"})"), "kind");
  EXPECT_EQ(field(R"({"kind":"s3","bucketName":"abc","endpoint":"ftp://h"})"), "endpoint");
  EXPECT_EQ(field(R"({"kind":"s3","bucketName":"abc","endpoint":"https://h"})"), "accessKeyId");
  EXPECT_EQ(field(R"({"kind":"s3","bucketName":"abc","endpoint":"https://h","accessKeyId":"a"})"),
            "secretAccessKey");
}

TEST_F(ExportsTest, TargetWithABucketIsInUse) {
  const std::string target = AddTarget();
  ASSERT_EQ(Post(Own("/exportTargets"), R"({"kind":"directory","bucketName":"bucket"})").status,
            409);
  const auto bucket = Post(V2("/backup/exportBuckets"), AwsBody());
  EXPECT_EQ(CodeOf(Delete(Own("/exportTargets/" + target))), "EXPORT_TARGET_IN_USE");
  Delete(V2("/backup/exportBuckets/" + std::string(BodyOf(bucket).at("_id").as_string())));
  EXPECT_EQ(Delete(Own("/exportTargets/" + target)).status, 204);
  EXPECT_EQ(CodeOf(Get(Own("/exportTargets/" + target))), "EXPORT_TARGET_NOT_FOUND");
}

TEST_F(ExportsTest, BucketOfAwsHasItsMembersInBothVersions) {
  const std::string id = AddBucket();
  EXPECT_TRUE(server_.Objects().contains("exported_snapshots/.permissioncheck"));
  for (const char* version : {"2023-01-01", "2024-05-30"}) {
    const auto found = Version(http::Method::kGet, V2("/backup/exportBuckets/" + id), version);
    EXPECT_EQ(HeaderOf(found, "Content-Type"),
              "application/vnd.atlas." + std::string(version) + "+json;charset=utf-8");
    EXPECT_EQ(json::serialize(BodyOf(found)),
              R"({"_id":")" + id + R"(","bucketName":"bucket","cloudProvider":"AWS",)" +
                  R"("iamRoleId":"0123456789abcdef01234567","region":"eu-test-1",)" +
                  R"("requirePrivateNetworking":false})");
  }
  const auto old = Version(http::Method::kGet, V2("/backup/exportBuckets"), "2023-01-01");
  EXPECT_EQ(HeaderOf(old, "Deprecation"), "Thu, 30 May 2024 00:00:00 GMT");
  EXPECT_EQ(HeaderOf(old, "Sunset"), "Thu, 1 Jul 2027 00:00:00 GMT");
  EXPECT_EQ(BodyOf(Get(V1("/backup/exportBuckets"))).at("totalCount"), 1);
}

TEST_F(ExportsTest, BucketsOfOtherProvidersStandForTargetsToo) {
  AddTarget();
  const std::string azure = R"({"cloudProvider":"AZURE","roleId":"0123456789abcdef01234567",)"
                            R"("serviceUrl":"https://account.blob.core.windows.net/bucket"})";
  const json::object made = BodyOf(Post(V2("/backup/exportBuckets"), azure));
  EXPECT_THAT(MembersOf(made),
              testing::UnorderedElementsAre(
                  "_id", "bucketName", "cloudProvider", "roleId", "serviceUrl", "tenantId"));
  EXPECT_EQ(made.at("bucketName"), "bucket");
  const std::string id(made.at("_id").as_string());
  EXPECT_EQ(BodyOf(Version(http::Method::kGet, V2("/backup/exportBuckets/" + id), "2023-01-01"))
                .at("iamRoleId"),
            "0123456789abcdef01234567");
  EXPECT_EQ(
      CodeOf(Patch(V2("/backup/exportBuckets/" + id), R"({"requirePrivateNetworking":true})")),
      "INVALID_ATTRIBUTE");
  Delete(V2("/backup/exportBuckets/" + id));
  const json::object gcp = BodyOf(
      Post(V2("/backup/exportBuckets"),
           R"({"cloudProvider":"GCP","roleId":"0123456789abcdef01234567","bucketName":"bucket"})"));
  EXPECT_THAT(MembersOf(gcp),
              testing::UnorderedElementsAre("_id", "bucketName", "cloudProvider", "roleId"));
}

TEST_F(ExportsTest, WrongBucketsAreRefused) {
  const auto code = [this](const std::string& body, const std::string& version = "2024-05-30") {
    return CodeOf(Version(http::Method::kPost, V2("/backup/exportBuckets"), version, body));
  };
  EXPECT_EQ(code(AwsBody("unknown")), "EXPORT_BUCKET_NAME_INVALID");
  EXPECT_EQ(code(R"({"bucketName":"bucket"})"), "MISSING_ATTRIBUTE");
  EXPECT_EQ(code(R"({"cloudProvider":"AWS","bucketName":"bucket"})"), "MISSING_ATTRIBUTE");
  EXPECT_EQ(code(R"({"cloudProvider":"AWS","bucketName":"bucket","iamRoleId":"x"})"),
            "VALIDATION_ERROR");
  EXPECT_EQ(code(R"({"cloudProvider":"MOON"})"), "INVALID_ENUM_VALUE");
  EXPECT_EQ(code(R"({"cloudProvider":"AZURE"})", "2023-01-01"), "INVALID_ENUM_VALUE");
  EXPECT_EQ(code(R"({"cloudProvider":"AWS","other":1})"), "INVALID_ATTRIBUTE");
  EXPECT_EQ(code(R"({"cloudProvider":"GCP","serviceUrl":"x"})"), "INVALID_ATTRIBUTE");
  EXPECT_EQ(CodeOf(Get(V2("/backup/exportBuckets/" + std::string(kRole)))),
            "EXPORT_BUCKET_NOT_FOUND");
  EXPECT_EQ(CodeOf(Get(V2("/backup/exportBuckets/x"))), "EXPORT_BUCKET_NOT_FOUND");
}

TEST_F(ExportsTest, BucketThatCannotBeWrittenIsRefusedWithTheReason) {
  AddTarget("elsewhere");
  const auto answer = Post(V2("/backup/exportBuckets"), AwsBody("elsewhere"));
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(CodeOf(answer), "EXPORT_BUCKET_NAME_INVALID");
  EXPECT_THAT(answer.body, HasSubstr("404 NoSuchBucket"));
  EXPECT_EQ(BodyOf(Get(V2("/backup/exportBuckets"))).at("totalCount"), 0);
}

TEST_F(ExportsTest, BucketIsUpdatedAndDeleted) {
  const std::string id = AddBucket();
  const auto updated =
      Patch(V2("/backup/exportBuckets/" + id), R"({"requirePrivateNetworking":true})");
  EXPECT_EQ(updated.status, 200);
  EXPECT_EQ(BodyOf(updated).at("requirePrivateNetworking"), true);
  EXPECT_EQ(Version(http::Method::kPatch,
                    V2("/backup/exportBuckets/" + id),
                    "2023-01-01",
                    R"({"requirePrivateNetworking":true})")
                .status,
            406);
  EXPECT_EQ(Delete(V2("/backup/exportBuckets/" + id)).status, 204);
  EXPECT_EQ(CodeOf(Delete(V2("/backup/exportBuckets/" + id))), "EXPORT_BUCKET_NOT_FOUND");
}

TEST_F(ExportsTest, AuditLogNamesTheBucketThatWasMade) {
  const std::string id = AddBucket();
  const auto rows = store_->ListAudit({}, {}).rows;
  EXPECT_EQ(rows.at(0).operation, "createGroupBackupExportBucket");
  EXPECT_EQ(rows.at(0).object, id);
}

TEST_F(ExportsTest, ExportEndsSuccessfulWithEverythingInTheBucket) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot snapshot = AddFilledSnapshot(cluster);
  const std::string bucket = AddBucket();
  const auto made =
      Post(V2("/clusters/c0/backup/exports"), ExportBody(snapshot.id.ToString(), bucket));
  ASSERT_EQ(made.status, 200) << made.body;
  const json::object queued = BodyOf(made);
  const std::string id(queued.at("id").as_string());
  const std::string prefix(queued.at("prefix").as_string());
  EXPECT_EQ(queued.at("state"), "Queued");
  EXPECT_EQ(queued.at("exportBucketId").as_string(), bucket);
  EXPECT_EQ(prefix,
            "exported_snapshots/" + first_.organization.id.ToString() + "/" + Group() +
                "/c0/2026-11-25T1000/1795600800");
  EXPECT_EQ(json::serialize(queued.at("exportStatus")),
            R"({"exportedCollections":0,"totalCollections":2})");
  EXPECT_EQ(CodeOf(Delete(V2("/backup/exportBuckets/" + bucket))), "EXPORT_BUCKET_DELETE_FAILED");
  EXPECT_EQ(
      CodeOf(Post(V2("/clusters/c0/backup/exports"), ExportBody(snapshot.id.ToString(), bucket))),
      "EXPORT_IN_PROGRESS");
  RunNextJob();
  const json::object done = BodyOf(Get(V2("/clusters/c0/backup/exports/" + id)));
  EXPECT_EQ(done.at("state"), "Successful") << json::serialize(done);
  EXPECT_THAT(MembersOf(done),
              testing::UnorderedElementsAre("createdAt",
                                            "customData",
                                            "exportBucketId",
                                            "exportStatus",
                                            "finishedAt",
                                            "id",
                                            "prefix",
                                            "snapshotId",
                                            "state"));
  EXPECT_EQ(json::serialize(done.at("exportStatus")),
            R"({"exportedCollections":2,"totalCollections":2})");
  std::vector<std::string> keys;
  for (const auto& [key, bytes] : server_.Objects()) {
    keys.push_back(key);
  }
  EXPECT_THAT(keys,
              testing::UnorderedElementsAre("exported_snapshots/.permissioncheck",
                                            prefix + "/.complete",
                                            prefix + "/shop/empty/metadata.json",
                                            prefix + "/shop/orders/metadata.json",
                                            prefix + "/shop/orders/rs0.0.json.gz"));
  EXPECT_THAT(server_.Objects().at(prefix + "/.complete"),
              HasSubstr(R"("customData":[{"key":"exported by","value":"me"}])"));
  const json::object list = BodyOf(Get(V1("/clusters/c0/backup/exports")));
  EXPECT_EQ(list.at("totalCount"), 1);
  EXPECT_EQ(server_.refused(), 0);
}

TEST_F(ExportsTest, DirectoryIsABucket) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot snapshot = AddFilledSnapshot(cluster);
  ASSERT_EQ(Post(Own("/exportTargets"), R"({"kind":"directory","bucketName":"folder"})").status,
            201);
  const auto bucket = BodyOf(Post(V2("/backup/exportBuckets"), AwsBody("folder")));
  EXPECT_FALSE(bucket.contains("region"));
  const json::object made =
      BodyOf(Post(V2("/clusters/c0/backup/exports"),
                  ExportBody(snapshot.id.ToString(), std::string(bucket.at("_id").as_string()))));
  RunNextJob();
  EXPECT_TRUE(std::filesystem::exists(directory_ / "exports" / Group() / "folder" /
                                      std::string(made.at("prefix").as_string()) / ".complete"));
}

TEST_F(ExportsTest, FailedExportSaysWhy) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot snapshot = AddFilledSnapshot(cluster);
  const std::string bucket = AddBucket();
  const json::object made =
      BodyOf(Post(V2("/clusters/c0/backup/exports"), ExportBody(snapshot.id.ToString(), bucket)));
  server_.intercept = [](const objectstore::S3Seen&) {
    return objectstore::S3Answer{403, "<Error><Code>AccessDenied</Code></Error>", ""};
  };
  RunNextJob();
  const json::object done =
      BodyOf(Get(V2("/clusters/c0/backup/exports/" + std::string(made.at("id").as_string()))));
  EXPECT_EQ(done.at("state"), "Failed");
  EXPECT_THAT(json::serialize(done.at("stateReason")), HasSubstr("403 AccessDenied"));
  store_->SettleEvents();
  const auto rows = store_->ListAudit({}, {}).rows;
  EXPECT_EQ(rows.at(0).operation, "exportFailed");
}

TEST_F(ExportsTest, KeyThatLostItsRightExportsNothing) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot snapshot = AddFilledSnapshot(cluster);
  const std::string bucket = AddBucket();
  const json::object made =
      BodyOf(Post(V2("/clusters/c0/backup/exports"), ExportBody(snapshot.id.ToString(), bucket)));
  store_->RevokeKey(account_.key.id, clock_.Now());
  RunNextJob();
  const auto job =
      store_->FindExport(*domain::ExportId::Parse(std::string(made.at("id").as_string())));
  EXPECT_EQ(job.value().state, domain::ExportState::kFailed);
  EXPECT_EQ(server_.Objects().size(), 1U);  // of the check when the bucket was added
}

TEST_F(ExportsTest, WrongExportsAreRefused) {
  const domain::Cluster cluster = AddCluster("c0");
  const domain::Snapshot snapshot = AddFilledSnapshot(cluster);
  const std::string bucket = AddBucket();
  const auto code = [this](const std::string& body) {
    return CodeOf(Post(V2("/clusters/c0/backup/exports"), body));
  };
  const std::string unknown(kRole);
  EXPECT_EQ(code(ExportBody(unknown, bucket)), "SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(code(ExportBody(snapshot.id.ToString(), unknown)), "EXPORT_BUCKET_NOT_FOUND");
  EXPECT_EQ(code(ExportBody(AddSnapshot(cluster).id.ToString(), bucket)),
            "CANNOT_EXPORT_INCOMPLETE_SNAPSHOT");
  EXPECT_EQ(code("{}"), "MISSING_ATTRIBUTE");
  const std::string begin = R"({"snapshotId":")" + snapshot.id.ToString() +
                            R"(","exportBucketId":")" + bucket + R"(","customData":)";
  EXPECT_EQ(code(begin + "[1]}"), "INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(code(begin + R"([{"name":"x"}]})"), "INVALID_ATTRIBUTE");
  std::string labels;
  for (int i = 0; i < 9; ++i) {
    labels += (labels.empty() ? "" : ",") + (R"({"key":")" + std::string(8000, 'x') + R"("})");
  }
  EXPECT_EQ(code(begin + "[" + labels + "]}"), "VALIDATION_ERROR");
  EXPECT_EQ(
      CodeOf(Post(V2("/clusters/c1/backup/exports"), ExportBody(snapshot.id.ToString(), bucket))),
      "CLUSTER_NOT_FOUND");
  EXPECT_EQ(CodeOf(Get(V2("/clusters/c0/backup/exports/" + unknown))), "EXPORT_JOB_NOT_FOUND");
}

TEST_F(ExportsTest, RolesAreThoseOfAtlas) {
  AddCluster("c0");
  const std::string bucket = AddBucket();
  const auto status = [this](http::Method method,
                             const std::string& target,
                             domain::Role role,
                             const std::string& body = {}) {
    http::Request request = MakeOwnerRequest(method, target, body);
    for (auto& [name, value] : request.headers) {
      if (name == "authorization") {
        value = "Bearer " + TokenWith(role);
      }
    }
    return api_->Handle(request).status;
  };
  using enum domain::Role;
  using enum http::Method;
  const std::string one = V2("/backup/exportBuckets/" + bucket);
  EXPECT_EQ(status(kGet, one, kGroupReadOnly), 200);
  EXPECT_EQ(status(kPost, V2("/backup/exportBuckets"), kGroupBackupManager, AwsBody()), 401);
  EXPECT_EQ(status(kDelete, one, kGroupReadOnly), 401);
  EXPECT_EQ(status(kGet, V2("/clusters/c0/backup/exports"), kGroupReadOnly), 401);
  EXPECT_EQ(status(kGet, V2("/clusters/c0/backup/exports"), kGroupOwner), 200);
  EXPECT_EQ(status(kPost, V2("/clusters/c0/backup/exports"), kGroupReadOnly, "{}"), 401);
  EXPECT_EQ(status(kPost, Own("/exportTargets"), kGroupBackupManager, "{}"), 401);
  EXPECT_EQ(status(kGet, Own("/exportTargets"), kGroupReadOnly), 200);
  EXPECT_EQ(status(kDelete, one, kGroupBackupManager), 204);
}

TEST_F(ExportsTest, FlexClustersAreNotExported) {
  service::ClusterRegistration registration;
  registration.name = "flex";
  registration.tier = domain::Tier::kFlex;
  registration.connection_string = Secret("mongodb://127.0.0.1:1/");
  clusters_->Register(first_.project.id, registration);
  EXPECT_EQ(CodeOf(Get(V2("/clusters/flex/backup/exports"))),
            "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API");
}

}  // namespace
}  // namespace tidemark::api
