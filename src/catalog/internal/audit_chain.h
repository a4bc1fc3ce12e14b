#pragma once

#include "catalog/internal/sqlite_session.h"
#include "domain/audit.h"

namespace tidemark::catalog {

// The hash of `entry` behind a row of hash `previous` (empty before the first row). Persistent:
// docs/audit.md.
std::string ChainHash(std::string_view previous, const domain::AuditEntry& entry);

// Adds a row in the caller's transaction, which has to be a write; returns its number.
std::int64_t InsertAudit(Session& session, const domain::AuditEntry& entry);

// ReadAudit's columns from the audit log, then `rest`. A session keeps what it has prepared by the
// text: the result has to live as long as the store.
std::string SelectAudit(std::string_view rest);
domain::AuditEntry ReadAudit(const Query& row);

// Turns at most `limit` of the oldest events into audit rows and notices, in the caller's write
// transaction; returns how many.
std::int64_t SettleEventsIn(Session& session, std::int64_t limit);

}  // namespace tidemark::catalog
