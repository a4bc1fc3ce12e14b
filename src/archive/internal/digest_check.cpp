#include "archive/internal/digest_check.h"

#include "base/error.h"

namespace tidemark::archive {

repo::NamespaceDigest DigestCheck::Before(const ArchivePlace& place) const {
  return place.documents > 0 ? digest_ : repo::NamespaceDigest{};
}

void DigestCheck::Add(const SpanDigest& span) {
  if (span.index != index_) {
    index_ = span.index;
    digest_ = {};
  }
  digest_.Merge(span.digest);
  if (!span.last) {
    return;
  }
  const repo::NamespaceEntry& entry = *contents_.order[index_];
  if (digest_ != entry.digest) {
    throw Error(ErrorCode::kCorrupt,
                "packing " + entry.database + "." + entry.collection +
                    ": its documents have the digest " + digest_.ToHex() + ", the manifest says " +
                    entry.digest.ToHex());
  }
  digest_ = {};
}

}  // namespace tidemark::archive
