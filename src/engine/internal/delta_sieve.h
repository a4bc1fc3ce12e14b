#pragma once

#include <functional>

#include "engine/internal/key_join.h"
#include "repo/repository.h"

namespace tidemark::engine {

// Lets through what a snapshot must store on top of the one before it, and counts what it keeps
// back. Confined.
class DeltaSieve {
 public:
  // All must outlive it.
  DeltaSieve(const MergeSource& source,
             const repo::NamespaceEntry& base,
             const repo::SnapshotWriter& writer)
      : base_(base), writer_(writer), join_(source, base.runs) {}

  const repo::NamespaceEntry& base() const { return base_; }

  // Documents may come in several ascending series; each begins here.
  void StartAt(const DocumentKey& key) { join_.StartAt(key); }

  // Whether the document must be stored. kUnsupported for one without _id.
  bool LetsThrough(ByteView document, const DocumentKey& key);
  // The same for documents that come in one ascending series (KeyJoin::Pass).
  bool LetsThroughInOrder(ByteView document,
                          const DocumentKey& key,
                          const KeyJoin::KeyVisitor& missing);

  // The series has ended.
  void PassRest(const KeyJoin::KeyVisitor& missing) { join_.PassRest(missing); }

  // The series goes on behind `key`.
  void StartBehind(const DocumentKey& key) { join_.StartBehind(key); }

  // Of the documents that stay as the base has them. Wrong once has_repeated().
  const repo::NamespaceDigest& unchanged() const { return unchanged_; }

  std::uint64_t unchanged_bytes() const { return unchanged_bytes_; }

  // The source has shown a document twice: the version that counted as unchanged may be overridden.
  bool has_repeated() const { return has_repeated_; }

  // What the base holds and the source has not shown, in order of _id.
  void ForEachMissing(const std::function<void(const DocumentKey& key)>& visit) {
    join_.ForEachMissing(visit);
  }

 private:
  const repo::NamespaceEntry& base_;
  const repo::SnapshotWriter& writer_;
  KeyJoin join_;
  repo::NamespaceDigest unchanged_;
  std::uint64_t unchanged_bytes_ = 0;
  bool has_repeated_ = false;
};

}  // namespace tidemark::engine
