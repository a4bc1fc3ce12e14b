#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace tidemark::repo {

// Reads little-endian fields from the front of borrowed bytes. Confined. Every call throws
// kCorrupt, naming `what`, when the bytes end too early.
class ByteReader {
 public:
  ByteReader(ByteView bytes, std::string_view what) : rest_(bytes), what_(what) {}

  std::uint8_t Byte();
  std::uint32_t Le32();
  std::uint64_t Le64();
  ByteView Take(std::size_t size);
  // A count of fixed-size records, all of which are still there: nothing is allocated for records
  // that are not.
  std::uint32_t Count(std::size_t record_size);
  // Throws kCorrupt unless everything has been read.
  void ExpectEnd() const;
  [[noreturn]] void Fail(std::string_view why) const;

  ByteView rest() const { return rest_; }

 private:
  ByteView rest_;
  std::string what_;
};

void AppendBytes(Bytes& out, ByteView bytes);
void AppendLe32(Bytes& out, std::uint32_t value);
void AppendLe64(Bytes& out, std::uint64_t value);

inline constexpr std::size_t kHeaderSize = 12;  // bytes: magic (8), version (4)

// The header of a binary object.
void AppendHeader(Bytes& out, std::string_view magic);
// The bytes after the header. kCorrupt for another magic, kUnsupported for another version.
ByteView CheckHeader(ByteView blob, std::string_view magic, std::string_view what);

}  // namespace tidemark::repo
