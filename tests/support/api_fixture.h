#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/api.h"
#include "api/internal/digest.h"
#include "codec/codec.h"
#include "tests/support/fake_archive.h"
#include "tests/support/service_fixture.h"

// The whole api over such services.
namespace tidemark::api {

class ApiFixture : public service::ServiceFixture {
 protected:
  ApiFixture() {
    clusters_.emplace(*environment_);
    snapshots_.emplace(*environment_, *clusters_, engine::SnapshotOptions{});
    imports_.emplace(
        *environment_,
        *clusters_,
        *snapshots_,
        service::ImportOptions{.folder = directory_ / "imports", .spool_folder = directory_});
    restores_.emplace(*environment_, *access_, *clusters_, delivery::RestoreOptions{});
    maintenance_.emplace(*environment_);
    downloads_.emplace(*environment_, *clusters_, archive_.Opener());
    schedules_.emplace(*environment_, service::Schedules::kOn);
    audit_.emplace(*environment_);
    notices_.emplace(*environment_, *transport_);
    exports_.emplace(
        *environment_,
        *access_,
        service::ExportServiceOptions{.folder = directory_ / "exports", .loopback = true});
    drills_.emplace(*environment_, *clusters_, *schedules_, delivery::RestoreOptions{});
    pushes_.emplace(*environment_, *access_, *clusters_, *downloads_, service::PushOptions{});
    metrics_.emplace(*environment_, service::MetricsOptions{.version = "1.2.3"});
    account_ = access_->CreateKey({first_.key.key},
                                  domain::KeyKind::kServiceAccount,
                                  "test",
                                  {{domain::Role::kOrgOwner, first_.organization.id, {}}});
    token_ = access_->IssueToken(account_.key.public_name, account_.secret.Reveal())->Reveal();
    api_ = Api::Make({*access_,
                      *clusters_,
                      *snapshots_,
                      *imports_,
                      *restores_,
                      *downloads_,
                      *maintenance_,
                      *schedules_,
                      *audit_,
                      *notices_,
                      *exports_,
                      *drills_,
                      *pushes_,
                      *metrics_,
                      *store_,
                      clock_,
                      random_,
                      *log_,
                      std::string(32, 'k')});
  }

  static http::Request MakeRequest(http::Method method, const std::string& target) {
    http::Request request;
    request.method = method;
    request.target = target;
    request.path = target.substr(0, target.find('?'));
    request.query =
        request.path.size() == target.size() ? "" : target.substr(request.path.size() + 1);
    request.headers = {{"host", "backup.example:8080"}};
    request.scheme = "http";
    request.request_id = "0123456789abcdef";
    return request;
  }

  // With that bearer token, and the version that v2 needs.
  static http::Request MakeRequestAs(const std::string& token,
                                     http::Method method,
                                     const std::string& target,
                                     const std::string& body) {
    http::Request request = MakeRequest(method, target);
    request.headers.emplace_back("authorization", "Bearer " + token);
    request.headers.emplace_back("accept", "application/vnd.atlas.2024-05-30+json");
    if (!body.empty()) {
      request.headers.emplace_back("content-type", "application/json");
    }
    request.body = body;
    return request;
  }

  // With that of an organization owner.
  http::Request MakeOwnerRequest(http::Method method,
                                 const std::string& target,
                                 const std::string& body = {}) {
    return MakeRequestAs(token_, method, target, body);
  }

  http::Response Get(const std::string& target) {
    return api_->Handle(MakeOwnerRequest(http::Method::kGet, target));
  }

  http::Response Post(const std::string& target, const std::string& body) {
    return api_->Handle(MakeOwnerRequest(http::Method::kPost, target, body));
  }

  http::Response Patch(const std::string& target, const std::string& body) {
    return api_->Handle(MakeOwnerRequest(http::Method::kPatch, target, body));
  }

  http::Response Delete(const std::string& target) {
    return api_->Handle(MakeOwnerRequest(http::Method::kDelete, target));
  }

  // What a client with the first key answers to a challenge.
  std::string DigestHeader(const http::Request& request,
                           const http::Response& challenge,
                           const std::string& count = "00000001") {
    const std::string line = HeaderOf(challenge, "WWW-Authenticate");
    DigestCredentials credentials = *ParseDigestCredentials(line.substr(line.find(' ') + 1));
    credentials.uri = request.target;
    credentials.nc = count;
    credentials.cnonce = "MTIzNDU2Nzg=";
    credentials.qop = "auth";
    const std::string& name = first_.key.key.public_name;
    const std::string ha1 = codec::Md5Hex(name + ":MMS Public API:" + first_.key.secret.Reveal());
    return "Digest username=\"" + name + "\", realm=\"MMS Public API\", nonce=\"" +
           credentials.nonce + "\", uri=\"" + credentials.uri + "\", response=\"" +
           DigestResponse(credentials, ha1, http::MethodName(request.method)) +
           "\", algorithm=\"MD5\", qop=auth, nc=" + count + ", cnonce=\"MTIzNDU2Nzg=\"";
  }

  // The bearer token of a new service account with that one role on the first project.
  std::string TokenWith(domain::Role role) {
    const auto made = access_->CreateKey({first_.key.key},
                                         domain::KeyKind::kServiceAccount,
                                         "test",
                                         {{role, {}, first_.project.id}});
    return access_->IssueToken(made.key.public_name, made.secret.Reveal())->Reveal();
  }

  http::Response SendAs(const std::string& token,
                        http::Method method,
                        const std::string& target,
                        const std::string& body = {}) {
    return api_->Handle(MakeRequestAs(token, method, target, body));
  }

