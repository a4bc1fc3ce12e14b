#include <boost/json/serialize.hpp>

#include "base/stage_group.h"
#include "codec/sha1.h"
#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr const char* kUnknownId = "0123456789abcdef01234567";

class Downloads : public ApiFixture {
 protected:
  Downloads() : cluster_(AddCluster("Cluster0")), snapshot_(AddFinishedSnapshot(cluster_)) {}

  // The thread of a server that measures archives.
  void StartMeasuring() {
    measuring_.Start("measure", [this](const std::stop_token& stop) { downloads_->Work(stop); });
  }

  // The token of the fixture lives an hour.
  void Wait(std::chrono::microseconds time) {
    clock_.Advance(time);
    token_ = access_->IssueToken(account_.key.public_name, account_.secret.Reveal())->Reveal();
  }

  http::Response PostDownload(const std::string& body) {
    return Post(V2("/clusters/Cluster0/backup/tenant/download"), body);
  }

  json::object AskTenant() {
    const auto response = PostDownload(R"({"snapshotId":")" + snapshot_.id.ToString() +
                                       R"(","targetDeploymentItemName":""})");
    EXPECT_EQ(response.status, 200) << response.body;
    return BodyOf(response);
  }

  http::Response PostLegacy(const std::string& delivery,
                            const std::string& prefix = "/api/atlas/v2/groups/") {
    return Post(
        prefix + Group() + "/clusters/Cluster0/restoreJobs",
        R"({"snapshotId":")" + snapshot_.id.ToString() + R"(","delivery":)" + delivery + "}");
  }

  // The one job of the answer's list.
  json::object AskLegacy(const std::string& delivery) {
    const auto response = PostLegacy(delivery);
    EXPECT_EQ(response.status, 200) << response.body;
    const json::object list = BodyOf(response);
    EXPECT_EQ(list.at("totalCount"), 1);
    return list.at("results").as_array().at(0).as_object();
  }

  json::object GetLegacy(const json::object& job) {
    return BodyOf(Get(V2("/clusters/Cluster0/restoreJobs/") + TextOf(job, "id")));
  }

  static std::string TextOf(const json::object& object, std::string_view name) {
    return std::string(object.at(name).as_string());
  }

  static json::object DeliveryOf(const json::object& job) { return job.at("delivery").as_object(); }

  using Headers = std::vector<std::pair<std::string, std::string>>;

  // As anybody: no credentials.
  http::Response Fetch(const std::string& url,
                       const Headers& headers = {},
                       http::Method method = http::Method::kGet) {
    constexpr std::string_view kOrigin = "http://backup.example:8080";
    EXPECT_THAT(url, StartsWith(std::string(kOrigin)));
    http::Request request = MakeRequest(method, url.substr(kOrigin.size()));
    request.headers.insert(request.headers.end(), headers.begin(), headers.end());
    return api_->Handle(request);
  }

  http::Response FetchRange(const std::string& url, const std::string& range) {
    return Fetch(url, {{"range", range}});
  }

  // What a client gets that reads to the end.
  static std::string Drain(http::Response& response) {
    std::string text;
    Bytes piece(7);
    while (const std::size_t count = response.stream->source->Read(piece)) {
      text += AsText(ByteView(piece).first(count));
    }
    response.stream->source->Finish();
    response.stream.reset();
    return text;
  }

  std::string FetchAll(const std::string& url) {
    http::Response response = Fetch(url);
    EXPECT_EQ(response.status, 200) << response.body;
    return response.stream ? Drain(response) : std::string();
  }

  std::string Sha1OfContent() const {
    codec::Sha1Hash hash;
    hash.Add(AsBytes(archive_.content));
    return hash.TakeHex();
  }

  const domain::Cluster cluster_;
  const domain::Snapshot snapshot_;
  StageGroup measuring_;
};

TEST_F(Downloads, Row_1_10_TenantDownloadIsCompletedAtOnce) {
  const json::object job = AskTenant();
  EXPECT_THAT(MembersOf(job),
              UnorderedElementsAre("clusterName",
                                   "deliveryType",
                                   "expirationDate",
                                   "id",
                                   "links",
                                   "projectId",
                                   "restoreFinishedDate",
                                   "restoreScheduledDate",
                                   "snapshotFinishedDate",
                                   "snapshotId",
                                   "snapshotUrl",
                                   "status",
                                   "targetDeploymentItemName",
                                   "targetProjectId"));
  EXPECT_EQ(job.at("deliveryType"), "DOWNLOAD");
  EXPECT_EQ(job.at("status"), "COMPLETED");
  EXPECT_EQ(job.at("restoreScheduledDate"), "2026-11-25T10:00:00Z");
  EXPECT_EQ(job.at("restoreFinishedDate"), "2026-11-25T10:00:00Z");
  EXPECT_EQ(job.at("expirationDate"), "2026-11-25T14:00:00Z");
  EXPECT_EQ(job.at("targetDeploymentItemName"), "Cluster0");  // the source, whatever was sent
  EXPECT_EQ(job.at("targetProjectId").as_string(), Group());
  const std::string path = V2("/clusters/Cluster0/backup/tenant/restores");
  EXPECT_EQ(BodyOf(Get(path + "/" + TextOf(job, "id"))), job);
  EXPECT_EQ(BodyOf(Get(path)).at("results").as_array().at(0), job);
}

