#pragma once

#include "archive/internal/layout.h"
#include "archive/internal/pack.h"

namespace tidemark::archive {

// Holds the documents that leave against the manifest's digests. Confined.
class DigestCheck {
 public:
  DigestCheck(const ArchiveContents& contents, const ArchivePlace& start)
      : contents_(contents), index_(start.index), digest_(start.digest) {}

  // Of the documents of the namespace before `place`, which is the next to be added.
  repo::NamespaceDigest Before(const ArchivePlace& place) const;
  // kCorrupt, naming the namespace, when its last span is added and the digest is another one.
  void Add(const SpanDigest& span);

 private:
  const ArchiveContents& contents_;
  std::uint32_t index_;
  repo::NamespaceDigest digest_;  // of what was added of the namespace `index_`
};

}  // namespace tidemark::archive
