#include "engine/document_reader.h"

#include <algorithm>

#include "engine/internal/run_levels.h"
#include "engine/internal/run_merge.h"

namespace tidemark::engine {

namespace {

MergeSource SourceOf(repo::SnapshotReader& reader,
                     const repo::NamespaceEntry& entry,
                     const std::stop_token& stop) {
  return {.loader = HashedLoaderOf(reader),
          .what = entry.database + "." + entry.collection,
          .stop = stop};
}

}  // namespace

bool IsInNaturalOrder(const repo::NamespaceEntry& entry) {
  return std::ranges::any_of(entry.runs, &repo::Run::natural_order);
}

void ReadDocuments(repo::SnapshotReader& reader,
                   const repo::NamespaceEntry& entry,
                   const std::stop_token& stop,
                   const std::function<void(ByteView document)>& visit) {
  ReadHashedDocuments(
      reader, entry, stop, [&](ByteView document, const codec::Digest&) { visit(document); });
}

void ReadHashedDocuments(repo::SnapshotReader& reader,
                         const repo::NamespaceEntry& entry,
                         const std::stop_token& stop,
                         const HashedVisitor& visit) {
  const MergeSource source = SourceOf(reader, entry, stop);
  const std::vector<const repo::Run*> runs = Pointers(entry.runs);
  if (IsInNaturalOrder(entry)) {
    ReadInOrder(source, runs, 0, visit);
  } else {
    MergeHashed(source, runs, visit);
  }
}

void ReadDocumentsFrom(repo::SnapshotReader& reader,
                       const repo::NamespaceEntry& entry,
                       const DocumentPlace& from,
                       const std::stop_token& stop,
                       const HashedVisitor& visit) {
  const MergeSource source = SourceOf(reader, entry, stop);
  const std::vector<const repo::Run*> runs = Pointers(entry.runs);
  if (IsInNaturalOrder(entry)) {
    ReadInOrder(source, runs, from.documents, visit);
  } else {
    MergeRunsFrom(source, runs, DecodeKey(from.id), visit);
  }
}

}  // namespace tidemark::engine
