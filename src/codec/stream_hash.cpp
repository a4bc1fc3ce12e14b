#include "codec/stream_hash.h"

#include <openssl/evp.h>

#include "base/error.h"

namespace tidemark::codec {
namespace {

void Check(int result) {
  if (result != 1) {
    throw Error(ErrorCode::kInternal, "hashing a stream: the crypto library refused");
  }
}

}  // namespace

StreamHash::StreamHash(StreamHashKind kind) : context_(EVP_MD_CTX_new()) {
  Check(context_ ? 1 : 0);
  Check(EVP_DigestInit_ex2(
      context_.get(), kind == StreamHashKind::kMd5 ? EVP_md5() : EVP_sha256(), nullptr));
}

void StreamHash::Add(ByteView bytes) {
  Check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

Bytes StreamHash::Take() {
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  Check(EVP_DigestFinal_ex(context_.get(), digest.data(), &size));
  digest.resize(size);
  return digest;
}

}  // namespace tidemark::codec
