#include "dump/internal/archive_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "dump/internal/limits.h"
#include "tests/support/dump_files.h"
#include "tests/support/sanitized.h"

namespace tidemark::dump {
namespace {

using testing::HasSubstr;

Bytes Numbered(std::int32_t id) {
  return bson::Builder().Append("_id", id).Append("text", "some text").Finish();
}

// What an archive held.
class Kept final : public ArchiveSink {
 public:
  void OnPrelude(const ArchivePrelude& found) override {
    prelude = found;
    documents.resize(found.namespaces.size());
  }

  void OnDocument(std::size_t index, ByteView document) override {
    documents.at(index).emplace_back(document.begin(), document.end());
  }

  void OnOplogEntry(ByteView) override { ++oplog_entries; }

  ArchivePrelude prelude;
  std::vector<std::vector<Bytes>> documents;
  int oplog_entries = 0;
};

Kept ReadAll(ByteView bytes, std::size_t piece = 4096) {
  MemoryStream stream(bytes, piece);
  ByteReader reader(stream);
  Kept kept;
  ReadArchive(reader, kept);
  return kept;
}

void ExpectRefused(ByteView bytes, const std::string& why, ErrorCode code = ErrorCode::kCorrupt) {
  try {
    ReadAll(bytes);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.message();
    EXPECT_THAT(std::string(error.message()), HasSubstr(why));
  }
}

ArchiveWriter Started() {
  ArchiveWriter archive;
  archive.Header().Namespace("shop", "a").Namespace("shop", "b").Terminator();
  return archive;
}

TEST(ArchiveReader, BlocksOfSeveralNamespacesInterleave) {
  ArchiveWriter archive = Started();
  archive.Block("shop", "a", {Numbered(1)})
      .Block("shop", "b", {Numbered(2), Numbered(3)})
      .Block("shop", "a", {})
      .Block("shop", "a", {Numbered(4)})
      .Close("shop", "a", {Numbered(1), Numbered(4)})
      .Close("shop", "b", {Numbered(2), Numbered(3)});
  for (const std::size_t piece : {1U, 7U, 100'000U}) {
    const Kept kept = ReadAll(archive.bytes(), piece);
    EXPECT_EQ(kept.documents[0], (std::vector<Bytes>{Numbered(1), Numbered(4)}));
    EXPECT_EQ(kept.documents[1], (std::vector<Bytes>{Numbered(2), Numbered(3)}));
    EXPECT_EQ(kept.prelude.server_version, "4.0.3");
  }
}

TEST(ArchiveReader, OplogNeedsNoAnnouncement) {
  ArchiveWriter archive;
  archive.Header("unknown")
      .Terminator()
      .Block("", "oplog", {Numbered(1)})
      .Close("", "oplog", {Numbered(1)});
  const Kept kept = ReadAll(archive.bytes());
  EXPECT_EQ(kept.oplog_entries, 1);
  EXPECT_EQ(kept.prelude.server_version, "");
}

TEST(ArchiveReader, BucketsAreOfTheirTimeSeriesCollection) {
  ArchiveWriter archive;
  archive.Header()
      .Namespace("shop", "t", R"({"indexes":[],"type":"timeseries"})", "timeseries")
      .Terminator()
      .Block("shop", "system.buckets.t", {Numbered(1)})
      .Close("shop", "system.buckets.t", {Numbered(1)});
  EXPECT_EQ(ReadAll(archive.bytes()).documents[0].size(), 1U);
}

// Also the blank file, and a file that ends behind any block but the last.
TEST(ArchiveReader, EveryTruncationOfAGenuineArchiveIsRefused) {
  const Bytes bytes = ReadFile(std::filesystem::path(TIDEMARK_SOURCE_DIR) /
                                   "tests/data/mongod-4.0/mongodump-100.10/all.archive",
                               1U << 20);
  EXPECT_NO_THROW(ReadAll(bytes));
  for (std::size_t size = 0; size < bytes.size(); size += UnlessSanitized(1U, 7U)) {
    try {
      ReadAll(ByteView(bytes).first(size));
      FAIL() << "read although it was cut at " << size;
    } catch (const Error& error) {
      ASSERT_EQ(error.code(), ErrorCode::kCorrupt) << error.message();
    }
  }
}

// A flipped bit may only hide in what the format does not protect: the texts of the prelude, and
// the CRC of blocks that are not the last.
TEST(ArchiveReader, FlippedBitsInDocumentsAreRefused) {
  const std::vector<Bytes> documents{Numbered(1), Numbered(2)};
  ArchiveWriter archive = Started();
  archive.BlockHeader("shop", "a");
  const std::size_t begin = archive.bytes().size();
  archive.Document(Joined(documents));
  const std::size_t end = archive.bytes().size();
  archive.Terminator().Close("shop", "a", documents).Close("shop", "b");
  for (std::size_t bit = begin * 8; bit < end * 8; ++bit) {
    Bytes damaged = archive.bytes();
    damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1U << bit % 8));
    EXPECT_THROW(ReadAll(damaged), Error) << bit;
  }
}

TEST(ArchiveReader, WhatStandsBehindTheEndIsRefused) {
  ArchiveWriter archive = Started();
  archive.Close("shop", "a").Close("shop", "b");
  EXPECT_NO_THROW(ReadAll(archive.bytes()));
  for (const std::string& rest : {std::string("x"),
                                  std::string(4, 0),
                                  std::string("\xff\xff\xff\xff"),
                                  std::string("garbage garbage")}) {
    Bytes longer = archive.bytes();
    Append(longer, AsBytes(rest));
    EXPECT_THROW(ReadAll(longer), Error) << rest;
  }
}

TEST(ArchiveReader, BlocksThatNoMongodumpWritesAreRefused) {
  ArchiveWriter closed = Started();
  closed.Close("shop", "a").Block("shop", "a", {Numbered(1)});
  ExpectRefused(closed.bytes(), "behind its last one");

  ArchiveWriter closed_twice = Started();
  closed_twice.Close("shop", "a").Close("shop", "a");
  ExpectRefused(closed_twice.bytes(), "behind its last one");

  ArchiveWriter terminators = Started();
  terminators.Close("shop", "a").Terminator();
  ExpectRefused(terminators.bytes(), "a terminator where a block should begin");

  ArchiveWriter unannounced = Started();
  unannounced.Block("shop", "c", {});
  ExpectRefused(unannounced.bytes(), "shop.c, which the archive did not announce");

  ArchiveWriter last_with_documents = Started();
  last_with_documents.BlockHeader("shop", "a", true).Document(Numbered(1)).Terminator();
  ExpectRefused(last_with_documents.bytes(), "documents in the last block of shop.a");

  ArchiveWriter wrong_crc = Started();
  wrong_crc.Block("shop", "a", {Numbered(1)}).Close("shop", "a", {Numbered(2)});
  ExpectRefused(wrong_crc.bytes(), "the checksum of shop.a is wrong");

  ArchiveWriter incomplete = Started();
  incomplete.Close("shop", "a");
  ExpectRefused(incomplete.bytes(), "it ends before shop.b is complete");

  ArchiveWriter oplog = Started();
  oplog.Close("shop", "a").Close("shop", "b").Block("", "oplog", {Numbered(1)});
  ExpectRefused(oplog.bytes(), "before the oplog is complete");
}

TEST(ArchiveReader, HeadersThatNoMongodumpWritesAreRefused) {
  const auto with_block_header = [](const Bytes& header) {
    ArchiveWriter archive = Started();
    archive.Document(header).Terminator();
    return archive.bytes();
  };
  const auto header = [] {
    return bson::Builder().Append("db", "shop").Append("collection", "a").Append("EOF", false);
  };
  ExpectRefused(with_block_header(
                    header().Append("CRC", std::int64_t{0}).Append("x", std::int32_t{0}).Finish()),
                "unknown field \"x\"");
  ExpectRefused(
      with_block_header(
          header().Append("CRC", std::int64_t{0}).Append("CRC", std::int64_t{0}).Finish()),
      "CRC twice");
  ExpectRefused(with_block_header(header().Finish()), "no EOF or CRC");
  ExpectRefused(with_block_header(header().Append("CRC", std::int32_t{0}).Finish()),
                "no EOF or CRC");
  ExpectRefused(with_block_header(
                    bson::Builder().Append("EOF", false).Append("CRC", std::int64_t{0}).Finish()),
                "no text db");

  ArchiveWriter twice;
  twice.Header().Namespace("shop", "a").Namespace("shop", "a").Terminator();
  ExpectRefused(twice.bytes(), "shop.a is there twice");

  ArchiveWriter no_header;
  ExpectRefused(no_header.Terminator().bytes(), "it has no header");

  ArchiveWriter version;
  version.Document(bson::Builder().Append("version", "0.2").Finish()).Terminator();
  ExpectRefused(version.bytes(), "its format is not 0.1", ErrorCode::kUnsupported);

  ExpectRefused(AsBytes("no archive"), "it does not begin as an archive does");
}

TEST(ArchiveReader, DocumentsOfImpossibleSizesAreRefused) {
  for (const std::uint32_t size : {0U,
                                   4U,
                                   static_cast<std::uint32_t>(kMaxDumpDocument) + 1,
                                   0x7fffffffU,
                                   0x80000000U,
                                   0xfffffffeU}) {
    Bytes bytes(64);
    StoreLe32(bytes.data(), size);
    ArchiveWriter archive = Started();
    archive.BlockHeader("shop", "a").Document(bytes);
    ExpectRefused(archive.bytes(), "a document of " + std::to_string(size) + " bytes");
  }
}

TEST(ArchiveReader, DocumentsNestedTooDeeplyAreRefused) {
  Bytes nested = bson::Builder().Finish();
  for (int depth = 0; depth < 300; ++depth) {
    nested = bson::Builder().Append("a", bson::Document(nested)).Finish();
  }
  ArchiveWriter archive = Started();
  archive.Block("shop", "a", {nested});
  ExpectRefused(archive.bytes(), "nested");
}

TEST(ArchiveReader, NumberAndMetadataOfNamespacesAreBounded) {
  ArchiveWriter many;
  many.Header();
  for (std::size_t i = 0; i <= kMaxNamespaces; ++i) {
    many.Namespace("d", std::to_string(i), "");
  }
  ExpectRefused(many.bytes(), "more than 200000 namespaces", ErrorCode::kResourceExhausted);

  ArchiveWriter large;
  large.Header();
  const std::string metadata(15U << 20U, ' ');
  for (int i = 0; i < 9; ++i) {
    large.Namespace("d", std::to_string(i), metadata);
  }
  ExpectRefused(large.bytes(), "MiB of metadata", ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace tidemark::dump
