#include <array>

#include "api/internal/cluster_view.h"
#include "api/internal/failure.h"
#include "api/internal/routes.h"

// Clusters in the three shapes that Atlas has had (contract.md 7.5): LegacyAtlasCluster,
// AdvancedClusterDescription and ClusterDescription20240805 of openapi.json.
namespace tidemark::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kLegacyShape = "2023-01-01";
constexpr std::string_view kAdvancedShape = "2023-02-01";
constexpr std::string_view kNewestShape = "2024-08-05";
constexpr std::string_view kReplaced = "Mon, 5 Aug 2024 00:00:00 GMT";
constexpr std::string_view kSunset = "Thu, 1 Jul 2027 00:00:00 GMT";

constexpr std::array kClusterVersions{Version{kLegacyShape, kReplaced, kSunset},
                                      Version{kAdvancedShape, kReplaced, kSunset},
                                      Version{kNewestShape}};
constexpr std::array kProcessArgsVersions{Version{kLegacyShape}, Version{kNewestShape}};

// A size that exists in all three shapes, of a kind that has backups.
constexpr std::string_view kPlaceholderSize = "M5";
constexpr std::string_view kZone = "Zone 1";  // Terraform wants a name
constexpr int kPriority = 7;                  // of the only region
constexpr int kNodes = 3;                     // the least that the schema knows

bool IsSharded(const domain::Cluster& cluster) {
  return cluster.topology == domain::Topology::kSharded;
}

json::array RenderLinks(const Call& call, const domain::Cluster& cluster) {
  const std::string self = HrefOf(call, ClusterPath(cluster.project, cluster.name));
  json::array links = SelfLink(self);
  links.push_back(json::object{{"href", self + "/backup/restoreJobs"},
                               {"rel", "https://cloud.mongodb.com/restoreJobs"}});
  links.push_back(json::object{{"href", self + "/backup/snapshots"},
                               {"rel", "https://cloud.mongodb.com/snapshots"}});
  return links;
}

// What the three shapes share.
json::object RenderCommon(const Call& call,
                          const domain::Cluster& cluster,
                          const mongo::PublicAddress& address) {
  json::object body;
  body["backupEnabled"] = true;
  body["biConnector"] = json::object{{"enabled", false}};
  body["clusterType"] = IsSharded(cluster) ? "SHARDED" : "REPLICASET";
  body["connectionStrings"] = RenderConnectionStrings(address);
  body["createDate"] = FormatInstant(cluster.created);
  body["encryptionAtRestProvider"] = cluster.encryption_at_rest ? kPlaceholderProvider : "NONE";
  body["globalClusterSelfManagedSharding"] = false;
  body["groupId"] = cluster.project.ToString();
  body["id"] = cluster.id.ToString();
  body["labels"] = json::array{};
  body["links"] = RenderLinks(call, cluster);
  if (HasFullVersion(cluster)) {
    body["mongoDBMajorVersion"] = domain::MajorVersion(cluster.mongodb_version);
    body["mongoDBVersion"] = cluster.mongodb_version;
  }
  body["name"] = cluster.name;
  body["paused"] = cluster.paused;
  body["pitEnabled"] = false;
  body["stateName"] = ClusterStateName(call, cluster);
  body["tags"] = json::array{};
  body["terminationProtectionEnabled"] = false;
  body["versionReleaseSystem"] = "LTS";
  return body;
}

void AddIfKnown(json::object& body, std::string_view name, const std::string& value) {
  if (!value.empty()) {
    body[name] = value;
  }
}

void AddLegacyMembers(json::object& body,
                      const domain::Cluster& cluster,
                      const mongo::PublicAddress& address) {
  const json::object regions{{kPlaceholderRegion,
                              json::object{{"analyticsNodes", 0},
                                           {"electableNodes", kNodes},
                                           {"priority", kPriority},
                                           {"readOnlyNodes", 0}}}};
  AddIfKnown(body, "mongoURI", address.hosts);
  body["mongoURIUpdated"] = FormatInstant(cluster.created);
  AddIfKnown(body, "mongoURIWithOptions", address.standard);
  body["numShards"] = 1;
  body["providerBackupEnabled"] = true;
  body["providerSettings"] = json::object{{"backingProviderName", kPlaceholderProvider},
                                          {"instanceSizeName", kPlaceholderSize},
                                          {"providerName", "TENANT"},
                                          {"regionName", kPlaceholderRegion}};
  body["replicationFactor"] = kNodes;
  body["replicationSpec"] = regions;
  body["replicationSpecs"] = json::array{json::object{{"id", cluster.id.ToString()},
                                                      {"numShards", 1},
                                                      {"regionsConfig", regions},
                                                      {"zoneName", kZone}}};
  AddIfKnown(body, "srvAddress", address.standard_srv);
}

