#include "delivery/internal/narrow_reader.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tidemark::delivery {
namespace {

bson::Element IdOf(const Bytes& first_id) {
  const bson::Document document(first_id);
  if (document.empty()) {
    throw Error(ErrorCode::kCorrupt, "a list of chunks lacks the first _id of one");
  }
  return *document.begin();
}

}  // namespace

std::vector<repo::SnapshotWriter::ListedChunk> NarrowReader::LoadList(const repo::ChunkRef& ref) {
  std::vector<repo::SnapshotWriter::ListedChunk> all = reader_.LoadList(ref);
  std::vector<repo::SnapshotWriter::ListedChunk> kept;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bson::Element first = IdOf(all[i].first_id);
    // The last one of a list may reach as far as it likes.
    const bool may_match = i + 1 < all.size()
                               ? ids_.MayMatchBetween(first, IdOf(all[i + 1].first_id))
                               : ids_.MayMatchFrom(first);
    if (may_match) {
      kept.push_back(all[i]);
    }
  }
  return kept;
}

repo::Run NarrowReader::NarrowRun(const repo::Run& run) {
  repo::Run narrow = run;
  narrow.documents = 0;
  narrow.lists.clear();
  narrow.key_lists.clear();
  for (const repo::ChunkRef& list : run.lists) {
    const auto kept = LoadList(list);
    if (kept.empty()) {
      continue;
    }
    if (narrow.lists.empty()) {
      narrow.first_id = kept.front().first_id;
    }
    narrow.lists.push_back(list);
    for (const auto& chunk : kept) {
      narrow.documents += chunk.ref.documents;
    }
  }
  return narrow;
}

repo::NamespaceEntry NarrowReader::Narrow(const repo::NamespaceEntry& entry) {
  repo::NamespaceEntry narrow = entry;
  std::ranges::transform(
      entry.runs, narrow.runs.begin(), [this](const repo::Run& run) { return NarrowRun(run); });
  return narrow;
}

}  // namespace tidemark::delivery
