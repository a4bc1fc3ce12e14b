#include "archive/internal/tar_header.h"

#include <gtest/gtest.h>

#include "tests/support/archive_fixture.h"

namespace tidemark::archive {
namespace {

std::vector<TarEntry> RoundTrip(const std::vector<std::string>& paths) {
  Bytes tar;
  for (const std::string& path : paths) {
    AppendTarHeader({.path = path, .time = FromMicros(1'700'000'000'999'999)}, tar);
  }
  AppendTarEnd(tar);
  return TarReader(tar).ReadAll();
}

TEST(TarHeader, AnyPathSurvives) {
  const std::vector<std::string> paths{
      "a",
      "dump/",
      std::string(100, 'x'),
      std::string(101, 'x'),
      std::string(99, 'x') + "/",
      std::string(100, 'x') + "/",
      "dump/" + std::string(63, 'd') + "/" + std::string(100, 'c'),
      "dump/" + std::string(63, 'd') + "/" + std::string(101, 'c'),
      "dump/d/" + std::string(238, 'c') + ".metadata.json",
      std::string(155, 'p') + "/" + std::string(100, 'n'),
      std::string(156, 'p') + "/" + std::string(100, 'n'),
      std::string(155, 'p') + "/" + std::string(99, 'n') + "/",
      std::string(155, 'p') + "/" + std::string(100, 'n') + "/",
      "dump/\xc3\xa4/c.bson",
      "dump/new\nline/c.bson",
      std::string(975, 'l'),  // pax records whose length has one digit more for itself
      std::string(990, 'l'),
      std::string(9'990, 'l'),
  };
  const std::vector<TarEntry> entries = RoundTrip(paths);
  ASSERT_EQ(entries.size(), paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) {
    EXPECT_EQ(entries[i].path, paths[i]);
    EXPECT_EQ(entries[i].time, 1'700'000'000U);
  }
}

TEST(TarHeader, ShortAsciiPathsNeedOneBlock) {
  Bytes tar;
  AppendTarHeader({.path = "dump/" + std::string(63, 'd') + "/" + std::string(100, 'c')}, tar);
  EXPECT_EQ(tar.size(), kTarBlock);
}

// In the header's eleven octal digits, and in a pax record from 8 GiB on.
TEST(TarHeader, SizesBeyondUstarAreInThePaxHeader) {
  Bytes tar;
  AppendTarHeader({.path = "f", .size = 077777777777}, tar);
  EXPECT_EQ(tar.size(), kTarBlock);
  EXPECT_EQ(AsText(ByteView(tar).subspan(124, 11)), "77777777777");
  tar.clear();
  AppendTarHeader({.path = "f", .size = 0100000000000}, tar);
  EXPECT_EQ(tar.size(), 3 * kTarBlock);
  EXPECT_EQ(AsText(ByteView(tar).subspan(kTarBlock, 19)), "19 size=8589934592\n");
  EXPECT_EQ(AsText(ByteView(tar).subspan(2 * kTarBlock + 124, 11)), "00000000000");
}

TEST(TarHeader, TimesBefore1970Are1970) {
  Bytes tar;
  AppendTarHeader({.path = "f", .time = FromMicros(-1)}, tar);
  EXPECT_EQ(AsText(ByteView(tar).subspan(136, 11)), "00000000000");
}

TEST(TarPadding, FillsTheBlock) {
  for (const std::uint64_t size : {0U, 1U, 511U, 512U, 513U}) {
    Bytes padding;
    AppendTarPadding(size, padding);
    EXPECT_EQ((size + padding.size()) % kTarBlock, 0U);
    EXPECT_LT(padding.size(), kTarBlock);
  }
}

}  // namespace
}  // namespace tidemark::archive
