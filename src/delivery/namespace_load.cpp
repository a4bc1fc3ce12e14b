#include "delivery/internal/namespace_load.h"

#include <algorithm>

#include "base/error.h"
#include "base/stage_group.h"
#include "delivery/internal/batch.h"
#include "engine/document_reader.h"

namespace tidemark::delivery {
namespace {

void Push(Batch& batch, BatchQueue& queue) {
  const ByteCount size{batch.bytes()};
  queue.Push(std::exchange(batch, Batch()), size);
}

void ReadBatches(const NamespaceLoad& load, const std::stop_token& stop, BatchQueue& queue) {
  Batch batch;
  engine::ReadDocuments(load.reader, load.entry, stop, [&](ByteView document) {
    if (!batch.Holds(document)) {
      Push(batch, queue);
    }
    batch.Add(document);
  });
  if (!batch.empty()) {
    Push(batch, queue);
  }
  queue.Close();
}

void WriteBatches(const NamespaceLoad& load, BatchQueue& queue) {
  while (const auto batch = queue.Pop()) {
    load.target.InsertMany(load.entry, batch->Views());
    load.written(batch->documents(), batch->bytes());
  }
}

}  // namespace

// Memory: (writers + 2 waiting + 1 being filled) batches; a larger document travels alone.
void NamespaceLoad::Run(const std::stop_token& stop) const {
  // Several writers would mix up the natural order of a capped collection.
  const bool in_order = std::ranges::any_of(entry.runs, &repo::Run::natural_order);
  BatchQueue queue(ByteCount{2 * kBatchBytes});
  StageGroup group(stop);
  group.OnStop([&queue] { queue.Abort(); });
  for (int i = 0; i < (in_order ? 1 : std::max(writers, 1)); ++i) {
    group.Start("restore-write", [&](const std::stop_token&) { WriteBatches(*this, queue); });
  }
  group.Start("restore-read",
              [&](const std::stop_token& reading) { ReadBatches(*this, reading, queue); });
  group.Wait();
  if (stop.stop_requested()) {
    throw Error(ErrorCode::kCancelled, "loading documents: cancelled");
  }
}

}  // namespace tidemark::delivery
