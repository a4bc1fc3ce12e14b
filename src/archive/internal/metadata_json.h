#pragma once

#include <string>
#include <string_view>

#include "repo/repository.h"

namespace tidemark::archive {

// "collection", "view" or "timeseries", as listCollections says.
std::string_view TypeName(repo::NamespaceKind kind);

// What mongodump writes into prelude.json.
std::string PreludeJson(const repo::Manifest& manifest);

std::string ServerVersion(const repo::Manifest& manifest);

// Instead of mongodump's version. Without ours, which would change the bytes of a download that
// goes on after an update.
inline constexpr const char* kToolVersion = "tidemark";

}  // namespace tidemark::archive
