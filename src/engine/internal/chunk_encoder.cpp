#include "engine/internal/chunk_encoder.h"

#include <optional>
#include <utility>

#include "base/error.h"

namespace tidemark::engine {

struct EncodedSlot {
  std::optional<EncodedChunk> chunk;
};

namespace {

[[noreturn]] void ThrowAborted() {
  throw Error(ErrorCode::kCancelled, "storing chunks: cancelled");
}

}  // namespace

ChunkEncoder::Ticket ChunkEncoder::Submit(Bytes plain, std::uint32_t documents) {
  Ticket ticket = std::make_shared<EncodedSlot>();
  const ByteCount size{plain.size()};
  if (!queue_.Push({.plain = std::move(plain), .documents = documents, .ticket = ticket}, size)) {
    ThrowAborted();
  }
  return ticket;
}

EncodedChunk ChunkEncoder::Wait(const Ticket& ticket) {
  const MutexLock lock(mutex_);
  while (!ticket->chunk && !aborted_) {
    finished_.Wait(mutex_);
  }
  std::optional<EncodedChunk> chunk = std::exchange(ticket->chunk, std::nullopt);
  if (!chunk) {
    ThrowAborted();
  }
  return *std::move(chunk);
}

void ChunkEncoder::Run() {
  while (const std::optional<Task> task = queue_.Pop()) {
    Finish(*task->ticket, Encode(*task));
  }
}

EncodedChunk ChunkEncoder::Encode(const Task& task) {
  const std::vector<codec::Digest> hashes = repo::HashDocuments(task.plain);
  EncodedChunk chunk{.ref = writer_.Store(task.plain, hashes)};
  chunk.fingerprints.reserve(hashes.size());
  for (const codec::Digest& hash : hashes) {
    chunk.digest.AddHash(hash);
    chunk.fingerprints.push_back(writer_.Fingerprint(hash));
  }
  return chunk;
}

void ChunkEncoder::Finish(EncodedSlot& slot, EncodedChunk chunk) {
  const MutexLock lock(mutex_);
  slot.chunk = std::move(chunk);
  finished_.NotifyAll();
}

void ChunkEncoder::Close() {
  queue_.Close();
}

void ChunkEncoder::Abort() {
  queue_.Abort();
  const MutexLock lock(mutex_);
  aborted_ = true;
  finished_.NotifyAll();
}

}  // namespace tidemark::engine
