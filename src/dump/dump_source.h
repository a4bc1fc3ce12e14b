#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/units.h"
#include "engine/source.h"

// What mongodump wrote, as a source of snapshots (docs/import.md).
namespace tidemark::dump {

struct DumpOptions {
  // The dump is `path` below this folder: '/' between the parts, no "..", no links.
  std::filesystem::path folder;
  std::string path;
  // Where documents of a tar or archive are kept meanwhile: compressed, encrypted, nameless.
  std::filesystem::path spool_folder;
  std::stop_token stop;
  // While a tar or archive is read the first time, from ReadCatalog's thread, about four times per
  // MiB; may be empty.
  std::function<void(ByteCount done, ByteCount total)> on_read;
};

// A mongodump tree, a tar of one, or an archive of `mongodump --archive`; gzip or not. Synchronized
// as SnapshotSource asks. Nothing of the file is believed: every document is checked to its depths,
// an archive's checksums too, and a tar or archive is read to its end before ReadCatalog returns.
//
// ReadCatalog may be called again. It and Scan throw kCorrupt when the dump is damaged, incomplete
// or not as mongodump writes it; kUnsupported when it is none, or holds links and the like;
// kResourceExhausted beyond limits.h, or when the disk is full; kConflict when a file changes
// while it is read; kCancelled when stopped.
class DumpSource : public engine::SnapshotSource {
 public:
  // REQUIRES: ReadCatalog has returned, for both.
  // "tree", "tar" or "archive".
  virtual std::string_view format() const = 0;
  // What of the dump is not in the snapshot, sentences for people; at most about a hundred.
  virtual const std::vector<std::string>& notes() const = 0;
};

// Opens what is there. kInvalidArgument for a path that is none below the folder, kNotFound when
// nothing is there or a part of it is a link. `random` must outlive the source.
std::unique_ptr<DumpSource> OpenDump(const DumpOptions& options, RandomSource& random);

}  // namespace tidemark::dump
