#include "http/internal/exchange.h"

#include <algorithm>
#include <cctype>
#include <memory>

namespace tidemark::http {
namespace {

Method MethodOf(beast::http::verb verb) {
  switch (verb) {
    case beast::http::verb::get:
      return Method::kGet;
    case beast::http::verb::head:
      return Method::kHead;
    case beast::http::verb::post:
      return Method::kPost;
    case beast::http::verb::put:
      return Method::kPut;
    case beast::http::verb::patch:
      return Method::kPatch;
    case beast::http::verb::delete_:
      return Method::kDelete;
    default:
      return Method::kOther;
  }
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(
      lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// The part of a target from its path on: a client of a proxy sends "http://host/path"
// (RFC 9112 section 3.2.2).
std::string_view OriginForm(std::string_view target) {
  const std::size_t scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) {
    return target;
  }
  const std::size_t path = target.find('/', scheme + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

Response Busy() {
  Response response = ErrorResponse(503, "The server is busy. Try again in a moment.");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

Request MakeRequest(const BodyParser& parser) {
  const auto& message = parser.get();
  Request request;
  request.method = MethodOf(message.method());
  request.target = std::string(message.target());
  const std::string_view target = OriginForm(request.target);
  const std::size_t question = std::min(target.find('?'), target.size());
  request.path = std::string(target.substr(0, question));
  request.query = std::string(target.substr(std::min(question + 1, target.size())));
  for (const auto& field : message) {
    request.headers.emplace_back(LowerCase(field.name_string()), std::string(field.value()));
  }
  return request;
}

std::string_view HeadProblem(const BodyParser& parser) {
  const auto& message = parser.get();
  // RFC 9112 sections 3.2 and 6.1: both would let two servers read one request differently.
  if (message.version() >= 11 && message.count(beast::http::field::host) != 1) {
    return "The request must have exactly one Host header.";
  }
  if (message.count(beast::http::field::transfer_encoding) > 0 && !parser.chunked()) {
    return "The request has a Transfer-Encoding that is not chunked.";
  }
  return {};
}

Response CallHandler(const Shared& shared, const Request& request) {
  try {
    return shared.handler(request);
  } catch (const std::exception& error) {
    shared.log.Error("request={} method={} path={}  handler failed: {}",
                     request.request_id,
                     MethodName(request.method),
                     request.path,
                     error.what());
    return ErrorResponse(500, "Unexpected error. Request id: " + request.request_id + ".");
  }
}

Task<Response> CallOnPool(const Shared& shared, const Request& request) {
  const Executor executor = co_await asio::this_coro::executor;
  const auto initiate = [executor, &shared, &request](auto handler) {
    // Shared by the job, which must be copyable, and the resumption that it posts.
    const auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    const auto finish = [executor, resume](Response response) {
      asio::post(executor, [resume, response = std::move(response)]() mutable {
        (*resume)(std::move(response));
      });
    };
    const bool taken = shared.calls.TryRun([finish, &shared, &request](CallPool::Fate fate) {
      finish(fate == CallPool::Fate::kRun ? CallHandler(shared, request) : Busy());
    });
    if (!taken) {
      finish(Busy());
    }
  };
  asio::use_awaitable_t<Executor> token;
  co_return co_await asio::async_initiate<asio::use_awaitable_t<Executor>, void(Response)>(initiate,
                                                                                           token);
}

}  // namespace tidemark::http
