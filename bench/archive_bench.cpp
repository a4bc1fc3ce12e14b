// How fast a snapshot is packed: the documents of a .bson file (engine_bench --dump) as a snapshot
// in a repository in memory, then as an archive, whole and from its middle on.
//
//   archive_bench FILE.bson [FORMAT] [THREADS] [OUT]

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>

#include <fmt/core.h>
#include <sys/resource.h>

#include "archive/archive.h"
#include "base/error.h"
#include "base/file.h"
#include "engine/snapshot.h"

namespace tidemark {
namespace {

constexpr std::size_t kMaxInput = std::size_t{4} << 30;  // bytes; all of it is held in memory

class FileSource final : public engine::SnapshotSource {
 public:
  explicit FileSource(const std::string& file) : bytes_(ReadFile(file, kMaxInput)) {}

  engine::SourceCatalog ReadCatalog() override {
    engine::SourceCatalog catalog{.mongodb_version = "7.0.0", .databases = {"shop"}};
    engine::SourceNamespace& ns = catalog.namespaces.emplace_back();
    ns.database = "shop";
    ns.collection = "orders";
    return catalog;
  }

  void Scan(const engine::SourceNamespace&,
            const std::stop_token&,
            const std::function<void(ByteView document)>& visit) override {
    for (ByteView rest = bytes_; !rest.empty();) {
      const std::size_t size = bson::FrontDocumentSize(rest);
      visit(rest.first(size));
      rest = rest.subspan(size);
    }
  }

  std::size_t size() const { return bytes_.size(); }

 private:
  const Bytes bytes_;
};

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double Now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

struct Timing {
  double first_byte = 0;  // seconds
  double wall = 0;
  double cpu = 0;
  std::uint64_t bytes = 0;
};

Timing ReadAll(repo::SnapshotReader& reader,
               const repo::Manifest& manifest,
               const archive::ArchiveOptions& options,
               std::uint64_t offset,
               archive::ArchiveMap* map,
               std::ostream* out) {
  Timing timing;
  const double begin = Now();
  const double cpu = CpuSeconds();
  const auto archive = archive::OpenArchive(reader, manifest, options, offset, map);
  Bytes piece(1U << 18);
  while (const std::size_t size = archive->Read(piece)) {
    if (timing.bytes == 0) {
      timing.first_byte = Now() - begin;
    }
    timing.bytes += size;
    if (out != nullptr) {
      out->write(reinterpret_cast<const char*>(piece.data()), static_cast<std::streamsize>(size));
    }
  }
  timing.wall = Now() - begin;
  timing.cpu = CpuSeconds() - cpu;
  return timing;
}

void Run(const std::string& file, std::string_view format, int threads, const char* out_path) {
  FileSource source(file);
  const auto store = blob::MakeMemoryStore();
  SystemRandom random;
  const SystemClock clock;
  const auto log = MakeNullLog();
  repo::Repository::Create(*store, repo::MasterKey{1}, random);
  const auto repository = repo::Repository::Open(*store, repo::MasterKey{1}, random);
  engine::SnapshotOptions snapshot;
  snapshot.snapshot = SnapshotId::Generate(clock.Now(), random);
  snapshot.project = ProjectId::Generate(clock.Now(), random);
  snapshot.cluster = ClusterId::Generate(clock.Now(), random);
  engine::TakeSnapshot(source, *repository, snapshot, {.clock = clock, .log = *log});
  const repo::Manifest manifest = repository->LoadManifest(snapshot.project, snapshot.snapshot);
  const auto reader = repository->NewReader(snapshot.project);

  archive::ArchiveOptions options{.threads = threads};
  options.format = archive::ParseArchiveFormat(format).value();
  archive::ArchiveMap map;
  std::ofstream out;
  if (out_path != nullptr) {
    out.open(out_path, std::ios::binary);
  }
  const Timing whole =
      ReadAll(*reader, manifest, options, 0, &map, out_path == nullptr ? nullptr : &out);
  const Timing rest = ReadAll(*reader, manifest, options, whole.bytes / 2, &map, nullptr);
  const auto megabytes = static_cast<double>(source.size()) / 1e6;
  fmt::print(
      "{:<10} {} threads: {:6.0f} MB/s of BSON, {:5.0f} per CPU second, ratio {:.2f}, first byte "
      "{:.1f} ms, from the middle {:.1f} ms, map {} bytes\n",
      format,
      threads,
      megabytes / whole.wall,
      megabytes / whole.cpu,
      static_cast<double>(source.size()) / static_cast<double>(whole.bytes),
      whole.first_byte * 1e3,
      rest.first_byte * 1e3,
      map.Encode().size());
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: archive_bench FILE.bson [FORMAT] [THREADS] [OUT]\n";
    return 2;
  }
  try {
    tidemark::Run(argv[1],
                  argc > 2 ? argv[2] : "tar.gz",
                  argc > 3 ? std::atoi(argv[3]) : 2,
                  argc > 4 ? argv[4] : nullptr);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
