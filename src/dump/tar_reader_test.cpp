#include "dump/internal/tar_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dump_files.h"

namespace tidemark::dump {
namespace {

using testing::HasSubstr;

struct Found {
  std::string path;
  std::string content;
  bool folder = false;

  bool operator==(const Found&) const = default;
};

void PrintTo(const Found& found, std::ostream* out) {
  *out << found.path << "=" << found.content;
}

std::vector<Found> ReadAll(ByteView bytes, std::size_t piece = 4096) {
  MemoryStream stream(bytes, piece);
  ByteReader reader(stream);
  TarReader tar(reader);
  std::vector<Found> found;
  while (const auto member = tar.Next()) {
    Bytes content(static_cast<std::size_t>(std::min<std::uint64_t>(member->size, 1U << 20U)));
    std::size_t read = 0;
    while (read < content.size()) {
      read += tar.Read(std::span(content).subspan(read));
    }
    found.push_back({member->path, std::string(AsText(content)), member->folder});
  }
  return found;
}

void ExpectRefused(ByteView bytes, const std::string& why) {
  try {
    ReadAll(bytes);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported)
        << error.message();
    EXPECT_THAT(std::string(error.message()), HasSubstr(why));
  }
}

TEST(TarReader, FilesAndFolders) {
  const std::string text(1000, 'x');
  TarWriter tar;
  tar.Folder("./").Folder("./dump/").File("./dump/a", AsBytes(text)).File("dump/b", {});
  for (const std::size_t piece : {1U, 511U, 100'000U}) {
    EXPECT_EQ(
        ReadAll(tar.End(), piece),
        (std::vector<Found>{{"", "", true}, {"dump", "", true}, {"dump/a", text}, {"dump/b", ""}}));
  }
}

TEST(TarReader, LongNamesOfBothKinds) {
  const std::string name = "dump/" + std::string(300, 'n');
  TarWriter pax;
  pax.Pax("path", name).File("short", AsBytes("1"));
  EXPECT_EQ(ReadAll(pax.End()), (std::vector<Found>{{name, "1"}}));
  TarWriter gnu;
  gnu.Member("././@LongLink", 'L', name.size() + 1, AsBytes(name + '\0')).File("short", {});
  EXPECT_EQ(ReadAll(gnu.End()), (std::vector<Found>{{name, ""}}));
}

TEST(TarReader, PaxSizeWins) {
  TarWriter tar;
  tar.Pax("size", "3").Member("a", '0', 0, AsBytes("abc"));
  EXPECT_EQ(ReadAll(tar.End()), (std::vector<Found>{{"a", "abc"}}));
}

TEST(TarReader, OtherPaxRecordsAreNoMatter) {
  TarWriter tar;
  tar.Pax("mtime", "1.5").File("a", AsBytes("1"));
  EXPECT_EQ(ReadAll(tar.End()), (std::vector<Found>{{"a", "1"}}));
}

TEST(TarReader, PathsThatLeadOutAreRefused) {
  for (const char* path : {"/etc/passwd",
                           "../a",
                           "dump/../../a",
                           "dump/..",
                           "..",
                           "dump//a",
                           "dump/./a",
                           "dump\\a",
                           ""}) {
    SCOPED_TRACE(path);
    TarWriter tar;
    tar.File(path, {});
    ExpectRefused(tar.End(), "the path");
    TarWriter pax;
    pax.Pax("path", path).File("harmless", {});
    ExpectRefused(pax.End(), "the path");
  }
  TarWriter nul;
  nul.Pax("path", std::string_view("a\0b", 3)).File("harmless", {});
  ExpectRefused(nul.End(), "holds a backslash or NUL");
}

TEST(TarReader, LinksDevicesAndSparseFilesAreRefused) {
  for (const char type : {'1', '2', '3', '4', '6', '7', 'S', 'K', 'D', 'M', 'V', 'A', 'X'}) {
    TarWriter tar;
    tar.Member("dump/a", type, 0, {});
    ExpectRefused(tar.End(), "\"dump/a\" is neither a file nor a folder");
  }
  TarWriter sparse;
  sparse.Pax("GNU.sparse.major", "1").File("a", {});
  ExpectRefused(sparse.End(), "GNU.sparse.major");
}

TEST(TarReader, EveryTruncationIsRefused) {
  TarWriter tar;
  tar.Folder("dump/").Pax("path", "dump/a").File("x", AsBytes("some text")).File("dump/b", {});
  const Bytes whole = tar.End();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(ReadAll(ByteView(whole).first(size)), Error) << size;
  }
  EXPECT_NO_THROW(ReadAll(whole));
}

TEST(TarReader, OnlyZerosStandBehindTheEnd) {
  TarWriter tar;
  Bytes bytes = tar.File("a", {}).End();
  bytes.resize(10'240);
  EXPECT_EQ(ReadAll(bytes).size(), 1U);
  bytes.push_back('x');
  ExpectRefused(bytes, "more behind its end");
  Bytes two = tar.End();
  Append(two, TarWriter().File("b", {}).End());
  ExpectRefused(two, "more behind its end");
}

TEST(TarReader, EveryFlippedBitOfAHeaderIsSeen) {
  TarWriter tar;
  const Bytes whole = tar.File("dump/a", AsBytes("1")).End();
  for (std::size_t bit = 0; bit < 512 * 8; ++bit) {
    Bytes damaged = whole;
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << bit % 8));
    // Its own field may hold the same number in other characters.
    const bool in_checksum = bit / 8 >= 148 && bit / 8 < 156;
    if (!in_checksum) {
      EXPECT_THROW(ReadAll(damaged), Error) << bit;
    }
  }
}

