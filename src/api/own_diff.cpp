#include <array>

#include <boost/json/parse.hpp>

#include "api/internal/own_render.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

// As many documents as one answer shows.
constexpr std::uint64_t kMaxShown = 1000;

constexpr std::array kDiffFields{
    Field{"toSnapshotId", FieldType::kObjectId, kRequired},
    Field{"namespace", FieldType::kString, kOptional},
    Field{"documents", FieldType::kBoolean, kOptional},
};

json::object RenderNamespace(const engine::NamespaceDiff& diff) {
  json::object body;
  body["database"] = diff.database;
  body["collection"] = diff.collection;
  body["change"] = !diff.in_before ? "ADDED" : !diff.in_after ? "REMOVED" : "CHANGED";
  body["optionsDiffer"] = diff.options_differ;
  body["indexesDiffer"] = diff.indexes_differ;
  body["documentsDiffer"] = diff.documents_differ;
  body["comparedByDocument"] = diff.by_document;
  body["added"] = diff.added;
  body["removed"] = diff.removed;
  body["changed"] = diff.changed;
  return body;
}

// Canonical Extended JSON; null when there is none.
json::value RenderDocument(ByteView document) {
  if (document.empty()) {
    return nullptr;
  }
  json::parse_options options;
  options.allow_invalid_utf8 = true;
  options.max_depth = 256;  // BSON nests to 100, and Extended JSON adds a level for a value
  return json::parse(bson::ToJson(bson::Document(document)), {}, options);
}

Reply DiffSnapshot(const Call& call) {
  const json::object body = ReadBody(call.request, kDiffFields);
  const domain::Cluster cluster = FindOwnCluster(call);
  const domain::Snapshot before = FindSnapshot(call, cluster, service::Reason::kSnapshotNotFound);
  const auto after = IdOf<SnapshotId>(body, "toSnapshotId");
  json::array documents;
  engine::DiffOptions options{.only = StringOf(body, "namespace"), .max_visits = kMaxShown};
  if (FlagOf(body, "documents")) {
    options.visit = [&documents](const engine::DocumentDiff& diff) {
      documents.push_back(json::object{{"database", diff.ns.database},
                                       {"collection", diff.ns.collection},
                                       {"before", RenderDocument(diff.before)},
                                       {"after", RenderDocument(diff.after)}});
    };
  }
  json::array namespaces;
  std::uint64_t differing = 0;
  for (const auto& diff : call.parts.snapshots.Diff(cluster, before.id, after, options)) {
    namespaces.push_back(RenderNamespace(diff));
    differing += diff.added + diff.removed + diff.changed;
  }
  Reply reply;
  reply.body["fromSnapshotId"] = before.id.ToString();
  reply.body["toSnapshotId"] = after.ToString();
  reply.body["namespaces"] = std::move(namespaces);
  if (options.visit) {
    reply.body["truncated"] = differing > documents.size();
    reply.body["documents"] = std::move(documents);
  }
  return reply;
}

}  // namespace

std::span<const Route> OwnDiffRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kPost,
            "/projects/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}/diff",
            kOwn,
            kProjectOwner,
            "diffSnapshot",
            DiffSnapshot},
  };
  return kRoutes;
}

}  // namespace tidemark::api
