#include "service/download_service.h"

#include <algorithm>

#include "base/bytes.h"
#include "codec/codec.h"
#include "codec/sha1.h"
#include "service/internal/labels.h"
#include "service/internal/packing.h"
#include "service/internal/snapshot_check.h"

namespace tidemark::service {
namespace {

constexpr std::size_t kKeySize = 32;  // random bytes

// Of one download or export: together with what it reads, below 12 MiB (memory_plan.cpp).
archive::ArchiveOptions DownloadOptions() {
  archive::ArchiveOptions options;
  options.format = archive::ArchiveFormat::kDumpTarGz;
  options.memory = MiB(8);
  return options;
}

PackingPlan PlanOf(const domain::RestoreJob& job, std::uint64_t offset) {
  return {job.project, job.snapshot, DownloadOptions(), offset};
}

// REQUIRES: the job is a download.
const domain::Download& DownloadOf(const domain::RestoreJob& job) {
  TIDEMARK_CHECK(job.download.has_value());
  return *job.download;
}

std::string HashOf(const std::string& key) {
  return HexEncode(codec::Sha256(AsBytes(key)));
}

// contract.md 7.3; a standalone has no replica set's name.
std::string FileNameOf(const domain::Cluster& cluster, const domain::RestoreJob& job) {
  const std::string& name =
      cluster.replica_set_name.empty() ? cluster.name : cluster.replica_set_name;
  const auto seconds =
      job.position.seconds != 0
          ? std::int64_t{job.position.seconds}
          : std::chrono::floor<std::chrono::seconds>(job.snapshot_finished.time_since_epoch())
                .count();
  std::string safe;
  for (const char c : name) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    safe.push_back(plain ? c : '_');
  }
  return safe + "-" + std::to_string(seconds) + "-" + job.id.ToString() + ".tar.gz";
}

[[noreturn]] void RefuseUnknownDownload() {
  throw Refusal(Reason::kDownloadNotFound,
                ErrorCode::kNotFound,
                "fetching an archive: there is no download with that key");
}

[[noreturn]] void RefuseExpired(const RestoreJobId& id) {
  throw Refusal(Reason::kDownloadExpired,
                ErrorCode::kNotFound,
                "fetching the archive of " + id.ToString() + ": it has expired");
}

[[noreturn]] void RefuseWaiting() {
  throw Error(
      ErrorCode::kUnavailable, "measuring an archive: it is being packed", "ask again in a moment");
}

// An archive that belongs to no job.
class ExportStream final : public ArchiveStream {
 public:
  ExportStream(Environment& environment, const ArchiveOpener& opener, PackingPlan plan)
      : env_(environment), opener_(opener), plan_(std::move(plan)) {}

  std::size_t Read(std::span<std::uint8_t> to) override {
    if (!packing_) {
      packing_.emplace(env_, opener_, plan_, nullptr);
    }
    return packing_->Read(to);
  }

  void Finish() override {
    env_.log.Info("snapshot={}  snapshot exported", plan_.snapshot.ToString());
  }

 private:
  Environment& env_;
  const ArchiveOpener& opener_;
  const PackingPlan plan_;
  std::optional<Packing> packing_;  // from the first Read on
};

}  // namespace

// One request for the archive of a download, from its reservation to its end.
class DownloadStream final : public ArchiveStream {
 public:
  DownloadStream(DownloadService& service,
                 const domain::RestoreJob& job,
                 const ArchivePart& part,
                 const catalog::DownloadTicket& ticket)
      : service_(service), env_(service.env_), job_(job), part_(part), ticket_(ticket) {
    if (part_.first == 0) {
      sha1_.emplace();
    }
  }

  DownloadStream(const DownloadStream&) = delete;
  DownloadStream& operator=(const DownloadStream&) = delete;

  ~DownloadStream() override {
    packing_.reset();
    if (ended_) {
      return;
    }
    try {
      End(catalog::DownloadOutcome::kBroken);
      env_.log.Info("restore={} bytes={}  download broke off", job_.id.ToString(), sent_);
    } catch (const Error& error) {  // it ends with the next start of the server at the latest
      env_.log.Error(
          "restore={}  giving a download back failed: {}", job_.id.ToString(), error.message());
    }
  }

