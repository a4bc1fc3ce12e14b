#pragma once

#include <atomic>
#include <optional>
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
  std::atomic<bool>& stopping;
};

// Everything but the body, the address and the id. Header names become lower case.
Request MakeRequest(const BodyParser& parser);

// Why a request with a well-formed head is refused all the same; empty when it is not.
std::string_view HeadProblem(const BodyParser& parser);

// The handler's answer, or the 500 that stands for what it threw.
Response CallHandler(const Shared& shared, const Request& request);

// Runs the handler on the `calls` pool and resumes on the caller's executor with its answer, or
// with a 503 when the pool is full or stopping.
Task<Response> CallOnPool(const Shared& shared, const Request& request);

}  // namespace tidemark::http
