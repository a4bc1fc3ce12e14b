#pragma once

#include <vector>

#include "repo/repository.h"

namespace tidemark::archive {

// Users, roles or the schema of both as the collection of the database admin that mongodump reads
// them from, and mongorestore looks for.
struct AccountMember {
  repo::NamespaceEntry entry;  // without runs
  std::vector<ByteView> documents;
};

// Those that the snapshot has; their documents are the manifest's, which must outlive them.
std::vector<AccountMember> AccountMembersOf(const repo::Manifest& manifest);

}  // namespace tidemark::archive
