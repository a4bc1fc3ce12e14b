#include "engine/internal/run_builder.h"

#include <algorithm>
#include <utility>

namespace tidemark::engine {
namespace {

// Chunks on their way through the encoders before the oldest is waited for. More than the encoders'
// queue holds, so that waiting is the exception.
constexpr std::size_t kMaxPending = 32;

// Of a listed chunk in memory, with an _id of usual size: reference, vector and its allocation.
constexpr std::size_t kListedBytes = 128;

Bytes FrontKey(const Bytes& keys) {
  if (keys.empty()) {
    return {};  // natural order
  }
  const ByteView first = ByteView(keys).first(bson::FrontDocumentSize(keys));
  return {first.begin(), first.end()};
}

}  // namespace

void ChunkList::Add(const repo::ChunkRef& ref, Bytes first_id) {
  open_bytes_ += first_id.size();
  open_.push_back({.ref = ref, .first_id = std::move(first_id)});
  if (open_.size() == repo::kMaxRefsPerList || open_bytes_ >= kMaxListBytes) {
    Store();
  }
}

void ChunkList::Store() {
  stored_.push_back(writer_.StoreList(open_));
  open_.clear();
  open_bytes_ = 0;
}

std::size_t BuiltRun::open_bytes() const {
  return std::max(largest_chunk, kKeyChunkBytes + kKeyChunkBytes / 4) +
         std::min(chunks, repo::kMaxRefsPerList) * kListedBytes;
}

const std::vector<repo::ChunkRef>& ChunkList::Flush() {
  if (!open_.empty()) {
    Store();
  }
  return stored_;
}

RunBuilder::RunBuilder(const RunSink& sink, RunOrder order, RunContent content)
    : sink_(sink), order_(order), chunks_(sink.writer), key_chunks_(sink.writer) {
  built_.run.natural_order = order == RunOrder::kNatural;
  built_.run.deletes = content == RunContent::kDeletions;
}

RunBuilder::RunBuilder(const RunSink& sink, repo::Run run)
    : sink_(sink),
      order_(RunOrder::kById),
      built_{.run = std::move(run)},
      chunks_(sink.writer, built_.run.lists),
      key_chunks_(sink.writer, built_.run.key_lists) {
  if (!empty()) {
    last_key_.Assign(DecodeKey(built_.run.last_id));
  }
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
    AppendKey(key, chunk_keys_);
    last_key_.Assign(key);
  }
  if (chunk_.size() >= chunk_size) {
    CloseChunk();
  }
}

void RunBuilder::StartChunk(const DocumentKey& key) {
  chunk_.reserve(sink_.chunk_size.value);
  if (order_ == RunOrder::kById && empty()) {
    built_.run.first_id = EncodeKey(key);
  }
}

void RunBuilder::CloseChunk() {
  if (chunk_documents_ == 0) {
    return;
  }
  built_.largest_chunk = std::max(built_.largest_chunk, chunk_.size());
  pending_.push_back({.ticket = sink_.encoder.Submit(std::exchange(chunk_, {}),
                                                     std::exchange(chunk_documents_, 0)),
                      .keys = std::exchange(chunk_keys_, {})});
  if (pending_.size() > kMaxPending) {
    Harvest();
  }
}

void RunBuilder::Harvest() {
  const Pending pending = std::move(pending_.front());
  pending_.pop_front();
  const EncodedChunk chunk = sink_.encoder.Wait(pending.ticket);
  built_.digest.Merge(chunk.digest);
  ++built_.chunks;
  chunks_.Add(chunk.ref, FrontKey(pending.keys));
  if (order_ == RunOrder::kById) {
    AddKeys(pending.keys, chunk.fingerprints);
  }
}

void RunBuilder::AddKeys(const Bytes& keys, const std::vector<std::uint64_t>& fingerprints) {
  keys_.keys.insert(keys_.keys.end(), keys.begin(), keys.end());
  keys_.fingerprints.insert(keys_.fingerprints.end(), fingerprints.begin(), fingerprints.end());
  const std::size_t bytes = keys_.keys.size() + keys_.fingerprints.size() * sizeof(std::uint64_t);
  if (bytes >= kKeyChunkBytes) {
    CloseKeys();
  }
}

void RunBuilder::CloseKeys() {
  key_chunks_.Add(sink_.writer.StoreKeys(keys_), FrontKey(keys_.keys));
  keys_.keys.clear();
  keys_.fingerprints.clear();
}

const BuiltRun& RunBuilder::Flush() {
  CloseChunk();
  while (!pending_.empty()) {
    Harvest();
  }
  if (!keys_.fingerprints.empty()) {
    CloseKeys();
  }
  built_.run.lists = chunks_.Flush();
  built_.run.key_lists = key_chunks_.Flush();
  if (order_ == RunOrder::kById) {
    built_.run.last_id = EncodeKey(last_key_.Get());
  }
  return built_;
}

BuiltRun RunBuilder::Finish() {
  Flush();
  return std::move(built_);
}

}  // namespace tidemark::engine
