#pragma once

#include <optional>
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

// A file that is sent while it is made.
struct FileReply {
  std::string name;
  std::string media_type;
  http::BodyStream body;
};

// What a handler answers. kNone has no body (204).
struct Reply {
  int status = 200;
  Shape shape = Shape::kObject;
  boost::json::object body;
  std::optional<FileReply> file = std::nullopt;  // instead of `body`; neither enveloped nor pretty
};

// Keys sorted by name; ill-formed UTF-8 replaced.
std::string RenderJson(const boost::json::value& value, Layout layout);

http::Response RenderReply(Reply reply, const Style& style, const std::string& media_type);
// Headers of a file: type, name, and that nobody keeps it. REQUIRES: a name without quotes.
http::Response FileResponse(const std::string& name, const std::string& media_type);
http::Response RenderFailure(const Failure& failure, const Style& style);

}  // namespace tidemark::api
