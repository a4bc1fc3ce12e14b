// What a genuine mongodump 100.10 wrote of a MongoDB 4.0.3, beside the state that it dumped.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "codec/collection_name.h"
#include "dump/dump_source.h"
#include "dump/internal/names.h"
#include "tests/support/dump_files.h"
#include "tests/support/engine_fixture.h"

namespace tidemark::dump {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

constexpr std::size_t kMaxFile = 1U << 20;  // bytes

fs::path Recorded() {
  return fs::path(TIDEMARK_SOURCE_DIR) / "tests/data/mongod-4.0";
}

std::vector<Bytes> SplitDocuments(ByteView bytes) {
  std::vector<Bytes> documents;
  for (ByteView rest = bytes; !rest.empty(); rest = rest.subspan(documents.back().size())) {
    const ByteView front = rest.first(bson::FrontDocumentSize(rest));
    documents.emplace_back(front.begin(), front.end());
  }
  return documents;
}

struct Kept {
  repo::NamespaceKind kind = repo::NamespaceKind::kCollection;
  Bytes options;
  std::vector<Bytes> indexes;
  std::vector<Bytes> documents;
  bool capped = false;
};

using State = std::map<std::string, Kept>;

Kept KeptOf(const bson::Document& entry) {
  const bson::Document info = *entry.Find("info")->AsDocument();
  Kept kept;
  kept.kind = *info.Find("type")->AsString() == "view" ? repo::NamespaceKind::kView
                                                       : repo::NamespaceKind::kCollection;
  const ByteView options = info.Find("options")->value;
  kept.options.assign(options.begin(), options.end());
  kept.capped = bson::Document(options).Find("capped").has_value();
  if (const auto indexes = entry.Find("indexes")) {
    for (const bson::Element& index : bson::Document(indexes->value)) {
      kept.indexes.emplace_back(index.value.begin(), index.value.end());
    }
  }
  return kept;
}

// The truth, recorded with a driver beside the dump.
State RecordedState() {
  const fs::path folder = Recorded() / "dump-state";
  const Bytes catalog = bson::FromJson(AsText(ReadFile(folder / "catalog.json", kMaxFile)));
  State state;
  for (const bson::Element& database : bson::Document(catalog)) {
    for (const bson::Element& entry : bson::Document(database.value)) {
      const bson::Document document(entry.value);
      const std::string name(*document.Find("info")->AsDocument()->Find("name")->AsString());
      if (name == "system.views") {
        continue;  // the views themselves are in the catalog
      }
      Kept kept = KeptOf(document);
      const fs::path file =
          folder / std::string(database.name) / (codec::EscapeCollection(name) + ".bson");
      if (kept.kind != repo::NamespaceKind::kView) {
        kept.documents = SplitDocuments(ReadFile(file, kMaxFile));
      }
      state.emplace(std::string(database.name) + "." + name, std::move(kept));
    }
  }
  return state;
}

class GenuineDumpTest : public engine::EngineFixture {
 protected:
  std::unique_ptr<DumpSource> Open(const std::string& path) {
    DumpOptions options;
    options.folder = Recorded() / "mongodump-100.10";
    options.path = path;
    options.spool_folder = folder_.path();
    return OpenDump(options, nonces_);
  }

  // Documents in the order of the dump, everything else byte by byte.
  static void ExpectState(DumpSource& source) {
    const State state = RecordedState();
    const engine::SourceCatalog catalog = source.ReadCatalog();
    EXPECT_EQ(catalog.namespaces.size(), state.size());
    for (const engine::SourceNamespace& ns : catalog.namespaces) {
      const std::string name = ns.database + "." + ns.collection;
      SCOPED_TRACE(name);
      ASSERT_TRUE(state.contains(name));
      const Kept& kept = state.at(name);
      EXPECT_EQ(ns.kind, kept.kind);
      EXPECT_EQ(ns.capped, kept.capped);
      EXPECT_EQ(ns.options, kept.options) << bson::ToJson(bson::Document(ns.options));
      EXPECT_EQ(ns.indexes, kept.indexes);
      std::vector<Bytes> documents;
      if (ns.kind != repo::NamespaceKind::kView) {
        source.Scan(ns, {}, [&](ByteView document) {
          documents.emplace_back(document.begin(), document.end());
        });
      }
      EXPECT_EQ(documents, kept.documents);
    }
  }

