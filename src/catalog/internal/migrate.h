#pragma once

#include <span>

#include "catalog/internal/sqlite_session.h"

namespace tidemark::catalog {

// The files of src/catalog/migrations in order; the schema version of a file is how many were
// applied.
std::span<const char* const> Migrations();

// Brings the file to the newest schema in one transaction, so a crash leaves the old one. May be
// repeated, also by two processes at once. kUnsupported when a newer Tidemark wrote the file.
void Migrate(Session& session);

}  // namespace tidemark::catalog
