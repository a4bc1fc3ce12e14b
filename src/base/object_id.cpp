#include "base/object_id.h"

#include <algorithm>

#include "base/bytes.h"

namespace tidemark {

ObjectId ObjectId::Generate(Instant now, RandomSource& random) {
  std::array<std::uint8_t, 12> bytes{};
  const auto seconds = static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[i] = static_cast<std::uint8_t>(seconds >> (24 - 8 * i));
  }
  random.Fill(std::span(bytes).subspan(4));
  return ObjectId(bytes);
}

std::optional<ObjectId> ObjectId::Parse(std::string_view text) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() != 24 || !std::ranges::all_of(text, is_digit)) {
    return std::nullopt;
  }
  const Bytes decoded = HexDecode(text);
  std::array<std::uint8_t, 12> bytes{};
  std::ranges::copy(decoded, bytes.begin());
  return ObjectId(bytes);
}

std::string ObjectId::ToString() const {
  return HexEncode(bytes_);
}

}  // namespace tidemark
