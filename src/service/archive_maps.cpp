#include "service/internal/archive_maps.h"

#include <algorithm>
#include <cstdint>

namespace tidemark::service {
namespace {

// Up to where the map leads.
std::uint64_t ReachOf(const archive::ArchiveMap& map) {
  if (map.size()) {
    return UINT64_MAX;
  }
  const auto* last = map.FindBefore(UINT64_MAX);
  return last == nullptr ? 0 : last->offset;
}

}  // namespace

std::list<ArchiveMaps::Entry>::iterator ArchiveMaps::Touch(const SnapshotId& snapshot) {
  const auto found = std::ranges::find(maps_, snapshot, &Entry::first);
  if (found != maps_.end()) {
    maps_.splice(maps_.begin(), maps_, found);
  }
  return found;
}

archive::ArchiveMap ArchiveMaps::Find(const SnapshotId& snapshot) {
  const MutexLock lock(mutex_);
  const auto found = Touch(snapshot);
  return found == maps_.end() ? archive::ArchiveMap() : found->second;
}

void ArchiveMaps::Keep(const SnapshotId& snapshot, archive::ArchiveMap map) {
  const MutexLock lock(mutex_);
  const auto found = Touch(snapshot);
  if (found == maps_.end()) {
    maps_.emplace_front(snapshot, std::move(map));
  } else if (ReachOf(map) > ReachOf(found->second)) {
    found->second = std::move(map);
  }
  if (maps_.size() > kMost) {
    maps_.pop_back();
  }
}

}  // namespace tidemark::service
