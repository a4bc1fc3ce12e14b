#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tidemark::wire {

// CRC-32C (Castagnoli), as OP_MSG's optional checksum has it.
std::uint32_t Crc32c(ByteView bytes);

}  // namespace tidemark::wire
