#pragma once

#include <string>
#include <vector>

#include "dump/internal/byte_stream.h"

// What `mongodump --archive` writes, unpacked: 4 bytes magic, a header, the namespaces with their
// metadata, a terminator; then blocks of documents of these namespaces in any order, and for each
// namespace a last one with the CRC-64 of its documents.
namespace tidemark::dump {

inline constexpr std::uint32_t kArchiveMagic = 0x8199e26d;

struct ArchiveNamespace {
  std::string database;
  std::string collection;
  std::string metadata;  // the text of its metadata.json; may be empty
  std::string type;      // "timeseries" counts; the metadata says it too
};

struct ArchivePrelude {
  std::string server_version;  // empty when it is not known
  std::vector<ArchiveNamespace> namespaces;
};

class ArchiveSink {
 public:
  virtual ~ArchiveSink() = default;
  // Once, before the documents.
  virtual void OnPrelude(const ArchivePrelude& prelude) = 0;
  // Of the prelude's namespace `index`; in the order of the archive.
  virtual void OnDocument(std::size_t index, ByteView document) = 0;
  // An oplog's entry, of a dump with --oplog.
  virtual void OnOplogEntry(ByteView entry) = 0;
};

// Reads an archive from its magic to its end. kCorrupt when anything is not as mongodump writes it,
// a checksum is wrong, a namespace is not complete, or something stands behind the last one;
// kUnsupported for another version; kResourceExhausted beyond the limits. Documents have been given
// to `sink` by then: only a return means that they are good.
void ReadArchive(ByteReader& reader, ArchiveSink& sink);

}  // namespace tidemark::dump
