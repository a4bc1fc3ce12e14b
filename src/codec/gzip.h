#pragma once

#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace tidemark::codec {

// Makes gzip members. Confined: holds the compressor's state and buffers.
class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  // One whole member (RFC 1952) without name and time; members joined are a gzip file again. Equal
  // bytes give an equal member on processors of the same instruction sets.
  // REQUIRES: less than 4 GiB.
  Bytes Member(ByteView plain);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// CRC-32 of gzip (IEEE 802.3).
std::uint32_t Crc32(ByteView bytes);
// CRC-64 of mongodump's archives: Go's crc64.ECMA (CRC-64/XZ). `crc` is that of what stands before,
// 0 at the start.
std::uint64_t Crc64(std::uint64_t crc, ByteView bytes);

}  // namespace tidemark::codec
