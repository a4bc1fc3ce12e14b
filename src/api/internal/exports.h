#pragma once

#include <cstdint>
#include <string_view>

#include "api/internal/call.h"

// Export jobs as the Atlas families and our own API show them.
namespace tidemark::api {

// "Queued", "InProgress", "Successful", "Failed" or "Cancelled".
std::string_view ExportStateName(domain::ExportState state);

struct ExportedCollections {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
};

// How far the job has got. Blocks on the catalog.
ExportedCollections CollectionsOf(const Call& call, const domain::ExportJob& job);

}  // namespace tidemark::api
