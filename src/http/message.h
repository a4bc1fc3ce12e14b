#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
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
  std::string other_method;  // as sent when `method` is kOther: "OPTIONS"
  std::string target;        // exactly as sent: path and query; digest authentication needs it
  std::string path;          // raw (still percent-encoded) part before '?'
  std::string query;         // raw part after '?', may be empty
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;
  std::string remote_address;
  std::string scheme;      // "http" or "https"
  std::string request_id;  // 16 hex digits, also in the response header X-Request-Id
  bool body_too_large =
      false;  // the body went over the bound; it was drained or the connection will be closed

  // The method's token.
  std::string_view MethodText() const;
  // First header of that (lower-case) name; nullopt when absent.
  std::optional<std::string_view> Header(std::string_view name) const;
};

// The bytes of an answer that is too large to be held. Confined: the server calls one function at a
// time, on threads of its `streams` pool, never on an io thread, and destroys it there (once the
// server stops, anywhere). A destruction without Finish means that the body broke off.
class BodySource {
 public:
  virtual ~BodySource() = default;
  // Fills `to` from its front and says how far; 0 at the end. May block. What it throws breaks the
  // body: before the first bytes the client gets a 500, later a connection that closes too early.
  // REQUIRES: `to` is not empty.
  virtual std::size_t Read(std::span<std::uint8_t> to) = 0;
  // Everything has been sent but for what tells the client that this was all: whoever has the whole
  // body finds done what this does. Throwing breaks the body.
  virtual void Finish() = 0;
};

// A body that is pulled while it is sent.
struct BodyStream {
  std::unique_ptr<BodySource> source;  // may be absent in an answer to HEAD
  // Content-Length. nullopt: chunked, or closing the connection for HTTP/1.0.
  std::optional<std::uint64_t> size;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>>
      headers;  // Content-Length, Date, Server are added by the server
  std::string body;
  std::optional<BodyStream> stream = std::nullopt;  // instead of `body`
  std::string actor = {};  // public name of whoever asked, for the access log; not sent
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