  std::size_t Read(std::span<std::uint8_t> to) override {
    if (!packing_) {
      packing_.emplace(env_,
                       service_.opener_,
                       PlanOf(job_, part_.first),
                       service_.maps_.get(),
                       std::stop_token());
    }
    const std::span<std::uint8_t> wanted = to.first(std::min<std::uint64_t>(to.size(), Left()));
    if (wanted.empty()) {
      return 0;
    }
    const std::size_t count = packing_->Read(wanted);
    if (count == 0) {
      at_end_ = true;
    } else if (sha1_) {
      sha1_->Add(wanted.first(count));
    }
    sent_ += count;
    RefuseAnotherArchive();
    return count;
  }

  void Finish() override {
    if (at_end_ && sha1_) {
      env_.store.SaveArchiveFacts(job_.id, sent_, sha1_->TakeHex());
    }
    End(at_end_ ? catalog::DownloadOutcome::kComplete : catalog::DownloadOutcome::kPart);
    env_.log.Info("restore={} first={} bytes={} complete={}  download sent",
                  job_.id.ToString(),
                  part_.first,
                  sent_,
                  at_end_);
  }

 private:
  // Another version packs other bytes, and so may another machine. What was known is of no use
  // then: the next request finds out anew.
  void RefuseAnotherArchive() {
    const auto& size = DownloadOf(job_).size;
    const std::uint64_t reached = part_.first + sent_;
    if (size && (reached > *size || (at_end_ && reached < *size))) {
      env_.store.SaveArchiveFacts(job_.id, std::nullopt, "");
      throw Error(ErrorCode::kConflict,
                  "packing the archive of " + job_.id.ToString() +
                      ": it has another size than when it was packed before",
                  "fetch it from the beginning");
    }
  }

  // Bytes that the request still wants. One that wants the archive's last byte wants to see the end
  // behind it, too.
  std::uint64_t Left() const {
    const auto& size = DownloadOf(job_).size;
    if (!part_.last || (size && *part_.last + 1 >= *size)) {
      return UINT64_MAX;
    }
    return *part_.last + 1 - part_.first - sent_;
  }

  void End(catalog::DownloadOutcome outcome) {
    env_.store.EndDownload(ticket_, outcome, sent_, env_.clock.Now());
    ended_ = true;
  }

  DownloadService& service_;
  Environment& env_;
  const domain::RestoreJob job_;
  const ArchivePart part_;
  const catalog::DownloadTicket ticket_;
  std::optional<codec::Sha1Hash> sha1_;  // when the request begins with the first byte
  std::optional<Packing> packing_;       // from the first Read on
  std::uint64_t sent_ = 0;
  bool at_end_ = false;  // the archive's
  bool ended_ = false;   // told the catalog
};

namespace {

// Null without a folder.
std::unique_ptr<ArchiveMapFiles> OpenMapFiles(Environment& environment,
                                              const std::filesystem::path& folder) {
  if (folder.empty()) {
    return nullptr;
  }
  const auto is_kept = [&store = environment.store](const SnapshotId& id) {
    const auto snapshot = store.FindSnapshot(id);
    return snapshot && !snapshot->deleted;
  };
  return std::make_unique<ArchiveMapFiles>(
      environment.repository, environment.log, folder, is_kept);
}

}  // namespace

DownloadService::DownloadService(Environment& environment,
                                 ClusterService& clusters,
                                 ArchiveOpener opener,
                                 const std::filesystem::path& map_folder)
    : env_(environment),
      clusters_(clusters),
      opener_(std::move(opener)),
      maps_(std::make_unique<ArchiveMaps>(OpenMapFiles(environment, map_folder))) {}

DownloadService::~DownloadService() = default;

std::string DownloadService::NewKey() {
  return RandomHex(env_.random, kKeySize);
}

