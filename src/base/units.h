#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace tidemark {

// A number of bytes; a type of its own so that it is not mixed up with a number of documents.
struct ByteCount {
  std::uint64_t value = 0;

  auto operator<=>(const ByteCount&) const = default;

  ByteCount& operator+=(ByteCount other) {
    value += other.value;
    return *this;
  }

  friend ByteCount operator+(ByteCount a, ByteCount b) { return {a.value + b.value}; }
};

constexpr ByteCount KiB(std::uint64_t n) {
  return {n << 10};
}

constexpr ByteCount MiB(std::uint64_t n) {
  return {n << 20};
}

// For people: "0 B", "1023 B", "1.5 MiB". Binary units, one decimal from KiB on.
std::string FormatBytes(ByteCount count);

}  // namespace tidemark
