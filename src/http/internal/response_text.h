#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace tidemark::http {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::string FormatHttpDate(Instant instant);

// The answer to what never reaches a handler, in the form of Atlas' error bodies.
Response ErrorResponse(int status, std::string_view detail);

enum class ConnectionFate { kKeepAlive, kClose };

// How the peer knows where a body ends. kUnsaid: by the end of the connection, or there is none
// (HEAD).
enum class BodyFraming { kSized, kChunked, kUnsaid };

struct HeadFacts {
  Instant now;
  std::string_view request_id;
  ConnectionFate fate = ConnectionFate::kKeepAlive;
  BodyFraming framing = BodyFraming::kSized;
};

// Status line and headers, up to and with the empty line. Control characters in a handler's headers
// become spaces, so that no value can start another header.
std::string FormatHead(const Response& response, const HeadFacts& facts);

// False for 1xx, 204 and 304, which have neither body nor Content-Length.
bool MayHaveBody(int status);

}  // namespace tidemark::http