json::object RenderReplication(const domain::Cluster& cluster) {
  const json::object hardware{{"effectiveInstanceSize", kPlaceholderSize},
                              {"instanceSize", kPlaceholderSize}};
  const json::object region{{"backingProviderName", kPlaceholderProvider},
                            {"electableSpecs", hardware},
                            {"priority", kPriority},
                            {"providerName", "TENANT"},
                            {"regionName", kPlaceholderRegion}};
  return {{"id", cluster.id.ToString()},
          {"regionConfigs", json::array{region}},
          {"zoneId", cluster.id.ToString()},
          {"zoneName", kZone}};
}

void AddAdvancedMembers(json::object& body, const domain::Cluster& cluster) {
  json::object replication = RenderReplication(cluster);
  replication["numShards"] = 1;
  body["replicationSpecs"] = json::array{std::move(replication)};
}

void AddNewestMembers(json::object& body, const domain::Cluster& cluster) {
  const json::array replication{RenderReplication(cluster)};
  body["effectiveReplicationSpecs"] = replication;
  body["redactClientLogData"] = false;
  body["replicationSpecs"] = replication;
}

json::object RenderCluster(const Call& call, const domain::Cluster& cluster) {
  const mongo::PublicAddress address = call.parts.clusters.AddressOf(cluster);
  json::object body = RenderCommon(call, cluster, address);
  if (call.version == kLegacyShape) {
    AddLegacyMembers(body, cluster, address);
  } else if (call.version == kAdvancedShape) {
    AddAdvancedMembers(body, cluster);
  } else {
    AddNewestMembers(body, cluster);
  }
  return body;
}

Reply ListClusters(const Call& call) {
  constexpr std::string_view kParameter = "includeDeletedWithRetainedBackups";
  const std::string choice = ParseChoice(call.request.query, kParameter, {"false", "true"});
  ListQuery query = call.query;
  query.filter = "&" + std::string(kParameter) + "=" + choice;
  const auto listing =
      call.parts.clusters.List(ProjectOf(call).id,
                               catalog::Store::ClusterKind::kNotFlex,
                               choice == "true" ? catalog::Store::Unregistered::kWithSnapshots
                                                : catalog::Store::Unregistered::kLeaveOut,
                               query.page);
  return ListReply(call.request, query, listing, [&](const domain::Cluster& cluster) {
    return RenderCluster(call, cluster);
  });
}

Reply GetCluster(const Call& call) {
  return {200, Shape::kObject, RenderCluster(call, FindCloudCluster(call))};
}

// Terraform reads them with every cluster. All of them are settings of mongod that Tidemark neither
// knows nor changes, and all may be left out.
Reply GetProcessArgs(const Call& call) {
  FindCloudCluster(call);
  return {200, Shape::kObject, json::object{}};
}

}  // namespace

std::string_view ClusterStateName(const Call& call, const domain::Cluster& cluster) {
  if (cluster.removed) {
    return "DELETING";
  }
  return call.parts.clusters.IsBeingRestored(cluster) ? "UPDATING" : "IDLE";
}

json::object RenderConnectionStrings(const mongo::PublicAddress& address) {
  json::object strings;
  AddIfKnown(strings, "standard", address.standard);
  AddIfKnown(strings, "standardSrv", address.standard_srv);
  return strings;
}

bool HasFullVersion(const domain::Cluster& cluster) {
  const std::string& version = cluster.mongodb_version;
  const std::size_t patch = domain::MajorVersion(version).size() + 1;
  return patch > 1 && patch < version.size() && version[patch] >= '0' && version[patch] <= '9';
}

std::span<const Route> ClusterRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters",
            kAtlas,
            kProjectRead,
            "listGroupClusters",
            ListClusters,
            kClusterVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}",
            kAtlas,
            kProjectRead,
            "getGroupCluster",
            GetCluster,
            kClusterVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/processArgs",
            kAtlas,
            kProjectRead,
            "getGroupClusterProcessArgs",
            GetProcessArgs,
            kProcessArgsVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
