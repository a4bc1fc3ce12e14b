#include <array>

#include "api/internal/failure.h"
#include "api/internal/own_render.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"
#include "service/refusal.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::array kProjectFields{Field{"name", FieldType::kString, kRequired}};

constexpr std::array kClusterFields{
    Field{"name", FieldType::kString, kRequired},
    Field{"connectionString", FieldType::kString, kRequired},
    Field{"tier", FieldType::kString, kOptional},
    Field{"encryptionAtRest", FieldType::kBoolean, kOptional},
    Field{"paused", FieldType::kBoolean, kOptional},
    Field{"requireQuiet", FieldType::kBoolean, kOptional},
    Field{"allowLossy", FieldType::kBoolean, kOptional},
};

constexpr std::array kChangeFields{
    Field{"connectionString", FieldType::kString, kNotNull},
    Field{"encryptionAtRest", FieldType::kBoolean, kNotNull},
    Field{"paused", FieldType::kBoolean, kNotNull},
    Field{"requireQuiet", FieldType::kBoolean, kNotNull},
    Field{"allowLossy", FieldType::kBoolean, kNotNull},
};

json::object RenderProject(const domain::Project& project) {
  return {{"created", FormatInstant(project.created)},
          {"id", project.id.ToString()},
          {"name", project.name},
          {"orgId", project.organization.ToString()}};
}

// Never the connection string.
json::object RenderCluster(const Call& call, const domain::Cluster& cluster) {
  json::object body;
  body["id"] = cluster.id.ToString();
  body["projectId"] = cluster.project.ToString();
  body["name"] = cluster.name;
  body["tier"] = domain::TierName(cluster.tier);
  body["topology"] = domain::TopologyName(cluster.topology);
  AddText(body, "mongoDBVersion", cluster.mongodb_version);
  AddText(body, "replicaSetName", cluster.replica_set_name);
  body["encryptionAtRest"] = cluster.encryption_at_rest;
  body["paused"] = cluster.paused;
  body["requireQuiet"] = cluster.require_quiet;
  body["allowLossy"] = cluster.allow_lossy;
  body["created"] = FormatInstant(cluster.created);
  AddInstant(body, "removed", cluster.removed);
  body["scratchTarget"] = call.parts.drills.IsScratch(cluster);
  AddLastVerified(body, call.parts.drills.FindLast(cluster));
  return body;
}

json::object RenderCheck(const service::ClusterCheck& check) {
  json::object body;
  body["reachable"] = check.reachable;
  AddText(body, "version", check.version);
  AddText(body, "flavor", check.flavor);
  body["topology"] = domain::TopologyName(check.topology);
  AddText(body, "replicaSetName", check.replica_set_name);
  body["hasOplog"] = check.has_oplog;
  body["canRead"] = check.can_read;
  body["canWrite"] = check.can_write;
  json::array problems;
  for (const std::string& problem : check.problems) {
    problems.emplace_back(problem);
  }
  body["problems"] = std::move(problems);
  return body;
}

domain::Tier TierOf(const json::object& body) {
  if (!body.contains("tier")) {
    return domain::Tier::kShared;
  }
  const auto tier = domain::ParseTier(StringOf(body, "tier"));
  if (!tier) {
    throw InvalidValue("tier", "must be shared, flex or dedicated");
  }
  return *tier;
}

service::ClusterRegistration ReadRegistration(const Call& call) {
  const json::object body = ReadBody(call.request, kClusterFields);
  service::ClusterRegistration registration;
  registration.name = StringOf(body, "name");
  registration.tier = TierOf(body);
  registration.connection_string = Secret(StringOf(body, "connectionString"));
  registration.encryption_at_rest = FlagOf(body, "encryptionAtRest");
  registration.paused = FlagOf(body, "paused");
  registration.require_quiet = FlagOf(body, "requireQuiet");
  registration.allow_lossy = FlagOf(body, "allowLossy");
  return registration;
}

catalog::Store::ClusterChange ReadChange(const Call& call) {
  const json::object body = ReadBody(call.request, kChangeFields);
  const auto flag = [&](std::string_view name) {
    return body.contains(name) ? std::optional(FlagOf(body, name)) : std::nullopt;
  };
  catalog::Store::ClusterChange change;
  if (body.contains("connectionString")) {
    change.connection_string = Secret(StringOf(body, "connectionString"));
  }
  change.encryption_at_rest = flag("encryptionAtRest");
  change.paused = flag("paused");
  change.require_quiet = flag("requireQuiet");
  change.allow_lossy = flag("allowLossy");
  return change;
}

}  // namespace

