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

// In the order of MembersOf.
constexpr std::string_view kColumns =
    "number, at, phase, begun, request, actor, address, operation, project, cluster, object, "
    "status, error_code, skipped, hash";

// For an entry to be read (const) and one to be written.
template <class AuditEntry>
auto MembersOf(AuditEntry& entry) {
  return std::tie(entry.number,
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
}

const std::string kInsertAudit = InsertInto("audit", kColumns);

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

std::string SelectAudit(std::string_view rest) {
  return "SELECT " + std::string(kColumns) + " FROM audit " + std::string(rest);
}

domain::AuditEntry ReadAudit(const Query& row) {
  domain::AuditEntry entry;
  row.Read(MembersOf(entry));
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
  row.hash = ChainHash(previous, row);
  Query(session, kInsertAudit, MembersOf(row)).Run();
  return row.number;
}

}  // namespace tidemark::catalog
