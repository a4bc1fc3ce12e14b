// Trees, tars and archives as somebody may hand them in.
#include "dump/dump_source.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/file.h"
#include "codec/collection_name.h"
#include "dump/internal/limits.h"
#include "dump/internal/names.h"
#include "tests/support/dump_files.h"
#include "tests/support/engine_fixture.h"

namespace tidemark::dump {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kPlain = R"({"indexes":[]})";

Bytes Numbered(std::int32_t id) {
  return bson::Builder().Append("_id", id).Append("text", "some text").Finish();
}

class DumpSourceTest : public engine::EngineFixture {
 protected:
  std::unique_ptr<DumpSource> Open(const std::string& path) {
    return OpenDump(
        {.folder = folder_.path(), .path = path, .spool_folder = spool_.path(), .stop = {}},
        nonces_);
  }

  // A collection of the tree "dump".
  void WriteCollection(const std::string& file,
                       const std::vector<Bytes>& documents,
                       std::string_view metadata = kPlain) {
    folder_.Write("dump/" + file + ".bson", Joined(documents));
    folder_.Write("dump/" + file + ".metadata.json", AsBytes(metadata));
  }

  // The documents of all collections, by their names.
  static std::map<std::string, std::vector<Bytes>> ReadAll(DumpSource& source) {
    std::map<std::string, std::vector<Bytes>> all;
    for (const engine::SourceNamespace& ns : source.ReadCatalog().namespaces) {
      std::vector<Bytes>& documents = all[ns.database + "." + ns.collection];
      if (ns.kind != repo::NamespaceKind::kView) {
        source.Scan(ns, {}, [&](ByteView document) {
          documents.emplace_back(document.begin(), document.end());
        });
      }
    }
    return all;
  }

  void ExpectRefused(const std::string& path, const std::string& why, ErrorCode code) {
    SCOPED_TRACE(why);
    try {
      ReadAll(*Open(path));
      ADD_FAILURE() << "it was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.message();
      EXPECT_THAT(std::string(error.message()), HasSubstr(why));
    }
  }

  void ExpectTreeRefused(const std::string& why, ErrorCode code = ErrorCode::kCorrupt) {
    ExpectRefused("dump", why, code);
    fs::remove_all(folder_.path() / "dump");
  }

  void ExpectTarRefused(const Bytes& tar,
                        const std::string& why,
                        ErrorCode code = ErrorCode::kCorrupt) {
    folder_.Write("dump.tar", tar);
    ExpectRefused("dump.tar", why, code);
  }

