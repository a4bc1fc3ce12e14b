#include "dump/internal/contents.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "bson/document.h"
#include "codec/collection_name.h"
#include "dump/internal/limits.h"
#include "dump/internal/names.h"
#include "mongo/cluster.h"

namespace tidemark::dump {
namespace {

constexpr std::string_view kBucketsPrefix = "system.buckets.";
constexpr std::string_view kOldIndexes = "system.indexes";
// The user's stored functions; the other system collections are the server's own.
constexpr std::string_view kFunctions = "system.js";
// mongodump --dumpDbUsersAndRoles puts them beside the collections of a database.
constexpr std::string_view kUsersPrefix = "$admin.system.";

std::string Shown(const std::pair<std::string, std::string>& name) {
  return Printable(name.first + "." + name.second);
}

[[noreturn]] void ThrowBad(const std::string& why) {
  throw Error(ErrorCode::kCorrupt, "reading the dump: " + why);
}

bool IsCapped(const bson::Document& options) {
  const auto capped = options.Find("capped");
  return capped && (capped->AsBool().value_or(false) || capped->AsInteger().value_or(0) != 0);
}

bool IsTimeseries(const std::optional<Metadata>& metadata) {
  return metadata && metadata->kind == repo::NamespaceKind::kTimeseries;
}

std::string TextAt(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element ? std::string(element->AsString().value_or("")) : std::string();
}

// A user or role is called by its database and its own name, and is there once.
void CheckAccount(ByteView bytes, std::string_view kind, std::set<std::string>& seen) {
  const bson::Document document(bytes);
  const std::string name = TextAt(document, kind);
  const std::string id = TextAt(document, "_id");
  if (name.empty() || id != TextAt(document, "db") + "." + name) {
    ThrowBad("\"" + Printable(id) + "\" is no " + std::string(kind));
  }
  if (!seen.insert(id).second) {
    ThrowBad("the " + std::string(kind) + " \"" + Printable(id) + "\" is there twice");
  }
}

Metadata NoMetadata() {
  Metadata metadata;
  const bson::Document none;
  metadata.options.assign(none.bytes().begin(), none.bytes().end());
  return metadata;
}

}  // namespace

void Contents::AddDatabase(std::string_view database) {
  CheckDatabaseName(database);
  databases_.emplace(database);
  if (databases_.size() > kMaxDatabases) {
    throw Error(ErrorCode::kResourceExhausted,
                "reading the dump: more than " + std::to_string(kMaxDatabases) + " databases");
  }
}

Contents::Part& Contents::PartOf(std::string_view database, std::string_view collection) {
  AddDatabase(database);
  Part& part = parts_[Name(database, collection)];
  if (parts_.size() > kMaxNamespaces) {
    throw Error(ErrorCode::kResourceExhausted,
                "reading the dump: more than " + std::to_string(kMaxNamespaces) + " collections");
  }
  return part;
}

void Contents::AddDocuments(std::string_view database,
                            std::string_view collection,
                            std::size_t stream,
                            std::uint64_t documents,
                            std::uint64_t bytes) {
  Part& part = PartOf(database, collection);
  if (part.documents) {
    ThrowBad("the documents of " + Shown(Name(database, collection)) + " are there twice");
  }
  part.documents = Documents{.stream = stream, .count = documents, .bytes = bytes};
}

void Contents::AddMetadata(std::string_view database,
                           std::string_view collection,
                           std::string_view text) {
  Part& part = PartOf(database, collection);
  const std::string shown = Shown(Name(database, collection));
  if (part.metadata) {
    ThrowBad("the metadata of " + shown + " are there twice");
  }
  metadata_bytes_ += text.size();
  if (metadata_bytes_ > kMaxAllMetadata) {
    throw Error(ErrorCode::kResourceExhausted,
                "reading the dump: more than " + std::to_string(kMaxAllMetadata >> 20U) +
                    " MiB of metadata");
  }
  try {
    part.metadata = ReadMetadata(text);
  } catch (const Error& error) {
    throw error.WithContext("reading the metadata of " + shown);
  }
}

void Contents::SetServerVersion(std::string version) {
  if (version.size() > kMaxVersion || Printable(version) != version) {
    ThrowBad("the server's version \"" + Printable(version) + "\" is none");
  }
  if (!version.empty()) {
    server_version_ = std::move(version);
  }
}

void Contents::Note(std::string note) {
  if (notes_.size() < kMaxNotes) {
    notes_.push_back(std::move(note));
  } else if (notes_.size() == kMaxNotes) {
    notes_.emplace_back("and more");
  }
}

// The name in the metadata, which must be what the file is called by.
std::string Contents::TrueName(const Name& name, const Metadata& metadata) const {
  const std::string& file = name.second;
  if (form_ == NameForm::kPlain || !codec::IsHashedName(file)) {
    const auto plain = form_ == NameForm::kPlain ? file : codec::UnescapeCollection(file);
    if (!plain) {
      ThrowBad("the file name " + Shown(name) + " is no escaped name");
    }
    if (metadata.collection && *metadata.collection != *plain) {
      ThrowBad("the metadata of " + Shown(name) + " are of " + Printable(*metadata.collection));
    }
    return *plain;
  }
  if (!metadata.collection || codec::EscapeCollection(*metadata.collection) != file) {
    ThrowBad("the metadata of " + Shown(name) + " do not hold the name that the file stands for");
  }
  return *metadata.collection;
}

// How the files of buckets are called, and the collections they stand for: a name with a hash is
// found so only, they have no metadata of their own.
std::map<Contents::Name, Contents::Name> Contents::BucketFiles() const {
  std::map<Name, Name> files;
  for (const auto& [name, part] : parts_) {
    if (part.metadata && IsTimeseries(part.metadata)) {
      const std::string buckets = std::string(kBucketsPrefix) + TrueName(name, *part.metadata);
      files.emplace(Name(name.first, codec::EscapeCollection(buckets)), Name(name.first, buckets));
    }
  }
  return files;
}

Contents::Name Contents::ResolveName(const Name& name,
                                     const Part& part,
                                     const std::map<Name, Name>& buckets) const {
  if (part.metadata) {
    return {name.first, TrueName(name, *part.metadata)};
  }
  if (form_ == NameForm::kPlain || !codec::IsHashedName(name.second)) {
    return {name.first, TrueName(name, NoMetadata())};
  }
  const auto found = buckets.find(name);
  if (found == buckets.end()) {
    ThrowBad("the name of " + Shown(name) + " is in its metadata only, which are missing");
  }
  return found->second;
}

std::map<Contents::Name, Contents::Part> Contents::ResolveNames() {
  const std::map<Name, Name> buckets =
      form_ == NameForm::kEscaped ? BucketFiles() : std::map<Name, Name>();
  std::map<Name, Part> parts;
  for (auto& [name, part] : parts_) {
    const Name resolved = ResolveName(name, part, buckets);
    if (!parts.emplace(resolved, std::move(part)).second) {
      ThrowBad("two files are of the collection " + Shown(resolved));
    }
  }
  parts_.clear();
  return parts;
}

// Before MongoDB 8.3 a time-series collection's documents are those of its buckets.
void Contents::JoinBuckets(std::map<Name, Part>& parts) {
  for (auto at = parts.begin(); at != parts.end();) {
    const auto& [database, collection] = at->first;
    if (!collection.starts_with(kBucketsPrefix)) {
      ++at;
      continue;
    }
    const auto series = parts.find(Name(database, collection.substr(kBucketsPrefix.size())));
    if (series == parts.end() || !IsTimeseries(series->second.metadata)) {
      ThrowBad(Shown(at->first) + " are buckets without the metadata of their collection");
    }
    if (series->second.documents && at->second.documents) {
      ThrowBad("the documents of " + Shown(series->first) + " are there twice");
    }
    if (at->second.documents) {
      series->second.documents = at->second.documents;
    }
    at = parts.erase(at);
  }
}

void Contents::ReadOldIndexes(std::map<Name, Part>& parts, const ReadStream& read) {
  std::uint64_t bytes = 0;
  for (const auto& [name, part] : parts) {
    if (name.second != kOldIndexes || !part.documents) {
      continue;
    }
    const std::string prefix = name.first + ".";
    read(part.documents->stream, [&](ByteView document) {
      const auto ns = bson::Document(document).Find("ns");
      const std::string_view text = ns ? ns->AsString().value_or("") : "";
      bytes += document.size();
      if (!text.starts_with(prefix) || bytes > kMaxAllMetadata) {
        ThrowBad(Shown(name) + " holds indexes of other databases, or too many");
      }
      old_indexes_[Name(name.first, text.substr(prefix.size()))].emplace_back(document.begin(),
                                                                              document.end());
    });
  }
}

// What the database admin holds of users and roles.
repo::Accounts Contents::TakeAccounts(std::map<Name, Part>& parts, const ReadStream& read) {
  repo::Accounts accounts;
  std::set<std::string> users;
  std::set<std::string> roles;
  std::uint64_t bytes = 0;
  const auto take = [&](const char* collection, const Visit& visit) {
    const auto found = parts.find(Name("admin", collection));
    if (found == parts.end() || !found->second.documents) {
      return;
    }
    read(found->second.documents->stream, [&](ByteView document) {
      bytes += document.size();
      if (bytes > repo::kMaxAccounts.value) {
        throw Error(ErrorCode::kResourceExhausted,
                    "reading the dump: more than 64 MiB of users and roles");
      }
      visit(document);
    });
    parts.erase(found);
  };
  take("system.users", [&](ByteView document) {
    CheckAccount(document, "user", users);
    accounts.users.emplace_back(document.begin(), document.end());
  });
  take("system.roles", [&](ByteView document) {
    CheckAccount(document, "role", roles);
    accounts.roles.emplace_back(document.begin(), document.end());
  });
  take("system.version", [&](ByteView document) {
    if (TextAt(bson::Document(document), "_id") == "authSchema") {
      accounts.schema.assign(document.begin(), document.end());
    }
  });
  return accounts;
}

// What the snapshot does not take, with a note.
bool Contents::IsLeftOut(const Name& name) {
  const auto& [database, collection] = name;
  if (mongo::IsInternalDatabase(database)) {
    Note(Shown(name) + " is not imported: the database is the server's own");
    return true;
  }
  if (collection.starts_with(kUsersPrefix)) {
    Note(Shown(name) + " is not imported: users and roles of one database stay with their server");
    return true;
  }
  if (collection == kOldIndexes) {
    return true;  // its contents are in the catalog
  }
  if (collection.starts_with("system.") && collection != kFunctions) {
    Note(Shown(name) + " is not imported: it is the server's own");
    return true;
  }
  return false;
}

void Contents::AddNamespace(const Name& name, Part part, Result& result) {
  CheckCollectionName(name.first, name.second);
  const bool has_metadata = part.metadata.has_value();
  Metadata metadata = has_metadata ? *std::move(part.metadata) : NoMetadata();
  for (const std::string& member : metadata.unknown_members) {
    Note("the metadata of " + Shown(name) + " hold \"" + Printable(member) +
         "\", which is not known here and not imported");
  }
  if (!has_metadata) {
    Note("there are no metadata of " + Shown(name) + ": it is imported without options");
    metadata.indexes = std::move(old_indexes_[name]);
  }
  const bool view = metadata.kind == repo::NamespaceKind::kView;
  if (view && part.documents && (part.documents->count > 0 || part.documents->bytes > 0)) {
    ThrowBad("there are documents of the view " + Shown(name));
  }
  if (!view && !part.documents) {
    ThrowBad("the documents of " + Shown(name) + " are missing");
  }
  engine::SourceNamespace ns;
  ns.database = name.first;
  ns.collection = name.second;
  ns.kind = metadata.kind;
  ns.options = std::move(metadata.options);
  ns.indexes = std::move(metadata.indexes);
  ns.capped = IsCapped(bson::Document(ns.options));
  ns.estimated_documents = view ? 0 : part.documents->count;
  ns.estimated_bytes = view ? 0 : part.documents->bytes;
  result.catalog.namespaces.push_back(std::move(ns));
  result.streams.push_back(view ? std::nullopt : std::optional(part.documents->stream));
}

Contents::Result Contents::Finish(const ReadStream& read) {
  if (databases_.empty() && server_version_.empty()) {
    throw Error(ErrorCode::kUnsupported,
                "reading the dump: it holds no database and no prelude.json",
                "import what mongodump wrote: a folder, a tar of it, or an archive");
  }
  std::map<Name, Part> parts = ResolveNames();
  JoinBuckets(parts);
  ReadOldIndexes(parts, read);
  Result result;
  result.catalog.accounts = TakeAccounts(parts, read);
  for (auto& [name, part] : parts) {
    if (!IsLeftOut(name)) {
      AddNamespace(name, std::move(part), result);
    }
  }
  std::ranges::copy_if(
      databases_, std::back_inserter(result.catalog.databases), [](const std::string& database) {
        return !mongo::IsInternalDatabase(database);
      });
  result.catalog.mongodb_version = server_version_;
  result.catalog.inconsistent_reason =
      "it was imported from a dump, whose collections were read one after the other";
  if (has_oplog_) {
    result.catalog.inconsistent_reason +=
        "; the dump's oplog, which would make them one moment, is not applied";
    Note("the dump's oplog is not imported and not applied");
  }
  result.notes = std::move(notes_);
  return result;
}

}  // namespace tidemark::dump
