#pragma once

#include <filesystem>

#include "base/random.h"
#include "repo/repository.h"

namespace tidemark::app {

repo::MasterKey MakeMasterKey(RandomSource& random);
// A file with 64 hex digits and nothing else but a newline. kNotFound, kInvalidArgument.
repo::MasterKey ReadKeyFile(const std::filesystem::path& path);
// Mode 0600, durable. kConflict when there is one already.
void CreateKeyFile(const std::filesystem::path& path, const repo::MasterKey& key);

}  // namespace tidemark::app
