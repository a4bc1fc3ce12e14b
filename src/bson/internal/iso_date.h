#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tidemark::bson {

// Milliseconds since 1970 of an ISO 8601 text with a zone: 2026-11-25T10:00:00[.123](Z|+01:00).
// What is finer than a millisecond is cut. nullopt for anything else.
std::optional<std::int64_t> ParseIsoDate(std::string_view text);

}  // namespace tidemark::bson
