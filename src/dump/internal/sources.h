#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dump/dump_source.h"
#include "dump/internal/open_file.h"

namespace tidemark::dump {

// A tar or an archive, gzip or not.
std::unique_ptr<DumpSource> MakePackedSource(OpenFile file,
                                             DumpOptions options,
                                             RandomSource& random);

// A folder as mongodump writes it.
std::unique_ptr<DumpSource> MakeTreeSource(OpenFile folder);

// Names of a catalog's namespaces to where the source has their documents.
class StreamIndex {
 public:
  StreamIndex() = default;
  StreamIndex(const engine::SourceCatalog& catalog,
              const std::vector<std::optional<std::size_t>>& streams);
  // kNotFound when the catalog has no such namespace with documents.
  std::size_t Find(const engine::SourceNamespace& ns) const;

 private:
  std::map<std::pair<std::string, std::string>, std::size_t> streams_;
};

}  // namespace tidemark::dump
