#include "engine/snapshot.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/stage_group.h"
#include "engine/internal/namespace_writer.h"
#include "engine/internal/progress_meter.h"

// Memory of a run with the default options and documents of usual size:
//   sort buffers    192 MiB in all, shared by the readers that run; a reader whose documents come
//                   in order of _id does not use its own
//   chunks filled   1 per reader, < 2 x 128 KiB
//   queue           4 chunks per encoder x 2 x 128 KiB = 1 MiB
//   chunk lists     per reader 2 x 4096 references x ~150 bytes = 1.2 MiB
//   merging         128 runs x (128 KiB chunk + 160 KiB references) = 36 MiB per reader at most
// A document larger than a chunk counts once in each place: 16 MiB x (buffer, chunk, queue,
// encoder).
namespace tidemark::engine {
namespace {

constexpr std::size_t kQueuedChunksPerEncoder = 4;
constexpr ByteCount kMaxChunkSize = MiB(16);  // a chunk may grow to twice that, format: 64 MiB
// A reader reports after so much, so that counting costs nothing per document.
constexpr std::uint64_t kReportEvery = 256U << 10;  // bytes

void CheckOptions(const SnapshotOptions& options) {
  const auto require = [](bool holds, const char* why) {
    if (!holds) {
      throw Error(ErrorCode::kInvalidArgument, std::string("taking a snapshot: ") + why);
    }
  };
  require(options.parallel_namespaces > 0, "parallel_namespaces is below 1");
  require(options.encode_threads > 0, "encode_threads is below 1");
  require(options.chunk_size.value > 0, "chunk_size is 0");
  require(options.chunk_size <= kMaxChunkSize, "chunk_size is above 16 MiB");
}

bool HasDocuments(const SourceNamespace& ns) {
  return ns.kind != repo::NamespaceKind::kView;
}

std::string NameOf(const SourceNamespace& ns) {
  return ns.database + "." + ns.collection;
}

// Namespaces to read, largest first: the last one to finish should be a small one.
std::vector<std::size_t> ReadingOrder(const SourceCatalog& catalog) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < catalog.namespaces.size(); ++i) {
    if (HasDocuments(catalog.namespaces[i])) {
      order.push_back(i);
    }
  }
  std::ranges::sort(order, std::greater(), [&](std::size_t i) {
    const SourceNamespace& ns = catalog.namespaces[i];
    return std::tuple(ns.estimated_bytes, ns.estimated_documents, catalog.namespaces.size() - i);
  });
  return order;
}

std::vector<std::string> EmptyDatabases(const SourceCatalog& catalog) {
  std::set<std::string_view> used;
  for (const SourceNamespace& ns : catalog.namespaces) {
    used.insert(ns.database);
  }
  std::vector<std::string> empty;
  std::ranges::copy_if(catalog.databases, std::back_inserter(empty), [&](const std::string& name) {
    return !used.contains(name);
  });
  return empty;
}

Progress TotalsOf(const SourceCatalog& catalog, std::size_t collections) {
  Progress totals{.phase = "reading", .collections_total = collections};
  for (const SourceNamespace& ns : catalog.namespaces) {
    totals.documents_total += ns.estimated_documents;
    totals.bytes_total += ns.estimated_bytes;
  }
  return totals;
}

repo::NamespaceEntry EntryOf(const SourceNamespace& ns) {
  return {.database = ns.database,
          .collection = ns.collection,
          .kind = ns.kind,
          .options = ns.options,
          .indexes = ns.indexes};
}

// Reads all namespaces of a catalog: readers that sort and cut, encoders that store.
class NamespacesReading {
 public:
  NamespacesReading(SnapshotSource& source,
                    const SourceCatalog& catalog,
                    repo::SnapshotWriter& writer,
                    const SnapshotOptions& options,
                    const RunContext& run)
      : source_(source),
        catalog_(catalog),
        writer_(writer),
        options_(options),
        run_(run),
        order_(ReadingOrder(catalog)),
        readers_(std::min(order_.size(), static_cast<std::size_t>(options.parallel_namespaces))),
        encoder_(writer, QueueSize(options)),
        meter_(run, TotalsOf(catalog, order_.size())) {
    for (const SourceNamespace& ns : catalog.namespaces) {
      entries_.push_back(EntryOf(ns));
    }
  }

  // In the catalog's order.
  std::vector<repo::NamespaceEntry> Read() {
    if (readers_ == 0) {
      return std::move(entries_);
    }
    reading_ = readers_;
    StageGroup stages(run_.stop);
    stages.OnStop([this] { encoder_.Abort(); });
    for (std::size_t i = 0; i < readers_; ++i) {
      stages.Start("snap-read", [this](const std::stop_token& stop) { ReadSome(stop); });
    }
    for (int i = 0; i < options_.encode_threads; ++i) {
      stages.Start("snap-encode", [this](const std::stop_token&) { encoder_.Run(); });
    }
    stages.Wait();
    meter_.ReportEnd();
    return std::move(entries_);
  }

 private:
  static ByteCount QueueSize(const SnapshotOptions& options) {
    const auto encoders = static_cast<std::size_t>(options.encode_threads);
    return {kQueuedChunksPerEncoder * encoders * options.chunk_size.value};
  }

  // The body of a reader thread.
  void ReadSome(const std::stop_token& stop) {
    SortBuffer buffer(ByteCount{options_.sort_memory.value / readers_});
    for (std::size_t at = next_++; at < order_.size(); at = next_++) {
      ReadNamespace(order_[at], buffer, stop);
      meter_.AddCollection();
    }
    if (--reading_ == 0) {
      encoder_.Close();
    }
  }

