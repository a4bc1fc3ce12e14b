#include "engine/snapshot.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/stage_group.h"
#include "engine/internal/namespace_writer.h"
#include "engine/internal/ordered_writer.h"
#include "engine/internal/progress_meter.h"
#include "engine/internal/savepoints.h"
#include "engine/internal/source_retry.h"

// Memory of a run with documents of usual size; service/memory_plan.cpp adds it up, together with
// what the driver holds, and sets the options so that it fits:
//   sort buffers    sort_memory in all, shared by the readers that run; a reader whose documents
//                   come in order of _id does not use its own, and gives it back before it merges
//   merging         merge_memory per reader, for two levels of runs
//   base            per reader and run that overlaps one key chunk and one key list: about
//                   merge_memory; and 1 bit for each document of a collection in natural order
//   chunks filled   1 per reader, < 2 x 256 KiB
//   queue           4 chunks per encoder x 2 x 256 KiB
//   chunk lists     per reader 2 x 4096 references x ~150 bytes = 1.2 MiB
//   keys            per reader 2 x (32 chunks x ~700 documents x ~30 bytes + 128 KiB) = 2 MiB
//   packs           one open, and at most one on its way to storage per encoder and one of a reader
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
  require(options.attempts > 0, "attempts is below 1");
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
std::vector<std::size_t> ReadingOrder(const SourceCatalog& catalog, const Savepoints& savepoints) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < catalog.namespaces.size(); ++i) {
    if (HasDocuments(catalog.namespaces[i]) && !savepoints.IsFinished(i)) {
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

// Whether a snapshot may be put on these runs.
bool CanBuildOn(repo::SnapshotWriter& writer, const repo::NamespaceEntry& entry) {
  return std::ranges::none_of(entry.runs, &repo::Run::natural_order) && IsStored(writer, entry);
}

// The namespaces of the snapshot before, by name.
class Base {
 public:
  Base() = default;

  explicit Base(repo::Manifest manifest) : manifest_(std::move(manifest)) {
    for (const repo::NamespaceEntry& entry : manifest_.namespaces) {
      by_name_.emplace(std::pair(entry.database, entry.collection), &entry);
    }
  }

  Base(const Base&) = delete;
  Base& operator=(const Base&) = delete;

  const repo::NamespaceEntry* Find(const SourceNamespace& ns) const {
    const auto found = by_name_.find(std::pair(ns.database, ns.collection));
    return found == by_name_.end() ? nullptr : found->second;
  }

 private:
  repo::Manifest manifest_;
  std::map<std::pair<std::string, std::string>, const repo::NamespaceEntry*> by_name_;
};

// Reads all namespaces of a catalog: readers that sort and cut, encoders that store.
class NamespacesReading {
 public:
  NamespacesReading(SnapshotSource& source,
                    const SourceCatalog& catalog,
                    repo::SnapshotWriter& writer,
                    const Base& base,
                    const repo::Manifest& partial,
                    const SnapshotOptions& options,
                    const RunContext& run)
      : source_(source),
        catalog_(catalog),
        writer_(writer),
        base_(base),
        options_(options),
        run_(run),
        savepoints_(catalog,
                    partial,
                    writer,
                    options.save_every,
                    static_cast<std::size_t>(options.parallel_namespaces)),
        order_(ReadingOrder(catalog, savepoints_)),
        readers_(std::min(order_.size(), static_cast<std::size_t>(options.parallel_namespaces))),
        encoder_(writer, QueueSize(options)),
        meter_(run, TotalsOf(catalog, order_.size())) {}

  // In the catalog's order.
  std::vector<repo::NamespaceEntry> Read() {
    if (readers_ == 0) {
      return savepoints_.Take();
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
    return savepoints_.Take();
  }

  // Namespaces that an interrupted run had finished.
  std::size_t resumed() const { return savepoints_.taken_over(); }

  // Of the others, what it had read.
  std::uint64_t resumed_bytes() const { return resumed_bytes_; }

  std::uint64_t stored_documents() const { return stored_documents_; }

  std::uint64_t removed_documents() const { return removed_documents_; }

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
    if (IsReadById(ns, stop) && ReadById(index, stop)) {
      return;
    }
    savepoints_.Forget(index);
    const repo::NamespaceEntry* base = BaseOf(ns);
    if (base == nullptr) {
      Keep(index, Write(ns, nullptr, buffer, stop));
      return;
    }
    try {
      Keep(index, Write(ns, base, buffer, stop));
    } catch (const Error& error) {
      if (!IsTroubleOfTheBase(error)) {
        throw;
      }
      Warn(ns, error.message());
      Keep(index, Write(ns, nullptr, buffer, stop));
    }
  }

  bool IsReadById(const SourceNamespace& ns, const std::stop_token& stop) {
    SourceRetry retry(options_, run_.log, NameOf(ns));
    return !ns.capped && retry.Run(stop, [&] { return source_.ReadsById(ns); });
  }

  // False when it cannot be read so after all: the server refuses, or has another order than we.
  bool ReadById(std::size_t index, const std::stop_token& stop) {
    const SourceNamespace& ns = catalog_.namespaces[index];
    const std::optional<repo::UnfinishedNamespace> cut = savepoints_.FindCut(index);
    try {
      const auto writer = MakeOrderedWriter(ns, cut, stop);
      if (cut) {
        ReportResumed(ns, cut->entry);
      }
      const std::uint64_t unsaved = ScanById(index, *writer, stop);
      Keep(index, writer->Finish(), unsaved);
      return true;
    } catch (const Error& error) {
      if (!IsTroubleOfTheBase(error) && error.code() != ErrorCode::kInvalidArgument) {
        throw;
      }
      run_.log.Warn("snapshot={} namespace={}  read anew in natural order: {}",
                    options_.snapshot.ToString(),
                    NameOf(ns),
                    error.message());
      return false;
    }
  }

  void ReportResumed(const SourceNamespace& ns, const repo::NamespaceEntry& read) {
    run_.log.Info("snapshot={} namespace={} bytes={}  going on behind the last durable _id",
                  options_.snapshot.ToString(),
                  NameOf(ns),
                  read.logical_bytes);
    resumed_bytes_ += read.logical_bytes;
    meter_.AddDocuments(read.digest.documents, read.logical_bytes);
  }

  std::unique_ptr<OrderedWriter> MakeOrderedWriter(
      const SourceNamespace& ns,
      const std::optional<repo::UnfinishedNamespace>& cut,
      const std::stop_token& stop) {
    return cut ? std::make_unique<OrderedWriter>(Sink(), NameOf(ns), *cut, stop)
               : std::make_unique<OrderedWriter>(Sink(), NameOf(ns), BaseOf(ns), stop);
  }

  // Gives the bytes that are in no savepoint yet.
  std::uint64_t ScanById(std::size_t index, OrderedWriter& writer, const std::stop_token& stop) {
    const SourceNamespace& ns = catalog_.namespaces[index];
    std::uint64_t unsaved = 0;
    std::uint64_t stride = savepoints_.stride();
    SourceRetry retry(options_, run_.log, NameOf(ns));
    const auto add = [&](ByteView document) {
      writer.Add(document);
      unsaved += document.size();
      if (unsaved >= stride) {
        repo::UnfinishedNamespace so_far = savepoints_.Begin(index);
        writer.Save(so_far);
        savepoints_.Advance(index, std::move(so_far), std::exchange(unsaved, 0));
        stride = savepoints_.stride();
      }
    };
    retry.Run(stop, [&] {
      const Bytes after = writer.position();
      Scan(
          ns,
          stop,
          [&](const Visit& visit) { source_.ScanById(ns, after, stop, visit); },
          [&](ByteView document) { retry.Guard([&] { add(document); }); });
    });
    return unsaved;
  }

  // A source that fails so would fail again.
  static bool IsTroubleOfTheBase(const Error& error) {
    return error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kNotFound ||
           error.code() == ErrorCode::kUnsupported;
  }

  const repo::NamespaceEntry* BaseOf(const SourceNamespace& ns) const {
    const repo::NamespaceEntry* base = ns.capped ? nullptr : base_.Find(ns);
    try {
      if (base == nullptr || CanBuildOn(writer_, *base)) {
        return base;
      }
      Warn(ns, "the snapshot before has lost chunks of it");
    } catch (const Error& error) {
      if (!IsTroubleOfTheBase(error)) {
        throw;
      }
      Warn(ns, error.message());
    }
    return nullptr;
  }

  void Warn(const SourceNamespace& ns, std::string_view why) const {
    run_.log.Warn("snapshot={} namespace={}  stored wholly, not as changes: {}",
                  options_.snapshot.ToString(),
                  NameOf(ns),
                  why);
  }

  RunSink Sink() {
    return {.encoder = encoder_,
            .writer = writer_,
            .chunk_size = options_.chunk_size,
            .merge_memory = options_.merge_memory};
  }

  // Natural order has no place to go on from: when the source is lost, everything is read again.
  // What was stored is not stored again.
  WrittenNamespace Write(const SourceNamespace& ns,
                         const repo::NamespaceEntry* base,
                         SortBuffer& buffer,
                         const std::stop_token& stop) {
    const RunOrder order = ns.capped ? RunOrder::kNatural : RunOrder::kById;
    SourceRetry retry(options_, run_.log, NameOf(ns));
    retry.CountAllAttempts();
    std::uint64_t documents = 0;
    std::uint64_t bytes = 0;
    return retry.Run(stop, [&] {
      buffer.Clear();
      meter_.TakeBack(std::exchange(documents, 0), std::exchange(bytes, 0));
      NamespaceWriter writer(
          Sink(), buffer, {.what = NameOf(ns), .order = order, .base = base}, stop);
      Scan(
          ns,
          stop,
          [&](const Visit& visit) { source_.Scan(ns, stop, visit); },
          [&](ByteView document) {
            retry.Guard([&] { writer.Add(document); });
            ++documents;
            bytes += document.size();
          });
      return writer.Finish();
    });
  }

  void Keep(std::size_t index, WrittenNamespace written) {
    const std::uint64_t bytes = written.logical_bytes;
    Keep(index, std::move(written), bytes);
  }

  void Keep(std::size_t index, WrittenNamespace written, std::uint64_t unsaved) {
    stored_documents_ += written.stored_documents;
    removed_documents_ += written.removed_documents;
    savepoints_.Finish(index, std::move(written), unsaved);
  }

  using Visit = std::function<void(ByteView document)>;

  // `read` calls its argument for each document, which goes to `add`.
  void Scan(const SourceNamespace& ns,
            const std::stop_token& stop,
            const std::function<void(const Visit& visit)>& read,
            const Visit& add) {
    std::uint64_t documents = 0;
    std::uint64_t bytes = 0;
    const auto visit = [&](ByteView document) {
      ThrowIfStopped(stop);
      add(document);
      ++documents;
      bytes += document.size();
      if (bytes >= kReportEvery) {
        meter_.AddDocuments(std::exchange(documents, 0), std::exchange(bytes, 0));
      }
    };
    try {
      read(visit);
    } catch (const Error& error) {
      meter_.AddDocuments(documents, bytes);
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
  const Base& base_;
  const SnapshotOptions& options_;
  const RunContext& run_;

  Savepoints savepoints_;
  const std::vector<std::size_t> order_;
  const std::size_t readers_;

  // Synchronized by themselves.
  ChunkEncoder encoder_;
  ProgressMeter meter_;
  std::atomic<std::size_t> next_ = 0;     // in order_
  std::atomic<std::size_t> reading_ = 0;  // readers that have not ended

  std::atomic<std::uint64_t> stored_documents_ = 0;
  std::atomic<std::uint64_t> removed_documents_ = 0;
  std::atomic<std::uint64_t> resumed_bytes_ = 0;
};

std::string ReasonOf(const SourceCatalog& catalog, Instant begin, Instant end) {
  if (!catalog.inconsistent_reason.empty()) {
    return catalog.inconsistent_reason;
  }
  if (!catalog.has_oplog) {
    return "the source has no oplog (standalone)";
  }
  return "oplog replay is not implemented yet: documents were read between " +
         FormatInstant(begin) + " and " + FormatInstant(end) + " while writes went on";
}

repo::Manifest ManifestOf(const SourceCatalog& catalog,
                          const SnapshotOptions& options,
                          Instant begin) {
  return {.snapshot = options.snapshot,
          .project = options.project,
          .cluster = options.cluster,
          .cluster_name = options.cluster_name,
          .mongodb_version = catalog.mongodb_version,
          .created = begin,
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

// An empty manifest when there is none to build on.
repo::Manifest LoadBase(repo::Repository& repository,
                        const SnapshotOptions& options,
                        const RunContext& run) {
  if (!options.base) {
    return {};
  }
  try {
    repo::Manifest base = repository.LoadManifest(options.project, *options.base);
    if (base.cluster == options.cluster) {
      return base;
    }
    throw Error(ErrorCode::kInvalidArgument, "it is of another cluster");
  } catch (const Error& error) {
    run.log.Warn("snapshot={} base={}  everything is stored, not only changes: {}",
                 options.snapshot.ToString(),
                 options.base->ToString(),
                 error.message());
    return {};
  }
}

// What an interrupted run has finished; `fresh` when there is nothing to go on from. `created` is
// when the first run began.
repo::Manifest LoadPartial(repo::Repository& repository,
                           const repo::Manifest& fresh,
                           const RunContext& run) {
  try {
    if (auto partial = repository.LoadPartial(fresh.project, fresh.snapshot)) {
      run.log.Info("snapshot={} namespaces={}  going on behind what an interrupted run finished",
                   fresh.snapshot.ToString(),
                   partial->namespaces.size());
      return *std::move(partial);
    }
  } catch (const Error& error) {
    run.log.Warn("snapshot={}  begins anew: {}", fresh.snapshot.ToString(), error.message());
  }
  return fresh;
}

repo::Accounts AccountsOf(const SourceCatalog& catalog,
                          const SnapshotOptions& options,
                          const RunContext& run) {
  if (!catalog.accounts.left_out.empty()) {
    run.log.Warn("snapshot={}  users and roles are not in it: {} (the login needs the role backup)",
                 options.snapshot.ToString(),
                 catalog.accounts.left_out);
  }
  return catalog.accounts;
}

SnapshotSummary TakeUnguarded(SnapshotSource& source,
                              repo::Repository& repository,
                              const SnapshotOptions& options,
                              const RunContext& run) {
  const Instant begin = run.clock.Now();
  const SourceCatalog catalog =
      SourceRetry(options, run.log, "the catalog").Run(run.stop, [&source] {
        return source.ReadCatalog();
      });
  const auto writer = repository.NewSnapshot(
      options.project,
      {.compression_level = options.compression_level, .pack_size = options.pack_size});
  // After the writer: what is deleted from now on is not collected before the writer has ended.
  const Base base(LoadBase(repository, options, run));
  repo::Manifest manifest = ManifestOf(catalog, options, begin);
  const repo::Manifest partial = LoadPartial(repository, manifest, run);
  manifest.position_seconds = partial.position_seconds;
  manifest.position_increment = partial.position_increment;
  NamespacesReading reading(source, catalog, *writer, base, partial, options, run);
  manifest.namespaces = reading.Read();
  manifest.accounts = AccountsOf(catalog, options, run);
  manifest.created = run.clock.Now();
  manifest.inconsistent_reason = ReasonOf(catalog, partial.created, manifest.created);
  ThrowIfCancelled(options, run);
  writer->Commit(manifest);  // last: the snapshot exists from here on
  SnapshotSummary summary = Summarize(manifest, writer->added());
  summary.stored_documents = reading.stored_documents();
  summary.removed_documents = reading.removed_documents();
  summary.resumed_collections = reading.resumed();
  summary.resumed_bytes = reading.resumed_bytes();
  return summary;
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
