#include "engine/internal/delta_sieve.h"

#include "base/error.h"
#include "codec/codec.h"

namespace tidemark::engine {

namespace {

void DemandId(const DocumentKey& key) {
  if (!key.present) {
    throw Error(ErrorCode::kUnsupported,
                "comparing with the snapshot before: a document has no _id");
  }
}

}  // namespace

bool DeltaSieve::LetsThroughInOrder(ByteView document,
                                    const DocumentKey& key,
                                    const KeyJoin::KeyVisitor& missing) {
  DemandId(key);
  const codec::Digest hash = codec::Sha256(document);
  if (join_.Pass(key, writer_.Fingerprint(hash), missing) != KeyJoin::Verdict::kUnchanged) {
    return true;
  }
  unchanged_.AddHash(hash);
  unchanged_bytes_ += document.size();
  return false;
}

bool DeltaSieve::LetsThrough(ByteView document, const DocumentKey& key) {
  DemandId(key);
  const codec::Digest hash = codec::Sha256(document);
  switch (join_.Look(key, writer_.Fingerprint(hash))) {
    case KeyJoin::Verdict::kUnchanged:
      unchanged_.AddHash(hash);
      unchanged_bytes_ += document.size();
      return false;
    case KeyJoin::Verdict::kRepeated:
      has_repeated_ = true;
      return true;
    case KeyJoin::Verdict::kDiffers:
      return true;
  }
  return true;
}

}  // namespace tidemark::engine