  void ReadNamespace(std::size_t index, SortBuffer& buffer, const std::stop_token& stop) {
    const SourceNamespace& ns = catalog_.namespaces[index];
    const RunSink sink{.encoder = encoder_, .writer = writer_, .chunk_size = options_.chunk_size};
    const RunOrder order = ns.capped ? RunOrder::kNatural : RunOrder::kById;
    NamespaceWriter writer(sink, buffer, order, NameOf(ns), stop);
    Scan(ns, writer, stop);
    WrittenNamespace written = writer.Finish();
    repo::NamespaceEntry& entry = entries_[index];
    entry.runs = std::move(written.runs);
    entry.digest = written.digest;
    entry.logical_bytes = written.logical_bytes;
  }

  void Scan(const SourceNamespace& ns, NamespaceWriter& writer, const std::stop_token& stop) {
    std::uint64_t documents = 0;
    std::uint64_t bytes = 0;
    const auto visit = [&](ByteView document) {
      ThrowIfStopped(stop);
      writer.Add(document);
      ++documents;
      bytes += document.size();
      if (bytes >= kReportEvery) {
        meter_.AddDocuments(std::exchange(documents, 0), std::exchange(bytes, 0));
      }
    };
    try {
      source_.Scan(ns, stop, visit);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kCancelled) {
        throw;
      }
      throw error.WithContext("reading " + NameOf(ns));
    }
    ThrowIfStopped(stop);  // a source may return early instead of throwing
    meter_.AddDocuments(documents, bytes);
  }

  static void ThrowIfStopped(const std::stop_token& stop) {
    if (stop.stop_requested()) {
      throw Error(ErrorCode::kCancelled, "reading the source: cancelled");
    }
  }

  // Constant after construction.
  SnapshotSource& source_;
  const SourceCatalog& catalog_;
  repo::SnapshotWriter& writer_;
  const SnapshotOptions& options_;
  const RunContext& run_;
  const std::vector<std::size_t> order_;
  const std::size_t readers_;

  // Synchronized by themselves.
  ChunkEncoder encoder_;
  ProgressMeter meter_;
  std::atomic<std::size_t> next_ = 0;     // in order_
  std::atomic<std::size_t> reading_ = 0;  // readers that have not ended

  std::vector<repo::NamespaceEntry> entries_;  // each written by the one reader that took it
};

std::string ReasonOf(const SourceCatalog& catalog, Instant begin, Instant end) {
  if (!catalog.has_oplog) {
    return "the source has no oplog (standalone)";
  }
  return "oplog replay is not implemented yet: documents were read between " +
         FormatInstant(begin) + " and " + FormatInstant(end) + " while writes went on";
}

repo::Manifest ManifestOf(const SourceCatalog& catalog, const SnapshotOptions& options) {
  return {.snapshot = options.snapshot,
          .project = options.project,
          .cluster = options.cluster,
          .cluster_name = options.cluster_name,
          .mongodb_version = catalog.mongodb_version,
          .position_seconds = catalog.position_seconds,
          .position_increment = catalog.position_increment,
          .empty_databases = EmptyDatabases(catalog)};
}

SnapshotSummary Summarize(const repo::Manifest& manifest, ByteCount stored) {
  SnapshotSummary summary{
      .mongodb_version = manifest.mongodb_version,
      .consistent = manifest.consistent,
      .inconsistent_reason = manifest.inconsistent_reason,
      .position = {.seconds = manifest.position_seconds, .increment = manifest.position_increment},
      .stored_bytes = stored.value};
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    summary.collections += entry.kind == repo::NamespaceKind::kView ? 0 : 1;
    summary.documents += entry.digest.documents;
    summary.logical_bytes += entry.logical_bytes;
  }
  return summary;
}

void ThrowIfCancelled(const SnapshotOptions& options, const RunContext& run) {
  if (run.stop.stop_requested()) {
    throw Error(ErrorCode::kCancelled, "snapshot " + options.snapshot.ToString() + ": cancelled");
  }
}

SnapshotSummary TakeUnguarded(SnapshotSource& source,
                              repo::Repository& repository,
                              const SnapshotOptions& options,
                              const RunContext& run) {
  const Instant begin = run.clock.Now();
  const SourceCatalog catalog = source.ReadCatalog();
  const auto writer =
      repository.NewSnapshot(options.project, {.compression_level = options.compression_level});
  repo::Manifest manifest = ManifestOf(catalog, options);
  manifest.namespaces = NamespacesReading(source, catalog, *writer, options, run).Read();
  manifest.created = run.clock.Now();
  manifest.inconsistent_reason = ReasonOf(catalog, begin, manifest.created);
  ThrowIfCancelled(options, run);
  writer->Commit(manifest);  // last: the snapshot exists from here on
  return Summarize(manifest, writer->added());
}

}  // namespace

SnapshotSummary TakeSnapshot(SnapshotSource& source,
                             repo::Repository& repository,
                             const SnapshotOptions& options,
                             const RunContext& run) {
  CheckOptions(options);
  ThrowIfCancelled(options, run);
  try {
    return TakeUnguarded(source, repository, options, run);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kCancelled) {
      ThrowIfCancelled(options, run);  // one text, whichever thread noticed first
    }
    throw;
  }
}

}  // namespace tidemark::engine
