// How fast a snapshot is taken when the source is as fast as memory: order documents of about 800
// bytes, into a repository in a directory. With --dump the same bytes go to a file, for zstd,
// restic or borg to be run on.

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include <fmt/core.h>
#include <sys/resource.h>

#include "base/allocator.h"
#include "base/error.h"
#include "bson/builder.h"
#include "codec/codec.h"
#include "engine/snapshot.h"

namespace tidemark {
namespace {

constexpr std::array kCities{"Lisbon", "Hamburg", "Osaka", "Denver", "Nairobi", "Lyon", "Quito"};
constexpr std::array kStates{"placed", "paid", "packed", "shipped", "delivered", "returned"};
constexpr std::array kColours{"black", "white", "crimson", "navy", "olive", "sand", "teal"};
constexpr std::array kProducts{"kettle", "lamp", "backpack", "keyboard", "notebook", "chair"};

constexpr std::uint64_t kNoChurn = 1001;

struct Settings {
  std::uint64_t mebibytes = 512;
  std::uint64_t collections = 4;
  std::uint64_t encoders = 2;
  std::uint64_t level = 1;
  std::uint64_t chunk_kib = 256;
  std::uint64_t sort_mib = 192;
  std::uint64_t shuffled = 0;               // 1: random _ids instead of ascending ones
  std::uint64_t by_id = 0;                  // 1: read in order of _id, may be resumed
  std::uint64_t churn_permille = kNoChurn;  // a second snapshot after so much has changed
  std::string dump;
  std::string dump_after;  // what the second snapshot sees
};

// Bytes of a document's last field.
constexpr std::size_t kSignature = 64;

class Orders {
 public:
  Orders(std::uint64_t seed, bool shuffled) : random_(seed), shuffled_(shuffled) {}

