#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// HTTP requests and responses as plain values. No Asio or Beast type crosses the door headers of
// this folder.
namespace tidemark::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOther };

std::string_view MethodName(Method method);

// A whole request; the body has been read (bounded by ServerOptions::max_body).
struct Request {
  Method method = Method::kGet;
  std::string target;  // exactly as sent: path and query; digest authentication needs it
  std::string path;    // raw (still percent-encoded) part before '?'
  std::string query;   // raw part after '?', may be empty
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;
  std::string remote_address;
  std::string scheme;      // "http" or "https"
  std::string request_id;  // 16 hex digits, also in the response header X-Request-Id
  bool body_too_large =
      false;  // the body went over the bound; it was drained or the connection will be closed

  // First header of that (lower-case) name; nullopt when absent.
  std::optional<std::string_view> Header(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>>
      headers;  // Content-Length, Date, Server are added by the server
  std::string body;
};

// "Not Found" for 404; "Unknown" for what is not registered.
std::string_view ReasonPhrase(int status);

// Percent-decoding of a path segment or query part (RFC 3986); nullopt when malformed. '+' is a
// space in queries only.
enum class PlusSign { kLiteral, kSpace };
std::optional<std::string> PercentDecode(std::string_view text, PlusSign plus);

// name=value pairs of a query or form body, decoded, in order. Malformed escapes are kept as they
// are.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view query);

}  // namespace tidemark::http
