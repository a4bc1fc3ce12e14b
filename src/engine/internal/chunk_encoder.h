#pragma once

#include <memory>

#include "base/bounded_queue.h"
#include "base/mutex.h"
#include "repo/repository.h"

namespace tidemark::engine {

struct EncodedChunk {
  repo::ChunkRef ref;
  repo::NamespaceDigest digest;
  std::vector<std::uint64_t> fingerprints;  // one for each document
};

// Hands chunks from the readers of namespaces to the threads that hash, compress, encrypt and
// store. Synchronized. `writer` must outlive it.
class ChunkEncoder {
 public:
  // `waiting` bounds the plaintext in the queue.
  ChunkEncoder(repo::SnapshotWriter& writer, ByteCount waiting)
      : writer_(writer), queue_(waiting) {}

  // Shared by the run that waits for the result and the thread that makes it: the run may be gone
  // first.
  using Ticket = std::shared_ptr<struct EncodedSlot>;

  // Blocks while the queue is full. kCancelled once aborted.
  Ticket Submit(Bytes plain, std::uint32_t documents);
  // Blocks until the chunk is stored, then takes it from the ticket. kCancelled once aborted.
  EncodedChunk Wait(const Ticket& ticket) TIDEMARK_EXCLUDES(mutex_);

  // The body of an encoder thread: returns when the encoder is closed and drained, or aborted.
  void Run() TIDEMARK_EXCLUDES(mutex_);
  void Close();
  void Abort() TIDEMARK_EXCLUDES(mutex_);

 private:
  struct Task {
    Bytes plain;
    std::uint32_t documents = 0;
    Ticket ticket;
  };

  EncodedChunk Encode(const Task& task);
  void Finish(EncodedSlot& slot, EncodedChunk chunk) TIDEMARK_EXCLUDES(mutex_);

  repo::SnapshotWriter& writer_;
  BoundedQueue<Task> queue_;
  Mutex mutex_;  // also guards every slot
  CondVar finished_;
  bool aborted_ TIDEMARK_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::engine