TEST_F(Downloads, Row_1_10_LinkWorksWithoutCredentials) {
  const std::string url = TextOf(AskTenant(), "snapshotUrl");
  http::Response response = Fetch(url);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Content-Type"), "application/gzip");
  EXPECT_EQ(HeaderOf(response, "Content-Disposition"),
            "attachment; filename=\"" + url.substr(url.rfind('/') + 1) + "\"");
  EXPECT_EQ(HeaderOf(response, "Cache-Control"), "no-store");
  EXPECT_EQ(HeaderOf(response, "Accept-Ranges"), "bytes");
  EXPECT_EQ(HeaderOf(response, "Content-Encoding"), "");
  EXPECT_FALSE(response.stream->size);  // nobody knows it yet
  EXPECT_EQ(Drain(response), archive_.content);
  response = Fetch(url);
  EXPECT_EQ(response.stream->size, archive_.content.size());
}

TEST_F(Downloads, Row_1_10_LinkIsGoneOnceExpired) {
  const json::object job = AskTenant();
  const std::string path = V2("/clusters/Cluster0/backup/tenant/restores/") + TextOf(job, "id");
  Wait(std::chrono::hours(4));
  const json::object expired = BodyOf(Get(path));
  EXPECT_FALSE(expired.contains("snapshotUrl"));
  EXPECT_EQ(expired.at("status"), "COMPLETED");
  EXPECT_EQ(ErrorOf(Fetch(TextOf(job, "snapshotUrl"))), "410 DOWNLOAD_EXPIRED");
}

TEST_F(Downloads, Row_1_10_KeysThatMayNotDownloadSeeNoLink) {
  const json::object job = AskTenant();
  http::Request request = MakeRequest(
      http::Method::kGet, V1("/clusters/Cluster0/backup/tenant/restores/") + TextOf(job, "id"));
  request.headers.emplace_back("authorization",
                               "Bearer " + TokenWith(domain::Role::kGroupBackupManager));
  const json::object seen = BodyOf(api_->Handle(request));
  EXPECT_EQ(seen.at("status"), "COMPLETED");
  EXPECT_FALSE(seen.contains("snapshotUrl"));
}

