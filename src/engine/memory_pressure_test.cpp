#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <malloc.h>

#include "base/error.h"
#include "bson/builder.h"
#include "engine/document_reader.h"
#include "engine/snapshot.h"
#include "tests/support/sanitized.h"

// A program of its own: what is measured is the most memory that the process ever had.
namespace tidemark::engine {
namespace {

constexpr bool kMeasured = !kSanitized;  // shadow memory counts, too

constexpr std::uint64_t kDocumentBytes = 800;

// Bytes resident: at most so far.
std::uint64_t PeakResident() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == "VmHWM:") {
      std::uint64_t kibibytes = 0;
      status >> kibibytes;
      return kibibytes << 10;
    }
  }
  throw Error(ErrorCode::kIo, "reading /proc/self/status: it has no VmHWM");
}

// Collections of documents that exist while they are shown only, with _ids in no order.
class EndlessSource final : public SnapshotSource {
 public:
  EndlessSource(std::uint64_t collections, std::uint64_t documents)
      : collections_(collections), documents_(documents) {}

  SourceCatalog ReadCatalog() override {
    SourceCatalog catalog;
    for (std::uint64_t i = 0; i < collections_; ++i) {
      catalog.namespaces.push_back({.database = "db", .collection = "c" + std::to_string(i)});
    }
    return catalog;
  }

  void Scan(const SourceNamespace&,
            const std::stop_token&,
            const std::function<void(ByteView document)>& visit) override {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // times i: no number comes twice
    SeededRandom random(1);
    for (std::uint64_t i = 0; i < documents_; ++i) {
      visit(bson::Builder()
                .Append("_id", static_cast<std::int64_t>(i * kOdd))
                .Append("version", version_)
                .Append("token", RandomHex(random, 100))
                .Append("text", std::string(kDocumentBytes - 260, 'x'))
                .Finish());
    }
  }

  bool ReadsById(const SourceNamespace&) override { return false; }

  void ScanById(const SourceNamespace&,
                ByteView,
                const std::stop_token&,
                const std::function<void(ByteView document)>&) override {
    throw Error(ErrorCode::kUnsupported, "there is no order");
  }

  void Change() { ++version_; }

 private:
  const std::uint64_t collections_;
  const std::uint64_t documents_;
  std::int32_t version_ = 0;
};

class MemoryPressureTest : public testing::Test {
 protected:
  MemoryPressureTest() {
    mallopt(M_ARENA_MAX, 2);  // as the server does
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
    store_ = blob::OpenDirectoryStore(directory_);
    repo::Repository::Create(*store_, {}, random_);
    repository_ = repo::Repository::Open(*store_, {}, random_);
    options_.project = ProjectId::Generate(clock_.Now(), random_);
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
  }

  ~MemoryPressureTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  std::uint64_t CountBack(const repo::NamespaceEntry& entry) {
    std::uint64_t documents = 0;
    ReadDocuments(
        *repository_->NewReader(options_.project), entry, {}, [&](ByteView) { ++documents; });
    return documents;
  }

  SystemRandom random_;
  SystemClock clock_;
  std::unique_ptr<Log> log_ = MakeNullLog();
  const std::string directory_ =
      (std::filesystem::temp_directory_path() / ("memory-pressure-" + RandomHex(random_, 8)))
          .string();
  std::unique_ptr<blob::BlobStore> store_;
  std::unique_ptr<repo::Repository> repository_;
  SnapshotOptions options_;
};

// Several times as many documents as there is memory, or TIDEMARK_PRESSURE_TIMES, in two
// collections at once; then all of them changed.
TEST_F(MemoryPressureTest, ManyTimesTheBudget) {
  if (!kMeasured) {
    GTEST_SKIP() << "a sanitizer needs memory of its own";
  }
  options_.parallel_namespaces = 2;
  options_.sort_memory = MiB(6);
  options_.merge_memory = MiB(2);
  options_.pack_size = MiB(1);
  options_.chunk_size = KiB(32);
  // Sorting; per reader a merge, a base and what is on its way; packs; zstd.
  constexpr ByteCount kBudget = MiB(6 + 2 * (2 + 2 + 2) + 4 + 4);
  const char* asked = std::getenv("TIDEMARK_PRESSURE_TIMES");
  const std::uint64_t times = asked == nullptr ? 6 : std::stoul(asked);
  const std::uint64_t documents = times * kBudget.value / kDocumentBytes / 2;
  EndlessSource source(2, documents);
  const std::uint64_t before = PeakResident();
  for (int round = 0; round < 2; ++round) {
    const SnapshotSummary summary =
        TakeSnapshot(source, *repository_, options_, {.clock = clock_, .log = *log_});
    EXPECT_EQ(summary.documents, 2 * documents);
    EXPECT_GE(summary.logical_bytes, (times - 1) * kBudget.value);
    const repo::Manifest manifest = repository_->LoadManifest(options_.project, options_.snapshot);
    EXPECT_EQ(CountBack(manifest.namespaces.at(0)), documents);
    options_.base = options_.snapshot;
    options_.snapshot = SnapshotId::Generate(clock_.Now(), random_);
    source.Change();
    EXPECT_LE(PeakResident() - before, kBudget.value) << "round " << round;
  }
}

}  // namespace
}  // namespace tidemark::engine