  Bytes Next() {
    bson::Builder order;
    order.AppendElement("_id", {bson::Type::kObjectId, "", NextId()});
    order.Append("number", static_cast<std::int64_t>(100'000'000 + count_++))
        .Append("state", Pick(kStates))
        .AppendDateTime("created", kStart + static_cast<std::int64_t>(count_ * 731 + Below(700)))
        .Append("customer", bson::Document(Customer()))
        .AppendArray("items", bson::Document(Items()))
        .Append("total", static_cast<double>(Below(100'000)) / 100)
        .Append("paid", Below(4) != 0)
        .Append("trackingToken", RandomHex(random_, 24))
        .AppendBinary("signature", Signature());
    return order.Finish();
  }

 private:
  static constexpr std::int64_t kStart = 1'700'000'000'000;  // milliseconds, November 2023

  std::uint64_t Below(std::uint64_t bound) { return random_.Next() % bound; }

  const char* Pick(std::span<const char* const> from) { return from[Below(from.size())]; }

  ByteView NextId() {
    random_.Fill(std::span(id_).subspan(shuffled_ ? 0 : 9));
    for (std::size_t i = 0; i < 8 && !shuffled_; ++i) {
      id_[i] = static_cast<std::uint8_t>(count_ >> (8 * (7 - i)));
    }
    return id_;
  }

  Bytes Signature() {
    Bytes signature(kSignature);
    random_.Fill(signature);
    return signature;
  }

  Bytes Customer() {
    const std::uint64_t number = Below(200'000);
    const Bytes address = bson::Builder()
                              .Append("street", fmt::format("{} Harbour Street", Below(400)))
                              .Append("city", Pick(kCities))
                              .Append("zip", fmt::format("{:05}", Below(100'000)))
                              .Finish();
    return bson::Builder()
        .Append("id", static_cast<std::int64_t>(number))
        .Append("email", fmt::format("customer{}@example.com", number))
        .Append("address", bson::Document(address))
        .Finish();
  }

  Bytes Items() {
    bson::ArrayBuilder items;
    const std::uint64_t count = 2 + Below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      const Bytes item = bson::Builder()
                             .Append("sku", fmt::format("SKU-{:06}", Below(50'000)))
                             .Append("name", fmt::format("{} {}", Pick(kColours), Pick(kProducts)))
                             .Append("lot", RandomHex(random_, 10))
                             .Append("quantity", static_cast<std::int32_t>(1 + Below(5)))
                             .Append("price", static_cast<double>(Below(20'000)) / 100)
                             .Finish();
      items.Append(bson::Document(item));
    }
    return items.Finish();
  }

  SeededRandom random_;
  const bool shuffled_;
  std::uint64_t count_ = 0;
  std::array<std::uint8_t, 12> id_{};
};

// Each collection is one piece of memory, so that reading costs what a network buffer costs.
class OrdersSource final : public engine::SnapshotSource {
 public:
  explicit OrdersSource(const Settings& settings) : by_id_(settings.by_id != 0) {
    const std::size_t size = (settings.mebibytes << 20) / settings.collections;
    for (std::uint64_t i = 0; i < settings.collections; ++i) {
      Orders orders(i + 1, settings.shuffled != 0);
      Bytes& bytes = collections_[fmt::format("orders{}", i)];
      bytes.reserve(size + 4096);
      while (bytes.size() < size) {
        const Bytes order = orders.Next();
        bytes.insert(bytes.end(), order.begin(), order.end());
        ++documents_;
      }
    }
  }

  engine::SourceCatalog ReadCatalog() override {
    engine::SourceCatalog catalog{.databases = {"shop"}};
    for (const auto& [name, bytes] : collections_) {
      engine::SourceNamespace& ns = catalog.namespaces.emplace_back();
      ns.database = "shop";
      ns.collection = name;
      ns.estimated_bytes = bytes.size();
    }
    return catalog;
  }

  void Scan(const engine::SourceNamespace& ns,
            const std::stop_token&,
            const std::function<void(ByteView document)>& visit) override {
    ForEachDocument(collections_.at(ns.collection), visit);
  }

  bool ReadsById(const engine::SourceNamespace&) override { return by_id_; }

  void ScanById(const engine::SourceNamespace& ns,
                ByteView after,
                const std::stop_token&,
                const std::function<void(ByteView document)>& visit) override {
    TIDEMARK_CHECK(after.empty());  // nothing is ever cut here
    ForEachDocument(collections_.at(ns.collection), visit);
  }

  static void ForEachDocument(ByteView rest, const std::function<void(ByteView)>& visit) {
    while (!rest.empty()) {
      const std::size_t size = bson::FrontDocumentSize(rest);
      visit(rest.first(size));
      rest = rest.subspan(size);
    }
  }

  // Gives that share of the documents, spread at random, another signature.
  void Change(std::uint64_t permille) {
    SeededRandom random(permille + 99);
    for (auto& [name, bytes] : collections_) {
      for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t size = bson::FrontDocumentSize(ByteView(bytes).subspan(at));
        at += size;
        if (random.Next() % 1000 < permille) {
          random.Fill(std::span(bytes).subspan(at - 1 - kSignature, kSignature));
        }
      }
    }
  }

  std::uint64_t documents() const { return documents_; }

  const std::map<std::string, Bytes>& collections() const { return collections_; }

 private:
  const bool by_id_;
  std::map<std::string, Bytes> collections_;
  std::uint64_t documents_ = 0;
};

double Seconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void Dump(const OrdersSource& source, const std::string& path) {
  std::ofstream file(path, std::ios::binary);
  for (const auto& [name, bytes] : source.collections()) {
    const std::string_view text = AsText(bytes);
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
  }
  if (!file.flush()) {
    throw Error(ErrorCode::kIo, "writing " + path + ": failed");
  }
}

// What each step costs alone on one thread, over the first collection.
void PrintSteps(const OrdersSource& source, const Settings& settings) {
  const ByteView bytes = source.collections().begin()->second;
  const double mebibytes = static_cast<double>(bytes.size()) / (1 << 20);
  const std::size_t chunk = settings.chunk_kib << 10;
  SystemRandom random;
  const codec::AeadKey key{};
  const auto print = [&](const char* step, const std::function<void()>& work) {
    const double seconds = Seconds(work);
    fmt::print("  {:<22} {:7.0f} MiB/s  {:6.3f} s per GiB\n",
               step,
               mebibytes / seconds,
               1024 * seconds / mebibytes);
  };
  const auto for_each_chunk = [&](const std::function<void(ByteView)>& visit) {
    for (std::size_t at = 0; at < bytes.size(); at += chunk) {
      visit(bytes.subspan(at, std::min(chunk, bytes.size() - at)));
    }
  };
  std::vector<Bytes> packed;
  print("digest of documents", [&] {
    repo::NamespaceDigest digest;
    OrdersSource::ForEachDocument(bytes, [&](ByteView document) { digest.Add(document); });
  });
  print("compress", [&] {
    for_each_chunk([&](ByteView plain) {
      packed.push_back(codec::Compress(plain, static_cast<int>(settings.level)));
    });
  });
  print("encrypt (compressed)", [&] {
    for (const Bytes& one : packed) {
      static_cast<void>(codec::Seal(key, {}, one, random));
    }
  });
}

// On top of the one before; stored bytes beside those of the first.
void TakeSecond(OrdersSource& source,
                repo::Repository& repository,
                engine::SnapshotOptions options,
                const engine::RunContext& run,
                std::uint64_t first_stored) {
  SystemRandom random;
  options.base = options.snapshot;
  options.snapshot = SnapshotId::Generate(run.clock.Now(), random);
  engine::SnapshotSummary summary;
  const double seconds =
      Seconds([&] { summary = engine::TakeSnapshot(source, repository, options, run); });
  fmt::print("second snapshot: {} of {} documents changed, {:.2f} s\n",
             summary.stored_documents,
             summary.documents,
             seconds);
  fmt::print("  BSON {:.0f} MB/s, stored {} bytes, {:.3f} % of the first\n",
             static_cast<double>(summary.logical_bytes) / 1e6 / seconds,
             summary.stored_bytes,
             100 * static_cast<double>(summary.stored_bytes) / static_cast<double>(first_stored));
}

void TakeOne(OrdersSource& source, const Settings& settings, const std::string& directory) {
  SystemRandom random;
  SystemClock clock;
  const auto log = MakeNullLog();
  const auto store = blob::OpenDirectoryStore(directory);
  repo::Repository::Create(*store, {}, random);
  const auto repository = repo::Repository::Open(*store, {}, random);
  const engine::SnapshotOptions options{.snapshot = SnapshotId::Generate(clock.Now(), random),
                                        .project = ProjectId::Generate(clock.Now(), random),
                                        .encode_threads = static_cast<int>(settings.encoders),
                                        .sort_memory = MiB(settings.sort_mib),
                                        .chunk_size = KiB(settings.chunk_kib),
                                        .compression_level = static_cast<int>(settings.level)};
  engine::SnapshotSummary summary;
  const double cpu_before = CpuSeconds();
  const double seconds = Seconds([&] {
    summary = engine::TakeSnapshot(source, *repository, options, {.clock = clock, .log = *log});
  });
  const double cpu = CpuSeconds() - cpu_before;
  const auto logical = static_cast<double>(summary.logical_bytes);
  fmt::print("snapshot: {} documents of {:.0f} bytes, {:.2f} s\n",
             summary.documents,
             logical / static_cast<double>(summary.documents),
             seconds);
  fmt::print("  BSON {:.0f} MB/s ({:.0f} MiB/s), ratio {:.2f}, CPU {:.2f} s = {:.2f} cores\n",
             logical / 1e6 / seconds,
             logical / (1 << 20) / seconds,
             logical / static_cast<double>(summary.stored_bytes),
             cpu,
             cpu / seconds);
  if (settings.churn_permille != kNoChurn) {
    source.Change(settings.churn_permille);
    TakeSecond(source, *repository, options, {.clock = clock, .log = *log}, summary.stored_bytes);
  }
}

std::uint64_t ParseNumber(std::string_view name, std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorCode::kInvalidArgument, std::string(name) + ": not a number");
  }
  return number;
}

Settings ParseArguments(std::span<char*> arguments) {
  Settings settings;
  const std::map<std::string_view, std::uint64_t*> numbers{
      {"--mib", &settings.mebibytes},
      {"--collections", &settings.collections},
      {"--encoders", &settings.encoders},
      {"--level", &settings.level},
      {"--chunk-kib", &settings.chunk_kib},
      {"--sort-mib", &settings.sort_mib},
      {"--shuffled", &settings.shuffled},
      {"--by-id", &settings.by_id},
      {"--churn-permille", &settings.churn_permille}};
  for (std::size_t i = 1; i < arguments.size(); i += 2) {
    const std::string_view name = arguments[i];
    const bool known = name == "--dump" || name == "--dump-after" || numbers.contains(name);
    if (!known || i + 1 == arguments.size()) {
      throw Error(
          ErrorCode::kInvalidArgument,
          "usage: engine_bench [--mib N] [--collections N] [--encoders N] [--level N] "
          "[--chunk-kib N] [--sort-mib N] [--shuffled 0|1] [--by-id 0|1] [--churn-permille N] "
          "[--dump FILE] [--dump-after FILE]");
    }
    if (name == "--dump") {
      settings.dump = arguments[i + 1];
    } else if (name == "--dump-after") {
      settings.dump_after = arguments[i + 1];
    } else {
      *numbers.at(name) = ParseNumber(name, arguments[i + 1]);
    }
  }
  if (settings.collections == 0 || settings.chunk_kib == 0) {
    throw Error(ErrorCode::kInvalidArgument, "--collections and --chunk-kib: 0 is too few");
  }
  return settings;
}

// A new directory below the system's, removed at the end.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    SystemRandom random;
    path_ = std::filesystem::temp_directory_path() / ("engine-bench-" + RandomHex(random, 8));
  }

  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

int Run(std::span<char*> arguments) {
  try {
    const Settings settings = ParseArguments(arguments);
    OrdersSource source(settings);
    if (!settings.dump.empty()) {
      Dump(source, settings.dump);
    }
    const ScratchDirectory directory;
    TakeOne(source, settings, directory.path());
    if (!settings.dump_after.empty()) {
      Dump(source, settings.dump_after);
    }
    PrintSteps(source, settings);
    return EXIT_SUCCESS;
  } catch (const Error& error) {
    fmt::print(stderr, "error: {}\n", error.what());
    return EXIT_FAILURE;
  }
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  tidemark::KeepFreedMemory();
  return tidemark::Run({argv, static_cast<std::size_t>(argc)});
}
