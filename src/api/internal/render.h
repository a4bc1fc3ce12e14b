#pragma once

#include <string>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/internal/failure.h"
#include "http/message.h"

namespace tidemark::api {

// kPretty is Jackson's form: two spaces, `"key" : value`.
enum class Layout { kCompact, kPretty };
enum class Envelope { kNone, kStatus };
// A list document is not nested in an envelope, an object is.
enum class Shape { kNone, kObject, kList };

struct Style {
  Layout layout = Layout::kCompact;
  Envelope envelope = Envelope::kNone;
};

// What a handler answers. kNone has no body (204).
struct Reply {
  int status = 200;
  Shape shape = Shape::kObject;
  boost::json::object body;
};

// Keys sorted by name; ill-formed UTF-8 replaced.
std::string RenderJson(const boost::json::value& value, Layout layout);

http::Response RenderReply(const Reply& reply, const Style& style, const std::string& media_type);
http::Response RenderFailure(const Failure& failure, const Style& style);

}  // namespace tidemark::api
