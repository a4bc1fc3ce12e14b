#include "delivery/internal/namespace_load.h"

#include <algorithm>

#include "base/bounded_queue.h"
#include "base/error.h"
#include "base/stage_group.h"
#include "engine/document_reader.h"

namespace tidemark::delivery {
namespace {

// A batch: below the servers' limits and large enough to make a round trip cheap. Memory of one
// load: (writers + 2 waiting + 1 being filled) * 4 MiB; a larger document travels alone.
constexpr std::size_t kBatchDocuments = 1000;
constexpr std::size_t kBatchBytes = 4U << 20;

// The documents of one insert, one after the other.
class Batch {
 public:
  bool empty() const { return sizes_.empty(); }

  std::size_t documents() const { return sizes_.size(); }

  std::size_t bytes() const { return bytes_.size(); }

  bool Holds(ByteView document) const {
    return empty() || (documents() < kBatchDocuments && bytes() + document.size() <= kBatchBytes);
  }

  void Add(ByteView document) {
    if (empty()) {
      bytes_.reserve(std::max(kBatchBytes, document.size()));
    }
    bytes_.insert(bytes_.end(), document.begin(), document.end());
    sizes_.push_back(document.size());
  }

  std::vector<ByteView> Views() const {
    std::vector<ByteView> views;
    views.reserve(sizes_.size());
    ByteView rest(bytes_);
    for (const std::size_t size : sizes_) {
      views.push_back(rest.first(size));
      rest = rest.subspan(size);
    }
    return views;
  }

 private:
  Bytes bytes_;
  std::vector<std::size_t> sizes_;
};

using BatchQueue = BoundedQueue<Batch>;

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
