#include "service/memory_plan.h"

#include <algorithm>
#include <optional>
#include <string>

#include "archive/lines.h"
#include "base/error.h"
#include "mongo/cluster.h"
#include "objectstore/s3.h"

// All sizes in bytes. With the defaults (512 MiB, 2 jobs, 4 readers, 2 encoders, 8 streams, chunks
// of 256 KiB) streams and the measuring of a download have 9 x 12 = 108 MiB and a job
// (512 - 64 - 108) / 2 = 170 MiB. A snapshot:
//   packs      4 x 10.6 MiB                          42   one open, one stored by each encoder and
//                                                         by one reader
//   encoders   2 x (8 chunks + 2 MiB)                 8   queue; compression, sealing
//   readers    4 x (3 x 4 MiB + 4 MiB)               64   reply and its copy in the driver; chunk,
//                                                         lists, keys
//   sorting    half of the rest                      28
//   merging    4 x 2 x 3.5 MiB, the other half       28   a level that is merged, and a base
// A restore of it:
//   batches    2 x ((4 + 3) x 4 MiB + 4 x 8 MiB)    120   waiting and being written; their copies
//   reading    2 x 16 MiB                            32   open runs; later the reply that is
//                                                         checked
// A restore of collections and a drill into a cluster are restores. Always the same:
//   an export  28 + 8 + 4 MiB                        40   lines and what they become; one part of
//                                                         an upload; chunks
//   a push     12 + 4 MiB                            16   a stream; what is on its way
//   a drill    4 MiB                                  4   chunks, where it only reads
namespace tidemark::service {
namespace {

// Program, catalog, HTTP, and what the allocator does not give back.
constexpr std::uint64_t kBase = 64U << 20;
constexpr std::uint64_t kReply = 3 * mongo::ConnectionOptions().reply_size.value;
constexpr std::uint64_t kReader = kReply + (4U << 20);
constexpr std::uint64_t kEncoder = 2U << 20;
constexpr std::uint64_t kQueuedChunks = 8;       // of an encoder, at their largest
constexpr std::uint64_t kLeastSort = 4U << 20;   // of a reader
constexpr std::uint64_t kLeastMerge = 4U << 20;  // of a reader: twice 2 MiB
constexpr ByteCount kLeastPack = MiB(4);
constexpr ByteCount kLargestPack = MiB(16);
constexpr std::uint64_t kBatch = 4U << 20;  // delivery/internal/batch.h
constexpr std::uint64_t kBatchCopy = 2 * kBatch;
constexpr std::uint64_t kRestoreReading = 16U << 20;
constexpr std::uint64_t kChunks = 4U << 20;  // of the runs that overlap
// A download: what it packs ahead (8 MiB, download_service.cpp), its chunks, its answer.
constexpr std::uint64_t kStream = (8U << 20) + kChunks;
constexpr std::uint64_t kMeasured = 1;  // downloads whose size and hash are found out, at once
constexpr std::uint64_t kExport =
    archive::kPackLinesMemory.value + objectstore::kPartSize.value + kChunks;
constexpr std::uint64_t kPush = kStream + (4U << 20);
constexpr std::uint64_t kStreamsPart = 4;  // of what is left beside the base

std::uint64_t Positive(int number) {
  return static_cast<std::uint64_t>(std::max(number, 1));
}

std::uint64_t BesideBase(const MemoryRequest& request) {
  return request.budget.value <= kBase ? 0 : request.budget.value - kBase;
}

// Packs in memory at once.
std::uint64_t PacksOf(const MemoryRequest& request) {
  return Positive(request.encoders) + 2;
}

std::uint64_t EncodingOf(const MemoryRequest& request) {
  return Positive(request.encoders) * (kEncoder + kQueuedChunks * request.chunk_size.value);
}

std::uint64_t LeastSnapshot(const MemoryRequest& request) {
  return PacksOf(request) * kLeastPack.value + EncodingOf(request) + kReader + kLeastSort +
         kLeastMerge;
}

std::uint64_t RestoreOf(std::uint64_t writers) {
  return (writers + 3) * kBatch + writers * kBatchCopy + kRestoreReading;
}

std::uint64_t LeastJob(const MemoryRequest& request) {
  return std::max({LeastSnapshot(request), RestoreOf(1), kExport, kPush});
}

// One at least; more only of what the jobs do not need.
std::uint64_t StreamsOf(const MemoryRequest& request) {
  const std::uint64_t beside = BesideBase(request);
  const std::uint64_t needed = Positive(request.jobs) * LeastJob(request) + kMeasured * kStream;
  const std::uint64_t spare = beside - std::min(beside, needed);
  return std::clamp<std::uint64_t>(
      std::min(beside / kStreamsPart, spare) / kStream, 1, Positive(request.streams));
}

// What a job has; 0 when there is not even the base.
std::uint64_t ShareOf(const MemoryRequest& request) {
  const std::uint64_t beside = BesideBase(request);
  const std::uint64_t streams = (StreamsOf(request) + kMeasured) * kStream;
  return beside <= streams ? 0 : (beside - streams) / Positive(request.jobs);
}

void PlanSnapshot(const MemoryRequest& request, MemoryPlan& plan) {
  const std::uint64_t share = ShareOf(request);
  plan.pack_size = {std::clamp(share / 4 / PacksOf(request), kLeastPack.value, kLargestPack.value)};
  const std::uint64_t fixed = PacksOf(request) * plan.pack_size.value + EncodingOf(request);
  const std::uint64_t left = share - fixed;
  const std::uint64_t fitting = left / (kReader + kLeastSort + kLeastMerge);
  const std::uint64_t readers =
      std::min(std::max<std::uint64_t>(fitting, 1), Positive(request.readers));
  const std::uint64_t rest = left - readers * kReader;
  plan.readers = static_cast<int>(readers);
  plan.sort_memory = {rest / 2};
  plan.merge_memory = {rest / 4 / readers};
}

void PlanRestore(const MemoryRequest& request, MemoryPlan& plan) {
  const std::uint64_t share = ShareOf(request);
  std::uint64_t writers = Positive(request.writers);
  while (writers > 1 && RestoreOf(writers) > share) {
    --writers;
  }
  plan.writers = static_cast<int>(writers);
  plan.namespaces = static_cast<int>(
      std::clamp<std::uint64_t>(share / RestoreOf(writers), 1, Positive(request.namespaces)));
}

}  // namespace

MemoryPlan PlanMemory(const MemoryRequest& request) {
  const std::uint64_t least = LeastJob(request);
  if (ShareOf(request) < least) {
    const std::uint64_t needed = kBase + (1 + kMeasured) * kStream + Positive(request.jobs) * least;
    throw Error(ErrorCode::kInvalidArgument,
                "dividing " + std::to_string(request.budget.value >> 20) + " MiB of memory among " +
                    std::to_string(request.jobs) + " jobs: they need at least " +
                    std::to_string((needed + (1U << 20) - 1) >> 20) + " MiB",
                "raise memory-budget-mib, or lower job-workers, snapshot-encode-threads or "
                "snapshot-chunk-size-kib");
  }
  MemoryPlan plan;
  plan.streams = static_cast<int>(StreamsOf(request));
  PlanSnapshot(request, plan);
  PlanRestore(request, plan);
  return plan;
}

}  // namespace tidemark::service
