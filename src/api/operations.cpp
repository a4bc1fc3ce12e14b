#include "api/internal/operations.h"

#include <algorithm>
#include <array>

namespace tidemark::api {
namespace {

struct Operation {
  HandlerFunction handler;
  std::string_view name;
};

// Every route that is not a GET has to be here; a test compares.
constexpr std::array kOperations{
    Operation{CreateTenantRestore, "createGroupClusterBackupTenantRestore"},
    Operation{DownloadTenantSnapshot, "downloadGroupClusterBackupTenant"},
    Operation{CreateLegacyRestore, "createGroupClusterRestoreJob"},
    Operation{UpdateLegacySnapshot, "updateGroupClusterSnapshot"},
    Operation{DeleteLegacySnapshot, "deleteGroupClusterSnapshot"},
    Operation{UpdateLegacySchedule, "updateGroupClusterSnapshotSchedule"},
    Operation{CreateProject, "createProject"},
    Operation{DeleteProject, "deleteProject"},
    Operation{CreateCluster, "createCluster"},
    Operation{DeleteCluster, "deleteCluster"},
    Operation{CheckCluster, "checkCluster"},
    Operation{CreateSnapshot, "createSnapshot"},
    Operation{ImportSnapshot, "importSnapshot"},
    Operation{ExportSnapshot, "exportSnapshot"},
    Operation{DeleteSnapshot, "deleteSnapshot"},
    Operation{DiffSnapshot, "diffSnapshot"},
    Operation{CreateRestore, "createRestore"},
    Operation{EndDownload, "endDownload"},
    Operation{UpdateSchedule, "updateSchedule"},
    Operation{CreateKey, "createKey"},
    Operation{DeleteKey, "deleteKey"},
    Operation{CheckRepository, "checkRepository"},
    Operation{CollectGarbage, "collectGarbage"},
    Operation{RepairRepository, "repairRepository"},
    Operation{CreateNotification, "createNotification"},
    Operation{DeleteNotification, "deleteNotification"},
    Operation{TestNotification, "testNotification"},
};

}  // namespace

bool HandsOverData(const Route& route) {
  return route.handler == ExportSnapshot;
}

std::string OperationOf(const Route& route) {
  const auto* found = std::ranges::find(kOperations, route.handler, &Operation::handler);
  if (found != kOperations.end()) {
    return std::string(found->name);
  }
  return std::string(http::MethodName(route.method)) + " " + std::string(route.pattern);
}

}  // namespace tidemark::api
