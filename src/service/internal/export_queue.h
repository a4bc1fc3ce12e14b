#pragma once

#include "catalog/store.h"
#include "service/environment.h"

// Exports that are about to be queued, whoever asked for them.
namespace tidemark::service {

struct QueuedExport {
  domain::ExportJob job;
  domain::Job work;
};

// An export of the snapshot that nobody in particular asks for, and the job that makes it. Its
// prefix has ids or names as the cluster's schedule says. Still to be added to the catalog. Blocks.
QueuedExport NewExport(Environment& environment,
                       const domain::Project& project,
                       const domain::Cluster& cluster,
                       const domain::Snapshot& snapshot,
                       const domain::ExportBucketId& bucket);

// Queues what a schedule asks for. False: it is not due any more, or has to wait for an export that
// a person has asked for. Blocks.
bool QueueDueExport(Environment& environment, const catalog::Store::DueExport& due);

}  // namespace tidemark::service