  const TemporaryFolder folder_;
  const TemporaryFolder spool_;
};

TEST_F(DumpSourceTest, PathsOutsideTheFolderAreRefused) {
  folder_.Write("dump/a", {});
  for (const char* path : {"",
                           "/",
                           "/etc/passwd",
                           "..",
                           "dump/..",
                           "dump/../dump",
                           ".",
                           "./dump",
                           "dump//a",
                           "dump/"}) {
    ExpectRefused(path, "the path is not one below the import folder", ErrorCode::kInvalidArgument);
  }
  ExpectRefused(std::string("dump\0x", 6), "NUL", ErrorCode::kInvalidArgument);
  ExpectRefused("nothing", "nothing", ErrorCode::kNotFound);
  ExpectRefused("dump/a/b", "below something that is no folder", ErrorCode::kNotFound);
}

TEST_F(DumpSourceTest, LinksAndDevicesAreNotFollowed) {
  const fs::path top = folder_.path();
  WriteCollection("shop/a", {Numbered(1)});
  fs::create_symlink(top / "dump", top / "link");
  ExpectRefused("link", "it is a link", ErrorCode::kNotFound);
  ExpectRefused("link/shop", "it is a link", ErrorCode::kNotFound);
  fs::create_symlink("/etc/hostname", top / "dump/shop/b.bson");
  ExpectRefused("dump", "it is a link", ErrorCode::kNotFound);
  fs::remove(top / "dump/shop/b.bson");
  fs::create_directory_symlink("/etc", top / "dump/etc");
  ExpectRefused("dump", "it is a link", ErrorCode::kNotFound);
  fs::remove(top / "dump/etc");
  ASSERT_EQ(mkfifo((top / "dump/shop/c.bson").c_str(), 0600), 0);
  ExpectRefused("dump", "neither a file nor a folder", ErrorCode::kInvalidArgument);
}

TEST_F(DumpSourceTest, FilesThatNoMongodumpWritesAreRefused) {
  const auto refused = [this](const char* name) {
    folder_.Write(std::string("dump/") + name, {});
    ExpectTreeRefused("is nothing that mongodump writes", ErrorCode::kUnsupported);
  };
  refused("notes.txt");
  refused("shop/notes.txt");
  refused("shop/inner/a.bson");
  refused("a.bson");
  folder_.Write("dump/a.b/x.bson", {});
  ExpectTreeRefused("the database \"a.b\"");
}

TEST_F(DumpSourceTest, TwoFilesOfOneCollectionAreRefused) {
  WriteCollection("shop/a", {});
  folder_.Write("dump/shop/a.bson.gz", PackGzip({}));
  ExpectTreeRefused("the documents of shop.a are there twice");

  WriteCollection("shop/a", {});
  folder_.Write("dump/shop/a.metadata.json.gz", PackGzip(AsBytes(kPlain)));
  ExpectTreeRefused("the metadata of shop.a are there twice");

  WriteCollection("shop/a%20b", {});
  WriteCollection("shop/a+b", {});
  ExpectTreeRefused("two files are of the collection shop.a b");
}

TEST_F(DumpSourceTest, PartsThatAreMissingAreRefused) {
  folder_.Write("dump/shop/a.metadata.json", AsBytes(kPlain));
  ExpectTreeRefused("the documents of shop.a are missing");

  folder_.Write("dump/shop/t.metadata.json", AsBytes(R"({"indexes":[],"type":"timeseries"})"));
  ExpectTreeRefused("the documents of shop.t are missing");

  WriteCollection("shop/system.buckets.t", {});
  ExpectTreeRefused("buckets without the metadata of their collection");

  const std::string hashed = codec::EscapeCollection(std::string(120, '/'));
  folder_.Write("dump/shop/" + hashed + ".bson", {});
  ExpectTreeRefused("in its metadata only, which are missing");
}

TEST_F(DumpSourceTest, NamesThatDoNotAgreeAreRefused) {
  WriteCollection("shop/a", {}, R"({"indexes":[],"collectionName":"b"})");
  ExpectTreeRefused("the metadata of shop.a are of b");
  const std::string hashed = codec::EscapeCollection(std::string(120, '/'));
  WriteCollection("shop/" + hashed, {}, R"({"indexes":[],"collectionName":"b"})");
  ExpectTreeRefused("do not hold the name that the file stands for");
  WriteCollection("shop/a%zz", {});
  ExpectTreeRefused("is no escaped name");
  WriteCollection("shop/a%24b", {});
  ExpectTreeRefused("a name does not hold $");
}

TEST_F(DumpSourceTest, MetadataThatAreNoneAreRefused) {
  for (const char* metadata : {"",
                               "[]",
                               "{\"indexes\":{}}",
                               "{\"indexes\":[1]}",
                               "{\"options\":[]}",
                               "{\"options\":{},\"options\":{}}",
                               "{\"collectionName\":1}",
                               "{\"type\":\"table\"}"}) {
    WriteCollection("shop/a", {}, metadata);
    ExpectTreeRefused("reading the metadata of shop.a");
  }
  WriteCollection("shop/a", {}, R"({"indexes":[],"options":{"viewOn":"b","pipeline":[]}})");
  EXPECT_EQ(Open("dump")->ReadCatalog().namespaces.at(0).kind, repo::NamespaceKind::kView);
}

TEST_F(DumpSourceTest, VersionsThatAreNoneAreRefused) {
  for (const std::string& version : {std::string(65, '1'), std::string("7.0\\n")}) {
    folder_.Write("dump/prelude.json", AsBytes("{\"ServerVersion\":\"" + version + "\"}"));
    ExpectTreeRefused("the server's version");
  }
  folder_.Write("dump/prelude.json", AsBytes(R"({"ServerVersion":7})"));
  ExpectTreeRefused("is no text");
}

TEST_F(DumpSourceTest, MetadataAreBounded) {
  std::string metadata = R"({"indexes":[]})";
  metadata.resize(kMaxMetadata + 1, ' ');
  WriteCollection("shop/a", {}, metadata);
  ExpectTreeRefused("16 MiB of metadata", ErrorCode::kResourceExhausted);
  folder_.Write("dump/shop/a.bson", {});
  folder_.Write("dump/shop/a.metadata.json.gz", PackGzip(Bytes(64U << 20U, ' ')));
  ExpectTreeRefused("16 MiB of metadata", ErrorCode::kResourceExhausted);
}

// Little on disk, much in memory.
TEST_F(DumpSourceTest, GzipBombsAreRefused) {
  const Bytes zeros(60U << 20U);
  folder_.Write("bomb.gz", Joined(std::vector<Bytes>(5, PackGzip(zeros))));
  const Bytes document = bson::Builder()
                             .Append("_id", std::int32_t{1})
                             .AppendBinary("zeros", ByteView(zeros).first(15U << 20U))
                             .Finish();
  folder_.Write("dump/shop/a.bson.gz", Joined(std::vector<Bytes>(20, PackGzip(document))));
  ExpectRefused("dump", "it grows more than 400 times", ErrorCode::kResourceExhausted);
  ExpectRefused("bomb.gz", "neither a mongodump archive nor a tar", ErrorCode::kUnsupported);
  const Bytes tar = TarWriter().Member("d/a.bson", '0', std::uint64_t{1} << 30U, {}).bytes();
  folder_.Write("bomb.tar.gz", Joined({PackGzip(tar), PackGzip(zeros), PackGzip(zeros)}));
  ExpectRefused("bomb.tar.gz", "a document of 0 bytes", ErrorCode::kCorrupt);
  const Bytes packed = PackGzip(zeros);
  MemoryStream packed_stream(packed);
  UnpackedStream small(packed_stream, {.free_bytes = 1U << 20U, .ratio = 10});
  ByteReader reader(small);
  EXPECT_THROW(reader.Skip(zeros.size()), Error);
}

TEST_F(DumpSourceTest, EveryTruncationOfDocumentsIsRefused) {
  const Bytes documents = Joined({Numbered(1), Numbered(2)});
  const Bytes packed = PackGzip(documents);
  folder_.Write("dump/shop/b.metadata.json", AsBytes(kPlain));
  for (std::size_t size = 0; size <= packed.size(); ++size) {
    folder_.Write("dump/shop/b.bson.gz", ByteView(packed).first(size));
    if (size == packed.size()) {
      EXPECT_EQ(ReadAll(*Open("dump")).at("shop.b").size(), 2U);
    } else {
      EXPECT_THROW(ReadAll(*Open("dump")), Error) << size;
    }
  }
  fs::remove(folder_.path() / "dump/shop/b.bson.gz");
  for (std::size_t size = 0; size < documents.size(); ++size) {
    folder_.Write("dump/shop/b.bson", ByteView(documents).first(size));
    if (size == 0 || size == Numbered(1).size()) {
      continue;  // a shorter collection: a tree has no checksums
    }
    EXPECT_THROW(ReadAll(*Open("dump")), Error) << size;
  }
}

TEST_F(DumpSourceTest, FilesThatChangeMeanwhileAreRefused) {
  WriteCollection("shop/a", {Numbered(1)});
  const auto source = Open("dump");
  const engine::SourceCatalog catalog = source->ReadCatalog();
  folder_.Write("dump/shop/a.bson", Joined({Numbered(1), Numbered(2)}));
  try {
    source->Scan(catalog.namespaces.at(0), {}, [](ByteView) {});
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kConflict);
    EXPECT_THAT(std::string(error.message()), HasSubstr("it has changed meanwhile"));
  }
}

