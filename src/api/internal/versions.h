#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tidemark::api {

// The newest of `versions` (ascending dates of one operation) that an Accept header asks for;
// nullopt is 406. contract.md 4: the first `application/vnd.atlas.` member of the list counts, its
// date must be a released one or later than all of them.
std::optional<std::string_view> ResolveVersion(std::string_view accept,
                                               std::span<const std::string_view> versions);

// Whether a body of that Content-Type is read as JSON: application/json, or a versioned type that
// resolves. An empty one counts as JSON.
bool IsJsonMediaType(std::string_view content_type);

// "application/vnd.atlas.<version>+json;charset=utf-8".
std::string VersionedMediaType(std::string_view version);

}  // namespace tidemark::api
