#pragma once

#include <filesystem>
#include <string>

#include <sqlite3.h>

#include "base/c_handle.h"

namespace tidemark::catalog {

// Does to a catalog's file what the program would not. False when SQLite refuses.
inline bool RunRawSql(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* raw = nullptr;
  const bool opened = sqlite3_open(file.c_str(), &raw) == SQLITE_OK;
  const CHandle<sqlite3, sqlite3_close> handle(raw);
  return opened && sqlite3_exec(handle.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
}

}  // namespace tidemark::catalog