domain::RestoreJob DownloadService::Start(const Caller& caller, const DownloadRequest& request) {
  const domain::Cluster source = clusters_.Find(request.project, request.cluster);
  RefuseSharded(source.topology, source.name);
  const domain::Snapshot snapshot =
      FindUsable(env_, source, request.snapshot, Reason::kDownloadIncomplete);
  domain::RestoreJob job =
      NewDelivery(env_, caller, source, snapshot, domain::DeliveryMethod::kDownload);
  job.state = domain::RestoreState::kCompleted;
  job.finished = job.created;
  job.expires = job.created + std::chrono::hours(request.expiration_hours);
  const Secret key(NewKey());
  job.download = domain::Download{
      .key_hash = HashOf(key.Reveal()),
      .sealed_key = env_.repository.SealSecret(DownloadKeyLabel(job.id.ToString()), key.Reveal()),
      .file_name = FileNameOf(source, job),
      .expiration_hours = request.expiration_hours,
      .max_downloads = request.max_downloads};
  const Packing possible(env_, opener_, PlanOf(job, 0), nullptr);
  try {
    env_.store.AddDownload(job);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
    throw Refusal(  // between the checks and here
        Reason::kDeletedSnapshot,
        ErrorCode::kConflict,
        "downloading snapshot " + snapshot.id.ToString() + ": it has just been deleted");
  }
  env_.log.Info("restore={} snapshot={} source={} key={}  download offered",
                job.id.ToString(),
                job.snapshot.ToString(),
                job.cluster_name,
                caller.key.public_name);
  return job;
}

Secret DownloadService::KeyOf(const domain::RestoreJob& job) {
  TIDEMARK_CHECK(job.download.has_value());
  return Secret(
      env_.repository.OpenSecret(DownloadKeyLabel(job.id.ToString()), job.download->sealed_key));
}

domain::DownloadState DownloadService::StateOf(const domain::RestoreJob& job) const {
  TIDEMARK_CHECK(job.download.has_value());
  return domain::StateOf(*job.download, job.expires, env_.clock.Now());
}

domain::RestoreJob DownloadService::Authorize(const RestoreJobId& id, const Secret& key) {
  const auto job = env_.store.FindRestore(id);
  // The same work for a job that is not there: an answer's time tells nothing.
  const std::string given = HashOf(key.Reveal());
  const std::string expected =
      job && job->download ? job->download->key_hash : std::string(64, '-');
  const bool fits = ConstantTimeEqual(given, expected);
  if (!job || !fits) {
    RefuseUnknownDownload();
  }
  if (StateOf(*job) == domain::DownloadState::kExpired) {
    RefuseExpired(id);
  }
  return *job;
}

std::unique_ptr<ArchiveStream> DownloadService::Fetch(const domain::RestoreJob& job,
                                                      const ArchivePart& part) {
  const auto kind =
      part.first == 0 ? catalog::DownloadPart::kBeginning : catalog::DownloadPart::kContinuation;
  const auto ticket = env_.store.ReserveDownload(job.id, kind, env_.clock.Now());
  if (!ticket) {
    if (const auto now = env_.store.FindRestore(job.id);
        !now || StateOf(*now) == domain::DownloadState::kExpired) {  // since it was let in
      RefuseExpired(job.id);
    }
    throw Refusal(Reason::kDownloadUsedUp,
                  ErrorCode::kPermissionDenied,
                  "fetching the archive of " + job.id.ToString() +
                      ": it has been downloaded as often as allowed");
  }
  return std::make_unique<DownloadStream>(*this, job, part, *ticket);
}

void DownloadService::End(const domain::Cluster& source, const RestoreJobId& id) {
  const auto job = env_.store.FindRestore(id);
  if (!job || job->cluster != source.id) {
    throw Refusal(Reason::kRestoreJobNotFound,
                  ErrorCode::kNotFound,
                  "ending download " + id.ToString() + ": there is none",
                  {id.ToString(), source.name});
  }
  if (!job->download) {
    throw Refusal(Reason::kClusterBusy,
                  ErrorCode::kConflict,
                  "ending restore " + id.ToString() + ": it restores into a cluster",
                  {job->target_name});
  }
  env_.store.ExpireDownload(id, env_.clock.Now());
}

void DownloadService::Cancel(const domain::RestoreJob& job) {
  TIDEMARK_CHECK(job.download.has_value());
  if (env_.store.CancelDownload(job.id, env_.clock.Now())) {
    env_.log.Info("restore={} source={}  download cancelled", job.id.ToString(), job.cluster_name);
  }
}

