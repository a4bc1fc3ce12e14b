#include "engine/internal/namespace_writer.h"

#include <utility>

namespace tidemark::engine {
namespace {

std::vector<const repo::Run*> Pointers(const std::vector<BuiltRun>& runs) {
  std::vector<const repo::Run*> pointers;
  pointers.reserve(runs.size());
  for (const BuiltRun& built : runs) {
    pointers.push_back(&built.run);
  }
  return pointers;
}

}  // namespace

NamespaceWriter::NamespaceWriter(const RunSink& sink,
                                 SortBuffer& buffer,
                                 RunOrder order,
                                 std::string what,
                                 const std::stop_token& stop)
    : sink_(sink),
      buffer_(buffer),
      order_(order),
      source_{.loader = LoaderOf(sink.writer), .what = std::move(what), .stop = stop},
      levels_([this](const std::vector<BuiltRun>& runs) { return Merge(runs); }) {
  open_.emplace(sink_, order_);
}

void NamespaceWriter::Add(ByteView document) {
  const bson::Document parsed(document);
  if (order_ == RunOrder::kNatural) {
    open_->Add(document, {});
    return;
  }
  const DocumentKey key = KeyOf(parsed);
  in_order_ = in_order_ && open_->Continues(key);
  if (in_order_) {
    open_->Add(document, key);
    return;
  }
  if (!buffer_.Fits(document.size())) {
    Flush();
  }
  buffer_.Add(document, key);
}

void NamespaceWriter::Flush() {
  std::optional<RunBuilder> previous;
  buffer_.ForEachSorted([&](ByteView document, const DocumentKey& key) {
    if (!previous && !open_->Continues(key)) {
      previous.emplace(*std::exchange(open_, std::nullopt));
      open_.emplace(sink_, order_);
    }
    open_->Add(document, key);
  });
  open_->CloseChunk();
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
  if (!open_->empty()) {
    levels_.Add(open_->Finish());
  }
  std::vector<BuiltRun> runs = levels_.Finish();
  WrittenNamespace written;
  if (order_ == RunOrder::kById && MaxOverlap(runs) > 1) {
    CountMerged(runs, written);
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

void NamespaceWriter::CountMerged(const std::vector<BuiltRun>& runs, WrittenNamespace& written) {
  MergeRuns(source_, Pointers(runs), [&](ByteView document, const DocumentKey&) {
    written.digest.Add(document);
    written.logical_bytes += document.size();
  });
}

}  // namespace tidemark::engine
