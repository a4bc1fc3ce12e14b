#include <array>

#include "api/internal/cluster_view.h"
#include "api/internal/flex.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

// FlexClusterDescription20241113 of openapi.json. diskSizeGB is left out: nobody knows it.
json::object RenderFlexCluster(const Call& call, const domain::Cluster& cluster) {
  json::object body;
  body["backupSettings"] = json::object{{"enabled", true}};
  body["clusterType"] = "REPLICASET";
  body["connectionStrings"] = RenderConnectionStrings(call.parts.clusters.AddressOf(cluster));
  body["createDate"] = FormatInstant(cluster.created);
  body["groupId"] = cluster.project.ToString();
  body["id"] = cluster.id.ToString();
  if (HasFullVersion(cluster)) {
    body["mongoDBVersion"] = cluster.mongodb_version;
  }
  body["name"] = cluster.name;
  body["providerSettings"] = json::object{{"backingProviderName", kPlaceholderProvider},
                                          {"providerName", "FLEX"},
                                          {"regionName", kPlaceholderRegion}};
  body["stateName"] = ClusterStateName(call, cluster);
  body["tags"] = json::array{};
  body["terminationProtectionEnabled"] = false;
  body["versionReleaseSystem"] = "LTS";
  return body;
}

Reply ListFlexClusters(const Call& call) {
  const auto listing = call.parts.clusters.List(ProjectOf(call).id,
                                                catalog::Store::ClusterKind::kFlex,
                                                catalog::Store::Unregistered::kLeaveOut,
                                                call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::Cluster& cluster) {
    return RenderFlexCluster(call, cluster);
  });
}

Reply GetFlexCluster(const Call& call) {
  return {200, Shape::kObject, RenderFlexCluster(call, FindFlexCluster(call))};
}

}  // namespace

std::span<const Route> FlexClusterRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/flexClusters",
            kV2Only,
            kProjectRead,
            "listGroupFlexClusters",
            ListFlexClusters,
            kFlexVersions},
      Route{kGet,
            "/groups/{groupId}/flexClusters/{name}",
            kV2Only,
            kProjectRead,
            "getGroupFlexCluster",
            GetFlexCluster,
            kFlexVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
