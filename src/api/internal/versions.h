#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tidemark::api {

// One version of an operation.
struct Version {
  std::string_view date;              // of its release
  std::string_view deprecation = {};  // value of the Deprecation header; empty: none
  std::string_view sunset = {};       // of the Sunset header; empty: none
};

// The newest of `versions` (of one operation, ascending) that an Accept header asks for; null is
// 406. contract.md 4: the first `application/vnd.atlas.` member of the list counts, its
// date must be a released one or later than all of them.
const Version* ResolveVersion(std::string_view accept, std::span<const Version> versions);

// The newest one that is not later than `date`; null when there is none.
const Version* NewestUntil(std::string_view date, std::span<const Version> versions);

// Whether a body of that Content-Type is read as JSON: application/json, or a versioned type that
// resolves. An empty one counts as JSON.
bool IsJsonMediaType(std::string_view content_type);

// "application/vnd.atlas.<version>+json;charset=utf-8".
std::string VersionedMediaType(std::string_view version);

}  // namespace tidemark::api
