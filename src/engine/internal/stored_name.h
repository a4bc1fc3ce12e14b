#pragma once

#include <string>

#include "repo/repository.h"

namespace tidemark::engine {

// The collection that holds a namespace's documents: the measurements of a time-series collection
// lie in buckets, which are what has to be kept.
inline std::string StoredName(repo::NamespaceKind kind, const std::string& collection) {
  return kind == repo::NamespaceKind::kTimeseries ? "system.buckets." + collection : collection;
}

}  // namespace tidemark::engine
