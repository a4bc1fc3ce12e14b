#pragma once

#include <boost/json/object.hpp>

#include "api/internal/call.h"
#include "domain/access.h"
#include "domain/restore_job.h"
#include "domain/snapshot.h"

// What the shared tier and flex show alike: their schemas differ in the name of the cluster's
// member and in links (contract.md 7.1, 7.2).
namespace tidemark::api {

// BackupTenantSnapshot and FlexBackupSnapshot20241113 of openapi.json, without links.
boost::json::object RenderTenantSnapshot(const domain::Snapshot& snapshot);

// TenantRestore and FlexBackupRestoreJob20241113, without links and the cluster's name. A download
// has its link while it can be fetched, and for a caller with `right` on the project: who could
// have asked for it (contract.md 7.3). Blocks for the look at the download.
boost::json::object RenderTenantRestore(const Call& call,
                                        const domain::RestoreJob& job,
                                        domain::Permission right);

}  // namespace tidemark::api
