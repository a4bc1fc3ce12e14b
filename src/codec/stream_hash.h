#pragma once

#include <string>

#include "base/bytes.h"
#include "base/c_handle.h"
#include "codec/sha1.h"

namespace tidemark::codec {

enum class StreamHashKind {
  kMd5,  // of object storage's checksums only, never for integrity against an adversary
  kSha256,
};

// A hash of bytes that come in pieces. Confined.
class StreamHash {
 public:
  explicit StreamHash(StreamHashKind kind);
  void Add(ByteView bytes);
  // Of all that was added. May be called once, last.
  Bytes Take();

 private:
  CHandle<evp_md_ctx_st, FreeDigestContext> context_;
};

}  // namespace tidemark::codec
