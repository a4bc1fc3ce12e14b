#pragma once

#include <future>

#include "base/bounded_queue.h"
#include "base/stage_group.h"
#include "repo/repository.h"

namespace tidemark::engine {

// What became of one chunk.
struct EncodedChunk {
  repo::ChunkRef ref;
  repo::NamespaceDigest digest;  // of the chunk's documents
};

// Digests, compresses, encrypts and stores chunks on threads of its own, for all namespaces of a
// snapshot. Memory: what waits (kQueueBytes) plus one chunk a thread. Synchronized. An encoder
// waits for nobody but storage, so whoever fills the queue always gets on.
class EncoderPool {
 public:
  // `writer` must outlive the pool.
  EncoderPool(repo::SnapshotWriter& writer, int threads);
  // Drops what has not been begun.
  ~EncoderPool();
  EncoderPool(const EncoderPool&) = delete;
  EncoderPool& operator=(const EncoderPool&) = delete;

  // Blocks while the queue is full. The future carries what storing threw.
  std::future<EncodedChunk> Submit(Bytes plain, std::uint32_t documents);

 private:
  struct Task {
    Bytes plain;
    std::uint32_t documents = 0;
    std::promise<EncodedChunk> result;
  };

  void Encode(Task& task);

  repo::SnapshotWriter& writer_;
  BoundedQueue<Task> tasks_;
  StageGroup threads_;  // last: its threads use all of the above
};

}  // namespace tidemark::engine
