#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "domain/audit.h"
#include "domain/page.h"

namespace tidemark::catalog {

// Empty members ask for nothing.
struct AuditFilter {
  std::optional<ProjectId> project;
  // What concerns it: rows of its projects and of its keys; of the first organization also those
  // that are nobody's (starts of the server, strangers). Not with `project`.
  std::optional<OrganizationId> organization;
  std::optional<Instant> since;  // inclusive
  std::optional<Instant> until;  // exclusive
  std::string actor;
  std::string operation;
};

// One row that was noted elsewhere: whoever rewrites the log cannot make its hash come out again.
struct AuditAnchor {
  std::int64_t number = 0;
  std::string hash;
};

struct AuditVerdict {
  std::int64_t rows = 0;                  // that are as they were written, from the first one on
  std::string hash;                       // of the last of them; empty without any
  std::optional<std::int64_t> broken_at;  // number of the first that is changed or missing
};

// The audit log: rows are added at its end and never changed or deleted. Each holds the SHA-256 of
// the row before and of itself (docs/audit.md), so that a change behind the catalog's back is
// found. Synchronized; every call blocks briefly unless said.
class AuditLog {
 public:
  virtual ~AuditLog() = default;

  // Adds a row and returns its number; `number` and `hash` of the entry are not read, texts are
  // cut at 256 bytes. Up to 100 events that came before it get their rows first. Durable when it
  // returns.
  virtual std::int64_t AppendAudit(const domain::AuditEntry& entry) = 0;

  struct AuditStart {
    AuditAnchor last;
    std::int64_t unknown = 0;  // requests whose outcome a dead server never wrote
  };

  // For the start of a server: gives every kBegun row without an outcome one (kOutcomeUnknown) and
  // adds a kServerStarted row. REQUIRES: no other server works on the catalog.
  virtual AuditStart StartAudit(Instant now) = 0;

  // kEnded rows only, newest first.
  virtual domain::Listing<domain::AuditEntry> ListAudit(const AuditFilter& filter,
                                                        const domain::Page& page) = 0;

  // Reads the whole log: about 5 us a row. kCancelled when stopped.
  virtual AuditVerdict VerifyAudit(const std::optional<AuditAnchor>& anchor,
                                   const std::stop_token& stop) = 0;
};

}  // namespace tidemark::catalog
