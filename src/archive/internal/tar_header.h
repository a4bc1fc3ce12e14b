#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"

// POSIX.1-2001 (pax) interchange format.
namespace tidemark::archive {

inline constexpr std::size_t kTarBlock = 512;  // bytes

struct TarMember {
  std::string_view path;  // relative; a folder's ends with '/'
  std::uint64_t size = 0;
  Instant time{};  // before 1970 counts as 1970
};

// Appends what stands before a member's bytes: ustar, with a pax header before it when path or size
// do not fit. Owner 0, mode 0644 or 0755. REQUIRES: path without NUL.
void AppendTarHeader(const TarMember& member, Bytes& out);
// Appends the zeros after `size` bytes of a member.
void AppendTarPadding(std::uint64_t size, Bytes& out);
// Appends the end of an archive.
void AppendTarEnd(Bytes& out);

}  // namespace tidemark::archive
