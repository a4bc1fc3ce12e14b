#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/support/memory/id_order.h"
#include "tests/support/memory/store.h"

namespace tidemark::memory {

// See MemoryServer::LoadDump and MemoryServer::Generate.
void LoadDumpState(Store& store, const std::filesystem::path& directory);
void GenerateCollection(Store& store,
                        const std::string& ns,
                        std::uint64_t documents,
                        std::uint32_t bytes,
                        IdOrder order = IdOrder::kAscending);

}  // namespace tidemark::memory
