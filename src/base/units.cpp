#include "base/units.h"

#include <array>
#include <cstdio>

namespace tidemark {

std::string FormatBytes(ByteCount count) {
  static constexpr std::array<const char*, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  if (count.value < 1024) {
    return std::to_string(count.value) + " B";
  }
  auto scaled = static_cast<double>(count.value);
  std::size_t unit = 0;
  while (scaled >= 1024 && unit + 1 < kUnits.size()) {
    scaled /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", scaled, kUnits[unit]);
  return text.data();
}

}  // namespace tidemark
