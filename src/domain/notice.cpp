#include "domain/notice.h"

#include <algorithm>

namespace tidemark::domain {

std::string_view EventOperation(EventKind kind) {
  switch (kind) {
    case EventKind::kSnapshotCompleted:
      return "snapshotCompleted";
    case EventKind::kSnapshotFailed:
      return "snapshotFailed";
    case EventKind::kRestoreCompleted:
      return "restoreCompleted";
    case EventKind::kRestoreFailed:
      return "restoreFailed";
    case EventKind::kSnapshotDeleted:
      return "snapshotDeleted";
    case EventKind::kScheduleMissed:
      return "scheduleMissed";
    case EventKind::kVerificationFailed:
      return "verificationFailed";
    case EventKind::kCollectionEnded:
      return "collectionEnded";
    case EventKind::kExportCompleted:
      return "exportCompleted";
    case EventKind::kExportFailed:
      return "exportFailed";
    case EventKind::kDrillPassed:
      return "drillPassed";
  }
  return {};
}

std::string_view NoticeName(EventKind kind) {
  switch (kind) {
    case EventKind::kSnapshotFailed:
      return "SNAPSHOT_FAILED";
    case EventKind::kRestoreFailed:
      return "RESTORE_FAILED";
    case EventKind::kScheduleMissed:
      return "SCHEDULE_MISSED";
    case EventKind::kVerificationFailed:
      return "VERIFICATION_FAILED";
    case EventKind::kExportFailed:
      return "EXPORT_FAILED";
    case EventKind::kSnapshotCompleted:
    case EventKind::kRestoreCompleted:
    case EventKind::kSnapshotDeleted:
    case EventKind::kCollectionEnded:
    case EventKind::kExportCompleted:
    case EventKind::kDrillPassed:
      return {};
  }
  return {};
}

const std::vector<EventKind>& NoticeKinds() {
  static const std::vector<EventKind> kinds{EventKind::kSnapshotFailed,
                                            EventKind::kRestoreFailed,
                                            EventKind::kScheduleMissed,
                                            EventKind::kVerificationFailed,
                                            EventKind::kExportFailed};
  return kinds;
}

std::optional<EventKind> ParseNoticeName(std::string_view name) {
  const auto found = std::ranges::find(NoticeKinds(), name, NoticeName);
  return found == NoticeKinds().end() ? std::nullopt : std::optional(*found);
}

std::string NoticeId(const Notice& notice) {
  return notice.channel.ToString() + "-" + std::to_string(notice.event.number);
}

}  // namespace tidemark::domain