TEST(TarReader, ExtensionsThatAreTooLongOrWrongAreRefused) {
  const std::string long_path(2000, 'p');
  TarWriter path;
  path.Pax("path", long_path).File("a", {});
  ExpectRefused(path.End(), "longer than any of a dump");
  TarWriter large;
  large.Member("pax", 'x', 1U << 20U, Bytes(1U << 20U));
  ExpectRefused(large.End(), "a header of 1048576 bytes");
  for (const char* records : {"x", "99 path=a\n", "9 path=a", "0 path=a\n", "7 pathx\n"}) {
    TarWriter wrong;
    wrong.Member("pax", 'x', std::string_view(records).size(), AsBytes(records)).File("a", {});
    ExpectRefused(wrong.End(), "a pax header");
  }
  TarWriter twice;
  twice.Pax("path", "a").Pax("path", "b").File("c", {});
  ExpectRefused(twice.End(), "two extended headers");
  TarWriter lonely;
  lonely.Pax("path", "a");
  ExpectRefused(lonely.End(), "without its member");
  TarWriter negative;
  negative.Pax("size", "-1").File("a", {});
  ExpectRefused(negative.End(), "no size");
  TarWriter folder;
  folder.Member("dump/", '5', 3, AsBytes("abc"));
  ExpectRefused(folder.End(), "a folder with contents");
  TarWriter global;
  global.Member("g", 'g', 9, AsBytes("9 path=a\n")).File("b", {});
  ExpectRefused(global.End(), "pax records path");
}

TEST(TarReader, HugeMembersAreNoOverflow) {
  for (const char* size : {"1152921504606846977", "18446744073709551615"}) {
    TarWriter tar;
    tar.Pax("size", size).File("a", {});
    EXPECT_THROW(ReadAll(tar.End()), Error);
  }
  TarWriter cut;
  cut.Pax("size", "1152921504606846976").File("a", {});
  MemoryStream stream(cut.bytes());
  ByteReader reader(stream);
  TarReader tar(reader);
  ASSERT_TRUE(tar.Next());
  EXPECT_THROW(tar.Next(), Error);
}

}  // namespace
}  // namespace tidemark::dump