  http::Response GetAs(const std::string& token, const std::string& target) {
    http::Request request = MakeRequest(http::Method::kGet, target);
    request.headers.emplace_back("authorization", "Bearer " + token);
    return api_->Handle(request);
  }

  static std::string HeaderOf(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) {
        return value;
      }
    }
    return {};
  }

  static boost::json::object BodyOf(const http::Response& response) {
    return boost::json::parse(response.body).as_object();
  }

  static std::string CodeOf(const http::Response& response) {
    return std::string(BodyOf(response).at("errorCode").as_string());
  }

  // "200", or "404 SNAPSHOT_NOT_FOUND".
  static std::string ErrorOf(const http::Response& response) {
    return std::to_string(response.status) + (response.status < 400 ? "" : " " + CodeOf(response));
  }

  static std::vector<std::string> MembersOf(const boost::json::object& object) {
    std::vector<std::string> members;
    for (const auto& member : object) {
      members.emplace_back(member.key());
    }
    return members;
  }

  domain::Cluster AddCluster(const std::string& name,
                             domain::Topology topology = domain::Topology::kReplicaSet,
                             domain::Tier tier = domain::Tier::kShared) {
    service::ClusterRegistration registration;
    registration.name = name;
    registration.tier = tier;
    registration.connection_string = Secret("mongodb://127.0.0.1:1/");
    const domain::Cluster cluster = clusters_->Register(first_.project.id, registration);
    store_->UpdateClusterFacts(cluster.id, topology, "7.0.42", "rs0");
    return clusters_->Find(first_.project.id, name);
  }

  domain::Cluster AddFlexCluster(const std::string& name,
                                 domain::Topology topology = domain::Topology::kReplicaSet) {
    return AddCluster(name, topology, domain::Tier::kFlex);
  }

  domain::Job JobFor(domain::JobKind kind, const ObjectId& subject) {
    domain::Job job;
    job.id = JobId::Generate(clock_.Now(), random_);
    job.kind = kind;
    job.subject = subject;
    job.created = clock_.Now();
    return job;
  }

  domain::Snapshot AddSnapshot(const domain::Cluster& cluster) {
    return snapshots_->Take(cluster.project, cluster.name, "nightly");
  }

  // One that is completed, and empty.
  domain::Snapshot AddFinishedSnapshot(const domain::Cluster& cluster) {
    const domain::Snapshot queued = AddSnapshot(cluster);
    repo::Manifest manifest;
    manifest.snapshot = queued.id;
    manifest.project = cluster.project;
    manifest.cluster = cluster.id;
    manifest.cluster_name = cluster.name;
    manifest.created = clock_.Now();
    repository_->NewSnapshot(cluster.project, {})->Commit(manifest);
    auto claimed = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds(60));
    while (claimed && claimed->subject != queued.id.raw()) {
      claimed = store_->ClaimJob("node", clock_.Now(), std::chrono::seconds(60));
    }
    EXPECT_TRUE(claimed.has_value());
    domain::Snapshot snapshot = *store_->FindSnapshot(queued.id);
    snapshot.state = domain::SnapshotState::kCompleted;
    snapshot.finished = clock_.Now();
    snapshot.mongodb_version = "7.0.42";
    snapshot.position = {1700000000, 3};
    EXPECT_TRUE(store_->FinishSnapshot({claimed->id, claimed->fence}, snapshot));
    return *store_->FindSnapshot(queued.id);
  }

  domain::RestoreJob AddRestore(const domain::Cluster& source,
                                const domain::Cluster& target,
                                domain::OplogPosition position = {1700000000, 3},
                                const std::string& scope = {}) {
    domain::RestoreJob job;
    job.id = RestoreJobId::Generate(clock_.Now(), random_);
    job.project = source.project;
    job.cluster = source.id;
    job.cluster_name = source.name;
    job.snapshot = AddSnapshot(source).id;
    job.snapshot_finished = clock_.Now() - std::chrono::hours(1);
    job.position = position;
    job.target_project = target.project;
    job.target_cluster = target.id;
    job.target_name = target.name;
    job.created = clock_.Now();
    job.expires = clock_.Now() + std::chrono::hours(4);
    job.requested_by = first_.key.key.id;
    job.scope = scope;
    store_->AddRestore(job, JobFor(domain::JobKind::kRestore, job.id.raw()), "stopped");
    return job;
  }

  std::string Group() const { return first_.project.id.ToString(); }

  // Below a project: "/api/atlas/v1.0/groups/{id}" + rest.
  std::string V1(const std::string& rest) const {
    return "/api/atlas/v1.0/groups/" + Group() + rest;
  }

  std::string V2(const std::string& rest) const { return "/api/atlas/v2/groups/" + Group() + rest; }

  std::string Own(const std::string& rest) const {
    return "/api/tidemark/v1/projects/" + Group() + rest;
  }

  std::optional<service::ClusterService> clusters_;
  std::optional<service::SnapshotService> snapshots_;
  std::optional<service::ImportService> imports_;
  std::optional<service::RestoreService> restores_;
  std::optional<service::RepositoryService> maintenance_;
  service::FakeArchive archive_;
  std::optional<service::DownloadService> downloads_;
  std::optional<service::ScheduleService> schedules_;
  std::optional<service::AuditService> audit_;
  std::unique_ptr<notify::Transport> transport_ = notify::MakeCurlTransport({}, clock_);
  std::optional<service::NoticeService> notices_;
  std::optional<service::ExportService> exports_;
  std::optional<service::DrillService> drills_;
  std::optional<service::PushService> pushes_;
  std::optional<service::MetricsService> metrics_;
  service::AccessService::NewKey account_;
  std::string token_;
  std::unique_ptr<Api> api_;
};

}  // namespace tidemark::api
