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
  if (found != maps_.end()) {
    return found->second;
  }
  auto stored = files_ ? files_->Read(snapshot) : std::nullopt;
  if (!stored) {
    return {};
  }
  Add(snapshot, *stored);
  return std::move(*stored);
}

void ArchiveMaps::Add(const SnapshotId& snapshot, archive::ArchiveMap map) {
  maps_.emplace_front(snapshot, std::move(map));
  if (maps_.size() > kMost) {
    maps_.pop_back();
  }
}

void ArchiveMaps::Keep(const SnapshotId& snapshot, archive::ArchiveMap map) {
  const MutexLock lock(mutex_);
  const auto found = Touch(snapshot);
  const std::uint64_t known = found == maps_.end() ? 0 : ReachOf(found->second);
  if (ReachOf(map) <= known) {
    return;
  }
  if (files_) {
    files_->Write(snapshot, map);
  }
  if (found == maps_.end()) {
    Add(snapshot, std::move(map));
  } else {
    found->second = std::move(map);
  }
}

void ArchiveMaps::Forget(const SnapshotId& snapshot) {
  const MutexLock lock(mutex_);
  const auto found = Touch(snapshot);
  if (found != maps_.end()) {
    maps_.erase(found);
  }
  if (files_) {
    files_->Remove(snapshot);
  }
}

}  // namespace tidemark::service