  // A snapshot of the dump, read back.
  void ExpectSnapshot(DumpSource& source) {
    const engine::SnapshotSummary summary =
        engine::TakeSnapshot(source, *repository_, options_, Context());
    const State state = RecordedState();
    std::uint64_t documents = 0;
    for (const repo::NamespaceEntry& entry : Manifest().namespaces) {
      const Kept& kept = state.at(entry.database + "." + entry.collection);
      SCOPED_TRACE(entry.collection);
      EXPECT_EQ(entry.options, kept.options);
      EXPECT_EQ(entry.indexes, kept.indexes);
      EXPECT_THAT(Read(entry), testing::UnorderedElementsAreArray(kept.documents));
      documents += kept.documents.size();
    }
    EXPECT_EQ(summary.documents, documents);
    EXPECT_FALSE(summary.consistent);
    EXPECT_THAT(summary.inconsistent_reason, HasSubstr("imported from a dump"));
  }

  const TemporaryFolder folder_;
};

TEST_F(GenuineDumpTest, TreeIsTheState) {
  const auto source = Open("dir");
  ExpectState(*source);
  ExpectSnapshot(*source);
  EXPECT_EQ(source->format(), "tree");
  EXPECT_THAT(source->notes(), Contains(HasSubstr("oplog is not imported")));
  const repo::Accounts accounts = Manifest().accounts;
  ASSERT_EQ(accounts.users.size(), 1U);
  EXPECT_EQ(bson::Document(accounts.users[0]).Find("_id")->AsString(), "shop.app");
  ASSERT_EQ(accounts.roles.size(), 1U);
  EXPECT_EQ(bson::Document(accounts.roles[0]).Find("_id")->AsString(), "shop.reader");
  EXPECT_EQ(bson::Document(accounts.schema).Find("currentVersion")->AsInteger(), 5);
  EXPECT_THAT(Manifest().inconsistent_reason, HasSubstr("oplog"));
}

TEST_F(GenuineDumpTest, PackedTreeIsTheState) {
  const auto source = Open("dir-gzip");
  ExpectState(*source);
  ExpectSnapshot(*source);
}

TEST_F(GenuineDumpTest, ArchiveIsTheState) {
  const auto source = Open("all.archive");
  ExpectState(*source);
  ExpectSnapshot(*source);
  EXPECT_EQ(source->format(), "archive");
  EXPECT_EQ(Manifest().mongodb_version, "4.0.3");
}

TEST_F(GenuineDumpTest, PackedArchiveIsTheState) {
  const auto source = Open("all.archive.gz");
  ExpectState(*source);
  ExpectSnapshot(*source);
}

TEST_F(GenuineDumpTest, TarOfTheTreeIsTheState) {
  const fs::path tree = Recorded() / "mongodump-100.10" / "dir";
  for (const std::string top : {"", "dump/", "./c0-20261125/"}) {
    TarWriter tar;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(tree)) {
      const std::string path = top + fs::relative(entry.path(), tree).string();
      if (entry.is_directory()) {
        tar.Folder(path + "/");
        continue;
      }
      if (path.size() > 100) {
        tar.Pax("path", path);
      }
      tar.File(path, ReadFile(entry.path(), kMaxFile));
    }
    folder_.Write("dump.tar", tar.End());
    folder_.Write("dump.tar.gz", PackGzip(tar.End()));
    for (const char* name : {"dump.tar", "dump.tar.gz"}) {
      SCOPED_TRACE(top + name);
      DumpOptions options{.folder = folder_.path(), .path = name, .spool_folder = folder_.path()};
      const auto source = OpenDump(options, nonces_);
      ExpectState(*source);
      EXPECT_EQ(source->format(), "tar");
    }
  }
}

}  // namespace
}  // namespace tidemark::dump
