#include <openssl/evp.h>

#include "base/error.h"
#include "codec/codec.h"

namespace tidemark::codec {
namespace {

constexpr std::uint64_t kBlockSize = 8;              // r
constexpr std::uint64_t kParallel = 1;               // p
constexpr std::uint64_t kMaxMemory = 1100ULL << 20;  // bytes; 1 GiB at the highest cost, and change
constexpr int kMaxLogCost = 20;

}  // namespace

AeadKey DeriveFromPassphrase(std::string_view passphrase, ByteView salt, int log_cost) {
  TIDEMARK_CHECK(log_cost >= 1 && log_cost <= kMaxLogCost);
  AeadKey key{};
  if (EVP_PBE_scrypt(passphrase.data(),
                     passphrase.size(),
                     salt.data(),
                     salt.size(),
                     std::uint64_t{1} << log_cost,
                     kBlockSize,
                     kParallel,
                     kMaxMemory,
                     key.data(),
                     key.size()) != 1) {
    throw Error(ErrorCode::kResourceExhausted,
                "deriving a key from the passphrase: there is not enough memory");
  }
  return key;
}

}  // namespace tidemark::codec
