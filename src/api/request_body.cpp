#include "api/internal/request_body.h"

#include <algorithm>
#include <set>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "api/internal/failure.h"
#include "api/internal/text.h"
#include "api/internal/utf8.h"
#include "api/internal/versions.h"
#include "base/object_id.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 64;
// Bytes of one text: far more than any name, address or description needs. Texts are kept and
// listed 500 at a time.
constexpr std::size_t kMaxText = 8U << 10;

// Fails on the second member of a name: Boost.JSON's own parser keeps the last one silently.
// The names of the functions are Boost's.
// NOLINTBEGIN(readability-identifier-naming)
class DuplicateFinder {
 public:
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);

  bool on_document_begin(json::error_code&) { return true; }

  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code&) {
    names_.emplace_back();
    return true;
  }

  bool on_object_end(std::size_t, json::error_code&) {
    names_.pop_back();
    return true;
  }

  bool on_array_begin(json::error_code&) { return true; }

  bool on_array_end(std::size_t, json::error_code&) { return true; }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    key_.append(part.data(), part.size());
    return true;
  }

  bool on_key(json::string_view part, std::size_t, json::error_code& error) {
    key_.append(part.data(), part.size());
    const bool first = names_.back().insert(std::move(key_)).second;
    key_.clear();
    if (!first) {
      error = json::error::syntax;
    }
    return first;
  }

  bool on_string_part(json::string_view, std::size_t, json::error_code&) { return true; }

  bool on_string(json::string_view, std::size_t, json::error_code&) { return true; }

  bool on_number_part(json::string_view, json::error_code&) { return true; }

  bool on_int64(std::int64_t, json::string_view, json::error_code&) { return true; }

  bool on_uint64(std::uint64_t, json::string_view, json::error_code&) { return true; }

  bool on_double(double, json::string_view, json::error_code&) { return true; }

  bool on_bool(bool, json::error_code&) { return true; }

  bool on_null(json::error_code&) { return true; }

  bool on_comment_part(json::string_view, json::error_code&) { return true; }

  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  std::vector<std::set<std::string>> names_;  // of the objects that are open
  std::string key_;
};

// NOLINTEND(readability-identifier-naming)

json::parse_options Options() {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  return options;
}

json::value Parse(const std::string& text) {
  json::error_code error;
  json::basic_parser<DuplicateFinder> finder(Options());
  finder.write_some(false, text.data(), text.size(), error);
  if (error) {
    throw MalformedJson();
  }
  json::value value = json::parse(text, error, {}, Options());
  if (error) {
    throw MalformedJson();
  }
  return value;
}

const Field* FindField(std::span<const Field> fields, std::string_view name) {
  const auto found = std::ranges::find(fields, name, &Field::name);
  return found == fields.end() ? nullptr : &*found;
}

bool HasValue(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && !value->is_null();
}

void CheckType(const Field& field, const json::value& value) {
  switch (field.type) {
    case FieldType::kBoolean:
      if (!value.is_bool()) {
        throw InvalidJsonAttribute(field.name, "a boolean");
      }
      return;
    case FieldType::kNumber:
      if (!value.is_number()) {
        throw InvalidJsonAttribute(field.name, "a number");
      }
      return;
    case FieldType::kArray:
      if (!value.is_array()) {
        throw InvalidJsonAttribute(field.name, "an array");
      }
      return;
    case FieldType::kObject:
      if (!value.is_object()) {
        throw InvalidJsonAttribute(field.name, "an object");
      }
      return;
    case FieldType::kString:
    case FieldType::kObjectId:
    case FieldType::kDeploymentItemName:
      if (!value.is_string()) {
        throw InvalidJsonAttribute(field.name, "a string");
      }
      return;
    case FieldType::kAny:
      return;
  }
}

void CheckPattern(const Field& field, const json::value& value) {
  if (value.is_string() && value.get_string().size() > kMaxText) {
    throw InvalidValue(field.name, "must have at most " + std::to_string(kMaxText) + " bytes");
  }
  if (field.type == FieldType::kObjectId && !ObjectId::Parse(value.get_string())) {
    throw InvalidValue(field.name, "must be 24 lower-case hexadecimal digits");
  }
  if (field.type == FieldType::kDeploymentItemName && !IsDeploymentItemName(value.get_string())) {
    throw InvalidValue(field.name, "must be 1 to 64 letters, digits or characters of -_.(),:&@+'");
  }
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

void CheckNames(const json::object& object, std::span<const Field> fields) {
  for (const auto& member : object) {
    if (FindField(fields, member.key()) == nullptr) {
      throw InvalidAttribute(std::string_view(member.key()));
    }
  }
  for (const Field& field : fields) {
    if (field.use == FieldUse::kRequired && !HasValue(object, field.name)) {
      throw MissingAttribute(field.name);
    }
  }
}

bool MayLeaveOut(const json::object& object, const Field& field) {
  return field.use == FieldUse::kReadOnly ||
         (field.use == FieldUse::kNotNull ? !object.contains(field.name)
                                          : !HasValue(object, field.name));
}

}  // namespace

json::object CheckFields(const json::object& object, std::span<const Field> fields) {
  CheckNames(object, fields);
  json::object kept;
  for (const Field& field : fields) {
    if (MayLeaveOut(object, field)) {
      continue;
    }
    CheckType(field, object.at(field.name));
    kept.emplace(field.name, object.at(field.name));
  }
  for (const Field& field : fields) {
    if (const json::value* value = kept.if_contains(field.name)) {
      CheckPattern(field, *value);
    }
  }
  return kept;
}

json::object ReadBody(const http::Request& request, std::span<const Field> fields) {
  if (IsBlank(request.body)) {
    return CheckFields({}, fields);
  }
  if (!IsJsonMediaType(request.Header("content-type").value_or(""))) {
    throw UnsupportedMediaType();
  }
  const std::string_view coding = Trim(request.Header("content-encoding").value_or(""));
  if (!coding.empty() && !EqualNoCase(coding, "identity")) {
    throw Refused(415,
                  "UNSUPPORTED_MEDIA_TYPE",
                  "The request body must not be packed: its Content-Encoding is {0}.",
                  {std::string(coding)});
  }
  const json::value value = Parse(request.body);
  if (!value.is_object()) {
    throw NotAJsonObject();
  }
  return CheckFields(value.get_object(), fields);
}

std::string StringOf(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

double NumberOf(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

bool FlagOf(const json::object& body, std::string_view name) {
  const json::value* value = body.if_contains(name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

}  // namespace tidemark::api