TEST_F(Downloads, RefusalsOfATenantDownloadAreInOrder) {
  EXPECT_EQ(ErrorOf(PostDownload("{}")), "400 MISSING_ATTRIBUTE");
  EXPECT_EQ(ErrorOf(PostDownload(R"({"snapshotId":"X"})")), "400 VALIDATION_ERROR");
  EXPECT_EQ(ErrorOf(PostDownload(R"({"snapshotId":"0123456789abcdef01234567","format":"zip"})")),
            "400 INVALID_ATTRIBUTE");
  const std::string unknown = std::string(R"({"snapshotId":")") + kUnknownId + R"("})";
  EXPECT_EQ(ErrorOf(PostDownload(unknown)), "404 TENANT_SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(ErrorOf(Post(V2("/clusters/Nobody/backup/tenant/download"), unknown)),
            "404 CLUSTER_NOT_FOUND");
  AddCluster("Sharded", domain::Topology::kSharded);
  EXPECT_EQ(ErrorOf(Post(V2("/clusters/Sharded/backup/tenant/download"), unknown)),
            "400 TENANT_RESTORE_INCOMPATIBLE_TOPOLOGY");
  const domain::Snapshot running = AddSnapshot(cluster_);
  EXPECT_EQ(ErrorOf(PostDownload(R"({"snapshotId":")" + running.id.ToString() + R"("})")),
            "409 CANNOT_DOWNLOAD_INCOMPLETE_SNAPSHOT");
  snapshots_->Delete(cluster_, snapshot_.id);
  EXPECT_EQ(ErrorOf(PostDownload(R"({"snapshotId":")" + snapshot_.id.ToString() + R"("})")),
            "409 CANNOT_START_RESTORE_JOB_FOR_DELETED_SNAPSHOT");
}

TEST_F(Downloads, WhatCannotBePackedIsRefusedAtOnce) {
  repository_->DeleteManifest(cluster_.project, snapshot_.id);
  const auto response = PostDownload(R"({"snapshotId":")" + snapshot_.id.ToString() + R"("})");
  EXPECT_EQ(ErrorOf(response), "500 UNEXPECTED_ERROR");
  EXPECT_EQ(restores_->List(cluster_, {}).total, 0);
}

TEST_F(Downloads, Row_4_07_LegacyDownloadHasItsMembers) {
  const json::object job =
      AskLegacy(R"({"methodName":"HTTP","expirationHours":2,"maxDownloads":3})");
  EXPECT_EQ(job.at("statusName"), "FINISHED");
  EXPECT_EQ(json::serialize(job.at("timestamp")),
            R"({"date":"2023-11-14T22:13:20Z","increment":3})");
  const json::object delivery = DeliveryOf(job);
  EXPECT_THAT(MembersOf(delivery),
              UnorderedElementsAre("authHeader",
                                   "authValue",
                                   "expirationHours",
                                   "expires",
                                   "maxDownloads",
                                   "methodName",
                                   "statusName",
                                   "url",
                                   "urlV2"));
  EXPECT_EQ(delivery.at("methodName"), "HTTP");
  EXPECT_EQ(delivery.at("statusName"), "READY");
  EXPECT_EQ(delivery.at("expirationHours"), 2);
  EXPECT_EQ(delivery.at("expires"), "2026-11-25T12:00:00Z");
  EXPECT_EQ(delivery.at("maxDownloads"), 3);
  EXPECT_EQ(delivery.at("authHeader"), "X-Restore-Key");
  const std::string id = TextOf(job, "id");
  const std::string base = "http://backup.example:8080/backup/restore/v2/pull/" + id + "/";
  const std::string file = "rs0-1700000000-" + id + ".tar.gz";
  EXPECT_EQ(TextOf(delivery, "url"), base + TextOf(delivery, "authValue") + "/" + file);
  EXPECT_EQ(TextOf(delivery, "urlV2"), base + file);
  EXPECT_EQ(GetLegacy(job), job);
}

TEST_F(Downloads, Row_4_07_DefaultsAreADayAndNoLimit) {
  const json::object delivery = DeliveryOf(AskLegacy(R"({"methodName":"HTTP"})"));
  EXPECT_EQ(delivery.at("expirationHours"), 24);
  EXPECT_EQ(delivery.at("maxDownloads"), 2147483647);
}

TEST_F(Downloads, Row_4_07_KeysThatMayNotDownloadSeeNoKey) {
  const json::object job = AskLegacy(R"({"methodName":"HTTP"})");
  http::Request request =
      MakeRequest(http::Method::kGet, V1("/clusters/Cluster0/restoreJobs/") + TextOf(job, "id"));
  request.headers.emplace_back("authorization",
                               "Bearer " + TokenWith(domain::Role::kGroupReadOnly));
  const json::object delivery = DeliveryOf(BodyOf(api_->Handle(request)));
  EXPECT_FALSE(delivery.contains("url"));
  EXPECT_FALSE(delivery.contains("authValue"));
  EXPECT_EQ(delivery.at("urlV2"), DeliveryOf(job).at("urlV2"));
}

TEST_F(Downloads, Row_4_10_HashesAppearWithTheFirstCompleteDownload) {
  const json::object job = AskLegacy(R"({"methodName":"HTTP"})");
  const json::object delivery = DeliveryOf(job);
  const Headers key{{"x-restore-key", TextOf(delivery, "authValue")}};
  {
    http::Response cut = Fetch(TextOf(delivery, "urlV2"), key);
    Bytes piece(7);
    EXPECT_EQ(cut.stream->source->Read(piece), 7U);
  }
  EXPECT_FALSE(GetLegacy(job).contains("hashes"));
  http::Response whole = Fetch(TextOf(delivery, "urlV2"), key);
  EXPECT_EQ(Drain(whole), archive_.content);
  const json::object hash = GetLegacy(job).at("hashes").as_array().at(0).as_object();
  EXPECT_THAT(MembersOf(hash), UnorderedElementsAre("fileName", "hash", "links", "typeName"));
  EXPECT_EQ(hash.at("hash").as_string(), Sha1OfContent());
  EXPECT_EQ(hash.at("typeName"), "SHA1");
  EXPECT_THAT(TextOf(delivery, "urlV2"), EndsWith("/" + TextOf(hash, "fileName")));
}

TEST_F(Downloads, Row_4_06_UsedUpAndExpired) {
  const json::object job =
      AskLegacy(R"({"methodName":"HTTP","maxDownloads":1,"expirationHours":1})");
  const std::string url = TextOf(DeliveryOf(job), "url");
  const json::object other = AskLegacy(R"({"methodName":"HTTP","expirationHours":1})");
  FetchAll(url);
  EXPECT_EQ(DeliveryOf(GetLegacy(job)).at("statusName"), "MAX_DOWNLOADS_EXCEEDED");
  EXPECT_EQ(ErrorOf(Fetch(url)), "403 MAX_DOWNLOADS_EXCEEDED");
  EXPECT_EQ(ErrorOf(Fetch(url, {}, http::Method::kHead)), "403 MAX_DOWNLOADS_EXCEEDED");
  EXPECT_EQ(DeliveryOf(GetLegacy(other)).at("statusName"), "READY");
  Wait(std::chrono::hours(1));
  EXPECT_EQ(DeliveryOf(GetLegacy(other)).at("statusName"), "EXPIRED");
  EXPECT_EQ(GetLegacy(other).at("statusName"), "FINISHED");
}

TEST_F(Downloads, TwoAtOnceOfOneThatIsAllowed) {
  const std::string url =
      TextOf(DeliveryOf(AskLegacy(R"({"methodName":"HTTP","maxDownloads":1})")), "url");
  {
    http::Response first = Fetch(url);
    EXPECT_EQ(first.status, 200);
    EXPECT_EQ(ErrorOf(Fetch(url)), "403 MAX_DOWNLOADS_EXCEEDED");
  }  // breaks off
  EXPECT_EQ(FetchAll(url), archive_.content);
  EXPECT_EQ(ErrorOf(Fetch(url)), "403 MAX_DOWNLOADS_EXCEEDED");
}

TEST_F(Downloads, DamageBreaksTheStreamAndCountsAsNothing) {
  const std::string url =
      TextOf(DeliveryOf(AskLegacy(R"({"methodName":"HTTP","maxDownloads":1})")), "url");
  archive_.damaged_at = 10;
  {
    http::Response response = Fetch(url);
    Bytes piece(100);
    EXPECT_EQ(response.stream->source->Read(piece), 10U);
    EXPECT_THROW(response.stream->source->Read(piece), Error);
  }
  archive_.damaged_at = std::string::npos;
  EXPECT_EQ(FetchAll(url), archive_.content);
}

TEST_F(Downloads, WrongKeyAndUnknownJobLookAlike) {
  const std::string url = TextOf(AskTenant(), "snapshotUrl");
  const std::size_t file = url.rfind('/');
  const std::size_t key = url.rfind('/', file - 1);
  std::string wrong = url;
  wrong[key + 1] = wrong[key + 1] == '0' ? '1' : '0';
  const auto refused = Fetch(wrong);
  EXPECT_EQ(ErrorOf(refused), "404 DOWNLOAD_NOT_FOUND");
  EXPECT_THAT(refused.body, Not(HasSubstr(wrong.substr(key + 1, 8))));
  std::string other = url;
  other.replace(key - 24, 24, kUnknownId);
  EXPECT_EQ(Fetch(other).body, refused.body);
  EXPECT_EQ(ErrorOf(Fetch(url + "x")), "404 DOWNLOAD_NOT_FOUND");
  EXPECT_EQ(ErrorOf(Fetch(url.substr(0, key) + url.substr(file))), "404 DOWNLOAD_NOT_FOUND");
  EXPECT_EQ(ErrorOf(Fetch(url + "/more")), "404 DOWNLOAD_NOT_FOUND");
  EXPECT_EQ(ErrorOf(Fetch("http://backup.example:8080/backup/restore/v2/pull/")),
            "404 DOWNLOAD_NOT_FOUND");
  const auto posted = Fetch(url, {}, http::Method::kPost);
  EXPECT_EQ(ErrorOf(posted), "405 METHOD_NOT_ALLOWED");
  EXPECT_EQ(HeaderOf(posted, "Allow"), "GET, HEAD");
}

TEST_F(Downloads, RestoresIntoClustersHaveNoArchive) {
  const domain::RestoreJob restore = AddRestore(cluster_, AddCluster("Target"));
  EXPECT_EQ(ErrorOf(Fetch("http://backup.example:8080/backup/restore/v2/pull/" +
                          restore.id.ToString() + "/" + std::string(64, '-') + "/x")),
            "404 DOWNLOAD_NOT_FOUND");
}

TEST_F(Downloads, HeadShowsTheSizeAndCountsNothing) {
  const std::string url =
      TextOf(DeliveryOf(AskLegacy(R"({"methodName":"HTTP","maxDownloads":2})")), "url");
  const int opened = archive_.opened;
  http::Response head = Fetch(url, {}, http::Method::kHead);
  EXPECT_EQ(head.status, 200);
  EXPECT_FALSE(head.stream->size);
  FetchAll(url);
  head = Fetch(url, {}, http::Method::kHead);
  EXPECT_EQ(head.stream->size, archive_.content.size());
  EXPECT_EQ(head.stream->source, nullptr);
  EXPECT_EQ(archive_.opened, opened + 1);
  FetchAll(url);
}

TEST_F(Downloads, PartsAreTheBytesOfTheWhole) {
  StartMeasuring();
  const std::string url = TextOf(AskTenant(), "snapshotUrl");
  for (const auto& [range, first, count] : {std::tuple("bytes=10-19", 10, 10),
                                            std::tuple("bytes=30-", 30, 6),
                                            std::tuple("bytes=-1", 35, 1),
                                            std::tuple("bytes=0-0", 0, 1),
                                            std::tuple("bytes=20-999", 20, 16)}) {
    http::Response part = FetchRange(url, range);
    ASSERT_EQ(part.status, 206) << range;
    EXPECT_EQ(HeaderOf(part, "Content-Range"),
              "bytes " + std::to_string(first) + "-" + std::to_string(first + count - 1) + "/36");
    EXPECT_EQ(part.stream->size, count);
    EXPECT_EQ(Drain(part), archive_.content.substr(first, count)) << range;
  }
  const auto none = FetchRange(url, "bytes=36-");
  EXPECT_EQ(ErrorOf(none), "416 RANGE_NOT_SATISFIABLE");
  EXPECT_EQ(HeaderOf(none, "Content-Range"), "bytes */36");
}

TEST_F(Downloads, RangesThatAreNoneGiveTheWhole) {
  const std::string url = TextOf(AskTenant(), "snapshotUrl");
  for (const char* range : {"bytes=0-1,3-4", "bytes=x", "bytes=0-"}) {
    http::Response response = FetchRange(url, range);
    EXPECT_EQ(response.status, 200) << range;
  }
}

TEST_F(Downloads, PartOfAnotherFileIsTheWhole) {
  StartMeasuring();
  const std::string url = TextOf(AskTenant(), "snapshotUrl");
  const std::string tag = HeaderOf(Fetch(url, {}, http::Method::kHead), "ETag");
  EXPECT_THAT(tag, AllOf(StartsWith("\""), EndsWith("\"")));
  EXPECT_EQ(Fetch(url, {{"range", "bytes=5-"}, {"if-range", tag}}).status, 206);
  EXPECT_EQ(Fetch(url, {{"range", "bytes=5-"}, {"if-range", "\"other\""}}).status, 200);
}

TEST_F(Downloads, DownloadThatIsGoneOnWithCountsOnce) {
  StartMeasuring();
  const json::object job = AskLegacy(R"({"methodName":"HTTP","maxDownloads":1})");
  const std::string url = TextOf(DeliveryOf(job), "url");
  {
    http::Response cut = Fetch(url);
    Bytes piece(7);
    EXPECT_EQ(cut.stream->source->Read(piece), 7U);
  }
  Wait(std::chrono::minutes(59));
  http::Response rest = FetchRange(url, "bytes=7-");
  EXPECT_EQ(rest.status, 206);
  EXPECT_EQ(Drain(rest), archive_.content.substr(7));
  EXPECT_EQ(ErrorOf(Fetch(url)), "403 MAX_DOWNLOADS_EXCEEDED");
  const json::object done = GetLegacy(job);
  EXPECT_EQ(DeliveryOf(done).at("statusName"), "MAX_DOWNLOADS_EXCEEDED");
  EXPECT_EQ(done.at("hashes").as_array().at(0).at("hash").as_string(), Sha1OfContent());
}

TEST_F(Downloads, ArchiveThatIsPackedOtherwiseNowIsFetchedAnew) {
  for (const char* other : {"shorter", "0123456789abcdefghijklmnopqrstuvwxyz, and more"}) {
    archive_.content = "0123456789abcdefghijklmnopqrstuvwxyz";
    const std::string url = TextOf(AskTenant(), "snapshotUrl");
    FetchAll(url);
    archive_.content = other;
    {
      http::Response response = Fetch(url);
      EXPECT_EQ(response.stream->size, 36U);
      Bytes piece(100);
      EXPECT_THROW(
          {
            while (response.stream->source->Read(piece) > 0) {
            }
          },
          Error);
    }
    EXPECT_EQ(FetchAll(url), other);
  }
}

TEST_F(Downloads, WhoWaitsTooLongForAPartIsToldToComeAgain) {
  const json::object job = AskTenant();
  const auto stored = store_->FindRestore(*RestoreJobId::Parse(TextOf(job, "id"))).value();
  try {
    downloads_->Measure(stored, std::chrono::milliseconds(0));
    FAIL() << "nobody has measured it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  }
  EXPECT_TRUE(downloads_->MeasureNext({}));
  EXPECT_FALSE(downloads_->MeasureNext({}));
  http::Response part = FetchRange(TextOf(job, "snapshotUrl"), "bytes=30-");
  EXPECT_EQ(Drain(part), archive_.content.substr(30));
}

TEST_F(Downloads, MeasuringIsBounded) {
  std::vector<domain::RestoreJob> jobs;
  for (std::size_t i = 0; i <= service::DownloadService::kMaxMeasuring; ++i) {
    jobs.push_back(store_->FindRestore(*RestoreJobId::Parse(TextOf(AskTenant(), "id"))).value());
    EXPECT_THROW(downloads_->Measure(jobs.back(), std::chrono::milliseconds(0)), Error);
  }
  int measured = 0;
  while (downloads_->MeasureNext({})) {
    ++measured;
  }
  EXPECT_EQ(measured, static_cast<int>(service::DownloadService::kMaxMeasuring));
}

TEST_F(Downloads, PartOfADamagedArchiveIsAnError) {
  StartMeasuring();
  archive_.damaged_at = 20;
  EXPECT_EQ(ErrorOf(FetchRange(TextOf(AskTenant(), "snapshotUrl"), "bytes=30-")),
            "500 UNEXPECTED_ERROR");
}

TEST_F(Downloads, SnapshotStaysUntilTheDownloadEnds) {
  const json::object job = AskTenant();
  const std::string path = Own("/clusters/Cluster0/snapshots/") + snapshot_.id.ToString();
  EXPECT_EQ(ErrorOf(Delete(path)), "409 SNAPSHOT_IN_USE");
  const std::string jobs = Own("/clusters/Cluster0/restoreJobs/");
  EXPECT_EQ(ErrorOf(Delete(jobs + kUnknownId)), "404 RESTORE_JOB_NOT_FOUND");
  EXPECT_EQ(Delete(jobs + TextOf(job, "id")).status, 204);
  EXPECT_EQ(ErrorOf(Fetch(TextOf(job, "snapshotUrl"))), "410 DOWNLOAD_EXPIRED");
  EXPECT_EQ(Delete(path).status, 204);
}

TEST_F(Downloads, OwnApiTellsHowFarItIs) {
  const json::object job = AskLegacy(R"({"methodName":"HTTP","maxDownloads":2})");
  FetchAll(TextOf(DeliveryOf(job), "url"));
  const json::object own = BodyOf(Get(Own("/clusters/Cluster0/restoreJobs/") + TextOf(job, "id")));
  const json::object download = own.at("download").as_object();
  EXPECT_EQ(download.at("state"), "READY");
  EXPECT_EQ(TextOf(download, "fileName"), "rs0-1700000000-" + TextOf(job, "id") + ".tar.gz");
  EXPECT_EQ(download.at("expirationHours"), 24);
  EXPECT_EQ(download.at("maxDownloads"), 2);
  EXPECT_EQ(download.at("complete"), 1);
  EXPECT_EQ(download.at("size"), 36);
  EXPECT_EQ(TextOf(download, "sha1"), Sha1OfContent());
  EXPECT_FALSE(own.contains("progress"));
}

TEST_F(Downloads, RestoreIntoAClusterCannotBeEnded) {
  const domain::RestoreJob restore = AddRestore(cluster_, AddCluster("Target"));
  EXPECT_EQ(ErrorOf(Delete(Own("/clusters/Cluster0/restoreJobs/") + restore.id.ToString())),
            "409 CLUSTER_BUSY");
}

class LegacyCreate : public Downloads {
 protected:
  // With the given members beside nothing else.
  std::string Refused(const std::string& body) {
    return ErrorOf(Post(V2("/clusters/Cluster0/restoreJobs"), body));
  }

  std::string RefusedDelivery(const std::string& delivery) { return ErrorOf(PostLegacy(delivery)); }
};

TEST_F(LegacyCreate, MethodsThatAreNotServedHaveTheirCodes) {
  EXPECT_EQ(RefusedDelivery(R"({"methodName":"SCP"})"), "400 INVALID_DELIVERY_SCP");
  EXPECT_EQ(RefusedDelivery(R"({"methodName":"CLIENT_PIT_SCP"})"), "400 INVALID_DELIVERY_SCP");
  EXPECT_EQ(RefusedDelivery(R"({"methodName":"QUERY"})"), "400 UNSUPPORTED_DELIVERY_METHOD");
  EXPECT_EQ(RefusedDelivery(R"({"methodName":"THIRD_PARTY_COPY"})"),
            "400 UNSUPPORTED_DELIVERY_METHOD");
  EXPECT_EQ(RefusedDelivery(R"({"methodName":"PIGEON"})"), "400 INVALID_ENUM_VALUE");
  EXPECT_EQ(RefusedDelivery("{}"), "400 MISSING_ATTRIBUTE");
  EXPECT_EQ(RefusedDelivery("[]"), "400 INVALID_JSON_ATTRIBUTE");
  EXPECT_EQ(RefusedDelivery(R"({"methodName":"HTTP","to":1})"), "400 INVALID_ATTRIBUTE");
  EXPECT_EQ(Refused("{}"), "400 MISSING_ATTRIBUTE");
}

TEST_F(LegacyCreate, ExactlyOneSelector) {
  const std::string http = R"("delivery":{"methodName":"CLIENT_PIT_HTTP"})";
  EXPECT_EQ(Refused("{" + http + "}"), "400 MISSING_ONE_OF_MANY_ATTRIBUTES");
  EXPECT_EQ(Refused(R"({"oplogTs":"1700000000",)" + http + "}"), "400 MISSING_ATTRIBUTE");
  EXPECT_EQ(Refused(R"({"oplogInc":1,)" + http + "}"), "400 MISSING_ATTRIBUTE");
  EXPECT_EQ(Refused(R"({"oplogInc":0,"oplogTs":"1700000000",)" + http + "}"),
            "400 ATTRIBUTE_NEGATIVE_OR_ZERO");
  EXPECT_EQ(Refused(R"({"oplogInc":1,"oplogTs":"yesterday",)" + http + "}"),
            "400 INVALID_DATE_FORMAT");
  EXPECT_EQ(Refused(R"({"snapshotId":"0123456789abcdef01234567","checkPointId":)"
                    R"("0123456789abcdef01234567",)" +
                    http + "}"),
            "400 INVALID_ATTRIBUTE");
  EXPECT_EQ(Refused(R"({"pointInTimeUTCMillis":5,)" + http + "}"), "400 VALIDATION_ERROR");
  EXPECT_EQ(Refused(R"({"pointInTimeUTCMillis":1700000000000,"delivery":{"methodName":"HTTP"}})"),
            "400 INVALID_ATTRIBUTE");
}

// contract.md 1: without a zone it is UTC.
TEST_F(LegacyCreate, MomentsOfTheOplogHaveAnyZone) {
  for (const char* moment : {"2020-01-01T00:00:00Z",
                             "2020-01-01T00:00:00",
                             "2020-01-01T02:00:00+02:00",
                             "2020-01-01",
                             "1577836800"}) {
    EXPECT_EQ(Refused(std::string(R"({"oplogInc":1,"oplogTs":")") + moment +
                      R"(","delivery":{"methodName":"CLIENT_PIT_HTTP"}})"),
              "404 UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME")
        << moment;
  }
}

TEST_F(LegacyCreate, NothingBetweenSnapshotsCanBeRestored) {
  const std::string http = R"("delivery":{"methodName":"CLIENT_PIT_HTTP"})";
  const std::string before = R"({"oplogInc":1,"oplogTs":"2026-11-25T09:59:59Z",)";
  EXPECT_EQ(Refused(before + http + "}"),
            "404 UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME");
  EXPECT_EQ(Refused(R"({"pointInTimeUTCMillis":1795600801000,)" + http + "}"),
            "400 INVALID_PIT_RESTORE_TIME");
  EXPECT_EQ(Refused(R"({"checkpointId":"0123456789abcdef01234567",)" + http + "}"),
            "400 CHECKPOINT_RESTORE_UNSUPPORTED_FOR_REPLICA_SETS");
}

TEST_F(LegacyCreate, NumbersAsTextAreForTheOldVersions) {
  const std::string delivery = R"({"methodName":"HTTP","expirationHours":"1","maxDownloads":2.0})";
  EXPECT_EQ(RefusedDelivery(delivery), "400 INVALID_JSON_ATTRIBUTE");
  for (const char* version : {"v1.0", "v1.5"}) {
    const auto response = PostLegacy(delivery, "/api/atlas/" + std::string(version) + "/groups/");
    ASSERT_EQ(response.status, 200) << response.body;
    const auto job = BodyOf(response).at("results").as_array().at(0).as_object();
    EXPECT_EQ(DeliveryOf(job).at("expirationHours"), 1);
    EXPECT_EQ(DeliveryOf(job).at("maxDownloads"), 2);
    EXPECT_EQ(job.at("pointInTime"), false);
  }
  for (const char* bad : {R"("x")", R"("")", "1.5", "true", R"("1 ")"}) {
    EXPECT_EQ(ErrorOf(PostLegacy(R"({"methodName":"HTTP","maxDownloads":)" + std::string(bad) + "}",
                                 "/api/atlas/v1.0/groups/")),
              "400 INVALID_JSON_ATTRIBUTE")
        << bad;
  }
}

TEST_F(LegacyCreate, LimitsHaveBounds) {
  EXPECT_EQ(RefusedDelivery(R"({"methodName":"HTTP","maxDownloads":0})"),
            "400 ATTRIBUTE_NEGATIVE_OR_ZERO");
  EXPECT_EQ(RefusedDelivery(R"({"methodName":"HTTP","expirationHours":-1})"),
            "400 ATTRIBUTE_NEGATIVE_OR_ZERO");
  EXPECT_EQ(RefusedDelivery(R"({"methodName":"HTTP","expirationHours":8761})"),
            "400 VALIDATION_ERROR");
  EXPECT_EQ(RefusedDelivery(R"({"methodName":"HTTP","maxDownloads":2147483648})"),
            "400 VALIDATION_ERROR");
}

TEST_F(LegacyCreate, SnapshotsHaveTheCodesOfTheFamily) {
  const std::string http = R"(,"delivery":{"methodName":"HTTP"}})";
  EXPECT_EQ(Refused(R"({"snapshotId":"0123456789abcdef01234567")" + http),
            "404 SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(Refused(R"({"snapshotId":"x")" + http), "400 VALIDATION_ERROR");
  const domain::Snapshot running = AddSnapshot(cluster_);
  EXPECT_EQ(Refused(R"({"snapshotId":")" + running.id.ToString() + "\"" + http),
            "409 CANNOT_DOWNLOAD_INCOMPLETE_SNAPSHOT");
}

TEST_F(LegacyCreate, AutomatedRestoreNeedsATarget) {
  const std::string method = R"({"methodName":"AUTOMATED_RESTORE")";
  EXPECT_EQ(RefusedDelivery(method + "}"), "400 MISSING_ATTRIBUTE");
  const std::string group = method + R"(,"targetGroupId":")" + Group() + "\"";
  EXPECT_EQ(RefusedDelivery(group + "}"), "400 MISSING_ONE_OF_MANY_ATTRIBUTES");
  EXPECT_EQ(RefusedDelivery(group + R"(,"targetClusterName":"Nobody"})"), "404 CLUSTER_NOT_FOUND");
  EXPECT_EQ(RefusedDelivery(group + R"(,"targetClusterId":"0123456789abcdef01234567"})"),
            "404 CLUSTER_NOT_FOUND");
  const domain::Cluster target = AddCluster("Target");
  const std::string id = R"(,"targetClusterId":")" + target.id.ToString() + "\"";
  // Both are given and do not fit: nothing is wiped by mistake.
  EXPECT_EQ(RefusedDelivery(group + id + R"(,"targetClusterName":"Cluster0"})"),
            "404 CLUSTER_NOT_FOUND");
  // Out of reach, which is the last check before the restore.
  EXPECT_EQ(RefusedDelivery(group + id + "}"), "409 RESTORE_INITIATION_FAILED");
  EXPECT_EQ(RefusedDelivery(group + R"(,"targetClusterName":"Target"})"),
            "409 RESTORE_INITIATION_FAILED");
}

