#pragma once

#include "base/units.h"

namespace tidemark::service {

// What a server is asked to do within its memory.
struct MemoryRequest {
  ByteCount budget;      // resident, of the whole process
  int jobs = 2;          // snapshots and restores at once
  int readers = 4;       // collections that a snapshot reads at once
  int encoders = 2;      // of a snapshot
  int namespaces = 2;    // that a restore writes at once
  int writers = 4;       // of each
  int streams = 8;       // downloads and exports at once
  ByteCount chunk_size;  // of snapshots
};

// What it does with it: no more threads than were asked for, fewer where they would not fit.
struct MemoryPlan {
  int readers = 0;
  ByteCount sort_memory;
  ByteCount merge_memory;
  ByteCount pack_size;
  int namespaces = 0;
  int writers = 0;
  int streams = 0;
};

// Pure. Streams get a quarter of the budget at most; jobs hold the rest together, each its part.
// Beside it are the index (60 bytes a stored chunk), one bit for each document of a collection that
// is compared in natural order, and documents of many MiB. kInvalidArgument, with what is needed at
// least, when one reader and one writer of each job, or an export, do not fit.
MemoryPlan PlanMemory(const MemoryRequest& request);

}  // namespace tidemark::service
