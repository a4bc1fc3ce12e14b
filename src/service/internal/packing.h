#pragma once

#include <memory>
#include <stop_token>

#include "service/archive_stream.h"
#include "service/environment.h"
#include "service/internal/archive_maps.h"

namespace tidemark::service {

// How a snapshot's archive is packed.
struct PackingPlan {
  ProjectId project;
  SnapshotId snapshot;
  archive::ArchiveOptions options;  // `time` is set from the snapshot
  std::uint64_t offset = 0;
};

// The packing of one archive from an offset on. While it lives, the repository keeps what the
// snapshot consists of. Confined.
class Packing {
 public:
  // `maps` may be null. kNotFound, kCorrupt, kUnsupported; nothing of the archive is read yet.
  Packing(Environment& environment,
          const ArchiveOpener& opener,
          const PackingPlan& plan,
          ArchiveMaps* maps,
          const std::stop_token& stop = {});
  Packing(const Packing&) = delete;
  Packing& operator=(const Packing&) = delete;
  // Leaves what it has learned in the maps.
  ~Packing();

  // What it has learned is kept on the way, too: a process may be killed. A map that contradicts
  // what is packed is forgotten, so that the next one begins without.
  std::size_t Read(std::span<std::uint8_t> to);

 private:
  static constexpr std::uint64_t kKeepEvery = 128U << 20;  // bytes

  const SnapshotId snapshot_;
  ArchiveMaps* maps_;
  const std::unique_ptr<repo::SnapshotReader> reader_;
  archive::ArchiveMap map_;
  std::uint64_t since_kept_ = 0;  // bytes
  std::unique_ptr<archive::ArchiveReader> archive_;
};

}  // namespace tidemark::service
