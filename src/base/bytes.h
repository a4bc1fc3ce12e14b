#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark {

// Owned and borrowed raw bytes. A ByteView never outlives what it views.
using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Lower-case hex.
std::string HexEncode(ByteView bytes);
// Throws kInvalidArgument unless `hex` is an even number of hex digits (either case).
Bytes HexDecode(std::string_view hex);

// RFC 4648 section 4, with padding.
std::string Base64Encode(ByteView bytes);
// Throws kInvalidArgument on anything but well-padded base64 of section 4.
Bytes Base64Decode(std::string_view text);

// Little-endian integers at `at`; REQUIRES: the bytes are there.
inline void StoreLe32(std::uint8_t* at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) {
    at[i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

inline std::uint32_t LoadLe32(const std::uint8_t* at) {
  return std::uint32_t{at[0]} | std::uint32_t{at[1]} << 8 | std::uint32_t{at[2]} << 16 |
         std::uint32_t{at[3]} << 24;
}

inline void StoreLe64(std::uint8_t* at, std::uint64_t value) {
  StoreLe32(at, static_cast<std::uint32_t>(value));
  StoreLe32(at + 4, static_cast<std::uint32_t>(value >> 32));
}

inline std::uint64_t LoadLe64(const std::uint8_t* at) {
  return std::uint64_t{LoadLe32(at)} | std::uint64_t{LoadLe32(at + 4)} << 32;
}

}  // namespace tidemark
