// What mongodump 100.10 wrote of a MongoDB 4.0, beside what we write of the same state.

#include <algorithm>
#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/internal/dump_names.h"
#include "base/file.h"
#include "codec/collection_name.h"
#include "codec/gzip.h"
#include "tests/support/archive_fixture.h"

namespace tidemark::archive {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFile = 1U << 20;  // bytes

fs::path DataFolder() {
  return fs::path(TIDEMARK_SOURCE_DIR) / "tests/data/mongod-4.0";
}

std::vector<Bytes> Split(ByteView bytes) {
  std::vector<Bytes> documents;
  while (!bytes.empty()) {
    const std::size_t size = bson::FrontDocumentSize(bytes);
    documents.emplace_back(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    bytes = bytes.subspan(size);
  }
  return documents;
}

std::string Text(const bson::Document& document, std::string_view name) {
  return std::string(document.Find(name).value().AsString().value());
}

// Without the member that a snapshot does not know.
std::string WithoutUuid(std::string metadata) {
  constexpr std::string_view kMember = "\"uuid\":\"";
  const std::size_t at = metadata.find(kMember);
  if (at != std::string::npos) {
    metadata.erase(at, kMember.size() + 32 + 2);
  }
  return metadata;
}

// Also without the member of index specs of users and roles that no server since 4.4 has.
std::string Comparable(const std::string& metadata) {
  std::string text = WithoutUuid(metadata);
  for (const std::string_view collection : {"users", "roles", "version"}) {
    const std::string member = R"(,"ns":"admin.system.)" + std::string(collection) + '"';
    for (std::size_t at = text.find(member); at != std::string::npos; at = text.find(member)) {
      text.erase(at, member.size());
    }
  }
  return text;
}

// One namespace of an archive.
struct Archived {
  std::string metadata;
  std::string type;
  std::multiset<Bytes> documents;
  std::uint64_t crc = 0;
  bool ended = false;
};

// `mongodump --archive`, read without any leniency.
class MongodumpArchive {
 public:
  explicit MongodumpArchive(ByteView bytes) : rest_(bytes) {
    EXPECT_EQ(HexEncode(rest_.first(4)), "6de29981");
    rest_ = rest_.subspan(4);
    header = Take();
    while (!TakeTerminator()) {
      const Bytes described = Take();
      const bson::Document document(described);
      EXPECT_EQ(document.Find("size")->AsInteger(), 0);
      Archived& archived = namespaces[Text(document, "db") + "." + Text(document, "collection")];
      archived.metadata = Text(document, "metadata");
      archived.type = Text(document, "type");
      fields.insert(NamesOf(document));
    }
    while (!rest_.empty()) {
      ReadBlock();
    }
  }

  Bytes header;
  std::map<std::string, Archived> namespaces;
  std::set<std::string> fields;

 private:
  static std::string NamesOf(const bson::Document& document) {
    std::string names;
    for (const bson::Element& element : document) {
      names += std::string(element.name) + ":" +
               std::to_string(static_cast<unsigned>(element.type)) + " ";
    }
    return names;
  }

  Bytes Take() {
    const ByteView front = rest_.first(bson::FrontDocumentSize(rest_));
    rest_ = rest_.subspan(front.size());
    return {front.begin(), front.end()};
  }

  bool TakeTerminator() {
    const bool there = LoadLe32(rest_.data()) == 0xffffffff;
    rest_ = rest_.subspan(there ? 4 : 0);
    return there;
  }

  void ReadBlock() {
    const Bytes head = Take();
    const bson::Document document(head);
    fields.insert(NamesOf(document));
    const std::string name = Text(document, "db") + "." + Text(document, "collection");
    EXPECT_TRUE(namespaces.contains(name)) << name;
    Archived& archived = namespaces[name];
    EXPECT_FALSE(archived.ended) << name;
    archived.ended = document.Find("EOF")->AsBool().value();
    const std::int64_t crc = document.Find("CRC")->AsInteger().value();
    EXPECT_EQ(crc, archived.ended ? static_cast<std::int64_t>(archived.crc) : 0) << name;
    while (!TakeTerminator()) {
      EXPECT_FALSE(archived.ended);
      const Bytes taken = Take();
      archived.crc = codec::Crc64(archived.crc, taken);
      archived.documents.insert(taken);
    }
  }

  ByteView rest_;
};

class GenuineDumpTest : public ArchiveFixture {
 protected:
  GenuineDumpTest() {
    const fs::path state = DataFolder() / "dump-state";
    const Bytes catalog = bson::FromJson(AsText(ReadFile(state / "catalog.json", kMaxFile)));
    for (const bson::Element& database : bson::Document(catalog)) {
      for (const bson::Element& entry : bson::Document(database.value)) {
        AddNamespace(std::string(database.name), *entry.AsDocument());
      }
    }
    source_.catalog().mongodb_version = "4.0.3";
    AddAccounts();
    TakeOne();
  }

