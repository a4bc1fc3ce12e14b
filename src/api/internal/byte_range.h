#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tidemark::api {

// One range of bytes, as the header Range asks for it (RFC 9110 section 14.1.2).
struct ByteRange {
  std::optional<std::uint64_t> first;  // nullopt: the last `last` bytes
  std::optional<std::uint64_t> last;   // included; nullopt: to the end

  bool operator==(const ByteRange&) const = default;
};

// nullopt for what is answered as if it were not there: other units, several ranges, nonsense.
std::optional<ByteRange> ParseByteRange(std::string_view text);

// The range within `size` bytes. nullopt when it holds none of them (416).
struct ByteSpan {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // included

  bool operator==(const ByteSpan&) const = default;
};

std::optional<ByteSpan> Resolve(const ByteRange& range, std::uint64_t size);

}  // namespace tidemark::api