TEST_F(DumpSourceTest, ArchiveThatChangesMeanwhileIsRefused) {
  ArchiveWriter archive;
  archive.Header().Namespace("shop", "a").Terminator().Close("shop", "a");
  folder_.Write("a.archive", archive.bytes());
  DumpOptions options{
      .folder = folder_.path(), .path = "a.archive", .spool_folder = spool_.path(), .stop = {}};
  options.on_read = [this](ByteCount done, ByteCount total) {
    EXPECT_LE(done, total);
    fs::last_write_time(folder_.path() / "a.archive", fs::file_time_type::clock::now());
  };
  const auto source = OpenDump(options, nonces_);
  EXPECT_THROW(source->ReadCatalog(), Error);
}

TEST_F(DumpSourceTest, TimeSeriesTakeTheirBuckets) {
  const std::string long_name(130, '/');
  const std::string metadata = R"({"options":{"timeseries":{"timeField":"t"}},"indexes":[],)"
                               R"("type":"timeseries","collectionName":")";
  folder_.Write("dump/shop/t.metadata.json", AsBytes(metadata + "t\"}"));
  folder_.Write("dump/shop/system.buckets.t.bson", Numbered(1));
  folder_.Write("dump/shop/" + codec::EscapeCollection(long_name) + ".metadata.json",
                AsBytes(metadata + long_name + "\"}"));
  folder_.Write("dump/shop/" + codec::EscapeCollection("system.buckets." + long_name) + ".bson",
                Numbered(2));
  WriteCollection("shop/viewless", {Numbered(3)}, metadata + "viewless\"}");
  const auto source = Open("dump");
  const auto all = ReadAll(*source);
  EXPECT_EQ(all.size(), 3U);
  EXPECT_THAT(all.at("shop.t"), ElementsAre(Numbered(1)));
  EXPECT_THAT(all.at("shop." + long_name), ElementsAre(Numbered(2)));
  EXPECT_THAT(all.at("shop.viewless"), ElementsAre(Numbered(3)));
  for (const engine::SourceNamespace& ns : source->ReadCatalog().namespaces) {
    EXPECT_EQ(ns.kind, repo::NamespaceKind::kTimeseries);
  }
}

