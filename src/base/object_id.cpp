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
  // By hand: catalog rows hold many ids, and a decoder of any length allocates.
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::array<std::uint8_t, 12> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::uint8_t>(value(text[2 * i]) * 16 + value(text[2 * i + 1]));
  }
  return ObjectId(bytes);
}

std::string ObjectId::ToString() const {
  return HexEncode(bytes_);
}

}  // namespace tidemark
