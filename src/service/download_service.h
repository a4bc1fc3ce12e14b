#pragma once

#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/mutex.h"
#include "base/secret.h"
#include "domain/restore_job.h"
#include "service/archive_stream.h"
#include "service/cluster_service.h"

namespace tidemark::service {

class ArchiveMaps;

struct DownloadRequest {
  ProjectId project;  // the caller's right on it has been checked
  std::string cluster;
  SnapshotId snapshot;
  std::int64_t expiration_hours = 4;  // contract.md 7.1
  std::int64_t max_downloads = domain::kUnlimitedDownloads;
};

// Which bytes of an archive.
struct ArchivePart {
  std::uint64_t first = 0;
  std::optional<std::uint64_t> last;  // included; nullopt: to the end
};

// An export: how it is packed, and what it is called.
struct ExportRequest {
  std::string format = "tar.gz";  // archive::ParseArchiveFormat
  bool relaxed = false;           // Extended JSON, of json: relaxed instead of canonical
};

struct ExportedArchive {
  std::string file_name;
  std::string media_type;
  std::unique_ptr<ArchiveStream> stream;
};

// Snapshots as archives: downloads that anybody with the key may fetch, and exports. Synchronized;
// every call blocks.
class DownloadService {
 public:
  // Packings wait in memory, at most this many.
  static constexpr std::size_t kMaxMeasuring = 16;
  // Callers that wait for one, at most; they hold a thread of the `calls` pool each.
  static constexpr int kMaxWaiting = 2;

  // `map_folder`: where maps of archives outlive a restart; empty: nowhere.
  DownloadService(Environment& environment,
                  ClusterService& clusters,
                  ArchiveOpener opener,
                  const std::filesystem::path& map_folder = {});
  DownloadService(const DownloadService&) = delete;
  DownloadService& operator=(const DownloadService&) = delete;
  ~DownloadService();

  // Steps 3 and 4 of contract.md 8, with kDownloadIncomplete, then a job that is COMPLETED at once.
  // Refuses what could not be packed: the links that it gives work.
  domain::RestoreJob Start(const Caller& caller, const DownloadRequest& request);

  // The key in the links of a download. REQUIRES: it is one.
  Secret KeyOf(const domain::RestoreJob& job);
  domain::DownloadState StateOf(const domain::RestoreJob& job) const;

  // The job whose links have that key: kDownloadNotFound, the same whether job or key is wrong;
  // kDownloadExpired.
  domain::RestoreJob Authorize(const RestoreJobId& id, const Secret& key);
  // The size of the job's archive. When nobody knows it yet it is packed once by Work, which this
  // waits for at most `limit`: kUnavailable then, or when too many wait; it may be asked again.
  std::uint64_t Measure(const domain::RestoreJob& job, std::chrono::milliseconds limit)
      TIDEMARK_EXCLUDES(mutex_);
  // Takes a download (kDownloadUsedUp) and gives its bytes; nothing is packed before the first
  // Read. The download ends with the stream: complete when Finish comes behind the archive's last
  // byte, given back when it breaks off. REQUIRES: the service outlives the stream.
  std::unique_ptr<ArchiveStream> Fetch(const domain::RestoreJob& job, const ArchivePart& part);
  // Its links are good no longer, and its snapshot may be deleted. kRestoreJobNotFound: of that
  // cluster there is none; kClusterBusy: it is a restore into a cluster.
  void End(const domain::Cluster& source, const RestoreJobId& id);
  // The same of a job that was just found, and the job says that it was taken back. One whose links
  // are good no longer stays as it is. REQUIRES: it is a download.
  void Cancel(const domain::RestoreJob& job);

  // All of a finished snapshot of that cluster: kSnapshotNotFound, kInvalidValue for the format.
  // The stream must not outlive the service.
  ExportedArchive Export(const domain::Cluster& cluster,
                         const SnapshotId& snapshot,
                         const ExportRequest& request);

  // The body of the thread that measures archives; returns soon after `stop`.
  void Work(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);
  // Packs the archive that has waited longest. False when none waits.
  bool MeasureNext(const std::stop_token& stop) TIDEMARK_EXCLUDES(mutex_);

 private:
  friend class DownloadStream;

  std::string NewKey();
  void MeasureNow(const domain::RestoreJob& job, const std::stop_token& stop);
  bool Enqueue(const RestoreJobId& id) TIDEMARK_REQUIRES(mutex_);
  bool IsMeasuring(const RestoreJobId& id) const TIDEMARK_REQUIRES(mutex_);
  void WaitForMeasured(const RestoreJobId& id, Deadline deadline) TIDEMARK_REQUIRES(mutex_);

  Environment& env_;
  ClusterService& clusters_;
  const ArchiveOpener opener_;
  const std::unique_ptr<ArchiveMaps> maps_;  // of downloads: they are all packed alike

  Mutex mutex_;
  CondVar changed_;
  std::deque<RestoreJobId> measuring_ TIDEMARK_GUARDED_BY(mutex_);  // the first is at work or next
  int waiting_ TIDEMARK_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::service