ExportedArchive DownloadService::Export(const domain::Cluster& cluster,
                                        const SnapshotId& snapshot,
                                        const ExportRequest& request) {
  const auto format = archive::ParseArchiveFormat(request.format);
  if (!format) {
    throw Refusal(Reason::kInvalidValue,
                  ErrorCode::kInvalidArgument,
                  "format is one of tar.gz, archive, archive.gz, json",
                  {"format"});
  }
  const auto found = env_.store.FindSnapshot(snapshot);
  if (!found || found->cluster != cluster.id || found->deleted ||
      found->state != domain::SnapshotState::kCompleted) {
    throw Refusal(Reason::kSnapshotNotFound,
                  ErrorCode::kNotFound,
                  "exporting snapshot " + snapshot.ToString() + ": there is no finished one",
                  {snapshot.ToString(), cluster.name});
  }
  archive::ArchiveOptions options = DownloadOptions();
  options.format = *format;
  options.json = request.relaxed ? bson::JsonForm::kRelaxed : bson::JsonForm::kCanonical;
  const bool packed = *format != archive::ArchiveFormat::kArchive;
  return {cluster.name + "-" + snapshot.ToString() + std::string(archive::FileExtension(*format)),
          packed ? "application/gzip" : "application/octet-stream",
          std::make_unique<ExportStream>(
              env_, opener_, PackingPlan{cluster.project, snapshot, options, 0})};
}

bool DownloadService::IsMeasuring(const RestoreJobId& id) const {
  return std::ranges::find(measuring_, id) != measuring_.end();
}

bool DownloadService::Enqueue(const RestoreJobId& id) {
  if (IsMeasuring(id)) {
    return true;
  }
  if (measuring_.size() >= kMaxMeasuring) {
    return false;
  }
  measuring_.push_back(id);
  changed_.NotifyAll();
  return true;
}

void DownloadService::WaitForMeasured(const RestoreJobId& id, Deadline deadline) {
  ++waiting_;
  while (IsMeasuring(id)) {
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) {
      break;
    }
    changed_.WaitFor(mutex_, left);
  }
  --waiting_;
}

std::uint64_t DownloadService::Measure(const domain::RestoreJob& job,
                                       std::chrono::milliseconds limit) {
  if (const auto& size = DownloadOf(job).size) {
    return *size;
  }
  {
    const MutexLock lock(mutex_);
    if (!Enqueue(job.id) || waiting_ >= kMaxWaiting) {
      RefuseWaiting();
    }
    WaitForMeasured(job.id, std::chrono::steady_clock::now() + limit);
    if (IsMeasuring(job.id)) {
      RefuseWaiting();
    }
  }
  const auto measured = env_.store.FindRestore(job.id);
  if (!measured || !measured->download || !measured->download->size) {
    throw Error(ErrorCode::kInternal,
                "measuring the archive of " + job.id.ToString() + ": packing it failed");
  }
  return *measured->download->size;
}

void DownloadService::MeasureNow(const domain::RestoreJob& job, const std::stop_token& stop) {
  Packing packing(env_, opener_, PlanOf(job, 0), maps_.get(), stop);
  codec::Sha1Hash sha1;
  std::uint64_t size = 0;
  Bytes buffer(KiB(256).value);
  while (const std::size_t count = packing.Read(buffer)) {
    sha1.Add(ByteView(buffer).first(count));
    size += count;
  }
  env_.store.SaveArchiveFacts(job.id, size, sha1.TakeHex());
}

bool DownloadService::MeasureNext(const std::stop_token& stop) {
  std::optional<RestoreJobId> id;
  {
    const MutexLock lock(mutex_);
    if (!measuring_.empty()) {
      id = measuring_.front();
    }
  }
  if (!id) {
    return false;
  }
  try {
    if (const auto job = env_.store.FindRestore(*id)) {
      MeasureNow(*job, stop);
    }
  } catch (const Error& error) {
    env_.log.Error("restore={}  measuring the archive failed: {}", id->ToString(), error.message());
  }
  const MutexLock lock(mutex_);
  measuring_.pop_front();
  changed_.NotifyAll();
  return true;
}

void DownloadService::Work(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  while (!stop.stop_requested()) {
    if (MeasureNext(stop)) {
      continue;
    }
    const MutexLock lock(mutex_);
    while (!stop.stop_requested() && measuring_.empty()) {
      changed_.Wait(mutex_);
    }
  }
}

}  // namespace tidemark::service
