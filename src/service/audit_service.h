#pragma once

#include <optional>

#include "base/mutex.h"
#include "catalog/audit_log.h"
#include "service/environment.h"

namespace tidemark::service {

// Reading the audit log. Synchronized; blocks on the catalog.
class AuditService {
 public:
  explicit AuditService(Environment& environment) : env_(environment) {}

  domain::Listing<domain::AuditEntry> List(const catalog::AuditFilter& filter,
                                           const domain::Page& page);
  // Reads the whole log: about 5 us a row. kUnavailable while another call is at it, so that at
  // most one thread is held.
  catalog::AuditVerdict Verify(const std::optional<catalog::AuditAnchor>& anchor)
      TIDEMARK_EXCLUDES(mutex_);

 private:
  Environment& env_;
  Mutex mutex_;
  bool verifying_ TIDEMARK_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::service
