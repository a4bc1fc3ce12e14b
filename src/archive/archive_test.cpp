#include "archive/archive.h"

#include <gmock/gmock.h>

#include "codec/gzip.h"
#include "tests/support/archive_fixture.h"
#include "tests/support/repository_fixture.h"
#include "tests/support/sanitized.h"

namespace tidemark::archive {
namespace {

using bson::FromJson;
using engine::NumberedDocument;
using repo::FailureOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::array kAllFormats{ArchiveFormat::kDumpTarGz,
                                 ArchiveFormat::kArchive,
                                 ArchiveFormat::kArchiveGz,
                                 ArchiveFormat::kJsonTarGz};

class ArchiveTest : public ArchiveFixture {
 protected:
  std::vector<Bytes> Random(std::size_t count, std::size_t size) {
    std::vector<Bytes> documents;
    for (std::size_t i = 0; i < count; ++i) {
      documents.push_back(
          NumberedDocument(static_cast<std::int64_t>(i * 7), RandomHex(random_, size / 2)));
    }
    return documents;
  }

  // Several blocks of every kind: by _id, capped, a view, changes upon a base, small ones.
  void FillManyBlocks() {
    source_.Add("a", "large", Random(4'000, 1'000));
    source_.Add("a", "none", {});
    engine::SourceNamespace& capped = source_.Add("b", "capped", Random(3'000, 1'000));
    capped.capped = true;
    capped.options = FromJson(R"({"capped":true,"size":{"$numberInt":"9000000"}})");
    for (int i = 0; i < 30; ++i) {
      source_.Add("c", "small" + std::to_string(i), Random(3, 50'000));
    }
    Take();
    options_.base = options_.snapshot;
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    std::vector<Bytes> changed = Random(4'000, 1'000);
    source_.Replace("a", "large", std::move(changed));
    TakeOne();
  }

  std::vector<std::string> Paths() {
    std::vector<std::string> paths;
    for (const TarEntry& entry : Tar()) {
      paths.push_back(entry.path);
    }
    return paths;
  }
};

TEST_F(ArchiveTest, ATreeIsThatOfMongodump) {
  source_.Add("shop", "orders", {NumberedDocument(1), NumberedDocument(2)}).indexes = {
      FromJson(R"({"v":2,"key":{"_id":1},"name":"_id_"})")};
  source_.Add("shop", "empty", {});
  engine::SourceNamespace& view = source_.Add("app", "v", {});
  view.kind = repo::NamespaceKind::kView;
  view.options = FromJson(R"({"viewOn":"x","pipeline":[]})");
  source_.catalog().mongodb_version = "7.0.12";
  source_.catalog().databases = {"app", "bare", "shop"};
  TakeOne();
  const std::vector<TarEntry> tar = Tar();
  EXPECT_THAT(Paths(),
              ElementsAre("dump/",
                          "dump/prelude.json",
                          "dump/app/",
                          "dump/app/v.metadata.json",
                          "dump/shop/",
                          "dump/shop/empty.metadata.json",
                          "dump/shop/empty.bson",
                          "dump/shop/orders.metadata.json",
                          "dump/shop/orders.bson",
                          "dump/bare/"));
  auto files = Files();
  EXPECT_EQ(files["dump/prelude.json"], R"({"ServerVersion":"7.0.12","ToolVersion":"tidemark"})");
  EXPECT_EQ(files["dump/app/v.metadata.json"],
            R"({"options":{"viewOn":"x","pipeline":[]},"indexes":[],"collectionName":"v",)"
            R"("type":"view"})");
  EXPECT_EQ(files["dump/shop/orders.metadata.json"],
            R"({"indexes":[{"v":{"$numberInt":"2"},"key":{"_id":{"$numberInt":"1"}},)"
            R"("name":"_id_"}],"collectionName":"orders","type":"collection"})");
  EXPECT_EQ(files["dump/shop/orders.bson"], Joined({NumberedDocument(1), NumberedDocument(2)}));
  EXPECT_EQ(files["dump/shop/empty.bson"], "");
  for (const TarEntry& entry : tar) {
    EXPECT_EQ(entry.time, 1'700'000'000U);
    EXPECT_EQ(entry.mode, entry.path.ends_with('/') ? "0000755" : "0000644");
  }
}

TEST_F(ArchiveTest, TimeSeriesAreDumpedAsTheirBuckets) {
  engine::SourceNamespace& series = source_.Add("m", "t/1", {NumberedDocument(1)});
  series.kind = repo::NamespaceKind::kTimeseries;
  series.options = FromJson(R"({"timeseries":{"timeField":"at"}})");
  source_.catalog().mongodb_version = "8.2.9";
  TakeOne();
  EXPECT_THAT(Files(),
              testing::AllOf(testing::Contains(testing::Key("dump/m/t%2F1.metadata.json")),
                             testing::Contains(testing::Key("dump/m/system.buckets.t%2F1.bson"))));
  manifest_.mongodb_version = "8.3.0";
  EXPECT_THAT(Files(), testing::Contains(testing::Key("dump/m/t%2F1.bson")));
  for (const char* odd : {"", "8", "eight", "8.", "99999999999999999999", "8.3-rc0"}) {
    manifest_.mongodb_version = odd;
    EXPECT_EQ(Files().contains("dump/m/t%2F1.bson"), std::string_view(odd).size() > 5) << odd;
  }
  archive_.format = ArchiveFormat::kArchive;
  manifest_.mongodb_version = "7.0.2";
  const Bytes bytes = Pack();
  EXPECT_THAT(std::string(AsText(bytes)), HasSubstr("system.buckets.t/1"));
}

TEST_F(ArchiveTest, JsonIsOneDocumentALineInFilesOfOneCollection) {
  source_.Add("d", "c", {FromJson(R"({"_id":1,"t":"a\nb"})"), FromJson(R"({"_id":2.5})")});
  TakeOne();
  archive_.format = ArchiveFormat::kJsonTarGz;
  EXPECT_EQ(Files()["dump/d/c/000001.json"],
            "{\"_id\":{\"$numberInt\":\"1\"},\"t\":\"a\\nb\"}\n"
            "{\"_id\":{\"$numberDouble\":\"2.5\"}}\n");
  archive_.json = bson::JsonForm::kRelaxed;
  EXPECT_EQ(Files()["dump/d/c/000001.json"], "{\"_id\":1,\"t\":\"a\\nb\"}\n{\"_id\":2.5}\n");
  EXPECT_THAT(Paths(),
              ElementsAre("dump/",
                          "dump/prelude.json",
                          "dump/d/",
                          "dump/d/c/",
                          "dump/d/c/metadata.json",
                          "dump/d/c/000001.json"));
}

TEST_F(ArchiveTest, LargeCollectionsAreSeveralJsonFiles) {
  const std::vector<Bytes> documents = Random(5'000, 2'000);
  source_.Add("d", "c", documents);
  TakeOne();
  archive_.format = ArchiveFormat::kJsonTarGz;
  std::string expected;
  for (const Bytes& document : documents) {
    bson::AppendJson(bson::Document(document), bson::JsonForm::kCanonical, expected);
    expected += '\n';
  }
  auto files = Files();
  EXPECT_EQ(
      files["dump/d/c/000001.json"] + files["dump/d/c/000002.json"] + files["dump/d/c/000003.json"],
      expected);
  EXPECT_EQ(files.size(), 8U);
  EXPECT_FALSE(files["dump/d/c/000003.json"].empty());
}

TEST_F(ArchiveTest, BytesDoNotDependOnThreadsMemoryOrHowTheyAreRead) {
  FillManyBlocks();
  for (const ArchiveFormat format : kAllFormats) {
    archive_.format = format;
    archive_.threads = 1;
    const Bytes one = Pack();
    archive_.threads = 3;
    archive_.memory = ByteCount{1};
    EXPECT_EQ(Pack(0, nullptr, 4'093), one);
    archive_.memory = MiB(64);
    archive_.threads = 8;
    EXPECT_EQ(Pack(0, nullptr, 10'000'000), one);
  }
}

// The compressor stores what it cannot compress, and its output grows beyond what was expected: the
// bytes must not depend on what its buffer has held before.
TEST_F(ArchiveTest, EqualBlocksGiveEqualMembersWhateverCameBefore) {
  Bytes noise(3U << 20);
  random_.Fill(noise);
  const Bytes text(3U << 20, 'x');
  codec::Gzip fresh;
  const Bytes member = fresh.Member(noise);
  EXPECT_GT(member.size(), noise.size());
  codec::Gzip used;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(used.Member(noise), member) << i;
    used.Member(ByteView(noise).first(1000U * (i + 1)));
    used.Member(text);
  }
}

TEST_F(ArchiveTest, EveryOffsetGivesTheRest) {
  FillManyBlocks();
  for (const ArchiveFormat format : kAllFormats) {
    archive_.format = format;
    ArchiveMap map;
    const Bytes all = Pack(0, &map);
    EXPECT_EQ(map.size(), all.size());
    const ArchiveMap full = ArchiveMap::Decode(map.Encode());
    for (int i = 0; i < UnlessSanitized(16, 4); ++i) {
      const std::uint64_t offset = random_.Next() % (all.size() + 1);
      const Bytes rest(all.begin() + static_cast<std::ptrdiff_t>(offset), all.end());
      ArchiveMap known = full;
      EXPECT_EQ(Pack(offset, &known), rest) << "with a map, from " << offset;
      if (i % 8 == 0) {
        ArchiveMap unknown;
        EXPECT_EQ(Pack(offset, &unknown), rest) << "from " << offset;
        EXPECT_EQ(unknown.Encode(), full.Encode());
        EXPECT_EQ(Pack(offset), rest);
      }
    }
  }
}

// Counts what a download reads of the repository.
class CountingReader final : public repo::SnapshotReader {
 public:
  explicit CountingReader(repo::SnapshotReader& inner) : inner_(inner) {}

  Bytes Load(const repo::ChunkRef& ref) override {
    ++loaded;
    return inner_.Load(ref);
  }

  std::vector<repo::SnapshotWriter::ListedChunk> LoadList(const repo::ChunkRef& ref) override {
    return inner_.LoadList(ref);
  }

  repo::KeyBlock LoadKeys(const repo::ChunkRef& ref) override { return inner_.LoadKeys(ref); }

  int loaded = 0;

 private:
  repo::SnapshotReader& inner_;
};

TEST_F(ArchiveTest, AMapSparesReadingWhatLiesBefore) {
  source_.Add("d", "c", Random(10'000, 2'000));
  source_.Add("d", "capped", Random(10'000, 2'000)).capped = true;
  TakeOne();
  archive_.memory = ByteCount{1};
  CountingReader counting(*reader_);
  ArchiveMap map;
  const auto whole = OpenArchive(counting, manifest_, archive_, 0, &map);
  const std::size_t size = ReadAll(*whole, 100'000).size();
  const int all = counting.loaded;
  for (const std::uint64_t parts : {1, 2, 3}) {
    counting.loaded = 0;
    const auto rest = OpenArchive(counting, manifest_, archive_, size / 4 * parts, &map);
    ReadAll(*rest, 100'000);
    EXPECT_LT(counting.loaded, all * static_cast<int>(4 - parts) / 4 + all / 8);
  }
}

TEST_F(ArchiveTest, DocumentsWithoutIdAreNoPlaceToBegin) {
  std::vector<Bytes> documents(4'000, FromJson(R"({"text":")" + std::string(1'000, 'x') + "\"}"));
  source_.Add("d", "c", documents);
  TakeOne();
  archive_.format = ArchiveFormat::kArchive;
  ArchiveMap map;
  const Bytes all = Pack(0, &map);
  EXPECT_GT(all.size(), 4'000'000U);
  EXPECT_EQ(map.FindBefore(all.size()), nullptr);
  EXPECT_EQ(Pack(3'000'000, &map), Bytes(all.begin() + 3'000'000, all.end()));
}

TEST_F(ArchiveTest, AnOffsetBeyondTheEndIsRefused) {
  source_.Add("d", "c", {NumberedDocument(1)});
  TakeOne();
  const std::size_t size = Pack().size();
  EXPECT_TRUE(Pack(size).empty());
  const auto failure = FailureOf([&] { Pack(size + 1); });
  EXPECT_EQ(failure.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(failure.message,
            "reading an archive from byte " + std::to_string(size + 1) + " on: it has " +
                std::to_string(size));
}

TEST_F(ArchiveTest, ADamagedChunkBreaksTheStream) {
  FillManyBlocks();
  const repo::Run& run = manifest_.namespaces[0].runs[0];
  const auto listed = reader_->LoadList(run.lists[0]);
  const repo::ChunkId broken = listed[listed.size() / 2].ref.id;

  class BrokenReader final : public repo::SnapshotReader {
   public:
    BrokenReader(repo::SnapshotReader& inner, const repo::ChunkId& broken)
        : inner_(inner), broken_(broken) {}

    Bytes Load(const repo::ChunkRef& ref) override {
      if (ref.id == broken_) {
        throw Error(ErrorCode::kCorrupt, "reading chunk: its tag is wrong");
      }
      return inner_.Load(ref);
    }

    std::vector<repo::SnapshotWriter::ListedChunk> LoadList(const repo::ChunkRef& ref) override {
      return inner_.LoadList(ref);
    }

    repo::KeyBlock LoadKeys(const repo::ChunkRef& ref) override { return inner_.LoadKeys(ref); }

   private:
    repo::SnapshotReader& inner_;
    const repo::ChunkId broken_;
  };

  BrokenReader reader(*reader_, broken);
  for (const ArchiveFormat format : kAllFormats) {
    archive_.format = format;
    const std::size_t whole = Pack().size();
    const auto stream = OpenArchive(reader, manifest_, archive_);
    Bytes buffer(1'000);
    std::size_t read = 0;
    const auto failure = FailureOf([&] {
      while (const std::size_t size = stream->Read(buffer)) {
        read += size;
      }
    });
    EXPECT_EQ(failure.code, ErrorCode::kCorrupt);
    EXPECT_THAT(failure.message, StartsWith("reading " + manifest_.namespaces[0].database + "."));
    EXPECT_LT(read, whole);
    EXPECT_EQ(FailureOf([&] { stream->Read(buffer); }).message, failure.message);
  }
}

TEST_F(ArchiveTest, AFlippedBitInAPackBreaksTheStream) {
  source_.Add("d", "c", Random(400, 1'000));
  TakeOne();
  std::vector<std::string> packs;
  store_->List("packs/", [&](const std::string& name, ByteCount) { packs.push_back(name); });
  ASSERT_EQ(packs.size(), 1U);
  const Bytes good = store_->Get(packs[0]);
  const auto replace = [&](const Bytes& bytes) {
    store_->Delete(packs[0]);
    store_->Put(packs[0], bytes);
  };
  for (const std::size_t at : {std::size_t{100}, good.size() / 3, good.size() / 2}) {
    Bytes bad = good;
    bad[at] ^= 0x10;
    replace(bad);
    for (const ArchiveFormat format : kAllFormats) {
      archive_.format = format;
      const auto failure = FailureOf([&] { Pack(); });
      EXPECT_EQ(failure.code, ErrorCode::kCorrupt) << at;
      EXPECT_THAT(failure.message, HasSubstr("reading d.c run 1 ")) << at;
    }
  }
  replace(good);
  EXPECT_FALSE(Pack().empty());
}

TEST_F(ArchiveTest, AnotherDigestBreaksTheStreamBeforeItsLastBytes) {
  source_.Add("d", "c", Random(3'000, 1'000));
  TakeOne();
  for (const ArchiveFormat format : kAllFormats) {
    archive_.format = format;
    manifest_ = Manifest();
    const Bytes whole = Pack();
    manifest_.namespaces[0].digest.sum[0] ^= 1U;
    ArchiveMap map;  // filled by the first of the two
    for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{whole.size() - 1}}) {
      const auto stream = OpenArchive(*reader_, manifest_, archive_, offset, &map);
      Bytes buffer(1'000);
      std::size_t read = 0;
      const auto failure = FailureOf([&] {
        while (const std::size_t size = stream->Read(buffer)) {
          read += size;
        }
      });
      EXPECT_EQ(failure.code, ErrorCode::kCorrupt);
      EXPECT_THAT(failure.message, StartsWith("packing d.c: its documents have the digest "));
      EXPECT_LT(read + offset, whole.size());
    }
  }
}

TEST_F(ArchiveTest, OtherCountsBreakTheStream) {
  source_.Add("d", "c", Random(3, 100));
  TakeOne();
  const repo::NamespaceEntry honest = manifest_.namespaces[0];
  const std::string bytes = std::to_string(honest.logical_bytes);
  repo::NamespaceEntry& entry = manifest_.namespaces[0];
  entry.digest.documents = 4;
  EXPECT_EQ(FailureOf([&] { Pack(); }).message,
            "packing d.c: the manifest says 4 documents of " + bytes +
                " bytes, the snapshot holds 3 documents of " + bytes + " bytes");
  entry = honest;
  entry.logical_bytes += 1;
  EXPECT_EQ(FailureOf([&] { Pack(); }).code, ErrorCode::kCorrupt);
  entry.logical_bytes -= 2;
  EXPECT_THAT(FailureOf([&] { Pack(); }).message, HasSubstr("the snapshot holds more"));
}

TEST_F(ArchiveTest, StopsWhenAsked) {
  FillManyBlocks();
  const auto stream = OpenArchive(*reader_, manifest_, archive_, 0, nullptr, stop_.get_token());
  Bytes buffer(1'000);
  EXPECT_GT(stream->Read(buffer), 0U);
  stop_.request_stop();
  const auto failure = FailureOf([&] {
    while (stream->Read(buffer) > 0) {
    }
  });
  EXPECT_EQ(failure.code, ErrorCode::kCancelled);
}

TEST_F(ArchiveTest, AReaderMayBeLeftAtAnyTime) {
  FillManyBlocks();
  archive_.memory = ByteCount{1};
  for (int reads = 0; reads < 3; ++reads) {
    const auto stream = OpenArchive(*reader_, manifest_, archive_);
    Bytes buffer(1'000);
    for (int i = 0; i < reads; ++i) {
      EXPECT_GT(stream->Read(buffer), 0U);
    }
  }
}

TEST_F(ArchiveTest, NamesThatAreNoFilesAreRefusedByTarsOnly) {
  source_.Add("..", "c", {NumberedDocument(1)});
  TakeOne();
  for (const char* database : {"..", ".", "a/b", "a\\b", "", "prelude.json"}) {
    manifest_.namespaces[0].database = database;
    for (const ArchiveFormat format : kAllFormats) {
      archive_.format = format;
      if (format == ArchiveFormat::kArchive || format == ArchiveFormat::kArchiveGz) {
        EXPECT_NO_THROW(Pack());
      } else {
        EXPECT_EQ(FailureOf([&] { Pack(); }).code, ErrorCode::kUnsupported) << database;
      }
    }
  }
  archive_.format = ArchiveFormat::kJsonTarGz;
  manifest_.namespaces[0].database = "d";
  manifest_.namespaces[0].collection = "..";
  EXPECT_EQ(FailureOf([&] { Pack(); }).message, "packing d...: the name cannot be that of a file");
}

TEST_F(ArchiveTest, NamesOfEmptyDatabasesAreCheckedToo) {
  TakeOne();
  manifest_.empty_databases = {"..", "fine"};
  EXPECT_EQ(FailureOf([&] { Pack(); }).message, "packing ..: the name cannot be that of a file");
}

TEST_F(ArchiveTest, BadOptionsAreRefused) {
  TakeOne();
  archive_.top_directory = "../x";
  EXPECT_EQ(FailureOf([&] { Pack(); }).code, ErrorCode::kInvalidArgument);
  archive_.top_directory = "x";
  archive_.threads = 0;
  EXPECT_EQ(FailureOf([&] { Pack(); }).message,
            "packing an archive: 0 threads are not between 1 and 64");
}

TEST_F(ArchiveTest, AMapOfAnotherArchiveIsRefused) {
  source_.Add("d", "c", {NumberedDocument(1)});
  TakeOne();
  ArchiveMap map;
  Pack(0, &map);
  archive_.time += std::chrono::seconds(1);
  const auto failure = FailureOf([&] { Pack(0, &map); });
  EXPECT_EQ(failure.code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(failure.message, "packing an archive: the map is that of another archive");
  archive_.time -= std::chrono::seconds(1);
  EXPECT_NO_THROW(Pack(0, &map));
  manifest_.namespaces[0].indexes.push_back(FromJson(R"({"v":2})"));
  EXPECT_EQ(FailureOf([&] { Pack(0, &map); }).code, ErrorCode::kInvalidArgument);
}

TEST_F(ArchiveTest, FormatsHaveNames) {
  EXPECT_EQ(ParseArchiveFormat("tar.gz"), ArchiveFormat::kDumpTarGz);
  EXPECT_EQ(ParseArchiveFormat("archive"), ArchiveFormat::kArchive);
  EXPECT_EQ(ParseArchiveFormat("archive.gz"), ArchiveFormat::kArchiveGz);
  EXPECT_EQ(ParseArchiveFormat("json"), ArchiveFormat::kJsonTarGz);
  EXPECT_EQ(ParseArchiveFormat("zip"), std::nullopt);
  EXPECT_EQ(FileExtension(ArchiveFormat::kJsonTarGz), ".json.tar.gz");
}

}  // namespace
}  // namespace tidemark::archive
