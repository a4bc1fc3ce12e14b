#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/object_id.h"

namespace tidemark::domain {

// A request that changes something has two rows: one before it is carried out, one with its
// outcome. Everything else has one, kEnded. Persistent: never renumber.
enum class AuditPhase { kBegun = 0, kEnded = 1 };

// One row of the audit log, docs/audit.md. Never a secret, and nothing free that a request brought.
struct AuditEntry {
  std::int64_t number = 0;  // 1, 2, 3 ... without a gap; given by the catalog
  Instant at;
  AuditPhase phase = AuditPhase::kEnded;
  std::optional<std::int64_t> begun;  // number of the row that this one is the outcome of
  std::string request;                // X-Request-Id
  std::string actor;                  // public name of a key, kSystemActor or kUnknownActor
  std::string address;                // of the peer of the connection
  std::string operation;              // e.g. createGroupClusterBackupTenantRestore, snapshotFailed
  ProjectId project;                  // zero: none
  std::string cluster;                // name
  std::string object;                 // id of what was made, changed or deleted
  std::int64_t status = 0;            // of HTTP; 0 while it runs and for kSystemActor
  std::string error_code;             // empty: it was done
  std::int64_t skipped = 0;           // refusals before this row that were too many to be written
  std::string hash;                   // hex SHA-256, chained; given by the catalog
};

inline constexpr std::string_view kSystemActor = "system";
inline constexpr std::string_view kUnknownActor = "anonymous";
// Operation of the row that each start of a server writes.
inline constexpr std::string_view kServerStarted = "serverStarted";
// Error code of a request whose server died before it could tell the outcome.
inline constexpr std::string_view kOutcomeUnknown = "OUTCOME_UNKNOWN";

}  // namespace tidemark::domain