TEST_F(DumpSourceTest, OldDumpsHaveTheirIndexesElsewhere) {
  const Bytes index =
      bson::FromJson(R"({"v": 1, "key": {"a": 1.0}, "ns": "shop.a", "name": "a_1"})");
  folder_.Write("dump/shop/a.bson", Numbered(1));
  folder_.Write("dump/shop/system.indexes.bson", index);
  const auto source = Open("dump");
  const engine::SourceCatalog catalog = source->ReadCatalog();
  ASSERT_EQ(catalog.namespaces.size(), 1U);
  EXPECT_THAT(catalog.namespaces[0].indexes, ElementsAre(index));
  EXPECT_THAT(source->notes(), ElementsAre(HasSubstr("there are no metadata of shop.a")));
  folder_.Write("dump/shop/system.indexes.bson",
                bson::FromJson(R"({"key": {"a": 1}, "ns": "other.a"})"));
  ExpectTreeRefused("holds indexes of other databases");
}

TEST_F(DumpSourceTest, WhatStaysBehindIsNoted) {
  WriteCollection("shop/a", {Numbered(1)}, R"({"indexes":[],"futureMember":1})");
  WriteCollection("shop/system.js", {Numbered(2)});
  WriteCollection("shop/system.profile", {Numbered(3)});
  WriteCollection("shop/$admin.system.users", {Numbered(4)});
  WriteCollection("admin/others", {Numbered(5)});
  WriteCollection("config/settings", {Numbered(6)});
  folder_.Write("dump/prelude.json",
                AsBytes(R"({"ServerVersion":"7.0.12","ToolVersion":"100.18"})"));
  fs::create_directory(folder_.path() / "dump/empty");
  const auto source = Open("dump");
  EXPECT_EQ(ReadAll(*source).size(), 2U);
  const engine::SourceCatalog catalog = source->ReadCatalog();
  EXPECT_EQ(catalog.mongodb_version, "7.0.12");
  EXPECT_THAT(catalog.databases, ElementsAre("empty", "shop"));
  EXPECT_THAT(source->notes(),
              testing::UnorderedElementsAre(HasSubstr("\"futureMember\""),
                                            HasSubstr("shop.system.profile is not imported"),
                                            HasSubstr("shop.$admin.system.users is not imported"),
                                            HasSubstr("admin.others is not imported"),
                                            HasSubstr("config.settings is not imported")));
  EXPECT_THAT(catalog.inconsistent_reason, HasSubstr("one after the other"));
}

TEST_F(DumpSourceTest, UsersAndRolesAreTaken) {
  WriteCollection("shop/a", {Numbered(1)});
  WriteCollection("admin/system.users",
                  {bson::FromJson(R"({"_id": "shop.app", "user": "app", "db": "shop"})")});
  WriteCollection("admin/system.version",
                  {bson::FromJson(R"({"_id": "featureCompatibilityVersion", "version": "4.0"})"),
                   bson::FromJson(R"({"_id": "authSchema", "currentVersion": 5})")});
  const repo::Accounts accounts = Open("dump")->ReadCatalog().accounts;
  ASSERT_EQ(accounts.users.size(), 1U);
  EXPECT_TRUE(accounts.roles.empty());
  EXPECT_EQ(accounts.schema, bson::FromJson(R"({"_id": "authSchema", "currentVersion": 5})"));
}

TEST_F(DumpSourceTest, AUserOfAnotherNameIsRefused) {
  WriteCollection("shop/a", {Numbered(1)});
  WriteCollection("admin/system.users",
                  {bson::FromJson(R"({"_id": "shop.app", "user": "root", "db": "admin"})")});
  ExpectTreeRefused("is no user");
}

