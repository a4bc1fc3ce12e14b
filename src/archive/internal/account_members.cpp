#include "archive/internal/account_members.h"

#include <string_view>

#include "bson/builder.h"

namespace tidemark::archive {
namespace {

// An index as listIndexes tells it.
Bytes IndexSpec(std::string_view name, bool unique, const std::vector<std::string_view>& fields) {
  bson::Builder key;
  for (const std::string_view field : fields) {
    key.Append(field, std::int32_t{1});
  }
  const Bytes keys = key.Finish();
  bson::Builder spec;
  spec.Append("v", std::int32_t{2});
  if (unique) {
    spec.Append("unique", true);
  }
  return spec.Append("key", bson::Document(keys)).Append("name", name).Finish();
}

AccountMember Member(std::string_view collection, const std::vector<Bytes>& documents) {
  AccountMember member;
  member.entry.database = "admin";
  member.entry.collection = collection;
  member.entry.indexes.push_back(IndexSpec("_id_", false, {"_id"}));
  for (const Bytes& document : documents) {
    member.documents.emplace_back(document);
    member.entry.logical_bytes += document.size();
    ++member.entry.digest.documents;
  }
  return member;
}

}  // namespace

std::vector<AccountMember> AccountMembersOf(const repo::Manifest& manifest) {
  const repo::Accounts& accounts = manifest.accounts;
  std::vector<AccountMember> members;
  if (!accounts.roles.empty()) {
    members.push_back(Member("system.roles", accounts.roles));
    members.back().entry.indexes.push_back(IndexSpec("role_1_db_1", true, {"role", "db"}));
  }
  if (!accounts.users.empty()) {
    members.push_back(Member("system.users", accounts.users));
    members.back().entry.indexes.push_back(IndexSpec("user_1_db_1", true, {"user", "db"}));
  }
  if (!members.empty() && !accounts.schema.empty()) {
    members.push_back(Member("system.version", {}));
    members.back().documents.emplace_back(accounts.schema);
    members.back().entry.logical_bytes = accounts.schema.size();
    members.back().entry.digest.documents = 1;
  }
  return members;
}

}  // namespace tidemark::archive
