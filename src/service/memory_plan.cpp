#include "service/memory_plan.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/error.h"
#include "mongo/cluster.h"

// All sizes in bytes. With the defaults (512 MiB, 2 jobs, 4 readers, 2 encoders, 8 streams, chunks
// of 256 KiB) streams have 8 x 12 = 96 MiB and a job (512 - 64 - 96) / 2 = 176 MiB. A snapshot:
//   packs      4 x 11 MiB                            44   one open, one stored by each encoder and
//                                                         by one reader
//   encoders   2 x (8 chunks + 2 MiB)                 8   queue; compression, sealing
//   readers    4 x (3 x 4 MiB + 4 MiB)               64   reply and its copy in the driver; chunk,
//                                                         lists, keys
//   sorting    half of the rest                      30
//   merging    4 x 2 x 3.75 MiB, the other half      30   a level that is merged, and a base
// A restore of it:
//   batches    2 x ((4 + 3) x 4 MiB + 4 x 8 MiB)    120   waiting and being written; their copies
//   reading    2 x 16 MiB                            32   open runs; later the reply that is
//   checked
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
// A download or export: what it packs ahead (8 MiB, download_service.cpp), its chunks, its answer.
constexpr std::uint64_t kStream = 12U << 20;
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
  return std::max(LeastSnapshot(request), RestoreOf(1));
}

// One at least; more only of what the jobs do not need.
std::uint64_t StreamsOf(const MemoryRequest& request) {
  const std::uint64_t beside = BesideBase(request);
  const std::uint64_t jobs = Positive(request.jobs) * LeastJob(request);
  const std::uint64_t spare = beside - std::min(beside, jobs);
  return std::clamp<std::uint64_t>(
      std::min(beside / kStreamsPart, spare) / kStream, 1, Positive(request.streams));
}

// What a job has; 0 when there is not even the base.
std::uint64_t ShareOf(const MemoryRequest& request) {
  const std::uint64_t beside = BesideBase(request);
  const std::uint64_t streams = StreamsOf(request) * kStream;
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
    const std::uint64_t needed = kBase + kStream + Positive(request.jobs) * least;
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
