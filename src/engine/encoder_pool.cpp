#include "engine/internal/encoder_pool.h"

#include "bson/document.h"

namespace tidemark::engine {
namespace {

constexpr ByteCount kQueueBytes = MiB(16);

}  // namespace

EncoderPool::EncoderPool(repo::SnapshotWriter& writer, int threads)
    : writer_(writer), tasks_(kQueueBytes) {
  for (int i = 0; i < threads; ++i) {
    threads_.Start("encode", [this](const std::stop_token&) {
      while (auto task = tasks_.Pop()) {
        Encode(*task);
      }
    });
  }
}

EncoderPool::~EncoderPool() {
  tasks_.Abort();
}

std::future<EncodedChunk> EncoderPool::Submit(Bytes plain, std::uint32_t documents) {
  Task task{std::move(plain), documents, {}};
  std::future<EncodedChunk> result = task.result.get_future();
  const ByteCount size{task.plain.size()};
  tasks_.Push(std::move(task), size);
  return result;
}

void EncoderPool::Encode(Task& task) {
  try {
    EncodedChunk chunk;
    for (ByteView rest = task.plain; !rest.empty();) {
      const std::size_t size = bson::FrontDocumentSize(rest);
      chunk.digest.Add(rest.first(size));
      rest = rest.subspan(size);
    }
    chunk.ref = writer_.Store(task.plain, task.documents);
    task.result.set_value(chunk);
  } catch (...) {  // whoever waits for the chunk gets it
    task.result.set_exception(std::current_exception());
  }
}

}  // namespace tidemark::engine