TEST_F(DumpSourceTest, DamagedUsersAreRefused) {
  const Bytes app = bson::FromJson(R"({"_id": "shop.app", "user": "app", "db": "shop"})");
  WriteCollection("shop/a", {Numbered(1)});
  WriteCollection("admin/system.users", {app, app});
  ExpectTreeRefused("the user \"shop.app\" is there twice");
  WriteCollection("shop/a", {Numbered(1)});
  WriteCollection("admin/system.roles",
                  {bson::FromJson(R"({"role": "reader", "db": "shop", "privileges": []})")});
  ExpectTreeRefused("is no role");
  WriteCollection("shop/a", {Numbered(1)});
  folder_.Write("dump/admin/system.users.bson", Bytes(app.begin(), app.end() - 3));
  ExpectRefused("dump", "system.users", ErrorCode::kCorrupt);
}

TEST_F(DumpSourceTest, NotesAreBounded) {
  for (std::size_t i = 0; i < 2 * kMaxNotes; ++i) {
    folder_.Write("dump/shop/c" + std::to_string(i) + ".bson", {});
  }
  const auto source = Open("dump");
  source->ReadCatalog();
  EXPECT_EQ(source->notes().size(), kMaxNotes + 1);
  EXPECT_EQ(source->notes().back(), "and more");
}

TEST_F(DumpSourceTest, ViewsWithDocumentsAreRefused) {
  WriteCollection("shop/v", {Numbered(1)}, R"({"indexes":[],"type":"view"})");
  ArchiveWriter archive;
  archive.Header()
      .Namespace("shop", "v", R"({"indexes":[],"type":"view"})", "view")
      .Terminator()
      .Block("shop", "v", {Numbered(1)})
      .Close("shop", "v", {Numbered(1)});
  folder_.Write("a.archive", archive.bytes());
  ExpectRefused("a.archive", "documents of the view shop.v", ErrorCode::kCorrupt);
  ExpectRefused("dump", "documents of the view shop.v", ErrorCode::kCorrupt);
}

