#include "archive/internal/layout.h"

#include <algorithm>
#include <array>
#include <tuple>

#include <fmt/format.h>

#include "archive/internal/account_members.h"
#include "archive/internal/dump_names.h"
#include "archive/internal/metadata_json.h"
#include "archive/internal/tar_header.h"
#include "archive/lines.h"
#include "base/error.h"
#include "bson/builder.h"
#include "codec/collection_name.h"
#include "codec/gzip.h"

namespace tidemark::archive {
namespace {

using repo::NamespaceEntry;
using repo::NamespaceKind;

// The parts that both tars have in common.
class TarLayout : public Layout {
 public:
  explicit TarLayout(const ArchiveContents& contents) : contents_(contents) {}

  void Open(std::uint32_t, BlockBuilder& out) override {
    AddFolder(contents_.options.top_directory, out);
    AddFile(Path("prelude.json"), PreludeJson(contents_.manifest), out);
    AddAccounts(out);
  }

  void Begin(std::uint32_t index, BlockBuilder& out) override {
    const bool first_of_database =
        index == 0 || contents_.order[index - 1]->database != Entry(index).database;
    if (first_of_database) {
      AddFolder(Path(Entry(index).database), out);
    }
    BeginNamespace(Entry(index), out);
  }

  void Close(BlockBuilder& out) override {
    for (const std::string& database : contents_.manifest.empty_databases) {
      AddFolder(Path(database), out);
    }
    AppendTarEnd(out.bytes());
  }

 protected:
  virtual void BeginNamespace(const NamespaceEntry& entry, BlockBuilder& out) = 0;

  virtual void AddAccounts(BlockBuilder&) const {}

  const NamespaceEntry& Entry(std::uint32_t index) const { return *contents_.order[index]; }

  std::string Path(std::string_view below) const {
    return fmt::format("{}/{}", contents_.options.top_directory, below);
  }

  // The folder or file of a collection without its ending.
  std::string Path(std::string_view database, std::string_view collection) const {
    return Path(fmt::format("{}/{}", database, codec::EscapeCollection(collection)));
  }

  void AddHeader(const std::string& path, std::uint64_t size, BlockBuilder& out) const {
    AppendTarHeader({.path = path, .size = size, .time = contents_.options.time}, out.bytes());
  }

  void AddFolder(const std::string& path, BlockBuilder& out) const {
    AddHeader(path + "/", 0, out);
  }

  void AddFile(const std::string& path, std::string_view text, BlockBuilder& out) const {
    AddHeader(path, text.size(), out);
    out.Append(text);
    AppendTarPadding(text.size(), out.bytes());
  }

  const ArchiveContents& contents_;
};

// <db>/<collection>.metadata.json and .bson, as mongodump writes them.
class DumpLayout final : public TarLayout {
 public:
  using TarLayout::TarLayout;

  void BeginNamespace(const NamespaceEntry& entry, BlockBuilder& out) override {
    AddFile(Path(entry.database, entry.collection) + ".metadata.json", MetadataJson(entry), out);
    if (entry.kind != NamespaceKind::kView) {
      const std::string data = DataCollection(contents_.manifest, entry);
      AddHeader(Path(entry.database, data) + ".bson", entry.logical_bytes, out);
    }
  }

  void End(std::uint32_t index, std::uint64_t, BlockBuilder& out) override {
    AppendTarPadding(Entry(index).logical_bytes, out.bytes());
  }

  std::string LinesPath(std::uint32_t, std::uint32_t) const override { return {}; }

 protected:
  // In front, as mongodump does; no snapshot has collections of the database admin.
  void AddAccounts(BlockBuilder& out) const override {
    const std::vector<AccountMember> members = AccountMembersOf(contents_.manifest);
    if (!members.empty()) {
      AddFolder(Path("admin"), out);
    }
    for (const AccountMember& member : members) {
      const std::string path = Path("admin", member.entry.collection);
      AddFile(path + ".metadata.json", MetadataJson(member.entry), out);
      AddHeader(path + ".bson", member.entry.logical_bytes, out);
      for (const ByteView document : member.documents) {
        out.Append(document);
      }
      AppendTarPadding(member.entry.logical_bytes, out.bytes());
    }
  }
};

// <db>/<collection>/metadata.json and 000001.json, 000002.json, ...: a tar member's size stands
// before it, and of JSON it is known only for what is in memory.
class JsonLayout final : public TarLayout {
 public:
  using TarLayout::TarLayout;

  void BeginNamespace(const NamespaceEntry& entry, BlockBuilder& out) override {
    const std::string folder = Path(entry.database, entry.collection);
    AddFolder(folder, out);
    AddFile(folder + "/metadata.json", MetadataJson(entry), out);
  }

  void End(std::uint32_t, std::uint64_t, BlockBuilder&) override {}

