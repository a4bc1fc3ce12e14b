#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/internal/delta_sieve.h"
#include "engine/internal/run_builder.h"
#include "engine/internal/run_levels.h"
#include "engine/internal/run_merge.h"
#include "engine/internal/sort_buffer.h"
#include "engine/internal/written_namespace.h"

namespace tidemark::engine {

// What a namespace is written with. Borrowed parts must outlive the writer.
struct NamespaceInput {
  std::string what;  // "db.collection", for errors
  RunOrder order = RunOrder::kById;
  // What the snapshot before holds of it, only changes of which are stored; nullptr: everything is
  // stored. REQUIRES: RunOrder::kById, runs with keys.
  const repo::NamespaceEntry* base = nullptr;
};

// Turns the documents of one namespace into runs. Confined.
// As long as documents come in order of _id (or natural order is kept) they go straight into
// chunks; from the first one that does not, they are sorted in `buffer`, which may be used by one
// writer after the other.
class NamespaceWriter {
 public:
  // `buffer` must be empty and outlive the writer.
  NamespaceWriter(const RunSink& sink,
                  SortBuffer& buffer,
                  NamespaceInput input,
                  const std::stop_token& stop);

  // With a base: kUnsupported for a document without _id, kCorrupt and kNotFound when the base's
  // keys cannot be read.
  void Add(ByteView document);
  // Only destruction is legal afterwards.
  WrittenNamespace Finish();

 private:
  using Runs = std::vector<const repo::Run*>;

  RunBuilder& open();
  void Flush();
  BuiltRun Merge(const std::vector<BuiltRun>& runs);
  WrittenNamespace FinishNew();
  void PutOnBase(WrittenNamespace& written);
  std::optional<repo::Run> WriteDeletions();
  // Counts what a reader of overlapping runs gets: a document that the source returned twice is in
  // two of them.
  void Recount(const Runs& runs, WrittenNamespace& written) const;

  const RunSink sink_;
  SortBuffer& buffer_;
  const RunOrder order_;
  const MergeSource source_;
  std::optional<DeltaSieve> sieve_;
  std::optional<RunBuilder> open_;  // always there between two calls
  RunLevels levels_;
  bool in_order_ = true;
  KeyCopy last_key_;  // of the documents in order
  bool any_ = false;
};

}  // namespace tidemark::engine
