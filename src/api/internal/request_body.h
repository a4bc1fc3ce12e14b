#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "base/error.h"
#include "http/message.h"

namespace tidemark::api {

enum class FieldType {
  kString,
  kBoolean,
  kNumber,
  kArray,
  kObject,
  kAny,  // the handler looks at it
  kObjectId,
  kDeploymentItemName,
};

enum class FieldUse {
  kRequired,
  kOptional,
  kNotNull,   // optional, but null is no way to leave it out: without it more would be done
  kReadOnly,  // known, ignored: clients send back what they got
};

struct Field {
  std::string_view name;
  FieldType type = FieldType::kString;
  FieldUse use = FieldUse::kOptional;
};

// The request's JSON object with exactly the writable members that have a value, each of its type.
// Throws RequestError, in this order: 415 (also for a Content-Encoding), MALFORMED_JSON (also
// duplicate members, trailing bytes, invalid UTF-8, more than 64 levels), INVALID_JSON,
// INVALID_ATTRIBUTE, MISSING_ATTRIBUTE, INVALID_JSON_ATTRIBUTE, VALIDATION_ERROR (also for a text
// of more than 8 KiB). An empty body is an empty object.
boost::json::object ReadBody(const http::Request& request, std::span<const Field> fields);

// The same for an object inside a body.
boost::json::object CheckFields(const boost::json::object& object, std::span<const Field> fields);

// Members of what ReadBody gave. Absent: empty, false, 0.
std::string StringOf(const boost::json::object& body, std::string_view name);
bool FlagOf(const boost::json::object& body, std::string_view name);
double NumberOf(const boost::json::object& body, std::string_view name);

// A required member of type kObjectId: ReadBody has seen that it is there and is one.
template <class Id>
Id IdOf(const boost::json::object& body, std::string_view name) {
  const std::optional<Id> id = Id::Parse(StringOf(body, name));
  TIDEMARK_CHECK(id.has_value());
  return *id;
}

}  // namespace tidemark::api
