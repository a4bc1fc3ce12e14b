#include "base/allocator.h"

#include <malloc.h>

namespace tidemark {

// The driver allocates each reply anew, which glibc maps and unmaps each time: the page faults cost
// more than the reply (measured: docs/performance.md). What is freed is kept for the next one
// instead. Sort buffers are mapped, so that they leave when they are released. By default glibc has
// eight arenas per core, each of which keeps what its threads have freed.
void KeepFreedMemory() {
  constexpr int kMiB = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, 16 * kMiB);
  mallopt(M_TRIM_THRESHOLD, 16 * kMiB);
  mallopt(M_TOP_PAD, 16 * kMiB);
  mallopt(M_ARENA_MAX, 2);
}

}  // namespace tidemark
