#include "archive/internal/pack_pipeline.h"

#include <utility>

#include "base/error.h"

namespace tidemark::archive {

void PackPipeline::Push(Block block) {
  auto slot = std::make_unique<Slot>();
  slot->charge = block.plain.size() * (1 + growth_);
  slot->block = std::move(block);
  const MutexLock lock(mutex_);
  while (!aborted_ && !slots_.empty() && used_ + slot->charge > memory_) {
    changed_.Wait(mutex_);
  }
  if (aborted_) {
    throw Error(ErrorCode::kCancelled, "packing an archive: cancelled");
  }
  used_ += slot->charge;
  slots_.push_back(std::move(slot));
  changed_.NotifyAll();
}

void PackPipeline::Close() {
  const MutexLock lock(mutex_);
  closed_ = true;
  changed_.NotifyAll();
}

PackPipeline::Slot* PackPipeline::Next() {
  const MutexLock lock(mutex_);
  while (!aborted_ && !closed_ && begun_ == slots_.size()) {
    changed_.Wait(mutex_);
  }
  if (aborted_ || begun_ == slots_.size()) {
    return nullptr;
  }
  return slots_[begun_++].get();
}

void PackPipeline::Put(Slot& slot, PackedBlock packed) {
  const MutexLock lock(mutex_);
  used_ -= slot.charge;
  slot.charge = packed.bytes.size();
  used_ += slot.charge;
  slot.packed = std::move(packed);
  changed_.NotifyAll();
}

void PackPipeline::Work(Packer& packer) {
  while (Slot* const slot = Next()) {
    Put(*slot, packer.Pack(std::move(slot->block)));
  }
}

std::optional<PackedBlock> PackPipeline::Take() {
  const MutexLock lock(mutex_);
  while (!aborted_ && !(closed_ && slots_.empty()) && (slots_.empty() || !slots_.front()->packed)) {
    changed_.Wait(mutex_);
  }
  if (aborted_ || slots_.empty()) {
    return std::nullopt;
  }
  std::optional<PackedBlock> packed = std::move(slots_.front()->packed);
  used_ -= slots_.front()->charge;
  slots_.pop_front();
  --begun_;
  changed_.NotifyAll();
  return packed;
}

void PackPipeline::Abort() {
  const MutexLock lock(mutex_);
  aborted_ = true;
  changed_.NotifyAll();
}

}  // namespace tidemark::archive
