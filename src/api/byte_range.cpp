#include "api/internal/byte_range.h"

#include <algorithm>
#include <charconv>

#include "api/internal/text.h"

namespace tidemark::api {
namespace {

constexpr std::string_view kUnit = "bytes=";

// Digits only, or nothing. False for anything else.
bool ParsePosition(std::string_view text, std::optional<std::uint64_t>& position) {
  if (text.empty()) {
    return true;
  }
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return false;
  }
  position = number;
  return true;
}

}  // namespace

std::optional<ByteRange> ParseByteRange(std::string_view text) {
  text = Trim(text);
  if (!StartsWithNoCase(text, kUnit)) {
    return std::nullopt;
  }
  text = Trim(text.substr(kUnit.size()));
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) {
    return std::nullopt;
  }
  ByteRange range;
  if (!ParsePosition(text.substr(0, dash), range.first) ||
      !ParsePosition(text.substr(dash + 1), range.last)) {
    return std::nullopt;
  }
  const bool nothing = !range.first && !range.last;
  const bool backwards = range.first && range.last && *range.first > *range.last;
  return nothing || backwards ? std::nullopt : std::optional(range);
}

std::optional<ByteSpan> Resolve(const ByteRange& range, std::uint64_t size) {
  if (!range.first) {
    const std::uint64_t count = std::min(range.last.value_or(0), size);
    return count == 0 ? std::nullopt : std::optional(ByteSpan{size - count, size - 1});
  }
  if (*range.first >= size) {
    return std::nullopt;
  }
  return ByteSpan{*range.first, std::min(range.last.value_or(size - 1), size - 1)};
}

}  // namespace tidemark::api
