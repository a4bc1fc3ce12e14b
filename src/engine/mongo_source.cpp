#include "engine/mongo_source.h"

#include <algorithm>
#include <atomic>
#include <set>

#include "base/error.h"
#include "bson/builder.h"
#include "engine/internal/accounts_reader.h"
#include "engine/internal/stored_name.h"

namespace tidemark::engine {
namespace {

// _ids that are looked at in both orders.
constexpr std::int32_t kSample = 1000;

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

// `info` of listCollections: {uuid: <binary, subtype 4>, ...}.
Bytes UuidOf(const bson::Document& info) {
  constexpr std::size_t kHead = 5;  // bytes: size and subtype
  constexpr std::size_t kUuid = 16;
  const auto uuid = info.Find("uuid");
  if (!uuid || uuid->type != bson::Type::kBinary || uuid->value.size() != kHead + kUuid) {
    return {};
  }
  const ByteView bytes = uuid->value.subspan(kHead);
  return {bytes.begin(), bytes.end()};
}

bson::Document DocumentMember(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? element->AsDocument().value_or(bson::Document()) : bson::Document();
}

// {_id: 1}; of any collation, for which the caller looks at the collection.
bool IsIdIndex(const Bytes& index) {
  std::vector<std::string_view> fields;
  for (const bson::Element& field : DocumentMember(bson::Document(index), "key")) {
    fields.push_back(field.name);
  }
  return fields == std::vector<std::string_view>{"_id"};
}

// Whether the server walks the collection's _ids in the order in which we compare them. Clustered
// collections have their own way with hints, and lie in order of _id anyway.
bool HasOurOrder(const SourceNamespace& ns) {
  const bson::Document options(ns.options);
  return ns.kind == repo::NamespaceKind::kCollection && !ns.capped && !options.Find("collation") &&
         !options.Find("clusteredIndex") && std::ranges::any_of(ns.indexes, IsIdIndex);
}

class MongoSource final : public SnapshotSource {
 public:
  MongoSource(mongo::Connection& connection, ByteCount by_id_from)
      : connection_(connection), by_id_from_(by_id_from) {}

  SourceCatalog ReadCatalog() override {
    SourceCatalog catalog;
    const mongo::ServerFacts facts = connection_.Facts();
    catalog.mongodb_version = facts.version;
    has_ranges_ = facts.flavor == "mongodb";
    catalog.replica_set_name = facts.replica_set_name;
    catalog.has_oplog = facts.has_oplog;
    catalog.position_seconds = facts.position_seconds;
    catalog.position_increment = facts.position_increment;
    // Other servers keep them in ways of their own, which no server but themselves takes back.
    if (facts.flavor == "mongodb") {
      catalog.accounts = ReadAccounts(connection_);
    }
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

  bool ReadsById(const SourceNamespace& ns) override {
    return has_ranges_ && ns.estimated_bytes >= by_id_from_.value && HasOurOrder(ns) &&
           LiesById(ns);
  }

  void ScanById(const SourceNamespace& ns,
                ByteView after,
                const std::stop_token& stop,
                const std::function<void(ByteView document)>& visit) override {
    bool first = !after.empty();
    const auto skip_seen = [&](ByteView document) {
      const auto id = first ? bson::Document(document).Find("_id") : std::nullopt;
      first = false;
      if (!id || bson::CompareValues(*id, *bson::Document(after).begin()) != 0) {
        visit(document);
      }
    };
    connection_.ForEachFromId(ns.database, ns.collection, after, stop, skip_seen);
  }

 private:
  // Whether the first documents in one order are mostly those in the other.
  bool LiesById(const SourceNamespace& ns) {
    const Bytes natural = bson::Builder().Append("$natural", std::int32_t{1}).Finish();
    const Bytes by_id = bson::Builder().Append("_id", std::int32_t{1}).Finish();
    try {
      const std::set<Bytes> first = FirstIds(ns, natural);
      const std::set<Bytes> least = FirstIds(ns, by_id);
      const auto both = std::ranges::count_if(
          first, [&least](const Bytes& document) { return least.contains(document); });
      return 2 * static_cast<std::size_t>(both) >= first.size();
    } catch (const Error& error) {
      if (IsRetryable(error.code())) {
        throw;
      }
      return false;
    }
  }

  // {_id: <value>} each, along that index.
  std::set<Bytes> FirstIds(const SourceNamespace& ns, const Bytes& order) {
    const Bytes projection = bson::Builder().Append("_id", std::int32_t{1}).Finish();
    const Bytes command = bson::Builder()
                              .Append("find", ns.collection)
                              .Append("projection", bson::Document(projection))
                              .Append("hint", bson::Document(order))
                              .Append("limit", kSample)
                              .Append("batchSize", kSample)
                              .Append("singleBatch", true)
                              .Finish();
    const Bytes reply = connection_.RunCommand(ns.database, bson::Document(command));
    const bson::Document cursor = DocumentMember(bson::Document(reply), "cursor");
    std::set<Bytes> ids;
    for (const bson::Element& document : DocumentMember(cursor, "firstBatch")) {
      ids.emplace(document.value.begin(), document.value.end());
    }
    return ids;
  }

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
    ns.uuid = UuidOf(DocumentMember(info, "info"));
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
  const ByteCount by_id_from_;
  std::atomic<bool> has_ranges_ = false;
};

}  // namespace

std::unique_ptr<SnapshotSource> MakeMongoSource(mongo::Connection& connection,
                                                ByteCount by_id_from) {
  return std::make_unique<MongoSource>(connection, by_id_from);
}

}  // namespace tidemark::engine
