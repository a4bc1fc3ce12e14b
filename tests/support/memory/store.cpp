#include "tests/support/memory/store.h"

#include <algorithm>

namespace tidemark::memory {
namespace {

constexpr std::string_view kBucketsPrefix = "system.buckets.";
constexpr std::string_view kViews = "system.views";

bson::Document Doc(const Bytes& bytes) {
  return bson::Document(bytes);
}

Bytes IdIndex(const bson::Document& options) {
  bson::Builder spec;
  const Bytes key = bson::Builder().Append("_id", std::int32_t{1}).Finish();
  const bson::Document clustered = DocumentAt(options, "clusteredIndex");
  const std::string_view name = TextAt(clustered, "name");
  spec.Append("v", std::int32_t{2}).Append("key", Doc(key));
  spec.Append("name", name.empty() ? std::string_view("_id_") : name);
  if (!clustered.empty()) {
    spec.Append("unique", true).Append("clustered", true);
  }
  if (const auto collation = options.Find("collation"); collation && clustered.empty()) {
    spec.AppendElement("collation", *collation);
  }
  return spec.Finish();
}

// a_1_b_-1, as drivers and the server name an index.
std::string DefaultIndexName(const bson::Document& key) {
  std::string name;
  for (const bson::Element& field : key) {
    name += (name.empty() ? "" : "_") + std::string(field.name) + "_";
    const auto text = field.AsString();
    name += text ? std::string(*text) : std::to_string(field.AsInteger().value_or(1));
  }
  return name;
}

Bytes CompletedSpec(const bson::Document& spec) {
  const bson::Document key = DocumentAt(spec, "key");
  if (key.empty()) {
    throw CommandError(67, "CannotCreateIndex", "Index keys cannot be an empty object");
  }
  bson::Builder completed;
  if (!spec.Find("v")) {
    completed.Append("v", std::int32_t{2});
  }
  for (const bson::Element& element : spec) {
    completed.AppendElement(element.name, element);
  }
  if (!spec.Find("name")) {
    completed.Append("name", DefaultIndexName(key));
  }
  return completed.Finish();
}

Bytes Merged(const bson::Document& options, const bson::Document& change) {
  bson::Builder merged;
  for (const bson::Element& option : options) {
    const auto changed = change.Find(option.name);
    merged.AppendElement(option.name, changed ? *changed : option);
  }
  for (const bson::Element& option : change) {
    if (!options.Find(option.name)) {
      merged.AppendElement(option.name, option);
    }
  }
  return merged.Finish();
}

// Throws when there is another one of that name.
bool HasIndex(const Namespace& ns, const bson::Document& spec) {
  const std::string_view name = TextAt(spec, "name");
  const auto same_name = [&](const Bytes& index) { return TextAt(Doc(index), "name") == name; };
  const auto found = std::ranges::find_if(ns.indexes, same_name);
  if (found == ns.indexes.end()) {
    return false;
  }
  const auto known = Doc(*found).Find("key");
  const auto key = spec.Find("key");
  if (!known || !key || !SameValue(*known, *key)) {
    throw CommandError(
        86,
        "IndexKeySpecsConflict",
        "An existing index has the same name as the requested index: " + std::string(name));
  }
  return true;
}

}  // namespace

void CheckIsNoView(const Namespace& ns) {
  if (ns.type != "collection") {
    throw CommandError(166,
                       "CommandNotSupportedOnView",
                       "Namespace " + ns.FullName() + " is a " + ns.type + ", not a collection");
  }
}

Store::Store(const StoreOptions& options, const Clock& clock, RandomSource& random)
    : options_(options), clock_(clock), random_(random) {
  if (options.has_oplog) {
    const Bytes capped = bson::Builder()
                             .Append("capped", true)
                             .Append("size", static_cast<std::int64_t>(options.oplog_size.value))
                             .Finish();
    oplog_ = Add("local", "oplog.rs", Doc(capped));
    oplog_->indexes.clear();
    const Bytes message = bson::Builder().Append("msg", "initiating set").Finish();
    AppendNoop(Doc(message));
  }
}

std::vector<std::string> Store::DatabaseNames() const {
  std::vector<std::string> names;
  names.reserve(databases_.size());
  for (const auto& [name, database] : databases_) {
    names.push_back(name);
  }
  return names;
}

std::vector<NamespacePtr> Store::Collections(std::string_view database) const {
  std::vector<NamespacePtr> all;
  if (const auto found = databases_.find(database); found != databases_.end()) {
    for (const auto& [name, ns] : found->second) {
      all.push_back(ns);
    }
  }
  return all;
}

NamespacePtr Store::Find(std::string_view database, std::string_view collection) const {
  const auto found = databases_.find(database);
  if (found == databases_.end()) {
    return nullptr;
  }
  const auto ns = found->second.find(collection);
  return ns == found->second.end() ? nullptr : ns->second;
}

NamespacePtr Store::Add(std::string_view database,
                        std::string_view collection,
                        const bson::Document& options) {
  if (database.empty() || collection.empty() || collection.find('\0') != std::string_view::npos) {
    throw CommandError(73,
                       "InvalidNamespace",
                       "Invalid namespace specified '" + std::string(database) + "." +
                           std::string(collection) + "'");
  }
  auto ns = std::make_shared<Namespace>();
  ns->database = database;
  ns->collection = collection;
  ns->uuid = NewUuid(random_);
  ns->options = CopyOf(options.bytes());
  ns->capped = IsSet(options, "capped");
  ns->capped_bytes = static_cast<std::uint64_t>(IntegerAt(options, "size", 0));
  ns->capped_documents = static_cast<std::uint64_t>(IntegerAt(options, "max", 0));
  if (!collection.starts_with(kBucketsPrefix)) {
    ns->indexes.push_back(IdIndex(options));
  }
  databases_[std::string(database)].insert_or_assign(std::string(collection), ns);
  return ns;
}

NamespacePtr Store::Create(std::string_view database,
                           std::string_view collection,
                           const bson::Document& options) {
  if (Find(database, collection) != nullptr) {
    throw CommandError(
        48,
        "NamespaceExists",
        "Collection " + std::string(database) + "." + std::string(collection) + " already exists.");
  }
  const NamespacePtr ns = Add(database, collection, options);
  if (options.Find("viewOn")) {
    CreateView(ns, options);
  } else if (options.Find("timeseries")) {
    // The buckets of one that is restored come with the same option.
    if (!collection.starts_with(kBucketsPrefix)) {
      CreateTimeseries(ns, options);
    }
  }
  if (ns->type == "collection") {
    bson::Builder command;
    command.Append("create", collection);
    for (const bson::Element& option : options) {
      command.AppendElement(option.name, option);
    }
    if (!ns->indexes.empty()) {
      command.Append("idIndex", Doc(ns->indexes.front()));
    }
    LogCommand(ns, command.Finish());
  }
  return ns;
}

void Store::CreateView(const NamespacePtr& view, const bson::Document& options) {
  view->type = "view";
  view->indexes.clear();
  AddViewDefinition(view, options);
}

void Store::CreateTimeseries(const NamespacePtr& ns, const bson::Document& options) {
  ns->type = "timeseries";
  ns->indexes.clear();
  const std::string buckets = std::string(kBucketsPrefix) + ns->collection;
  bson::Builder bucket_options;
  bucket_options.Append("clusteredIndex", true);
  for (const bson::Element& option : options) {
    bucket_options.AppendElement(option.name, option);
  }
  const Bytes kept = bucket_options.Finish();
  Create(ns->database, buckets, Doc(kept));
  const Bytes pipeline = bson::ArrayBuilder().Finish();
  const Bytes definition =
      bson::Builder().Append("viewOn", buckets).AppendArray("pipeline", Doc(pipeline)).Finish();
  AddViewDefinition(ns, Doc(definition));
}

void Store::AddViewDefinition(const NamespacePtr& ns, const bson::Document& definition) {
  bson::Builder document;
  document.Append("_id", ns->FullName());
  for (const bson::Element& element : definition) {
    document.AppendElement(element.name, element);
  }
  const Bytes bytes = document.Finish();
  const NamespacePtr views = ForWriting(ns->database, kViews);
  InsertOne(views, views->documents.Keep(bytes));
}

void Store::RemoveViewDefinition(const NamespacePtr& ns) {
  const NamespacePtr views = Find(ns->database, kViews);
  const Bytes key = bson::Builder().Append("_id", ns->FullName()).Finish();
  const auto position =
      views == nullptr ? std::nullopt : views->documents.FindId(*Doc(key).begin());
  if (position) {
    Delete(views, *position);
  }
}

void Store::ReplaceViewDefinition(const NamespacePtr& ns) {
  RemoveViewDefinition(ns);
  AddViewDefinition(ns, Doc(ns->options));
}

NamespacePtr Store::ForWriting(std::string_view database, std::string_view collection) {
  if (const NamespacePtr ns = Find(database, collection)) {
    CheckIsNoView(*ns);
    return ns;
  }
  return Create(database, collection, bson::Document());
}

void Store::Erase(const NamespacePtr& ns) {
  ns->dropped = true;
  const auto database = databases_.find(ns->database);
  database->second.erase(ns->collection);
  if (database->second.empty()) {
    databases_.erase(database);
  }
}

void Store::Drop(const NamespacePtr& ns) {
  if (ns->type != "collection") {
    RemoveViewDefinition(ns);
    if (const NamespacePtr buckets =
            Find(ns->database, std::string(kBucketsPrefix) + ns->collection)) {
      Drop(buckets);
    }
    Erase(ns);
    return;
  }
  const auto records = static_cast<std::int32_t>(ns->documents.count());
  LogCommand(ns,
             bson::Builder().Append("drop", ns->collection).Finish(),
             bson::Builder().Append("numRecords", records).Finish());
  Erase(ns);
}

void Store::DropDatabase(std::string_view database) {
  const std::vector<NamespacePtr> all = Collections(database);
  if (all.empty()) {
    return;
  }
  for (const NamespacePtr& ns : all) {
    if (ns->type == "collection") {
      Drop(ns);
    } else {
      Erase(ns);
    }
  }
  bson::Builder entry;
  const Bytes command = bson::Builder().Append("dropDatabase", std::int32_t{1}).Finish();
  entry.Append("op", "c").Append("ns", std::string(database) + ".$cmd").Append("o", Doc(command));
  Log(entry);
}

void Store::RenameCollection(const Rename& rename) {
  const NamespacePtr from = Find(rename.from_database, rename.from_collection);
  if (from == nullptr) {
    throw CommandError(26,
                       "NamespaceNotFound",
                       "Source collection " + std::string(rename.from_database) + "." +
                           std::string(rename.from_collection) + " does not exist");
  }
  CheckIsNoView(*from);
  const NamespacePtr target = Find(rename.to_database, rename.to_collection);
  if (target != nullptr && !rename.drop_target) {
    throw CommandError(48, "NamespaceExists", "target namespace exists");
  }
  bson::Builder command;
  command.Append("renameCollection", from->FullName());
  command.Append("to", std::string(rename.to_database) + "." + std::string(rename.to_collection));
  command.Append("stayTemp", false);
  if (target != nullptr) {
    AppendUuid(command, "dropTarget", target->uuid);
    Erase(target);
  } else {
    command.Append("dropTarget", false);
  }
  LogCommand(from, command.Finish());
  Erase(from);
  from->dropped = false;
  from->database = rename.to_database;
  from->collection = rename.to_collection;
  databases_[from->database][from->collection] = from;
}

void Store::Modify(const NamespacePtr& ns, const bson::Document& change) {
  const Bytes plain = Without(change, {"index"});
  ns->options = Merged(Doc(ns->options), Doc(plain));
  if (const auto index = change.Find("index")) {
    ModifyIndex(ns, index->AsDocument().value_or(bson::Document()));
  }
  if (ns->IsView()) {
    ReplaceViewDefinition(ns);
    return;
  }
  bson::Builder command;
  command.Append("collMod", ns->collection);
  for (const bson::Element& element : change) {
    command.AppendElement(element.name, element);
  }
  LogCommand(ns, command.Finish());
}

void Store::ModifyIndex(const NamespacePtr& ns, const bson::Document& change) {
  const std::string_view name = TextAt(change, "name");
  const auto key = change.Find("keyPattern");
  for (Bytes& index : ns->indexes) {
    const auto own_key = Doc(index).Find("key");
    if (name == TextAt(Doc(index), "name") || (key && own_key && SameValue(*key, *own_key))) {
      const Bytes options = Without(change, {"name", "keyPattern"});
      index = Merged(Doc(index), Doc(options));
      return;
    }
  }
  throw CommandError(
      27, "IndexNotFound", "cannot find index " + std::string(name) + " for ns " + ns->FullName());
}

void Store::CreateIndex(const NamespacePtr& ns, const bson::Document& spec) {
  Bytes completed = CompletedSpec(spec);
  if (!HasIndex(*ns, Doc(completed))) {
    LogIndexBuild(ns, completed);
    ns->indexes.push_back(std::move(completed));
  }
}

// A collection that holds documents gets its index in two steps.
void Store::LogIndexBuild(const NamespacePtr& ns, const Bytes& spec) {
  if (ns->documents.count() == 0) {
    bson::Builder command;
    command.Append("createIndexes", ns->collection);
    for (const bson::Element& element : Doc(spec)) {
      command.AppendElement(element.name, element);
    }
    LogCommand(ns, command.Finish());
    return;
  }
  const Bytes specs = bson::ArrayBuilder().Append(Doc(spec)).Finish();
  const Uuid build = NewUuid(random_);
  for (const char* step : {"startIndexBuild", "commitIndexBuild"}) {
    bson::Builder command;
    command.Append(step, ns->collection);
    AppendUuid(command, "indexBuildUUID", build).AppendArray("indexes", Doc(specs));
    LogCommand(ns, command.Finish());
  }
}

void Store::DropIndex(const NamespacePtr& ns, std::string_view name) {
  const auto index = std::ranges::find_if(
      ns->indexes, [&](const Bytes& spec) { return TextAt(Doc(spec), "name") == name; });
  if (index == ns->indexes.end()) {
    throw CommandError(
        27, "IndexNotFound", "index not found with name [" + std::string(name) + "]");
  }
  LogCommand(ns,
             bson::Builder().Append("dropIndexes", ns->collection).Append("index", name).Finish(),
             *index);
  ns->indexes.erase(index);
}

void Store::DropAllIndexes(const NamespacePtr& ns) {
  const std::vector<Bytes> all = ns->indexes;
  for (const Bytes& index : all) {
    const Bytes key = CopyOf(DocumentAt(Doc(index), "key").bytes());
    if (Doc(key).begin()->name != "_id" || TextAt(Doc(index), "name") != "_id_") {
      DropIndex(ns, TextAt(Doc(index), "name"));
    }
  }
}

}  // namespace tidemark::memory
