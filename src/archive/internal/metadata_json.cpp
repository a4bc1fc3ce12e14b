#include "archive/internal/metadata_json.h"

#include "archive/lines.h"
#include "base/error.h"
#include "bson/extended_json.h"

namespace tidemark::archive {
namespace {

void AppendOptions(const repo::NamespaceEntry& entry, std::string& json) {
  if (entry.options.empty() || bson::Document(entry.options).empty()) {
    return;
  }
  json += "\"options\":";
  bson::AppendJson(bson::Document(entry.options), bson::JsonForm::kCanonical, json);
  json += ',';
}

void AppendIndexes(const repo::NamespaceEntry& entry, std::string& json) {
  json += "\"indexes\":[";
  for (const Bytes& index : entry.indexes) {
    bson::AppendJson(bson::Document(index), bson::JsonForm::kCanonical, json);
    json += ',';
  }
  if (json.back() == ',') {
    json.pop_back();
  }
  json += ']';
}

}  // namespace

std::string_view TypeName(repo::NamespaceKind kind) {
  switch (kind) {
    case repo::NamespaceKind::kCollection:
      return "collection";
    case repo::NamespaceKind::kView:
      return "view";
    case repo::NamespaceKind::kTimeseries:
      return "timeseries";
  }
  CheckFailed("every kind has a name", __FILE__, __LINE__);
}

std::string MetadataJson(const repo::NamespaceEntry& entry) {
  std::string json = "{";
  AppendOptions(entry, json);
  AppendIndexes(entry, json);
  json += ",\"collectionName\":";
  bson::AppendJsonString(entry.collection, json);
  json += ",\"type\":";
  bson::AppendJsonString(TypeName(entry.kind), json);
  json += '}';
  return json;
}

std::string PreludeJson(const repo::Manifest& manifest) {
  std::string json = "{\"ServerVersion\":";
  bson::AppendJsonString(ServerVersion(manifest), json);
  json += ",\"ToolVersion\":";
  bson::AppendJsonString(kToolVersion, json);
  json += '}';
  return json;
}

std::string ServerVersion(const repo::Manifest& manifest) {
  return manifest.mongodb_version.empty() ? "unknown" : manifest.mongodb_version;
}

}  // namespace tidemark::archive
