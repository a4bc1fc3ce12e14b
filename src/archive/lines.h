#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/bytes.h"
#include "bson/extended_json.h"
#include "repo/repository.h"

// One namespace of a snapshot as gzipped lines of Extended JSON.
namespace tidemark::archive {

// Some documents as one whole gzip member: members joined are a gzip file again.
struct PackedLines {
  Bytes member;
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;  // of BSON
};

// What packing holds where JSON is up to three times the BSON: the lines of 4 MiB of BSON (12), the
// compressor's buffer (6), members that wait for the writer (8), and one at each end.
inline constexpr ByteCount kPackLinesMemory = MiB(28);

// Calls `emit` with the documents of the namespace in the snapshot's order, one a line, some
// thousands at a time; in another thread than the one that reads and packs, so that whoever writes
// does not hold up the reading. The members depend on the documents and the version of the packer
// only. Blocks until all is emitted. kCorrupt, naming the namespace, when the documents are not
// what the manifest says, after they have been emitted; kCancelled when stopped; what `emit`
// throws. Memory: kPackLinesMemory, beside what ReadDocuments holds.
void PackLines(repo::SnapshotReader& reader,
               const repo::NamespaceEntry& entry,
               bson::JsonForm form,
               const std::stop_token& stop,
               const std::function<void(PackedLines lines)>& emit);

// What mongodump writes into <collection>.metadata.json: options, indexes, name and type in
// canonical Extended JSON on one line.
std::string MetadataJson(const repo::NamespaceEntry& entry);

}  // namespace tidemark::archive
