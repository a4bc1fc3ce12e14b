#pragma once

#include "base/units.h"
#include "engine/document_source.h"
#include "engine/run_context.h"
#include "engine/snapshot.h"
#include "repo/maintenance.h"

namespace tidemark::engine {

struct RepairOptions {
  bool dry_run = false;
  // What snapshots are taken with today: a lost list is made anew by cutting documents as they were
  // cut. The powers of two from 4 KiB to 4 MiB are tried as well.
  ByteCount chunk_size = SnapshotOptions().chunk_size;
};

// Repairs one project's part of the repository (repo::Maintenance::Repair): what is damaged is made
// anew from what is whole in the repository, and from the documents that `source` still has; null:
// from the repository alone. A document that has changed since at the source cannot heal the chunk
// that held it; the report says so. The same report whether it is a dry run or not, but for what
// was healed with the help of chunks that were healed before. Damage is in the report; an
// unreachable source is no error but the reason why a chunk stays damaged. kCancelled when stopped.
// Blocks while all chunks are read. Memory: that of repo::Maintenance::Repair, one chunk, two lists
// and one key chunk, a page of the source's documents; 200 bytes for each chunk that no list names
// while lists are damaged.
repo::RepairReport RepairRepository(repo::Repository& repository,
                                    const ProjectId& project,
                                    DocumentSource* source,
                                    const RepairOptions& options,
                                    const RunContext& run);

// For people, in one line: kind, snapshots, namespace, run, range of _id, outcome.
std::string FormatDamagedChunk(const repo::DamagedChunk& chunk);
// For people: at most 1000 lines.
std::string FormatRepair(const repo::RepairReport& report);

}  // namespace tidemark::engine
