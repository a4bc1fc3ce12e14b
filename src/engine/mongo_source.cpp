#include "engine/mongo_source.h"

#include <algorithm>

#include "base/error.h"
#include "bson/builder.h"
#include "engine/internal/stored_name.h"

namespace tidemark::engine {
namespace {

// system.js holds the user's stored functions; the other system collections are the server's own.
bool IsSystemCollection(std::string_view name) {
  return name.starts_with("system.") && name != "system.js";
}

repo::NamespaceKind KindOf(const bson::Document& info) {
  const auto type = info.Find("type");
  const std::string_view name = type ? type->AsString().value_or("collection") : "collection";
  if (name == "view") {
    return repo::NamespaceKind::kView;
  }
  return name == "timeseries" ? repo::NamespaceKind::kTimeseries : repo::NamespaceKind::kCollection;
}

bool IsCapped(const bson::Document& options) {
  const auto capped = options.Find("capped");
  return capped && (capped->AsBool().value_or(false) || capped->AsInteger().value_or(0) != 0);
}

std::uint64_t CountMember(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  const std::int64_t value = element ? element->AsInteger().value_or(0) : 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(value, 0));
}

class MongoSource final : public SnapshotSource {
 public:
  explicit MongoSource(mongo::Connection& connection) : connection_(connection) {}

  SourceCatalog ReadCatalog() override {
    SourceCatalog catalog;
    const mongo::ServerFacts facts = connection_.Facts();
    catalog.mongodb_version = facts.version;
    catalog.replica_set_name = facts.replica_set_name;
    catalog.has_oplog = facts.has_oplog;
    catalog.position_seconds = facts.position_seconds;
    catalog.position_increment = facts.position_increment;
    for (const std::string& database : connection_.ListDatabases()) {
      if (!mongo::IsInternalDatabase(database)) {
        catalog.databases.push_back(database);
        ReadDatabase(database, catalog);
      }
    }
    return catalog;
  }

  void Scan(const SourceNamespace& ns,
            const std::stop_token& stop,
            const std::function<void(ByteView document)>& visit) override {
    connection_.ForEachDocument(ns.database, StoredName(ns.kind, ns.collection), stop, visit);
  }

 private:
  void ReadDatabase(const std::string& database, SourceCatalog& catalog) {
    for (const Bytes& raw : connection_.ListCollections(database)) {
      const bson::Document info(raw);
      const auto name = info.Find("name");
      const auto collection = name ? name->AsString() : std::nullopt;
      if (collection && !IsSystemCollection(*collection)) {
        catalog.namespaces.push_back(ReadNamespace(database, std::string(*collection), info));
      }
    }
  }

  SourceNamespace ReadNamespace(const std::string& database,
                                const std::string& collection,
                                const bson::Document& info) {
    SourceNamespace ns;
    ns.database = database;
    ns.collection = collection;
    ns.kind = KindOf(info);
    const auto options = info.Find("options");
    const bson::Document document =
        options ? options->AsDocument().value_or(bson::Document()) : bson::Document();
    ns.options.assign(document.bytes().begin(), document.bytes().end());
    ns.capped = IsCapped(document);
    if (ns.kind != repo::NamespaceKind::kView) {
      ns.indexes = connection_.ListIndexes(database, collection);
      Estimate(ns);
    }
    return ns;
  }

  // For the order of work and the progress bar only; a server that cannot say is no reason to fail.
  void Estimate(SourceNamespace& ns) {
    const Bytes command = bson::Builder().Append("collStats", ns.collection).Finish();
    try {
      const Bytes reply = connection_.RunCommand(ns.database, bson::Document(command));
      ns.estimated_documents = CountMember(bson::Document(reply), "count");
      ns.estimated_bytes = CountMember(bson::Document(reply), "size");
    } catch (const Error& error) {
      if (IsRetryable(error.code())) {
        throw;
      }
    }
  }

  mongo::Connection& connection_;
};

}  // namespace

std::unique_ptr<SnapshotSource> MakeMongoSource(mongo::Connection& connection) {
  return std::make_unique<MongoSource>(connection);
}

}  // namespace tidemark::engine
