#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "engine/internal/delta_sieve.h"
#include "engine/internal/written_namespace.h"

namespace tidemark::engine {

// Turns the documents of one namespace, which come in order of _id, into one run; with a base into
// one run of what differs from it and one of deletions. Nothing is sorted and nothing is looked at
// twice, so that the work may be cut anywhere and go on behind the last _id. Confined.
// Memory: that of two run builders; with a base that of a KeyJoin without its bits.
class OrderedWriter {
 public:
  // `base` as in NamespaceInput; it and the sink must outlive the writer.
  OrderedWriter(const RunSink& sink,
                std::string what,
                const repo::NamespaceEntry* base,
                const std::stop_token& stop);
  // Goes on where `from` was cut: with the base that it holds, whatever other one there is now.
  // kCorrupt, kNotFound when that cannot be read.
  OrderedWriter(const RunSink& sink,
                std::string what,
                const repo::UnfinishedNamespace& from,
                const std::stop_token& stop);

  // kUnsupported for a document without _id, and for one that does not come behind the last: the
  // source orders _ids in another way than we do.
  void Add(ByteView document);

  // {"": <_id>} of the last document; empty before the first.
  Bytes position() const { return any_ ? EncodeKey(last_key_.Get()) : Bytes(); }

  // All that was added so far, in `unfinished`: its runs, its counts, its position. Waits for the
  // chunks. REQUIRES: something was added.
  void Save(repo::UnfinishedNamespace& unfinished);
  // Only destruction is legal afterwards.
  WrittenNamespace Finish();

 private:
  struct Counts {
    repo::NamespaceDigest digest;
    std::uint64_t bytes = 0;
  };

  void Delete(const DocumentKey& key);
  std::vector<repo::Run> OwnRuns();
  Counts CountAll();

  const RunSink sink_;
  const MergeSource source_;
  const std::optional<repo::NamespaceEntry> base_;  // never changed: the sieve points at it
  Counts before_;                                   // what an interrupted run had read
  std::uint64_t written_before_ = 0;                // BSON bytes of its documents that were stored
  RunBuilder documents_;
  RunBuilder deletions_;
  std::optional<DeltaSieve> sieve_;
  KeyCopy last_key_;
  bool any_ = false;
};

}  // namespace tidemark::engine
