#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/internal/run_builder.h"
#include "engine/internal/run_levels.h"
#include "engine/internal/run_merge.h"
#include "engine/internal/sort_buffer.h"

namespace tidemark::engine {

struct WrittenNamespace {
  std::vector<repo::Run> runs;
  repo::NamespaceDigest digest;
  std::uint64_t logical_bytes = 0;
};

// Turns the documents of one namespace into runs. Confined.
// As long as documents come in order of _id (or natural order is kept) they go straight into
// chunks; from the first one that does not, they are sorted in `buffer`, which may be used by one
// writer after the other.
class NamespaceWriter {
 public:
  // `what` is "db.collection", for errors. `buffer` must be empty and outlive the writer.
  NamespaceWriter(const RunSink& sink,
                  SortBuffer& buffer,
                  RunOrder order,
                  std::string what,
                  const std::stop_token& stop);

  void Add(ByteView document);
  // Only destruction is legal afterwards.
  WrittenNamespace Finish();

 private:
  void Flush();
  BuiltRun Merge(const std::vector<BuiltRun>& runs);
  // Counts what a reader of overlapping runs gets: a document that the source returned twice is in
  // two of them.
  void CountMerged(const std::vector<BuiltRun>& runs, WrittenNamespace& written);

  const RunSink sink_;
  SortBuffer& buffer_;
  const RunOrder order_;
  const MergeSource source_;
  std::optional<RunBuilder> open_;
  RunLevels levels_;
  bool in_order_ = true;
};

}  // namespace tidemark::engine
