#pragma once

#include <string>

#include "api/internal/routes.h"

namespace tidemark::api {

// What the audit log calls the operation behind a route: Atlas' operationId, or our own name. A
// route that has none yet is called by method and pattern.
std::string OperationOf(const Route& route);
// Whether a read gives away a whole snapshot: it is written down like a change.
bool HandsOverData(const Route& route);

// Operations without a route of the table.
inline constexpr std::string_view kUnknownOperation = "unknownOperation";
inline constexpr std::string_view kIssueToken = "issueToken";
inline constexpr std::string_view kRevokeToken = "revokeToken";

}  // namespace tidemark::api
