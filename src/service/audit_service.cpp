#include "service/audit_service.h"

#include "base/error.h"

namespace tidemark::service {

domain::Listing<domain::AuditEntry> AuditService::List(const catalog::AuditFilter& filter,
                                                       const domain::Page& page) {
  return env_.store.ListAudit(filter, page);
}

catalog::AuditVerdict AuditService::Verify(const std::optional<catalog::AuditAnchor>& anchor) {
  {
    const MutexLock lock(mutex_);
    if (verifying_) {
      throw Error(ErrorCode::kUnavailable, "verifying the audit log: another call is at it");
    }
    verifying_ = true;
  }

  // Ends the turn however the reading ends.
  struct Turn {
    AuditService& service;

    ~Turn() {
      const MutexLock lock(service.mutex_);
      service.verifying_ = false;
    }
  } const turn{*this};

  return env_.store.VerifyAudit(anchor, {});
}

}  // namespace tidemark::service
