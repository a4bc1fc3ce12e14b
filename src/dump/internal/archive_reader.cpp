#include "dump/internal/archive_reader.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "bson/document.h"
#include "codec/gzip.h"
#include "dump/internal/limits.h"
#include "dump/internal/names.h"

namespace tidemark::dump {
namespace {

constexpr std::uint32_t kTerminator = 0xffffffff;
constexpr std::string_view kVersion = "0.1";
constexpr std::string_view kOplogName = "oplog";  // in the database ""
constexpr std::string_view kBucketsPrefix = "system.buckets.";

[[noreturn]] void ThrowBad(const std::string& why) {
  throw Error(ErrorCode::kCorrupt, why);
}

// Exactly these members, each at most once, in any order.
void CheckMembers(const bson::Document& document, std::initializer_list<std::string_view> known) {
  std::set<std::string_view> seen;
  for (const bson::Element& element : document) {
    if (std::find(known.begin(), known.end(), element.name) == known.end()) {
      ThrowBad("a header has the unknown field \"" + Printable(element.name) + "\"");
    }
    if (!seen.insert(element.name).second) {
      ThrowBad("a header has the field " + std::string(element.name) + " twice");
    }
  }
}

std::string TextOf(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  const auto text = element ? element->AsString() : std::nullopt;
  if (!text) {
    ThrowBad("a header has no text " + std::string(name));
  }
  return std::string(*text);
}

std::string OptionalText(const bson::Document& document, std::string_view name) {
  return document.Find(name) ? TextOf(document, name) : "";
}

struct BlockHeader {
  std::string database;
  std::string collection;
  bool last = false;
  std::uint64_t crc = 0;
};

class ArchiveReading {
 public:
  ArchiveReading(ByteReader& reader, ArchiveSink& sink) : reader_(reader), sink_(sink) {}

  void Read() {
    if (reader_.ReadLe32() != kArchiveMagic) {
      ThrowBad("it does not begin as an archive does");
    }
    ArchivePrelude prelude = ReadPrelude();
    sink_.OnPrelude(prelude);
    while (!reader_.AtEnd()) {
      ReadBlock();
    }
    CheckComplete();
  }

 private:
  struct Progress {
    std::string name;  // for messages
    std::uint64_t crc = 0;
    bool closed = false;
  };

  // The next document before a terminator, in buffer_; false at the terminator.
  bool ReadDocument() {
    const std::uint32_t size = reader_.ReadLe32();
    if (size == kTerminator) {
      return false;
    }
    ReadDocumentBody(reader_, size, buffer_);
    return true;
  }

  ArchivePrelude ReadPrelude() {
    if (!ReadDocument()) {
      ThrowBad("it has no header");
    }
    const bson::Document header(buffer_);
    CheckMembers(header, {"concurrent_collections", "version", "server_version", "tool_version"});
    if (TextOf(header, "version") != kVersion) {
      throw Error(ErrorCode::kUnsupported, "its format is not 0.1");
    }
    ArchivePrelude prelude;
    prelude.server_version = OptionalText(header, "server_version");
    if (prelude.server_version == "unknown") {
      prelude.server_version.clear();
    }
    std::size_t metadata_bytes = 0;
    while (ReadDocument()) {
      prelude.namespaces.push_back(ReadNamespace());
      metadata_bytes += prelude.namespaces.back().metadata.size();
      CheckLimits(prelude.namespaces.size(), metadata_bytes);
      Register(prelude.namespaces.back(), prelude.namespaces.size() - 1);
    }
    for (std::size_t i = 0; i < prelude.namespaces.size(); ++i) {
      RegisterBuckets(prelude.namespaces[i], i);
    }
    return prelude;
  }

  static void CheckLimits(std::size_t namespaces, std::size_t metadata_bytes) {
    if (namespaces > kMaxNamespaces || metadata_bytes > kMaxAllMetadata) {
      throw Error(ErrorCode::kResourceExhausted,
                  "more than " + std::to_string(kMaxNamespaces) + " namespaces, or than " +
                      std::to_string(kMaxAllMetadata >> 20U) + " MiB of metadata");
    }
  }

