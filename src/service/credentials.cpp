#include "service/internal/credentials.h"

#include <algorithm>

#include "codec/codec.h"

namespace tidemark::service {

std::string RandomPublicKey(RandomSource& random) {
  constexpr std::size_t kLength = 8;
  Bytes bytes(kLength);
  random.Fill(bytes);
  std::string letters;
  for (const std::uint8_t byte : bytes) {
    letters.push_back(static_cast<char>('a' + byte % 26));
  }
  return letters;
}

std::string RandomPrivateKey(RandomSource& random) {
  std::string hex = RandomHex(random, 16);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) {
    hex.insert(at, "-");
  }
  return hex;
}

std::string RandomClientSecret(RandomSource& random) {
  return "mdb_sa_sk_" + RandomHex(random, 32);
}

std::string HashText(const std::string& text) {
  return HexEncode(codec::Sha256(AsBytes(text)));
}

bool IsDisplayName(const std::string& name) {
  constexpr std::size_t kMaxBytes = 256;
  const auto allowed = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) != 0 ||
           std::string_view("-_.(),:&@+' ").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= kMaxBytes && std::ranges::all_of(name, allowed);
}

}  // namespace tidemark::service
