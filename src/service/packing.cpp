#include "service/internal/packing.h"

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

Packing::~Packing() {
  archive_.reset();
  if (maps_ != nullptr) {
    maps_->Keep(snapshot_, std::move(map_));
  }
}

}  // namespace tidemark::service
