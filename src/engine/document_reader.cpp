#include "engine/document_reader.h"

#include <algorithm>

#include "engine/internal/run_levels.h"
#include "engine/internal/run_merge.h"

namespace tidemark::engine {

void ReadDocuments(repo::SnapshotReader& reader,
                   const repo::NamespaceEntry& entry,
                   const std::stop_token& stop,
                   const std::function<void(ByteView document)>& visit) {
  const MergeSource source{
      .loader = LoaderOf(reader), .what = entry.database + "." + entry.collection, .stop = stop};
  const std::vector<const repo::Run*> runs = Pointers(entry.runs);
  const auto visit_document = [&](ByteView document, const DocumentKey&) { visit(document); };
  if (std::ranges::any_of(entry.runs, &repo::Run::natural_order)) {
    ReadInOrder(source, runs, visit_document);
  } else {
    MergeRuns(source, runs, visit_document);
  }
}

}  // namespace tidemark::engine
