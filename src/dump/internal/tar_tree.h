#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dump/internal/contents.h"
#include "dump/internal/spool.h"
#include "dump/internal/tar_reader.h"

namespace tidemark::dump {

// A tar of a mongodump tree: its databases' folders at the top, or all in one folder. Reads it to
// its end; documents go to `spool`, the rest to `contents`. kCorrupt, kUnsupported,
// kResourceExhausted.
void ReadTarTree(ByteReader& reader, Spool& spool, Contents& contents);

}  // namespace tidemark::dump