  // As they stand in the genuine dump.
  void AddAccounts() {
    const fs::path admin = DataFolder() / "mongodump-100.10" / "dir" / "admin";
    repo::Accounts& accounts = source_.catalog().accounts;
    accounts.users = Split(ReadFile(admin / "system.users.bson", kMaxFile));
    accounts.roles = Split(ReadFile(admin / "system.roles.bson", kMaxFile));
    for (const Bytes& document : Split(ReadFile(admin / "system.version.bson", kMaxFile))) {
      if (Text(bson::Document(document), "_id") == "authSchema") {
        accounts.schema = document;
      }
    }
  }

  void AddNamespace(const std::string& database, const bson::Document& entry) {
    const bson::Document info = *entry.Find("info")->AsDocument();
    const std::string name = Text(info, "name");
    if (name.starts_with("system.")) {
      return;
    }
    const fs::path file =
        DataFolder() / "dump-state" / database / (codec::EscapeCollection(name) + ".bson");
    std::vector<Bytes> documents;
    if (fs::exists(file)) {
      documents = Split(ReadFile(file, kMaxFile));
    }
    engine::SourceNamespace& ns = source_.Add(database, name, documents);
    const bson::Document options = *info.Find("options")->AsDocument();
    ns.options.assign(options.bytes().begin(), options.bytes().end());
    ns.capped = options.Find("capped").has_value();
    ns.kind = Text(info, "type") == "view" ? repo::NamespaceKind::kView
                                           : repo::NamespaceKind::kCollection;
    if (const auto indexes = entry.Find("indexes")) {
      for (const bson::Element& index : bson::Document(indexes->value)) {
        ns.indexes.emplace_back(index.value.begin(), index.value.end());
      }
    }
  }

  // Of the databases that are the user's.
  static std::map<std::string, std::string> GenuineFiles() {
    std::map<std::string, std::string> files;
    const fs::path folder = DataFolder() / "mongodump-100.10" / "dir";
    for (const char* database : {"admin", "other", "shop", "throwaway"}) {
      for (const auto& file : fs::directory_iterator(folder / database)) {
        files["dump/" + std::string(database) + "/" + file.path().filename().string()] =
            AsText(ReadFile(file.path(), kMaxFile));
      }
    }
    return files;
  }

