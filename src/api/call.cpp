#include "api/internal/call.h"

#include "api/internal/failure.h"
#include "service/refusal.h"

namespace tidemark::api {

void RefuseAbsent(service::Reason reason, const std::string& id, const domain::Cluster& cluster) {
  throw service::Refusal(reason,
                         ErrorCode::kNotFound,
                         "finding " + id + " of cluster " + cluster.name + ": there is none",
                         {id, cluster.name});
}

const domain::Project& ProjectOf(const Call& call) {
  TIDEMARK_CHECK(call.project.has_value());
  return *call.project;
}

domain::RestoreJob FindTenantRestore(const Call& call,
                                     const domain::Cluster& cluster,
                                     const std::string& text) {
  constexpr auto kReason = service::Reason::kTenantRestoreNotFound;
  domain::RestoreJob job = FindRestoreJob(call, cluster, text, kReason);
  if (job.delivery == domain::DeliveryMethod::kPush) {
    RefuseAbsent(kReason, text, cluster);
  }
  return job;
}

std::string HrefOf(const Call& call, const std::string& path) {
  return BaseUrl(call.request) + std::string(FamilyPrefix(call.family)) + path;
}

std::string ClusterPath(const ProjectId& project, const std::string& name) {
  return "/groups/" + project.ToString() + "/clusters/" + name;
}

namespace {

domain::Cluster FindNamed(const Call& call, const std::string& name) {
  if (!domain::IsClusterName(name)) {
    throw service::Refusal(service::Reason::kClusterNotFound,
                           ErrorCode::kNotFound,
                           "finding cluster " + name + ": no cluster can have that name",
                           {name, ProjectOf(call).id.ToString()});
  }
  return call.parts.clusters.Find(ProjectOf(call).id, name);
}

}  // namespace

domain::Cluster FindCluster(const Call& call) {
  return FindNamed(call, call.path.Get("clusterName"));
}

domain::Cluster FindCloudCluster(const Call& call) {
  domain::Cluster cluster = FindCluster(call);
  if (domain::IsFlex(cluster)) {
    throw Refused(400,
                  "CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API",
                  "Flex cluster {0} cannot be used in the Cluster API.",
                  {cluster.name});
  }
  return cluster;
}

domain::Cluster FindFlexCluster(const Call& call) {
  domain::Cluster cluster = FindNamed(call, call.path.Get("name"));
  if (!domain::IsFlex(cluster)) {
    throw Refused(400,
                  "CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API",
                  "Cannot use non-flex cluster {0} in the flex API.",
                  {cluster.name});
  }
  return cluster;
}

domain::Snapshot FindSnapshot(const Call& call,
                              const domain::Cluster& cluster,
                              service::Reason reason) {
  const std::string& text = call.path.Get("snapshotId");
  const auto id = SnapshotId::Parse(text);
  const auto snapshot = id ? call.parts.snapshots.Find(cluster, *id) : std::nullopt;
  if (!snapshot) {
    RefuseAbsent(reason, text, cluster);
  }
  return *snapshot;
}

domain::RestoreJob FindRestoreJob(const Call& call,
                                  const domain::Cluster& cluster,
                                  const std::string& text,
                                  service::Reason reason) {
  const auto id = RestoreJobId::Parse(text);
  const auto job = id ? call.parts.restores.Find(cluster, *id) : std::nullopt;
  if (!job) {
    RefuseAbsent(reason, text, cluster);
  }
  return *job;
}

}  // namespace tidemark::api
