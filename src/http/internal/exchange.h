#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "http/internal/call_pool.h"
#include "http/internal/io_loop.h"
#include "http/internal/response_text.h"
#include "http/server.h"

// What all sessions share, whatever their stream: Beast's requests into ours, and calls of the
// handler.
namespace tidemark::http {

using BodyParser = beast::http::request_parser<beast::http::buffer_body>;

// What every session borrows from its server.
struct Shared {
  const ServerOptions& options;
  const Handler& handler;
  Log& log;
  RandomSource& random;
  const Clock& clock;
  CallPool& calls;
  CallPool& streams;
  std::atomic<std::size_t>& open_streams;
  std::atomic<std::size_t>& held_bodies;  // bytes
  std::atomic<bool>& stopping;
};

// Counts one streamed body while it lives, unless there are ServerOptions::max_streams already.
class StreamSlot {
 public:
  explicit StreamSlot(const Shared& shared)
      : open_(shared.open_streams), taken_(open_.fetch_add(1) < shared.options.max_streams) {}

  StreamSlot(const StreamSlot&) = delete;
  StreamSlot& operator=(const StreamSlot&) = delete;

  ~StreamSlot() { open_.fetch_sub(1); }

  bool taken() const { return taken_; }

 private:
  std::atomic<std::size_t>& open_;
  const bool taken_;
};

// The part of ServerOptions::max_bodies that one body takes while it lives: anybody may send one,
// before any credentials are looked at.
class BodyShare {
 public:
  explicit BodyShare(const Shared& shared)
      : held_(shared.held_bodies), most_(shared.options.max_bodies) {}

  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;

  ~BodyShare() { GiveBack(); }

  // For a body whose room grows to so many bytes. False, and nothing is taken, when there are not
  // so many.
  bool GrowTo(std::size_t room) {
    const std::size_t counted = room - std::min(room, kSmallBody);
    const std::size_t more = counted - std::min(counted, taken_);
    if (held_.fetch_add(more) + more > most_ && more > 0) {
      held_.fetch_sub(more);
      return false;
    }
    taken_ += more;
    return true;
  }

  void GiveBack() { held_.fetch_sub(std::exchange(taken_, 0)); }

 private:
  std::atomic<std::size_t>& held_;
  const std::size_t most_;
  std::size_t taken_ = 0;
};

// Fills in everything but the body, the address and the id. Header names become lower case.
void ReadHead(const BodyParser& parser, Request& request);

// Why a request with a well-formed head is refused all the same; empty when it is not.
std::string_view HeadProblem(const BodyParser& parser);

// The handler's answer, or the 500 that stands for what it threw.
Response CallHandler(const Shared& shared, const Request& request);

// Runs the handler on the `calls` pool and resumes on the caller's executor with its answer, or
// with a 503 when the pool is full or stopping.
Task<Response> CallOnPool(const Shared& shared, const Request& request);

// The answer to what comes when there is no room for it.
Response Busy();

// What a BodySource gave. Failed: it has thrown (the log says what), or the server stops.
struct Piece {
  std::size_t size = 0;
  bool failed = false;
};

// Each runs on the `streams` pool and resumes on the caller's executor.
Task<Piece> ReadOnPool(const Shared& shared,
                       const Request& request,
                       BodySource& source,
                       std::span<std::uint8_t> to);
// False when it failed.
Task<bool> FinishOnPool(const Shared& shared, const Request& request, BodySource& source);
Task<void> DestroyOnPool(const Shared& shared, std::unique_ptr<BodySource> source);

}  // namespace tidemark::http