TEST_F(DumpSourceTest, OtherFilesAreNoDumps) {
  folder_.Write("text", AsBytes(std::string(2000, 'x')));
  folder_.Write("short", AsBytes("x"));
  folder_.Write("empty", {});
  folder_.Write("packed", PackGzip(AsBytes("text")));
  folder_.Write("zeros", Bytes(10'240));  // an empty tar
  for (const char* path : {"text", "short", "empty", "packed", "zeros"}) {
    ExpectRefused(path, "neither a mongodump archive nor a tar", ErrorCode::kUnsupported);
  }
}

TEST_F(DumpSourceTest, TarsWithAnUnclearTreeAreRefused) {
  ExpectTarRefused(TarWriter().File("a/b/c/d.bson", {}).End(),
                   "is nothing that mongodump writes",
                   ErrorCode::kUnsupported);
  ExpectTarRefused(TarWriter().File("dump/shop/a.bson", {}).File("other/shop/b.bson", {}).End(),
                   "\"other/shop/b.bson\" is nothing that mongodump writes",
                   ErrorCode::kUnsupported);
  ExpectTarRefused(TarWriter().File("a.bson", {}).End(),
                   "is nothing that mongodump writes",
                   ErrorCode::kUnsupported);
  ExpectTarRefused(TarWriter().File("shop/a.bson", {}).File("shop/oplog.bson", {}).End(),
                   "may be an oplog or a collection",
                   ErrorCode::kUnsupported);
  ExpectTarRefused(TarWriter().File("shop/a.bson", {}).File("shop/a.bson", {}).End(),
                   "\"shop/a.bson\" is there twice");
  ExpectTarRefused(TarWriter().File("d/shop/a.bson", {}).File("./d/shop/a.bson", {}).End(),
                   "is there twice");
  ExpectTarRefused(TarWriter().File("shop/../../x.bson", {}).End(),
                   "leads out of the tar",
                   ErrorCode::kUnsupported);
  ExpectTarRefused(TarWriter().Member("shop/a.bson", '2', 0, {}).End(),
                   "neither a file nor a folder",
                   ErrorCode::kUnsupported);
  ExpectTarRefused(TarWriter().File("shop/a.bson", AsBytes("12345")).End(), "\"shop/a.bson\"");
}

TEST_F(DumpSourceTest, TarOfAnEmptyServerIsEmpty) {
  folder_.Write("dump.tar",
                TarWriter()
                    .Folder("dump/")
                    .File("dump/prelude.json", AsBytes(R"({"ServerVersion":"8.0.1"})"))
                    .File("dump/oplog.bson", AsBytes("whatever"))
                    .End());
  const auto source = Open("dump.tar");
  const engine::SourceCatalog catalog = source->ReadCatalog();
  EXPECT_TRUE(catalog.namespaces.empty());
  EXPECT_TRUE(catalog.databases.empty());
  EXPECT_EQ(catalog.mongodb_version, "8.0.1");
  EXPECT_THAT(source->notes(), ElementsAre(HasSubstr("oplog")));
}

// A tar of millions of members ends at a bound, not in a full memory.
TEST_F(DumpSourceTest, TarWithTooManyMembersIsRefused) {
  const Bytes member = TarWriter().Folder("dump/").bytes();
  Bytes tar;
  for (std::size_t i = 0; i < 2 * kMaxNamespaces + 20'001; ++i) {
    Append(tar, member);
  }
  ExpectTarRefused(tar, "more than 420000 members", ErrorCode::kResourceExhausted);
}

TEST_F(DumpSourceTest, StoppedImportIsCancelled) {
  ArchiveWriter archive;
  archive.Header().Namespace("shop", "a").Terminator().Close("shop", "a");
  folder_.Write("a.archive", archive.bytes());
  std::stop_source stop;
  stop.request_stop();
  const auto source = OpenDump({.folder = folder_.path(),
                                .path = "a.archive",
                                .spool_folder = spool_.path(),
                                .stop = stop.get_token()},
                               nonces_);
  try {
    source->ReadCatalog();
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
}

// What is damaged anywhere leaves nothing that looks like a snapshot.
TEST_F(DumpSourceTest, NothingHalfImportedIsASnapshot) {
  const std::vector<Bytes> documents{Numbered(1), Numbered(2)};
  ArchiveWriter archive;
  archive.Header().Namespace("shop", "a").Namespace("shop", "b").Terminator();
  archive.Block("shop", "a", documents).Close("shop", "a", documents);
  archive.Block("shop", "b", documents);
  const Bytes good_until_here = archive.bytes();
  archive.Close("shop", "b", {Numbered(3)});
  folder_.Write("a.archive", archive.bytes());
  folder_.Write("b.archive", good_until_here);
  folder_.Write("dump/shop/a.bson", Joined(documents));
  folder_.Write("dump/shop/b.bson", ByteView(Joined(documents)).first(50));
  for (const char* path : {"a.archive", "b.archive", "dump"}) {
    const auto source = Open(path);
    EXPECT_THROW(engine::TakeSnapshot(*source, *repository_, options_, Context()), Error) << path;
    EXPECT_TRUE(repository_->ListManifests(options_.project).empty());
  }
}

// Random catalogs and documents, interleaved at random, come back as they were.
TEST_F(DumpSourceTest, RandomArchivesAreReadAsTheyWereWritten) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SeededRandom random(seed);
    std::map<std::string, std::vector<Bytes>> expected;
    ArchiveWriter archive;
    archive.Header();
    const std::size_t count = 1 + random.Next() % 12;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = "c/" + std::to_string(i) + " \n";
      archive.Namespace("shop", name);
      expected["shop." + name];
    }
    archive.Terminator();
    for (std::size_t block = random.Next() % 200; block > 0; --block) {
      const std::string name = "c/" + std::to_string(random.Next() % count) + " \n";
      std::vector<Bytes> documents;
      for (std::size_t i = random.Next() % 20; i > 0; --i) {
        documents.push_back(engine::MixedDocument(random, static_cast<std::int32_t>(block)));
      }
      archive.Block("shop", name, documents);
      std::vector<Bytes>& all = expected["shop." + name];
      all.insert(all.end(), documents.begin(), documents.end());
    }
    for (std::size_t i = 0; i < count; ++i) {
      const std::string name = "c/" + std::to_string(i) + " \n";
      archive.Close("shop", name, expected["shop." + name]);
    }
    folder_.Write("a.archive", archive.bytes());
    const std::size_t half = archive.bytes().size() / 2;
    folder_.Write("a.archive.gz",
                  Joined({PackGzip(ByteView(archive.bytes()).first(half)),
                          PackGzip(ByteView(archive.bytes()).subspan(half))}));
    EXPECT_EQ(ReadAll(*Open("a.archive")), expected) << seed;
    EXPECT_EQ(ReadAll(*Open("a.archive.gz")), expected) << seed;
  }
}

}  // namespace
}  // namespace tidemark::dump
