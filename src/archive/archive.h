#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "archive/archive_map.h"
#include "base/clock.h"
#include "bson/extended_json.h"
#include "repo/repository.h"

// A snapshot as one stream of bytes that stock tools read (docs/downloads.md).
namespace tidemark::archive {

// Persistent: kept in archive maps, never renumber.
enum class ArchiveFormat : std::uint8_t {
  kDumpTarGz = 1,  // a mongodump tree: tar xzf FILE && mongorestore dump/
  kArchive = 2,    // mongodump --archive
  kArchiveGz = 3,  // mongodump --archive --gzip
  kJsonTarGz = 4,  // one document a line, as mongoexport writes and mongoimport reads them
};

// "tar.gz", "archive", "archive.gz", "json": also how the command line and the API call it. nullopt
// for another text.
std::optional<ArchiveFormat> ParseArchiveFormat(std::string_view name);
// What a file of that format is called: ".tar.gz", ".archive", ".archive.gz", ".json.tar.gz".
std::string_view FileExtension(ArchiveFormat format);

struct ArchiveOptions {
  ArchiveFormat format = ArchiveFormat::kDumpTarGz;
  bson::JsonForm json = bson::JsonForm::kCanonical;
  // The one folder that a tar holds. One path component.
  std::string top_directory = "dump";
  // Of every member of a tar; whole seconds since 1970 count. The snapshot's `created` is a good
  // one: it is the same for every download.
  Instant time{};
  int threads = 2;  // that compress, 1..64; one more reads
  // Bounds what is read ahead of the caller, packed or not. One document is always let in, and
  // beside it the reading holds a chunk for every run that overlaps.
  ByteCount memory = MiB(64);
};

// Pulled by its owner. Confined. Threads of its own work ahead until `memory` is full.
class ArchiveReader {
 public:
  virtual ~ArchiveReader() = default;
  // Fills `to` from its front and says how far; 0 only at the end of the archive. Blocks. Throws
  // kCorrupt naming database and collection when a chunk fails its check or a namespace is not what
  // the manifest says, kNotFound when a chunk is gone, kCancelled when stopped; afterwards it
  // throws again. Then the caller has to break its own stream: what was read is no archive. The
  // bytes that would complete a damaged namespace are never handed out. REQUIRES: `to` is not
  // empty.
  virtual std::size_t Read(std::span<std::uint8_t> to) = 0;
};

// Reads the archive from byte `offset` on. The bytes depend on the manifest, the options but
// threads and memory, and the version of the packer only: so a Range of one download and the rest
// of another are parts of the same file.
//
// `map` may be null. A map is filled while the archive is read (by Read, on the caller's thread),
// and lets a later call start close to `offset`; without a place before it everything before
// `offset` is packed again and dropped. A map may be shared by readers one after the other only.
//
// An offset at the size gives an empty stream; one beyond it makes Read throw kInvalidArgument.
// kInvalidArgument for a bad option, or a map of another archive; kUnsupported when a name cannot
// be in this format. Does not block on storage; that begins with the first Read at the latest.
// `reader` and `map` must outlive the result; `manifest` is copied.
std::unique_ptr<ArchiveReader> OpenArchive(repo::SnapshotReader& reader,
                                           const repo::Manifest& manifest,
                                           const ArchiveOptions& options,
                                           std::uint64_t offset = 0,
                                           ArchiveMap* map = nullptr,
                                           const std::stop_token& stop = {});

}  // namespace tidemark::archive
