#pragma once

#include <string>
#include <string_view>

#include "repo/repository.h"

// What the folders and files of a dump are called (mongo-tools; docs/downloads.md, "Names").
namespace tidemark::archive {

// Where the documents of the namespace lie on the server: the buckets of a time-series collection.
std::string DataCollection(const repo::Manifest& manifest, const repo::NamespaceEntry& entry);

// kUnsupported when the name of a database, or of a collection, cannot be that of a folder.
void CheckFolderNames(const repo::Manifest& manifest);
// kInvalidArgument unless it is one path component.
void CheckTopDirectory(std::string_view name);

}  // namespace tidemark::archive
