#include "engine/internal/namespace_writer.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tidemark::engine {

NamespaceWriter::NamespaceWriter(const RunSink& sink,
                                 SortBuffer& buffer,
                                 NamespaceInput input,
                                 const std::stop_token& stop)
    : sink_(sink),
      buffer_(buffer),
      order_(input.order),
      source_{.loader = LoaderOf(sink.writer), .what = std::move(input.what), .stop = stop},
      levels_([this](const std::vector<BuiltRun>& runs) { return Merge(runs); },
              sink.merge_memory) {
  if (input.base != nullptr) {
    sieve_.emplace(source_, *input.base, sink_.writer);
  }
  open_.emplace(sink_, order_);
}

RunBuilder& NamespaceWriter::open() {
  TIDEMARK_CHECK(open_.has_value());
  return *open_;
}

void NamespaceWriter::Add(ByteView document) {
  const bson::Document parsed(document);
  if (order_ == RunOrder::kNatural) {
    open().Add(document, {});
    return;
  }
  const DocumentKey key = KeyOf(parsed);
  in_order_ = in_order_ && (!any_ || CompareKeys(last_key_.Get(), key) < 0);
  if (in_order_) {
    any_ = true;
    last_key_.Assign(key);
    if (!sieve_ || sieve_->LetsThrough(document, key)) {
      open().Add(document, key);
    }
    return;
  }
  if (!buffer_.Fits(document.size())) {
    Flush();
  }
  buffer_.Add(document, key);
}

void NamespaceWriter::Flush() {
  std::optional<RunBuilder> previous;
  bool first = true;
  buffer_.ForEachSorted([&](ByteView document, const DocumentKey& key) {
    if (sieve_ && std::exchange(first, false)) {
      sieve_->StartAt(key);
    }
    if (sieve_ && !sieve_->LetsThrough(document, key)) {
      return;
    }
    if (!previous && !open().Continues(key)) {
      previous.emplace(std::move(open()));
      open_.emplace(sink_, order_);
    }
    open().Add(document, key);
  });
  open().CloseChunk();
  buffer_.Clear();
  if (previous) {
    // Only now: waiting for its chunks earlier would leave the encoders without work.
    levels_.Add(previous->Finish());
  }
}

BuiltRun NamespaceWriter::Merge(const std::vector<BuiltRun>& runs) {
  RunBuilder merged(sink_, order_);
  MergeRuns(source_, Pointers(runs), [&](ByteView document, const DocumentKey& key) {
    merged.Add(document, key);
  });
  return merged.Finish();
}

WrittenNamespace NamespaceWriter::Finish() {
  if (!buffer_.empty()) {
    Flush();
  }
  buffer_.Release();  // merging has the memory now
  WrittenNamespace written = FinishNew();
  written.stored_documents = written.digest.documents;
  written.base_runs = written.runs.size();
  if (sieve_) {
    PutOnBase(written);
    Compact(sink_, source_, written);
  }
  return written;
}

// The runs of what was let through.
WrittenNamespace NamespaceWriter::FinishNew() {
  if (!open().empty()) {
    levels_.Add(open().Finish());
  }
  std::vector<BuiltRun> runs = levels_.Finish();
  WrittenNamespace written;
  if (order_ == RunOrder::kById && MaxOverlap(Pointers(runs)) > 1) {
    Recount(Pointers(runs), written);
  } else {
    for (const BuiltRun& built : runs) {
      written.digest.Merge(built.digest);
      written.logical_bytes += built.run.logical_bytes;
    }
  }
  for (BuiltRun& built : runs) {
    written.runs.push_back(std::move(built.run));
  }
  return written;
}

void NamespaceWriter::PutOnBase(WrittenNamespace& written) {
  TIDEMARK_CHECK(sieve_.has_value());
  std::vector<repo::Run> runs = sieve_->base().runs;
  if (std::optional<repo::Run> deletions = WriteDeletions()) {
    written.removed_documents = deletions->documents;
    runs.push_back(*std::move(deletions));
  }
  std::ranges::move(written.runs, std::back_inserter(runs));
  written.runs = std::move(runs);
  written.base_runs = sieve_->base().base_runs;
  if (sieve_->has_repeated()) {
    Recount(Pointers(written.runs), written);
  } else {
    written.digest.Merge(sieve_->unchanged());
    written.logical_bytes += sieve_->unchanged_bytes();
  }
}

std::optional<repo::Run> NamespaceWriter::WriteDeletions() {
  TIDEMARK_CHECK(sieve_.has_value());
  RunBuilder deletions(sink_, RunOrder::kById, RunContent::kDeletions);
  sieve_->ForEachMissing([&](const DocumentKey& key) { deletions.Add(DeletionOf(key), key); });
  return deletions.empty() ? std::nullopt : std::optional(deletions.Finish().run);
}

void NamespaceWriter::Recount(const Runs& runs, WrittenNamespace& written) const {
  written.digest = {};
  written.logical_bytes = 0;
  MergeRuns(source_, runs, [&](ByteView document, const DocumentKey&) {
    written.digest.Add(document);
    written.logical_bytes += document.size();
  });
}

}  // namespace tidemark::engine
