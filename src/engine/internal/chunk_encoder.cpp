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

repo::NamespaceDigest DigestOf(ByteView plain) {
  repo::NamespaceDigest digest;
  while (!plain.empty()) {
    const std::size_t size = bson::FrontDocumentSize(plain);
    digest.Add(plain.first(size));
    plain = plain.subspan(size);
  }
  return digest;
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
  if (!ticket->chunk) {
    ThrowAborted();
  }
  return *ticket->chunk;
}

void ChunkEncoder::Run() {
  while (const std::optional<Task> task = queue_.Pop()) {
    const repo::ChunkRef ref = writer_.Store(task->plain, task->documents);
    Finish(*task->ticket, {.ref = ref, .digest = DigestOf(task->plain)});
  }
}

void ChunkEncoder::Finish(EncodedSlot& slot, const EncodedChunk& chunk) {
  const MutexLock lock(mutex_);
  slot.chunk = chunk;
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
