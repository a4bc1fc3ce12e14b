#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/message.h"

// A small blocking HTTP/1.1 client: one request per connection.
namespace tidemark::http {

struct Origin {
  std::string scheme;  // "http" or "https"
  std::string host;    // name or address, without brackets
  std::uint16_t port = 0;
};

// Reads "http://host:port" or "https://host[:port]"; a trailing slash is allowed. kInvalidArgument
// otherwise.
Origin ParseOrigin(std::string_view url);

struct ClientRequest {
  Method method = Method::kGet;
  std::string target;                                        // path and query, percent-encoded
  std::vector<std::pair<std::string, std::string>> headers;  // Host and Content-Length are added
  std::string body;
};

// Sends one request and reads the whole answer (header names in lower case) within `timeout`.
// Certificates of https are checked against the system's authorities and the host's name.
// kUnavailable: cannot be reached, or the connection broke; kTimeout; kInvalidArgument: the answer
// is not HTTP; kUnauthenticated: its certificate is not trusted; kResourceExhausted: the answer is
// over 64 MiB. Blocks. Not retried.
Response Send(const Origin& origin,
              const ClientRequest& request,
              std::chrono::milliseconds timeout);

// As Send, but the body of a 2xx answer goes to `sink` piece by piece, however large it is, and the
// response that is returned has none. `timeout` is for all up to the answer's head, and then for
// each piece. A body that breaks off is kUnavailable: what the sink got is not whole.
Response Receive(const Origin& origin,
                 const ClientRequest& request,
                 std::chrono::milliseconds timeout,
                 const std::function<void(std::string_view)>& sink);

}  // namespace tidemark::http
