#include <memory>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/c_handle.h"
#include "base/error.h"
#include "codec/codec.h"

namespace tidemark::codec {
namespace {

using MessageDigest = CHandle<EVP_MD, EVP_MD_free>;
using DigestContext = CHandle<EVP_MD_CTX, EVP_MD_CTX_free>;
using Mac = CHandle<EVP_MAC, EVP_MAC_free>;
using MacContext = CHandle<EVP_MAC_CTX, EVP_MAC_CTX_free>;

constexpr std::size_t kMd5Size = 16;  // bytes

[[noreturn]] void ThrowHashFailed() {
  throw Error(ErrorCode::kInternal, "hashing: the crypto library refused");
}

void DigestInto(const EVP_MD* algorithm, ByteView bytes, std::uint8_t* out) {
  // Fetching an algorithm or a context costs more than hashing a small message.
  thread_local const DigestContext context(EVP_MD_CTX_new());
  if (!context || algorithm == nullptr ||
      EVP_DigestInit_ex2(context.get(), algorithm, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), out, nullptr) != 1) {
    ThrowHashFailed();
  }
}

MacContext MakeHmacSha256() {
  const Mac mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  MacContext context(mac ? EVP_MAC_CTX_new(mac.get()) : nullptr);
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  if (!context || EVP_MAC_CTX_set_params(context.get(), parameters) != 1) {
    ThrowHashFailed();
  }
  return context;
}

}  // namespace

Digest Sha256(ByteView bytes) {
  static const MessageDigest algorithm(EVP_MD_fetch(nullptr, "SHA256", nullptr));
  Digest digest;
  DigestInto(algorithm.get(), bytes, digest.data());
  return digest;
}

Digest HmacSha256(ByteView key, ByteView bytes) {
  thread_local const MacContext context = MakeHmacSha256();
  // A null key would mean "the key of the last call" to the library.
  static constexpr std::uint8_t kEmptyKey = 0;
  const std::uint8_t* key_data = key.empty() ? &kEmptyKey : key.data();
  Digest digest;
  std::size_t size = 0;
  if (EVP_MAC_init(context.get(), key_data, key.size(), nullptr) != 1 ||
      EVP_MAC_update(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) != 1 ||
      size != digest.size()) {
    ThrowHashFailed();
  }
  return digest;
}

std::array<std::uint8_t, kSha1Size> Sha1(ByteView bytes) {
  static const MessageDigest algorithm(EVP_MD_fetch(nullptr, "SHA1", nullptr));
  std::array<std::uint8_t, kSha1Size> digest;
  DigestInto(algorithm.get(), bytes, digest.data());
  return digest;
}

std::string Md5Hex(std::string_view text) {
  static const MessageDigest algorithm(EVP_MD_fetch(nullptr, "MD5", nullptr));
  std::array<std::uint8_t, kMd5Size> digest;
  DigestInto(algorithm.get(), AsBytes(text), digest.data());
  return HexEncode(digest);
}

}  // namespace tidemark::codec
