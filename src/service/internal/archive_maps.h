#pragma once

#include <list>
#include <memory>
#include <utility>

#include "archive/archive_map.h"
#include "base/mutex.h"
#include "base/object_id.h"
#include "service/internal/archive_map_files.h"

namespace tidemark::service {

// What has been learned of the archives that were packed last, so that the next request for one of
// them goes on amid it. Keeps the maps of kMost snapshots (up to 5 MiB each, for archives of many
// GiB), and with `files` behind them those of before the last start. Synchronized.
class ArchiveMaps {
 public:
  static constexpr std::size_t kMost = 16;

  // `files` may be null.
  explicit ArchiveMaps(std::unique_ptr<ArchiveMapFiles> files = nullptr)
      : files_(std::move(files)) {}

  // A copy to read with; empty when nothing is known.
  archive::ArchiveMap Find(const SnapshotId& snapshot) TIDEMARK_EXCLUDES(mutex_);
  // Keeps it unless more is known.
  void Keep(const SnapshotId& snapshot, archive::ArchiveMap map) TIDEMARK_EXCLUDES(mutex_);
  // It has led astray: another machine, or another version of us, has made it.
  void Forget(const SnapshotId& snapshot) TIDEMARK_EXCLUDES(mutex_);

 private:
  using Entry = std::pair<SnapshotId, archive::ArchiveMap>;

  std::list<Entry>::iterator Touch(const SnapshotId& snapshot) TIDEMARK_REQUIRES(mutex_);

  void Add(const SnapshotId& snapshot, archive::ArchiveMap map) TIDEMARK_REQUIRES(mutex_);

  Mutex mutex_;
  const std::unique_ptr<ArchiveMapFiles> files_ TIDEMARK_GUARDED_BY(mutex_);
  std::list<Entry> maps_ TIDEMARK_GUARDED_BY(mutex_);  // used last first
};

}  // namespace tidemark::service
