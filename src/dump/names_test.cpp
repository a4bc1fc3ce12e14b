#include "dump/internal/names.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"

namespace tidemark::dump {
namespace {

TEST(DumpNames, EscapeAsGoDoes) {
  EXPECT_EQ(EscapeCollection("orders"), "orders");
  EXPECT_EQ(EscapeCollection("a b/c%d+e~f-g_h.i"), "a+b%2Fc%25d%2Be~f-g_h.i");
  EXPECT_EQ(EscapeCollection("new\nline\"n\xc3\xa4me"), "new%0Aline%22n%C3%A4me");
}

// The hash was made with another implementation.
TEST(DumpNames, LongNamesEndInAHash) {
  std::string name;
  for (int i = 0; i < 100; ++i) {
    name += "x/";
  }
  const std::string escaped = EscapeCollection(name);
  EXPECT_EQ(escaped.size(), 238U);
  EXPECT_EQ(escaped.substr(200), "x%2Fx%2F%24IMex8Gy4gRUsG4P9B8AytoYVjg0");
  EXPECT_TRUE(IsHashedName(escaped));
  EXPECT_EQ(UnescapeCollection(escaped), std::nullopt);
  EXPECT_FALSE(IsHashedName(EscapeCollection(std::string(238, 'x'))));
}

TEST(DumpNames, UnescapeIsTheInverse) {
  SeededRandom random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string name(random.Next() % 70, '\0');
    for (char& c : name) {
      c = static_cast<char>(random.Next());
    }
    EXPECT_EQ(UnescapeCollection(EscapeCollection(name)), name);
  }
}

TEST(DumpNames, MalformedEscapesAreNone) {
  for (const char* escaped : {"%", "a%", "a%2", "%zz", "%2", "%%41", "%-1"}) {
    EXPECT_EQ(UnescapeCollection(escaped), std::nullopt) << escaped;
  }
  EXPECT_EQ(UnescapeCollection("%2f%2F"), "//");
}

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
