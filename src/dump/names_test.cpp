#include "dump/internal/names.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace tidemark::dump {
namespace {

TEST(DumpNames, DatabasesThatCouldLeadOutAreRefused) {
  for (const std::string& name : {std::string(),
                                  std::string("."),
                                  std::string(".."),
                                  std::string("a/b"),
                                  std::string("a\\b"),
                                  std::string("a b"),
                                  std::string("a.b"),
                                  std::string("a\"b"),
                                  std::string("$a"),
                                  std::string("a\0b", 3),
                                  std::string(64, 'a')}) {
    EXPECT_THROW(CheckDatabaseName(name), Error) << name;
  }
  EXPECT_NO_THROW(CheckDatabaseName(std::string(63, 'a')));
  EXPECT_NO_THROW(CheckDatabaseName("sh\xc3\xb6p-2_x"));
}

TEST(DumpNames, CollectionsThatMongoDbDoesNotTakeAreRefused) {
  for (const std::string& name : {std::string(),
                                  std::string(".a"),
                                  std::string("a$b"),
                                  std::string("a\0b", 3),
                                  std::string(253, 'a')}) {
    EXPECT_THROW(CheckCollectionName("db", name), Error) << name;
  }
  EXPECT_NO_THROW(CheckCollectionName("db", std::string(252, 'a')));
  EXPECT_NO_THROW(CheckCollectionName("db", "x/../a b\n/.c"));
}

TEST(DumpNames, FilesOfADatabase) {
  const auto check = [](std::string_view name, DumpFileKind kind, const char* of, bool packed) {
    const auto file = ParseFileInDatabase(name);
    ASSERT_TRUE(file) << name;
    EXPECT_EQ(file->kind, kind) << name;
    EXPECT_EQ(file->collection, of) << name;
    EXPECT_EQ(file->packed, packed) << name;
  };
  check("a.bson", DumpFileKind::kDocuments, "a", false);
  check("a.bson.gz", DumpFileKind::kDocuments, "a", true);
  check("a.bin", DumpFileKind::kDocuments, "a", false);
  check("a.metadata.json", DumpFileKind::kMetadata, "a", false);
  check("a.metadata.json.gz", DumpFileKind::kMetadata, "a", true);
  check("a.metadata.json.bson", DumpFileKind::kDocuments, "a.metadata.json", false);
  check("a.bson.gz.bson", DumpFileKind::kDocuments, "a.bson.gz", false);
  check("prelude.bson", DumpFileKind::kDocuments, "prelude", false);
  check("prelude.json.gz", DumpFileKind::kPrelude, "", true);
  for (const char* name : {"", ".bson", ".metadata.json", "a", "a.json", "a.bson.bz2", "README"}) {
    EXPECT_FALSE(ParseFileInDatabase(name)) << name;
  }
  EXPECT_EQ(ParseFileBesideDatabases("oplog.bson")->kind, DumpFileKind::kOplog);
  EXPECT_EQ(ParseFileBesideDatabases("prelude.json")->kind, DumpFileKind::kPrelude);
  EXPECT_FALSE(ParseFileBesideDatabases("a.bson"));
}

TEST(DumpNames, MessagesHoldNoControlCharacters) {
  EXPECT_EQ(Printable("a\nb\x7f"), "a\\x0ab\\x7f");
  EXPECT_EQ(Printable(std::string(300, 'a')).size(), 203U);
  EXPECT_EQ(Printable("n\xc3\xa4me \xe2\x82\xac \xf0\x9f\x98\x80"),
            "n\xc3\xa4me \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(Printable("\xc3"), "\\xc3");
  EXPECT_EQ(Printable("\xc0\x80\xff"), "\\xc0\\x80\\xff");
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

}  // namespace
}  // namespace tidemark::dump
