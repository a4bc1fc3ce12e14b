#pragma once

#include "catalog/internal/sqlite_session.h"
#include "domain/audit.h"

namespace tidemark::catalog {

// The hash of `entry` behind a row of hash `previous` (empty before the first row). Persistent:
// docs/audit.md.
std::string ChainHash(std::string_view previous, const domain::AuditEntry& entry);

// Adds a row in the caller's transaction, which has to be a write; returns its number.
std::int64_t InsertAudit(Session& session, const domain::AuditEntry& entry);

// Rows of the audit log in the order of these columns.
inline constexpr std::string_view kEveryAuditRow =
    "SELECT number, at, phase, begun, request, actor, address, operation, project, cluster, "
    "object, status, error_code, skipped, hash FROM audit WHERE number > ?1 "
    "ORDER BY number LIMIT ?2";
domain::AuditEntry ReadAudit(const Query& row);

// Turns at most `limit` of the oldest events into audit rows and notices, in the caller's write
// transaction; returns how many.
std::int64_t SettleEventsIn(Session& session, std::int64_t limit);

}  // namespace tidemark::catalog