TEST_F(LegacyCreate, JobsAreListedNewestFirst) {
  const domain::RestoreJob restore = AddRestore(cluster_, AddCluster("Target"));
  clock_.Advance(std::chrono::seconds(1));
  const json::object download = AskLegacy(R"({"methodName":"HTTP"})");
  const json::object list = BodyOf(Get(V2("/clusters/Cluster0/restoreJobs")));
  EXPECT_EQ(list.at("totalCount"), 2);
  const json::array& jobs = list.at("results").as_array();
  EXPECT_EQ(jobs.at(0), download);
  EXPECT_EQ(jobs.at(1).at("id").as_string(), restore.id.ToString());
}

TEST_F(LegacyCreate, NothingHasABatch) {
  AskLegacy(R"({"methodName":"HTTP"})");
  const std::string path = V2("/clusters/Cluster0/restoreJobs?batchId=");
  EXPECT_EQ(BodyOf(Get(path + kUnknownId)).at("totalCount"), 0);
  EXPECT_EQ(ErrorOf(Get(path + "x")), "400 INVALID_QUERY_PARAMETER");
}

class Export : public Downloads {
 protected:
  std::string Path(const std::string& query = {}) const {
    return Own("/clusters/Cluster0/snapshots/") + snapshot_.id.ToString() + "/export" + query;
  }
};

