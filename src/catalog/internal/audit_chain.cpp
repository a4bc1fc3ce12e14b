#include "catalog/internal/audit_chain.h"

#include "base/bytes.h"
#include "catalog/internal/sqlite_store.h"
#include "codec/codec.h"

namespace tidemark::catalog {
namespace {

constexpr std::size_t kMaxText = 256;  // bytes; longer than any id, name or operation of ours

std::string Cut(const std::string& text) {
  return text.substr(0, kMaxText);
}

domain::AuditEntry Cut(domain::AuditEntry entry) {
  for (std::string* text : {&entry.request,
                            &entry.actor,
                            &entry.address,
                            &entry.operation,
                            &entry.cluster,
                            &entry.object,
                            &entry.error_code}) {
    *text = Cut(*text);
  }
  return entry;
}

// Length and bytes, so that no two rows give the same text.
void Add(std::string& text, std::string_view field) {
  text += std::to_string(field.size());
  text += ':';
  text += field;
}

void Add(std::string& text, std::int64_t number) {
  Add(text, std::string_view(std::to_string(number)));
}

}  // namespace

std::string ChainHash(std::string_view previous, const domain::AuditEntry& entry) {
  std::string text;
  Add(text, previous);
  Add(text, entry.number);
  Add(text, ToMicros(entry.at));
  Add(text, static_cast<std::int64_t>(entry.phase));
  Add(text, entry.begun.value_or(0));
  Add(text, entry.request);
  Add(text, entry.actor);
  Add(text, entry.address);
  Add(text, entry.operation);
  Add(text, entry.project.IsZero() ? std::string() : entry.project.ToString());
  Add(text, entry.cluster);
  Add(text, entry.object);
  Add(text, entry.status);
  Add(text, entry.error_code);
  Add(text, entry.skipped);
  return HexEncode(codec::Sha256(AsBytes(text)));
}

domain::AuditEntry ReadAudit(const Query& row) {
  domain::AuditEntry entry;
  row.Read(entry.number,
           entry.at,
           entry.phase,
           entry.begun,
           entry.request,
           entry.actor,
           entry.address,
           entry.operation,
           entry.project,
           entry.cluster,
           entry.object,
           entry.status,
           entry.error_code,
           entry.skipped,
           entry.hash);
  return entry;
}

std::int64_t InsertAudit(Session& session, const domain::AuditEntry& entry) {
  domain::AuditEntry row = Cut(entry);
  std::string previous;
  {
    Query last(session, "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1");
    row.number = 0;
    if (last.Next()) {
      last.Read(row.number, previous);
    }
  }
  ++row.number;
  Query(session,
        "INSERT INTO audit (number, at, phase, begun, request, actor, address, operation, project, "
        "cluster, object, status, error_code, skipped, hash) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        row.number,
        row.at,
        row.phase,
        row.begun,
        row.request,
        row.actor,
        row.address,
        row.operation,
        row.project,
        row.cluster,
        row.object,
        row.status,
        row.error_code,
        row.skipped,
        ChainHash(previous, row))
      .Run();
  return row.number;
}

}  // namespace tidemark::catalog
