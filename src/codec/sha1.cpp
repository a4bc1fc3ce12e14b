#include "codec/sha1.h"

#include <array>

#include <openssl/evp.h>

#include "base/error.h"
#include "codec/codec.h"

namespace tidemark::codec {
namespace {

void Check(int result) {
  if (result != 1) {
    throw Error(ErrorCode::kInternal, "hashing with SHA-1: the crypto library refused");
  }
}

}  // namespace

void FreeDigestContext(evp_md_ctx_st* context) {
  EVP_MD_CTX_free(context);
}

Sha1Hash::Sha1Hash() : context_(EVP_MD_CTX_new()) {
  Check(context_ ? 1 : 0);
  Check(EVP_DigestInit_ex2(context_.get(), EVP_sha1(), nullptr));
}

void Sha1Hash::Add(ByteView bytes) {
  Check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
}

std::string Sha1Hash::TakeHex() {
  std::array<std::uint8_t, kSha1Size> digest;
  Check(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
  return HexEncode(digest);
}

}  // namespace tidemark::codec
