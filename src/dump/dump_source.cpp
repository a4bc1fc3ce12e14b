#include "dump/dump_source.h"

#include <utility>

#include "dump/internal/open_file.h"
#include "dump/internal/sources.h"

namespace tidemark::dump {

std::unique_ptr<DumpSource> OpenDump(const DumpOptions& options, RandomSource& random) {
  OpenFile file = OpenFile::Beneath(options.folder, options.path);
  return file.IsFolder() ? MakeTreeSource(std::move(file))
                         : MakePackedSource(std::move(file), options, random);
}

}  // namespace tidemark::dump