  ArchiveNamespace ReadNamespace() const {
    const bson::Document document(buffer_);
    CheckMembers(document, {"db", "collection", "metadata", "size", "type"});
    ArchiveNamespace ns;
    ns.database = TextOf(document, "db");
    ns.collection = TextOf(document, "collection");
    ns.metadata = OptionalText(document, "metadata");
    ns.type = OptionalText(document, "type");
    if (ns.database.size() > kMaxDatabaseName || ns.collection.size() > kMaxNamespaceName) {
      ThrowBad("a namespace's name is longer than MongoDB's may be");
    }
    return ns;
  }

  void Register(const ArchiveNamespace& ns, std::size_t index) {
    if (!indexes_.emplace(std::pair(ns.database, ns.collection), index).second) {
      ThrowBad("the namespace " + Printable(ns.database + "." + ns.collection) + " is there twice");
    }
    progress_.push_back({.name = Printable(ns.database + "." + ns.collection)});
  }

  // Before MongoDB 8.3 the documents of a time-series collection are in blocks of its buckets.
  void RegisterBuckets(const ArchiveNamespace& ns, std::size_t index) {
    if (ns.type == "timeseries") {
      indexes_.emplace(std::pair(ns.database, std::string(kBucketsPrefix) + ns.collection), index);
    }
  }

  BlockHeader ReadBlockHeader() const {
    const bson::Document document(buffer_);
    CheckMembers(document, {"db", "collection", "EOF", "CRC"});
    const auto eof = document.Find("EOF");
    const auto crc = document.Find("CRC");
    const std::optional<bool> last = eof ? eof->AsBool() : std::nullopt;
    if (!last || !crc || crc->type != bson::Type::kInt64) {
      ThrowBad("a block's header has no EOF or CRC");
    }
    return {.database = TextOf(document, "db"),
            .collection = TextOf(document, "collection"),
            .last = *last,
            .crc = LoadLe64(crc->value.data())};
  }

  void ReadBlock() {
    if (!ReadDocument()) {
      ThrowBad("a terminator where a block should begin, before byte " +
               std::to_string(reader_.position()));
    }
    const BlockHeader header = ReadBlockHeader();
    const std::optional<std::size_t> index = IndexOf(header);
    Progress& progress = index ? progress_[*index] : oplog_;
    if (progress.closed) {
      ThrowBad("a block of " + progress.name + " behind its last one");
    }
    while (ReadDocument()) {
      if (header.last) {
        ThrowBad("documents in the last block of " + progress.name);
      }
      progress.crc = codec::Crc64(progress.crc, buffer_);
      Give(index);
    }
    if (header.last) {
      Close(progress, header.crc);
    }
  }

  // The document in buffer_.
  void Give(const std::optional<std::size_t>& index) {
    if (index) {
      sink_.OnDocument(*index, buffer_);
    } else {
      sink_.OnOplogEntry(buffer_);
    }
  }

  // nullopt: the oplog.
  std::optional<std::size_t> IndexOf(const BlockHeader& header) {
    const auto found = indexes_.find(std::pair(header.database, header.collection));
    if (found != indexes_.end()) {
      return found->second;
    }
    if (!header.database.empty() || header.collection != kOplogName) {
      ThrowBad("a block of " + Printable(header.database + "." + header.collection) +
               ", which the archive did not announce");
    }
    oplog_.name = kOplogName;
    return std::nullopt;
  }

  static void Close(Progress& progress, std::uint64_t crc) {
    if (crc != progress.crc) {
      ThrowBad("the checksum of " + progress.name + " is wrong");
    }
    progress.closed = true;
  }

  void CheckComplete() const {
    for (const Progress& progress : progress_) {
      if (!progress.closed) {
        ThrowBad("it ends before " + progress.name + " is complete");
      }
    }
    if (!oplog_.name.empty() && !oplog_.closed) {
      ThrowBad("it ends before the oplog is complete");
    }
  }

  ByteReader& reader_;
  ArchiveSink& sink_;
  Bytes buffer_;
  std::map<std::pair<std::string, std::string>, std::size_t> indexes_;
  std::vector<Progress> progress_;  // by the index in the prelude
  Progress oplog_;                  // without a name: not seen
};

}  // namespace

void ReadArchive(ByteReader& reader, ArchiveSink& sink) {
  try {
    ArchiveReading(reader, sink).Read();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kCancelled) {
      throw;
    }
    throw error.WithContext("reading the archive");
  }
}

}  // namespace tidemark::dump
