#pragma once

#include <filesystem>
#include <functional>
#include <optional>

#include "archive/archive_map.h"
#include "base/log.h"
#include "base/object_id.h"
#include "repo/repository.h"

namespace tidemark::service {

// Maps of archives in a folder, so that a download goes on quickly after a restart, too. Each file
// is sealed under the master key, because a map holds _ids, and bound to its snapshot. Losing files
// costs time only: whatever is wrong with one, it is removed and there is none. Bounded: the kMost
// that were written last. Confined.
class ArchiveMapFiles {
 public:
  static constexpr std::size_t kMost = 16;
  static constexpr std::size_t kMostBytes = 16U << 20;  // of one file; a map's bound, as base64

  // Creates the folder, readable by the owner only. `repository` and `log` must outlive it.
  // `is_kept`: whether a snapshot is still there; files of others go.
  ArchiveMapFiles(repo::Repository& repository,
                  Log& log,
                  std::filesystem::path folder,
                  std::function<bool(const SnapshotId&)> is_kept);

  std::optional<archive::ArchiveMap> Read(const SnapshotId& snapshot);
  void Write(const SnapshotId& snapshot, const archive::ArchiveMap& map);
  void Remove(const SnapshotId& snapshot);

 private:
  std::filesystem::path FileOf(const SnapshotId& snapshot) const;
  void Prune();

  repo::Repository& repository_;
  Log& log_;
  const std::filesystem::path folder_;
  const std::function<bool(const SnapshotId&)> is_kept_;
};

}  // namespace tidemark::service
