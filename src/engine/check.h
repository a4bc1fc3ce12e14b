#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"
#include "base/units.h"
#include "engine/run_context.h"
#include "repo/maintenance.h"

namespace tidemark::engine {

struct CheckOptions {
  // 0: structure only. 100: every chunk, and every namespace's digest. Between: that share of the
  // chunks.
  double read_percent = 0;
};

struct CheckReport {
  repo::FindingList findings;
  // Of the structure.
  std::uint64_t snapshots = 0;
  std::uint64_t chunks = 0;
  std::uint64_t packs = 0;
  std::uint64_t segments = 0;
  // Of the data. A chunk that snapshots share counts once.
  std::uint64_t chunks_read = 0;
  ByteCount bytes_read;                   // BSON and keys
  std::uint64_t namespaces_compared = 0;  // with the digest of the manifest
};

// Checks one project: the structure (repo::Maintenance::CheckStructure), then the data. A chunk
// that is read must open, hold the documents it is listed with, in order of _id, from the _id it is
// listed with up to the next one's. Damage is a finding; kCancelled when stopped, kInvalidArgument
// for a share out of range. Blocks; holds a session of the repository, so collections wait for it.
// Memory: one chunk, two lists, and 64 bytes for each chunk that was read. With 100 % namespaces of
// several runs are read twice.
CheckReport CheckRepository(repo::Repository& repository,
                            const ProjectId& project,
                            const CheckOptions& options,
                            RandomSource& random,
                            const RunContext& run);

// {"_id": ...} as Extended JSON of a finding's bound; empty for an empty one.
std::string IdText(const Bytes& bound);
// For people, in one line: snapshot, namespace, run, range of _id, what is wrong.
std::string FormatFinding(const repo::Finding& finding);

}  // namespace tidemark::engine