TEST_F(Export, SendsTheArchive) {
  http::Response response = Get(Path("?format=archive.gz"));
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(HeaderOf(response, "Content-Type"), "application/gzip");
  EXPECT_EQ(HeaderOf(response, "Content-Disposition"),
            "attachment; filename=\"Cluster0-" + snapshot_.id.ToString() + ".archive.gz\"");
  EXPECT_EQ(HeaderOf(response, "Cache-Control"), "no-store");
  EXPECT_EQ(Drain(response), archive_.content);
  EXPECT_EQ(HeaderOf(Get(Path("?format=archive")), "Content-Type"), "application/octet-stream");
}

TEST_F(Export, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(ErrorOf(Get(Path("?format=zip"))), "400 VALIDATION_ERROR");
  EXPECT_EQ(ErrorOf(Get(Path("?format=json&relaxed=1"))), "400 INVALID_QUERY_PARAMETER");
  const std::string snapshots = Own("/clusters/Cluster0/snapshots/");
  EXPECT_EQ(ErrorOf(Get(snapshots + kUnknownId + "/export")), "404 SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(ErrorOf(Get(snapshots + "x/export")), "404 SNAPSHOT_NOT_FOUND");
  const domain::Snapshot running = AddSnapshot(cluster_);
  EXPECT_EQ(ErrorOf(Get(snapshots + running.id.ToString() + "/export")), "404 SNAPSHOT_NOT_FOUND");
  EXPECT_EQ(GetAs(TokenWith(domain::Role::kGroupBackupManager), Path()).status, 401);
}

}  // namespace
}  // namespace tidemark::api
