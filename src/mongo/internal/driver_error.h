#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <bson/bson.h>
#include <mongoc/mongoc.h>

#include "base/error.h"

namespace tidemark::mongo {

// The only place that knows libmongoc's domains and the server's codes.
// `doing` reads "listing collections of shop".
[[noreturn]] void ThrowDriverError(const bson_error_t& error, std::string_view doing);

// The error for a code of the server (error_codes.yml) and what it says.
Error MakeServerError(std::uint32_t code, const std::string& message);

// Server codes that a caller may take for an answer.
inline constexpr std::uint32_t kNamespaceNotFound = 26;
inline constexpr std::uint32_t kCommandNotSupportedOnView = 166;

}  // namespace tidemark::mongo
