#include "engine/internal/run_builder.h"

#include <algorithm>
#include <utility>

namespace tidemark::engine {
namespace {

// A list chunk holds the first _id of each chunk, and an _id may be megabytes.
constexpr std::size_t kMaxListBytes = 4U << 20;

}  // namespace

RunBuilder::RunBuilder(const RunSink& sink, RunOrder order) : sink_(sink), order_(order) {
  built_.run.natural_order = order == RunOrder::kNatural;
}

bool RunBuilder::Continues(const DocumentKey& key) const {
  return empty() || CompareKeys(last_key_.Get(), key) < 0;
}

void RunBuilder::Add(ByteView document, const DocumentKey& key) {
  const std::size_t chunk_size = sink_.chunk_size.value;
  if (document.size() >= chunk_size) {
    CloseChunk();  // a large document is a chunk of its own
  }
  if (chunk_documents_ == 0) {
    StartChunk(key);
  }
  chunk_.insert(chunk_.end(), document.begin(), document.end());
  ++chunk_documents_;
  ++built_.run.documents;
  built_.run.logical_bytes += document.size();
  if (order_ == RunOrder::kById) {
    last_key_.Assign(key);
  }
  if (chunk_.size() >= chunk_size) {
    CloseChunk();
  }
}

void RunBuilder::StartChunk(const DocumentKey& key) {
  chunk_.reserve(sink_.chunk_size.value);
  if (order_ == RunOrder::kNatural) {
    return;
  }
  chunk_first_id_ = EncodeKey(key);
  if (empty()) {
    built_.run.first_id = chunk_first_id_;
  }
}

void RunBuilder::CloseChunk() {
  if (chunk_documents_ == 0) {
    return;
  }
  built_.largest_chunk = std::max(built_.largest_chunk, chunk_.size());
  pending_bytes_ += chunk_first_id_.size();
  pending_.push_back({.ticket = sink_.encoder.Submit(std::exchange(chunk_, {}),
                                                     std::exchange(chunk_documents_, 0)),
                      .first_id = std::exchange(chunk_first_id_, {})});
  if (pending_.size() == repo::kMaxRefsPerList || pending_bytes_ >= kMaxListBytes) {
    StoreList();
  }
}

void RunBuilder::StoreList() {
  std::vector<repo::SnapshotWriter::ListedChunk> listed;
  listed.reserve(pending_.size());
  for (Pending& pending : pending_) {
    const EncodedChunk chunk = sink_.encoder.Wait(pending.ticket);
    built_.digest.Merge(chunk.digest);
    listed.push_back({.ref = chunk.ref, .first_id = std::move(pending.first_id)});
  }
  pending_.clear();
  pending_bytes_ = 0;
  built_.run.lists.push_back(sink_.writer.StoreList(listed));
}

BuiltRun RunBuilder::Finish() {
  CloseChunk();
  if (!pending_.empty()) {
    StoreList();
  }
  if (order_ == RunOrder::kById) {
    built_.run.last_id = EncodeKey(last_key_.Get());
  }
  return std::move(built_);
}

}  // namespace tidemark::engine
