#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "archive/internal/pack.h"
#include "base/mutex.h"
#include "base/units.h"

namespace tidemark::archive {

// Blocks on their way from the thread that reads through those that pack to the one that takes
// them, which gets them in the order they came in. Bounded in bytes. Synchronized.
class PackPipeline {
 public:
  // `growth`: how many bytes packing needs beside each byte of a block, at most.
  PackPipeline(ByteCount memory, std::size_t growth) : memory_(memory.value), growth_(growth) {}

  // Blocks while the pipeline is full; one block is always let in. kCancelled once it is aborted.
  void Push(Block block) TIDEMARK_EXCLUDES(mutex_);
  // No more blocks come.
  void Close() TIDEMARK_EXCLUDES(mutex_);
  // Packs blocks until none comes any more, or the pipeline is aborted.
  void Work(Packer& packer) TIDEMARK_EXCLUDES(mutex_);
  // Blocks until the next one is packed. nullopt once the pipeline is closed and drained, or
  // aborted.
  std::optional<PackedBlock> Take() TIDEMARK_EXCLUDES(mutex_);
  // Everybody returns; what waits is lost. May be repeated.
  void Abort() TIDEMARK_EXCLUDES(mutex_);

  bool aborted() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return aborted_;
  }

 private:
  struct Slot {
    Block block;
    std::optional<PackedBlock> packed;
    std::size_t charge = 0;  // bytes
  };

  // The next one to pack; it stays at its place. nullptr when there is none any more.
  Slot* Next() TIDEMARK_EXCLUDES(mutex_);
  void Put(Slot& slot, PackedBlock packed) TIDEMARK_EXCLUDES(mutex_);

  const std::size_t memory_;  // bytes
  const std::size_t growth_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::unique_ptr<Slot>> slots_ TIDEMARK_GUARDED_BY(mutex_);
  std::size_t begun_ TIDEMARK_GUARDED_BY(mutex_) = 0;  // slots that are packed or being packed
  std::size_t used_ TIDEMARK_GUARDED_BY(mutex_) = 0;   // bytes
  bool closed_ TIDEMARK_GUARDED_BY(mutex_) = false;
  bool aborted_ TIDEMARK_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::archive
