#include <algorithm>
#include <array>
#include <set>

#include "tests/support/memory/command_error.h"
#include "tests/support/memory/commands.h"

namespace tidemark::memory {
namespace {

bson::Document Doc(const Bytes& bytes) {
  return bson::Document(bytes);
}

// What a command may carry that is not about the object.
constexpr std::array<std::string_view, 14> kGenericFields{"lsid",
                                                          "$db",
                                                          "$clusterTime",
                                                          "$readPreference",
                                                          "$configServerState",
                                                          "txnNumber",
                                                          "writeConcern",
                                                          "readConcern",
                                                          "comment",
                                                          "maxTimeMS",
                                                          "apiVersion",
                                                          "apiStrict",
                                                          "apiDeprecationErrors",
                                                          "idIndex"};

// The command's own fields, verbatim.
Bytes OptionsOf(const bson::Document& command) {
  bson::Builder options;
  const std::string_view name = command.begin()->name;
  for (const bson::Element& element : command) {
    if (element.name != name &&
        std::ranges::find(kGenericFields, element.name) == kGenericFields.end()) {
      options.AppendElement(element.name, element);
    }
  }
  return options.Finish();
}

std::set<std::string> AllDatabases(const State& state) {
  const std::vector<std::string> names = state.store.DatabaseNames();
  std::set<std::string> all(names.begin(), names.end());
  all.insert({"admin", "config", "local"});
  return all;
}

Page ListPage(const Call& call, std::vector<Bytes> documents, std::string ns) {
  Page page;
  page.cursor = std::make_unique<Cursor>();
  page.cursor->ns = std::move(ns);
  page.cursor->stream = MakeListStream(std::move(documents));
  page.batch_size = IntegerAt(DocumentAt(call.command(), "cursor"), "batchSize", -1);
  return page;
}

enum class Detail { kNameOnly, kAll };

Bytes InfoOf(const Namespace& ns, Detail detail) {
  bson::Builder document;
  document.Append("name", ns.collection).Append("type", ns.type);
  if (detail == Detail::kNameOnly) {
    return document.Finish();
  }
  bson::Builder info;
  info.Append("readOnly", ns.IsView());
  if (ns.type == "collection") {
    AppendUuid(info, "uuid", ns.uuid);
  }
  const Bytes details = info.Finish();
  document.Append("options", Doc(ns.options)).Append("info", Doc(details));
  if (ns.type == "collection" && !ns.indexes.empty()) {
    document.Append("idIndex", Doc(ns.indexes.front()));
  }
  return document.Finish();
}

bson::Builder CountedIndexes(std::size_t before, const Namespace& ns) {
  bson::Builder reply;
  reply.Append("numIndexesBefore", static_cast<std::int32_t>(before));
  reply.Append("numIndexesAfter", static_cast<std::int32_t>(ns.indexes.size()));
  return reply;
}

void DropIndexNamed(const NamespacePtr& ns, std::string_view name, Store& store) {
  if (name == "*") {
    store.DropAllIndexes(ns);
  } else if (name == "_id_") {
    throw CommandError(72, "InvalidOptions", "cannot drop _id index");
  } else {
    store.DropIndex(ns, name);
  }
}

std::string NameByKey(const Namespace& ns, const bson::Element& key) {
  for (const Bytes& index : ns.indexes) {
    const auto own = Doc(index).Find("key");
    if (own && SameValue(*own, key)) {
      return std::string(TextAt(Doc(index), "name"));
    }
  }
  throw CommandError(27, "IndexNotFound", "can't find index with key pattern");
}

std::pair<std::string_view, std::string_view> Split(std::string_view full_name) {
  const std::size_t dot = full_name.find('.');
  if (dot == std::string_view::npos) {
    throw CommandError(
        73, "InvalidNamespace", "Invalid namespace specified '" + std::string(full_name) + "'");
  }
  return {full_name.substr(0, dot), full_name.substr(dot + 1)};
}

}  // namespace

Bytes ListDatabases(Call& call) {
  const bool name_only = IsSet(call.command(), "nameOnly");
  const Filter filter(DocumentAt(call.command(), "filter"));
  bson::ArrayBuilder databases;
  std::int64_t total = 0;
  for (const std::string& name : AllDatabases(call.state)) {
    std::uint64_t bytes = 0;
    for (const NamespacePtr& ns : call.state.store.Collections(name)) {
      bytes += ns->documents.bytes();
    }
    bson::Builder entry;
    entry.Append("name", name);
    if (!name_only) {
      entry.Append("sizeOnDisk", static_cast<std::int64_t>(bytes)).Append("empty", bytes == 0);
    }
    const Bytes document = entry.Finish();
    if (filter.Matches(Doc(document))) {
      databases.Append(Doc(document));
      total += static_cast<std::int64_t>(bytes);
    }
  }
  const Bytes array = databases.Finish();
  bson::Builder reply;
  reply.AppendArray("databases", Doc(array));
  if (!name_only) {
    reply.Append("totalSize", total);
  }
  return reply.Finish();
}

Page ListCollections(Call& call) {
  const bool name_only = IsSet(call.command(), "nameOnly");
  const Filter filter(DocumentAt(call.command(), "filter"));
  std::vector<Bytes> infos;
  for (const NamespacePtr& ns : call.state.store.Collections(call.database())) {
    Bytes info = InfoOf(*ns, Detail::kAll);
    if (filter.Matches(Doc(info))) {
      infos.push_back(name_only ? InfoOf(*ns, Detail::kNameOnly) : std::move(info));
    }
  }
  return ListPage(call, std::move(infos), std::string(call.database()) + ".$cmd.listCollections");
}

Page ListIndexes(Call& call) {
  const NamespacePtr ns = call.Existing();
  if (ns->IsView()) {
    throw CommandError(166,
                       "CommandNotSupportedOnView",
                       "Namespace " + ns->FullName() + " is a view, not a collection");
  }
  return ListPage(call, ns->indexes, ns->FullName());
}

Bytes Create(Call& call) {
  const Bytes options = OptionsOf(call.command());
  call.state.store.Create(call.database(), call.Collection(), Doc(options));
  return {};
}

Bytes CreateIndexes(Call& call) {
  Store& store = call.state.store;
  const bool created = call.Find() == nullptr;
  // A time-series collection keeps the specs as they were given.
  const NamespacePtr known = call.Find();
  const NamespacePtr ns = known != nullptr && known->type == "timeseries"
                              ? known
                              : store.ForWriting(call.database(), call.Collection());
  const std::size_t before = ns->indexes.size();
  const bson::Document specs = DocumentAt(call.command(), "indexes");
  for (const bson::Element& spec : specs) {
    store.CreateIndex(ns, spec.AsDocument().value_or(bson::Document()));
  }
  return CountedIndexes(before, *ns).Append("createdCollectionAutomatically", created).Finish();
}

Bytes DropIndexes(Call& call) {
  const NamespacePtr ns = call.Existing();
  const auto before = static_cast<std::int32_t>(ns->indexes.size());
  const auto index = call.command().Find("index");
  if (!index) {
    ThrowBadValue("dropIndexes names no index");
  }
  if (const auto name = index->AsString()) {
    DropIndexNamed(ns, *name, call.state.store);
  } else if (index->type == bson::Type::kDocument) {
    DropIndexNamed(ns, NameByKey(*ns, *index), call.state.store);
  } else {
    const auto names = index->AsDocument();
    for (const bson::Element& each : names.value_or(bson::Document())) {
      DropIndexNamed(ns, each.AsString().value_or(""), call.state.store);
    }
  }
  return bson::Builder().Append("nIndexesWas", before).Finish();
}

Bytes Drop(Call& call) {
  const NamespacePtr ns = call.Find();
  if (ns == nullptr) {
    throw CommandError(26, "NamespaceNotFound", "ns not found");
  }
  const auto indexes = static_cast<std::int32_t>(ns->indexes.size());
  call.state.store.Drop(ns);
  return bson::Builder().Append("nIndexesWas", indexes).Append("ns", ns->FullName()).Finish();
}

Bytes DropDatabase(Call& call) {
  if (call.database() == "local" && call.state.IsReplicaSet()) {
    throw CommandError(20,
                       "IllegalOperation",
                       "Cannot drop 'local' database while replication is "
                       "active");
  }
  const bool there = !call.state.store.Collections(call.database()).empty();
  call.state.store.DropDatabase(call.database());
  return there ? bson::Builder().Append("dropped", call.database()).Finish() : Bytes();
}

Bytes RenameCollection(Call& call) {
  const auto [from_database, from_collection] = Split(call.Collection());
  const auto [to_database, to_collection] = Split(TextAt(call.command(), "to"));
  call.state.store.RenameCollection({.from_database = from_database,
                                     .from_collection = from_collection,
                                     .to_database = to_database,
                                     .to_collection = to_collection,
                                     .drop_target = IsSet(call.command(), "dropTarget")});
  return {};
}

Bytes CollMod(Call& call) {
  const Bytes change = OptionsOf(call.command());
  call.state.store.Modify(call.Existing(), Doc(change));
  return {};
}

Bytes CollStats(Call& call) {
  const NamespacePtr ns = call.Find();
  if (ns != nullptr && ns->IsView()) {
    throw CommandError(166,
                       "CommandNotSupportedOnView",
                       "Namespace " + ns->FullName() + " is a view, not a collection");
  }
  bson::Builder reply;
  reply.Append("ns", std::string(call.database()) + "." + std::string(call.Collection()));
  const Namespace absent;
  AppendStats(reply, ns == nullptr ? absent : *ns, IntegerAt(call.command(), "scale", 1));
  return reply.Finish();
}

Bytes DbStats(Call& call) {
  std::int64_t collections = 0;
  std::int64_t views = 0;
  std::int64_t objects = 0;
  std::int64_t bytes = 0;
  std::int64_t indexes = 0;
  for (const NamespacePtr& ns : call.state.store.Collections(call.database())) {
    (ns->IsView() ? views : collections) += 1;
    objects += static_cast<std::int64_t>(ns->documents.count());
    bytes += static_cast<std::int64_t>(ns->documents.bytes());
    indexes += static_cast<std::int64_t>(ns->indexes.size());
  }
  return bson::Builder()
      .Append("db", call.database())
      .Append("collections", collections)
      .Append("views", views)
      .Append("objects", objects)
      .Append("avgObjSize",
              objects == 0 ? 0.0 : static_cast<double>(bytes) / static_cast<double>(objects))
      .Append("dataSize", bytes)
      .Append("storageSize", bytes)
      .Append("indexes", indexes)
      .Append("indexSize", std::int64_t{0})
      .Append("scaleFactor", std::int64_t{1})
      .Finish();
}

}  // namespace tidemark::memory
