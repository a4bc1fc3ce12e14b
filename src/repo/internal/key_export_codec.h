#pragma once

#include "repo/key_export.h"

namespace tidemark::repo {

inline constexpr std::string_view kExportMagic = "TMRKEXPT";
inline constexpr std::size_t kExportSaltSize = 16;  // bytes

// What is sealed in an export file. Decode throws kCorrupt unless the bytes are exactly what Encode
// makes of the result.
Bytes EncodeKeyExport(const KeyExport& keys);
KeyExport DecodeKeyExport(ByteView plain);

// The parts of an export file. Borrows the file.
struct ExportFile {
  ByteView associated;  // what stands before the sealed bytes
  int log_cost = 0;
  ByteView salt;
  ByteView sealed;
};

// kInvalidArgument, kUnsupported, kCorrupt as OpenKeyExport.
ExportFile ParseExportFile(ByteView file);

}  // namespace tidemark::repo
