#include "key_file.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "base/file.h"

namespace tidemark::app {
namespace {

constexpr std::size_t kMaxKeyFile = 4096;  // bytes
constexpr unsigned kKeyFileMode = 0600;

[[noreturn]] void ThrowNoKey(const std::filesystem::path& path) {
  throw Error(ErrorCode::kInvalidArgument,
              "reading the master key " + path.string() + ": it is not 64 hex digits");
}

}  // namespace

repo::MasterKey MakeMasterKey(RandomSource& random) {
  repo::MasterKey key{};
  random.Fill(key);
  return key;
}

repo::MasterKey ReadKeyFile(const std::filesystem::path& path) {
  std::string text(AsText(ReadFile(path, kMaxKeyFile)));
  while (!text.empty() && text.back() == '\n') {
    text.pop_back();
  }
  repo::MasterKey key{};
  if (text.size() != key.size() * 2 ||
      text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos) {
    ThrowNoKey(path);
  }
  std::ranges::copy(HexDecode(text), key.begin());
  return key;
}

void CreateKeyFile(const std::filesystem::path& path, const repo::MasterKey& key) {
  CreateFileDurably(path, AsBytes(HexEncode(key) + "\n"), kKeyFileMode);
}

}  // namespace tidemark::app
