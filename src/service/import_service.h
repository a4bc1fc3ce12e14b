#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "domain/import.h"
#include "service/snapshot_service.h"

namespace tidemark::service {

struct ImportOptions {
  // Each project's dumps are in the folder that is named by its id in here. Empty: nothing is
  // imported.
  std::filesystem::path folder;
  std::filesystem::path spool_folder;  // dump::DumpOptions
};

// Snapshots that are read from what mongodump wrote (docs/import.md). They belong to a registered
// cluster, which is not asked. Synchronized; every call blocks.
class ImportService {
 public:
  ImportService(Environment& environment,
                ClusterService& clusters,
                SnapshotService& snapshots,
                ImportOptions options)
      : env_(environment),
        clusters_(clusters),
        snapshots_(snapshots),
        options_(std::move(options)) {}

  // Queues the import of `path` below the project's folder. kClusterNotFound; kInvalidValue: no
  // import folder is set, or nothing that could be a dump is there.
  domain::Snapshot Start(const ProjectId& project,
                         const std::string& cluster,
                         const std::string& path,
                         const std::string& description);
  // nullopt: it was taken from its cluster.
  std::optional<domain::Import> Find(const SnapshotId& snapshot);
  // The handler of JobKind::kTakeSnapshot: imports what is to be imported, and leaves everything
  // else to the SnapshotService. An import that was cut begins anew: the dump may be another one by
  // then.
  void Run(const jobs::JobContext& context);

 private:
  std::filesystem::path FolderOf(const ProjectId& project) const;
  engine::SnapshotSummary TakeFrom(const domain::Import& import,
                                   const domain::Snapshot& snapshot,
                                   const engine::SnapshotOptions& options,
                                   const jobs::JobContext& context);

  Environment& env_;
  ClusterService& clusters_;
  SnapshotService& snapshots_;
  const ImportOptions options_;
};

}  // namespace tidemark::service
