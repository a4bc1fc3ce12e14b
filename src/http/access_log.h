#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "http/message.h"

namespace tidemark::http {

// One answer, as its connection saw it.
struct Access {
  Instant began;                   // when the request's head was there
  std::chrono::microseconds took;  // until the last byte was handed to the kernel
  const Request& request;          // without method and target when its head was refused
  std::string_view actor;          // Response::actor
  int status = 0;                  // 0: the client went away first
  std::uint64_t sent = 0;          // bytes of the body; less than announced when it broke off
};

// Is told of every answer. What it keeps must not hold a secret: the target may. Synchronized;
// called on io threads, must not block and not throw.
class AccessLog {
 public:
  virtual ~AccessLog() = default;
  virtual void Write(const Access& access) = 0;
};

}  // namespace tidemark::http
