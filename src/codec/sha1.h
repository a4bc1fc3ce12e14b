#pragma once

#include <string>

#include "base/bytes.h"
#include "base/c_handle.h"

struct evp_md_ctx_st;

namespace tidemark::codec {

void FreeDigestContext(evp_md_ctx_st* context);

// SHA-1 of bytes that come in pieces: what the Atlas API shows of an archive, never for integrity.
// Confined.
class Sha1Hash {
 public:
  Sha1Hash();
  void Add(ByteView bytes);
  // Of all that was added, lower-case hex. May be called once, last.
  std::string TakeHex();

 private:
  CHandle<evp_md_ctx_st, FreeDigestContext> context_;
};

}  // namespace tidemark::codec
