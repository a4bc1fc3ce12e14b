#include "engine/internal/written_namespace.h"

#include <utility>

#include "base/error.h"
#include "bson/builder.h"
#include "engine/internal/compaction.h"
#include "engine/internal/run_levels.h"

namespace tidemark::engine {
namespace {

void MergeFrom(const RunSink& sink,
               const MergeSource& source,
               std::size_t first,
               WrittenNamespace& written) {
  RunBuilder documents(sink, RunOrder::kById);
  RunBuilder deletions(sink, RunOrder::kById, RunContent::kDeletions);
  MergeRuns(
      source,
      Pointers(std::span(written.runs).subspan(first)),
      [&](ByteView document, const DocumentKey& key) { documents.Add(document, key); },
      [&](ByteView document, const DocumentKey& key) {
        if (first > 0) {  // nothing is older than the first run
          deletions.Add(document, key);
        }
      });
  written.runs.resize(first);
  if (!deletions.empty()) {
    written.runs.push_back(deletions.Finish().run);
  }
  BuiltRun merged = documents.Finish();
  if (first == 0 && merged.digest != written.digest) {
    throw Error(
        ErrorCode::kCorrupt,
        "merging the runs of " + source.what + ": they do not hold what the source has shown");
  }
  if (merged.run.documents > 0) {
    written.runs.push_back(std::move(merged.run));
  }
  if (first == 0) {
    written.base_runs = written.runs.size();
  }
}

}  // namespace

Bytes DeletionOf(const DocumentKey& key) {
  return bson::Builder().AppendElement("_id", key.value).Finish();
}

void Compact(const RunSink& sink, const MergeSource& source, WrittenNamespace& written) {
  const auto first = PlanCompaction(written.runs, written.base_runs, written.logical_bytes);
  if (first) {
    MergeFrom(sink, source, *first, written);
  }
}

}  // namespace tidemark::engine
