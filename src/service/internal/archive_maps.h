#pragma once

#include <list>
#include <utility>

#include "archive/archive_map.h"
#include "base/mutex.h"
#include "base/object_id.h"

namespace tidemark::service {

// What has been learned of the archives that were packed last, so that the next request for one of
// them goes on amid it. Keeps the maps of kMost snapshots (up to 5 MiB each, for archives of many
// GiB). Synchronized.
class ArchiveMaps {
 public:
  static constexpr std::size_t kMost = 16;

  // A copy to read with; empty when nothing is known.
  archive::ArchiveMap Find(const SnapshotId& snapshot) TIDEMARK_EXCLUDES(mutex_);
  // Keeps it unless more is known.
  void Keep(const SnapshotId& snapshot, archive::ArchiveMap map) TIDEMARK_EXCLUDES(mutex_);

 private:
  using Entry = std::pair<SnapshotId, archive::ArchiveMap>;

  std::list<Entry>::iterator Touch(const SnapshotId& snapshot) TIDEMARK_REQUIRES(mutex_);

  Mutex mutex_;
  std::list<Entry> maps_ TIDEMARK_GUARDED_BY(mutex_);  // used last first
};

}  // namespace tidemark::service
