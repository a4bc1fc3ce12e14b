#include "service/internal/packing.h"

#include "base/error.h"

namespace tidemark::service {

Packing::Packing(Environment& environment,
                 const ArchiveOpener& opener,
                 const PackingPlan& plan,
                 ArchiveMaps* maps,
                 const std::stop_token& stop)
    : snapshot_(plan.snapshot),
      maps_(maps),
      reader_(environment.repository.NewReader(plan.project)) {
  const repo::Manifest manifest = environment.repository.LoadManifest(plan.project, plan.snapshot);
  archive::ArchiveOptions options = plan.options;
  options.time = manifest.created;
  if (maps_ != nullptr) {
    map_ = maps_->Find(snapshot_);
  }
  archive_ =
      opener(*reader_, manifest, options, plan.offset, maps_ != nullptr ? &map_ : nullptr, stop);
}

std::size_t Packing::Read(std::span<std::uint8_t> to) {
  std::size_t count = 0;
  try {
    count = archive_->Read(to);
  } catch (const Error& error) {
    if (maps_ != nullptr &&
        (error.code() == ErrorCode::kInternal || error.code() == ErrorCode::kCorrupt)) {
      maps_->Forget(snapshot_);
      maps_ = nullptr;
    }
    throw;
  }
  since_kept_ += count;
  if (maps_ != nullptr && since_kept_ >= kKeepEvery) {
    since_kept_ = 0;
    maps_->Keep(snapshot_, map_);
  }
  return count;
}

Packing::~Packing() {
  archive_.reset();
  if (maps_ != nullptr) {
    maps_->Keep(snapshot_, std::move(map_));
  }
}

}  // namespace tidemark::service