  std::string LinesPath(std::uint32_t index, std::uint32_t part) const override {
    const NamespaceEntry& entry = Entry(index);
    return fmt::format("{}/{:06}.json", Path(entry.database, entry.collection), part + 1);
  }
};

// `mongodump --archive` (mongo-tools, common/archive): magic, header, a description of each
// namespace, terminator; then per namespace a block of documents and a block that ends it.
class MongodumpLayout final : public Layout {
 public:
  explicit MongodumpLayout(const ArchiveContents& contents)
      : contents_(contents), accounts_(AccountMembersOf(contents.manifest)) {}

  void Open(std::uint32_t from, BlockBuilder& out) override {
    if (from == 0) {
      out.Append(kMagic);
      out.Append(bson::Builder()
                     .Append("concurrent_collections", std::int32_t{1})
                     .Append("version", "0.1")
                     .Append("server_version", ServerVersion(contents_.manifest))
                     .Append("tool_version", kToolVersion)
                     .Finish());
      for (const AccountMember& member : accounts_) {
        Describe(member.entry, out);
      }
    }
    for (std::uint32_t i = from; i < contents_.order.size(); ++i) {
      if (out.full()) {
        out.Cut({.opening = true, .index = i}, true);
      }
      Describe(*contents_.order[i], out);
    }
    out.Append(kTerminator);
    for (const AccountMember& member : accounts_) {
      AddAccount(member, out);
    }
  }

  void Begin(std::uint32_t index, BlockBuilder& out) override { AddHeader(index, false, 0, out); }

  void End(std::uint32_t index, std::uint64_t crc, BlockBuilder& out) override {
    out.Append(kTerminator);
    AddHeader(index, true, crc, out);
    out.Append(kTerminator);
  }

  void Close(BlockBuilder&) override {}

  std::string LinesPath(std::uint32_t, std::uint32_t) const override { return {}; }

 private:
  static constexpr std::array<std::uint8_t, 4> kMagic{0x6d, 0xe2, 0x99, 0x81};
  static constexpr std::array<std::uint8_t, 4> kTerminator{0xff, 0xff, 0xff, 0xff};

  static void Describe(const NamespaceEntry& entry, BlockBuilder& out) {
    out.Append(bson::Builder()
                   .Append("db", entry.database)
                   .Append("collection", entry.collection)
                   .Append("metadata", MetadataJson(entry))
                   .Append("size", std::int32_t{0})  // as mongodump does
                   .Append("type", TypeName(entry.kind))
                   .Finish());
  }

  void AddHeader(std::uint32_t index, bool end, std::uint64_t crc, BlockBuilder& out) const {
    const NamespaceEntry& entry = *contents_.order[index];
    AddHeader(entry.database, DataCollection(contents_.manifest, entry), end, crc, out);
  }

  static void AddHeader(const std::string& database,
                        const std::string& collection,
                        bool end,
                        std::uint64_t crc,
                        BlockBuilder& out) {
    out.Append(bson::Builder()
                   .Append("db", database)
                   .Append("collection", collection)
                   .Append("EOF", end)
                   .Append("CRC", static_cast<std::int64_t>(crc))
                   .Finish());
  }

  static void AddAccount(const AccountMember& member, BlockBuilder& out) {
    const NamespaceEntry& entry = member.entry;
    std::uint64_t crc = 0;
    AddHeader(entry.database, entry.collection, false, 0, out);
    for (const ByteView document : member.documents) {
      crc = codec::Crc64(crc, document);
      out.Append(document);
    }
    out.Append(kTerminator);
    AddHeader(entry.database, entry.collection, true, crc, out);
    out.Append(kTerminator);
  }

  const ArchiveContents& contents_;
  const std::vector<AccountMember> accounts_;
};

repo::Manifest WithDatabasesInOrder(repo::Manifest manifest) {
  std::ranges::sort(manifest.empty_databases);
  return manifest;
}

std::vector<const NamespaceEntry*> InOrder(const repo::Manifest& manifest) {
  std::vector<const NamespaceEntry*> order;
  order.reserve(manifest.namespaces.size());
  for (const NamespaceEntry& entry : manifest.namespaces) {
    order.push_back(&entry);
  }
  std::ranges::sort(order, {}, [](const NamespaceEntry* entry) {
    return std::tie(entry->database, entry->collection);
  });
  return order;
}

}  // namespace

ArchiveContents::ArchiveContents(const repo::Manifest& from, const ArchiveOptions& how)
    : options(how), manifest(WithDatabasesInOrder(from)), order(InOrder(manifest)) {}

std::unique_ptr<Layout> MakeLayout(const ArchiveContents& contents) {
  switch (contents.options.format) {
    case ArchiveFormat::kDumpTarGz:
      return std::make_unique<DumpLayout>(contents);
    case ArchiveFormat::kJsonTarGz:
      return std::make_unique<JsonLayout>(contents);
    case ArchiveFormat::kArchive:
    case ArchiveFormat::kArchiveGz:
      return std::make_unique<MongodumpLayout>(contents);
  }
  CheckFailed("every format has a layout", __FILE__, __LINE__);
}

}  // namespace tidemark::archive
