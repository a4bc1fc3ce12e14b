#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tidemark::dump {

// CRC-64/XZ: reflected 0xC96C5795D7870F42, all ones at begin and end. `crc` is that of what came
// before, 0 at the start.
std::uint64_t Crc64(std::uint64_t crc, ByteView bytes);

}  // namespace tidemark::dump
