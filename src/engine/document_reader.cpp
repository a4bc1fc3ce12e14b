#include "engine/document_reader.h"

#include <algorithm>

#include "engine/internal/run_levels.h"
#include "engine/internal/run_merge.h"

namespace tidemark::engine {

namespace {

MergeSource SourceOf(repo::SnapshotReader& reader,
                     const repo::NamespaceEntry& entry,
                     const std::stop_token& stop) {
  return {
      .loader = LoaderOf(reader), .what = entry.database + "." + entry.collection, .stop = stop};
}

}  // namespace

bool IsInNaturalOrder(const repo::NamespaceEntry& entry) {
  return std::ranges::any_of(entry.runs, &repo::Run::natural_order);
}

void ReadDocuments(repo::SnapshotReader& reader,
                   const repo::NamespaceEntry& entry,
                   const std::stop_token& stop,
                   const std::function<void(ByteView document)>& visit) {
  const MergeSource source = SourceOf(reader, entry, stop);
  const std::vector<const repo::Run*> runs = Pointers(entry.runs);
  const auto visit_document = [&](ByteView document, const DocumentKey&) { visit(document); };
  if (IsInNaturalOrder(entry)) {
    ReadInOrder(source, runs, 0, visit_document);
  } else {
    MergeRuns(source, runs, visit_document);
  }
}

void ReadDocumentsFrom(repo::SnapshotReader& reader,
                       const repo::NamespaceEntry& entry,
                       const DocumentPlace& from,
                       const std::stop_token& stop,
                       const std::function<void(ByteView document)>& visit) {
  const MergeSource source = SourceOf(reader, entry, stop);
  const std::vector<const repo::Run*> runs = Pointers(entry.runs);
  const auto visit_document = [&](ByteView document, const DocumentKey&) { visit(document); };
  if (IsInNaturalOrder(entry)) {
    ReadInOrder(source, runs, from.documents, visit_document);
  } else {
    MergeRunsFrom(source, runs, DecodeKey(from.id), visit_document);
  }
}

}  // namespace tidemark::engine
