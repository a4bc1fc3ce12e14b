#include "api/internal/render.h"

#include <algorithm>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "api/internal/utf8.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kJson = "application/json";

class Writer {
 public:
  explicit Writer(Layout layout) : pretty_(layout == Layout::kPretty) {}

  void Write(const json::value& value) {
    if (value.is_object()) {
      WriteObject(value.get_object());
    } else if (value.is_array()) {
      WriteArray(value.get_array());
    } else if (value.is_string()) {
      WriteString(value.get_string());
    } else {
      out_ += json::serialize(value);
    }
  }

  std::string Take() { return std::move(out_); }

 private:
  void WriteObject(const json::object& object) {
    std::vector<std::string_view> keys;
    for (const auto& member : object) {
      keys.emplace_back(member.key());
    }
    std::ranges::sort(keys);
    out_ += '{';
    ++depth_;
    for (const std::string_view key : keys) {
      out_ += key.data() == keys.front().data() ? "" : ",";
      BreakLine();
      WriteString(key);
      out_ += pretty_ ? " : " : ":";
      Write(object.at(key));
    }
    --depth_;
    if (keys.empty()) {
      out_ += pretty_ ? " " : "";
    } else {
      BreakLine();
    }
    out_ += '}';
  }

  // Jackson keeps an array on the line of its brackets.
  void WriteArray(const json::array& array) {
    const std::string_view space = pretty_ ? " " : "";
    out_ += '[';
    for (std::size_t i = 0; i < array.size(); ++i) {
      out_ += i == 0 ? "" : ",";
      out_ += space;
      Write(array[i]);
    }
    out_ += space;
    out_ += ']';
  }

  void WriteString(std::string_view text) {
    if (std::ranges::all_of(text, IsPlain)) {
      out_.append("\"").append(text).append("\"");
      return;
    }
    out_ += json::serialize(json::string_view(MakeWellFormed(text)));
  }

  // Stands for itself in JSON. Nearly all of our texts are made of such.
  static bool IsPlain(unsigned char c) { return c >= ' ' && c < 0x7f && c != '"' && c != '\\'; }

  void BreakLine() {
    if (pretty_) {
      out_ += '\n';
      out_.append(depth_ * 2, ' ');
    }
  }

  const bool pretty_;
  std::size_t depth_ = 0;
  std::string out_;
};

json::object Enveloped(const Reply& reply) {
  if (reply.shape == Shape::kList) {
    json::object document = reply.body;
    document["status"] = reply.status;
    return document;
  }
  json::object envelope;
  envelope["status"] = reply.status;
  if (reply.shape == Shape::kObject) {
    envelope["content"] = reply.body;
  }
  return envelope;
}

json::array TextArray(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return array;
}

json::object FailureBody(const Failure& failure) {
  json::object body;
  body["error"] = failure.status;
  body["errorCode"] = failure.code;
  body["reason"] = http::ReasonPhrase(failure.status);
  body["detail"] = failure.detail;
  body["parameters"] = TextArray(failure.parameters);
  json::array fields;
  for (const FieldProblem& problem : failure.fields) {
    fields.push_back(json::object{{"field", problem.field}, {"description", problem.description}});
  }
  if (!fields.empty()) {
    body["badRequestDetail"] = json::object{{"fields", std::move(fields)}};
  }
  return body;
}

}  // namespace

std::string RenderJson(const json::value& value, Layout layout) {
  Writer writer(layout);
  writer.Write(value);
  return writer.Take();
}

http::Response FileResponse(const std::string& name, const std::string& media_type) {
  http::Response response;
  response.headers = {{"Content-Type", media_type},
                      {"Content-Disposition", "attachment; filename=\"" + name + "\""},
                      {"Cache-Control", "no-store"},
                      {"X-Content-Type-Options", "nosniff"}};
  return response;
}

http::Response RenderReply(Reply reply, const Style& style, const std::string& media_type) {
  if (reply.file) {
    http::Response response = FileResponse(reply.file->name, reply.file->media_type);
    response.status = reply.status;
    response.stream = std::move(reply.file->body);
    return response;
  }
  http::Response response;
  response.status = reply.status;
  response.headers.emplace_back("Content-Type", media_type);
  response.headers.emplace_back("Cache-Control", "no-store");
  if (style.envelope == Envelope::kStatus) {
    // A 204 cannot carry the envelope that was asked for.
    response.status = reply.shape == Shape::kNone ? 200 : reply.status;
    response.body = RenderJson(Enveloped(reply), style.layout);
  } else if (reply.shape != Shape::kNone) {
    response.body = RenderJson(reply.body, style.layout);
  }
  return response;
}

http::Response RenderFailure(const Failure& failure, const Style& style) {
  http::Response response = RenderReply(
      {failure.status, Shape::kObject, FailureBody(failure)}, style, std::string(kJson));
  response.headers.emplace_back("X-Error-Code", failure.code);
  response.headers.insert(response.headers.end(), failure.headers.begin(), failure.headers.end());
  return response;
}

}  // namespace tidemark::api