domain::Cluster FindOwnCluster(const Call& call) {
  const auto id = ClusterId::Parse(call.path.Get("clusterName"));
  if (id) {
    const auto cluster = call.parts.store.FindCluster(*id);
    if (cluster && cluster->project == ProjectOf(call).id) {
      return *cluster;
    }
  }
  return FindCluster(call);
}

void AddInstant(json::object& body, std::string_view name, const std::optional<Instant>& instant) {
  if (instant) {
    body[name] = FormatInstant(*instant);
  }
}

void AddText(json::object& body, std::string_view name, const std::string& text) {
  if (!text.empty()) {
    body[name] = text;
  }
}

namespace {

Reply ListProjects(const Call& call) {
  const auto listing = call.parts.access.ListProjects(call.caller, call.query.page);
  return ListReply(call.request, call.query, listing, RenderProject);
}

Reply CreateProject(const Call& call) {
  const json::object body = ReadBody(call.request, kProjectFields);
  return {201,
          Shape::kObject,
          RenderProject(call.parts.access.CreateProject(call.caller, StringOf(body, "name")))};
}

Reply DeleteProject(const Call& call) {
  call.parts.access.DeleteProject(call.caller, ProjectOf(call).id);
  return {204, Shape::kNone, {}};
}

Reply ListClusters(const Call& call) {
  const auto listing = call.parts.clusters.List(ProjectOf(call).id, call.query.page);
  return ListReply(call.request, call.query, listing, [&](const domain::Cluster& cluster) {
    return RenderCluster(call, cluster);
  });
}

Reply CreateCluster(const Call& call) {
  return {201,
          Shape::kObject,
          RenderCluster(call,
                        call.parts.clusters.Register(ProjectOf(call).id, ReadRegistration(call)))};
}

Reply GetCluster(const Call& call) {
  return {200, Shape::kObject, RenderCluster(call, FindOwnCluster(call))};
}

Reply UpdateCluster(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  return {
      200,
      Shape::kObject,
      RenderCluster(
          call, call.parts.clusters.Update(ProjectOf(call).id, cluster.name, ReadChange(call)))};
}

Reply DeleteCluster(const Call& call) {
  call.parts.clusters.Remove(ProjectOf(call).id, FindCluster(call).name);
  return {204, Shape::kNone, {}};
}

Reply CheckCluster(const Call& call) {
  const domain::Cluster cluster = FindCluster(call);
  return {200,
          Shape::kObject,
          RenderCheck(call.parts.clusters.Check(ProjectOf(call).id, cluster.name))};
}

}  // namespace

std::span<const Route> OwnClusterRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet, "/projects", kOwn, kAnyKey, "listProjects", ListProjects},
      Route{kPost, "/projects", kOwn, kOrganizationOwner, "createProject", CreateProject},
      Route{
          kDelete, "/projects/{groupId}", kOwn, kOrganizationOwner, "deleteProject", DeleteProject},
      Route{kGet, "/projects/{groupId}/clusters", kOwn, kProjectRead, "listClusters", ListClusters},
      Route{kPost,
            "/projects/{groupId}/clusters",
            kOwn,
            kClusterManage,
            "createCluster",
            CreateCluster},
      Route{kGet,
            "/projects/{groupId}/clusters/{clusterName}",
            kOwn,
            kProjectRead,
            "getCluster",
            GetCluster},
      Route{kPatch,
            "/projects/{groupId}/clusters/{clusterName}",
            kOwn,
            kClusterManage,
            "updateCluster",
            UpdateCluster},
      Route{kDelete,
            "/projects/{groupId}/clusters/{clusterName}",
            kOwn,
            kClusterManage,
            "deleteCluster",
            DeleteCluster},
      Route{kPost,
            "/projects/{groupId}/clusters/{clusterName}/check",
            kOwn,
            kClusterManage,
            "checkCluster",
            CheckCluster},
  };
  return kRoutes;
}

}  // namespace tidemark::api
