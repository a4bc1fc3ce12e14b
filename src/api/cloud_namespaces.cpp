#include <array>
#include <span>

#include "api/internal/failure.h"
#include "api/internal/routes.h"
#include "api/internal/text.h"

// The databases and collections of a snapshot, by name.
namespace tidemark::api {
namespace {

namespace json = boost::json;

service::SnapshotContents ReadContents(const Call& call) {
  const domain::Cluster cluster = FindCloudCluster(call);
  const std::string& text = call.path.Get("snapshotId");
  const auto id = SnapshotId::Parse(text);
  if (!id) {
    throw InvalidPathId("INVALID_SNAPSHOT_ID", text);
  }
  return call.parts.snapshots.ListContents(cluster, *id);
}

std::string DatabasesHref(const Call& call) {
  return HrefOf(call,
                ClusterPath(ProjectOf(call).id, call.path.Get("clusterName")) +
                    "/backup/snapshots/" + call.path.Get("snapshotId") + "/databases");
}

std::string CollectionsHref(const Call& call, const std::string& database) {
  return DatabasesHref(call) + "/" + EncodeSegment(database) + "/collections";
}

// DiskBackupDatabaseResponse and DiskBackupCollectionResponse of openapi.json.
json::object RenderName(const std::string& parent, const std::string& name) {
  return {{"links", SelfLink(parent + "/" + EncodeSegment(name))}, {"name", name}};
}

Reply ListNames(const Call& call, const std::string& parent, std::span<const std::string> names) {
  return ListReply(
      call.request, call.query, PageOf(names, call.query.page), [&](const std::string& name) {
        return RenderName(parent, name);
      });
}

const std::vector<std::string>& FindDatabase(const Call& call,
                                             const service::SnapshotContents& contents) {
  const auto found = contents.find(call.path.Get("databaseName"));
  if (found == contents.end()) {
    throw ResourceNotFound(call.request.path);
  }
  return found->second;
}

Reply ListDatabases(const Call& call) {
  std::vector<std::string> names;
  for (const auto& [database, collections] : ReadContents(call)) {
    names.push_back(database);
  }
  return ListNames(call, DatabasesHref(call), names);
}

Reply GetDatabase(const Call& call) {
  const service::SnapshotContents contents = ReadContents(call);
  FindDatabase(call, contents);
  return {200, Shape::kObject, RenderName(DatabasesHref(call), call.path.Get("databaseName"))};
}

Reply ListCollections(const Call& call) {
  const service::SnapshotContents contents = ReadContents(call);
  return ListNames(
      call, CollectionsHref(call, call.path.Get("databaseName")), FindDatabase(call, contents));
}

Reply GetCollection(const Call& call) {
  const service::SnapshotContents contents = ReadContents(call);
  const std::string& name = call.path.Get("collectionName");
  if (!std::ranges::binary_search(FindDatabase(call, contents), name)) {
    throw ResourceNotFound(call.request.path);
  }
  return {
      200, Shape::kObject, RenderName(CollectionsHref(call, call.path.Get("databaseName")), name)};
}

}  // namespace

std::span<const Route> CloudNamespaceRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots/{snapshotId}/databases",
            kV2Only,
            kProjectRead,
            "listGroupClusterBackupSnapshotDatabases",
            ListDatabases,
            kCollectionVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots/{snapshotId}/databases/"
            "{databaseName}",
            kV2Only,
            kProjectRead,
            "getGroupClusterBackupSnapshotDatabase",
            GetDatabase,
            kCollectionVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots/{snapshotId}/databases/"
            "{databaseName}/collections",
            kV2Only,
            kProjectRead,
            "listGroupClusterBackupSnapshotDatabaseCollections",
            ListCollections,
            kCollectionVersions},
      Route{kGet,
            "/groups/{groupId}/clusters/{clusterName}/backup/snapshots/{snapshotId}/databases/"
            "{databaseName}/collections/{collectionName}",
            kV2Only,
            kProjectRead,
            "getGroupClusterBackupSnapshotDatabaseCollection",
            GetCollection,
            kCollectionVersions},
  };
  return kRoutes;
}

}  // namespace tidemark::api
