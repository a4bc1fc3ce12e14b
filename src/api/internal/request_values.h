#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include <boost/json/object.hpp>

#include "api/internal/call.h"

// How the bodies of the retired APIs spell values.
namespace tidemark::api {

// A whole number (a member of type FieldType::kAny), absent when the body has none. v1.0 and v1.5
// take it as text and as an integral fraction, too (contract.md 7.3). INVALID_JSON_ATTRIBUTE.
std::optional<std::int64_t> IntegerOf(const Call& call,
                                      const boost::json::object& body,
                                      std::string_view name);

// A date, or a date and time, with `Z`, an offset as +hh:mm or +hhmm, or no zone, which means UTC
// (contract.md 1). nullopt for anything else.
std::optional<Instant> ParseDate(std::string_view text);

}  // namespace tidemark::api
