#include "wire/internal/crc32c.h"

#include <array>

namespace tidemark::wire {
namespace {

constexpr std::uint32_t kReversedPolynomial = 0x82f63b78;

constexpr std::array<std::uint32_t, 256> MakeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? kReversedPolynomial : 0);
    }
    table[byte] = value;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kTable = MakeTable();

}  // namespace

std::uint32_t Crc32c(ByteView bytes) {
  std::uint32_t value = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    value = (value >> 8) ^ kTable[(value ^ byte) & 0xff];
  }
  return ~value;
}

}  // namespace tidemark::wire