  // In any order: ours is that of _id unless capped.
  static std::multiset<Bytes> Documents(const std::string& file) {
    const std::vector<Bytes> documents = Split(AsBytes(file));
    return {documents.begin(), documents.end()};
  }
};

TEST_F(GenuineDumpTest, TheTreeHoldsTheSameFiles) {
  auto ours = Files();
  EXPECT_EQ(ours["dump/prelude.json"], R"({"ServerVersion":"4.0.3","ToolVersion":"tidemark"})");
  for (const auto& [path, text] : GenuineFiles()) {
    ASSERT_TRUE(ours.contains(path)) << path;
    if (path.ends_with(".metadata.json")) {
      EXPECT_EQ(ours[path], Comparable(text)) << path;
    } else if (!path.ends_with("/admin/system.version.bson")) {
      EXPECT_EQ(Documents(ours[path]), Documents(text)) << path;
    }
    ours.erase(path);
  }
  std::vector<std::string> more;
  for (const auto& [path, text] : ours) {
    more.push_back(path);
  }
  EXPECT_THAT(more,
              testing::ElementsAre("dump/",
                                   "dump/admin/",
                                   "dump/other/",
                                   "dump/prelude.json",
                                   "dump/shop/",
                                   "dump/throwaway/"));
}

// Of the server's version there is only what mongorestore asks for: how users are stored.
TEST_F(GenuineDumpTest, TheTreeSaysHowUsersAreStored) {
  const std::vector<Bytes> version = Split(AsBytes(Files()["dump/admin/system.version.bson"]));
  ASSERT_EQ(version.size(), 1U);
  EXPECT_EQ(bson::Document(version[0]).Find("currentVersion")->AsInteger(), 5);
}

TEST_F(GenuineDumpTest, CappedCollectionsAreTheSameBytes) {
  auto ours = Files();
  auto genuine = GenuineFiles();
  for (const char* path : {"dump/shop/capped.bson", "dump/shop/big.bson"}) {
    EXPECT_FALSE(genuine[path].empty());
    EXPECT_EQ(ours[path], genuine[path]) << path;
  }
}

TEST_F(GenuineDumpTest, TheArchiveHoldsTheSame) {
  const Bytes genuine_bytes = ReadFile(DataFolder() / "mongodump-100.10" / "all.archive", kMaxFile);
  const MongodumpArchive genuine(genuine_bytes);
  archive_.format = ArchiveFormat::kArchive;
  const Bytes plain = Pack();
  MongodumpArchive ours(plain);
  EXPECT_EQ(ours.fields, genuine.fields);
  EXPECT_EQ(bson::ToJson(bson::Document(ours.header)),
            bson::ToJson(bson::Document(bson::FromJson(
                R"({"concurrent_collections":1,"version":"0.1","server_version":"4.0.3",)"
                R"("tool_version":"tidemark"})"))));
  for (const auto& [name, archived] : genuine.namespaces) {
    EXPECT_TRUE(archived.ended);
    ASSERT_TRUE(ours.namespaces.contains(name)) << name;
    EXPECT_TRUE(ours.namespaces[name].ended) << name;
    EXPECT_EQ(ours.namespaces[name].metadata, Comparable(archived.metadata));
    EXPECT_EQ(ours.namespaces[name].type, archived.type);
    if (name != "admin.system.version") {
      EXPECT_EQ(ours.namespaces[name].documents, archived.documents);
    }
    ours.namespaces.erase(name);
  }
  EXPECT_TRUE(ours.namespaces.empty());
}

TEST_F(GenuineDumpTest, TheCompressedArchiveIsTheArchiveCompressed) {
  archive_.format = ArchiveFormat::kArchive;
  const Bytes plain = Pack();
  archive_.format = ArchiveFormat::kArchiveGz;
  EXPECT_EQ(Gunzip(Pack()), plain);
  const fs::path folder = DataFolder() / "mongodump-100.10";
  EXPECT_EQ(
      MongodumpArchive(Gunzip(ReadFile(folder / "all.archive.gz", kMaxFile))).namespaces.size(),
      MongodumpArchive(ReadFile(folder / "all.archive", kMaxFile)).namespaces.size());
}

// Faults that mongorestore once had with such names and indexes (TOOLS-3822, 3697, 3708): nothing
// is dropped, nothing renamed, and the order of fields is kept (TOOLS-3411).
TEST_F(GenuineDumpTest, WhatOtherToolsLostIsKept) {
  const std::vector<std::string> names{"a\nb",
                                       "A\nb",
                                       "%",
                                       "%25",
                                       "/",
                                       "a/b",
                                       "$x",
                                       " ",
                                       "+",
                                       "\xf0\x9f\x98\x80",
                                       std::string(255, '/'),
                                       std::string(255, 'n'),
                                       std::string(254, 'n') + "m"};
  for (const std::string& name : names) {
    engine::SourceNamespace& ns = source_.Add("t", name, {engine::NumberedDocument(1, name)});
    ns.indexes = {bson::FromJson(R"({"v":2,"key":{"_id":"hashed"},"name":"h"})"),
                  bson::FromJson(R"({"v":2,"key":{"a":{"$numberDouble":"-0.5"}},"name":"f"})"),
                  bson::FromJson(R"({"v":2,"key":{"z":1,"a":-1},"name":"o"})")};
  }
  source_.Add("t", "zero", {bson::FromJson(R"({"_id":1,"t":{"$timestamp":{"t":0,"i":0}}})")});
  options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
  TakeOne();
  const auto ours = Files();
  std::set<std::string> found;
  for (const auto& [path, text] : ours) {
    if (path.starts_with("dump/t/") && path.ends_with(".metadata.json")) {
      const Bytes metadata = bson::FromJson(text);
      found.insert(Text(bson::Document(metadata), "collectionName"));
      const std::string data = path.substr(0, path.size() - 14) + ".bson";
      EXPECT_EQ(Documents(ours.at(data)).size(), 1U);
    }
  }
  for (const std::string& name : names) {
    EXPECT_TRUE(found.contains(name)) << name;
    const std::string& text = ours.at("dump/t/" + codec::EscapeCollection(name) + ".metadata.json");
    EXPECT_THAT(text, testing::HasSubstr(R"({"_id":"hashed"})"));
    EXPECT_THAT(text, testing::HasSubstr(R"({"a":{"$numberDouble":"-0.5"}})"));
    EXPECT_THAT(text, testing::HasSubstr(R"({"z":{"$numberInt":"1"},"a":{"$numberInt":"-1"}})"));
  }
  EXPECT_EQ(found.size(), names.size() + 1);
  EXPECT_EQ(Documents(ours.at("dump/t/zero.bson")),
            Documents(std::string(
                AsText(bson::FromJson(R"({"_id":1,"t":{"$timestamp":{"t":0,"i":0}}})")))));
}

}  // namespace
}  // namespace tidemark::archive
