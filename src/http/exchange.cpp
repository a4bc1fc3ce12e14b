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

// Runs `work` on the pool and resumes on the caller's executor with what it returns. Told kDropped
// when the pool is full or stopping. REQUIRES: it lives until then, and does not throw.
template <class Result>
Task<Result> RunOnPool(CallPool& pool, const std::function<Result(CallPool::Fate)>& work) {
  const Executor executor = co_await asio::this_coro::executor;
  const auto initiate = [executor, &pool, &work](auto handler) {
    // Shared by the job, which must be copyable, and the resumption that it posts.
    const auto resume = std::make_shared<decltype(handler)>(std::move(handler));
    const auto run = [executor, resume, &work](CallPool::Fate fate) {
      asio::post(executor,
                 [resume, result = work(fate)]() mutable { (*resume)(std::move(result)); });
    };
    if (!pool.TryRun(run)) {
      run(CallPool::Fate::kDropped);
    }
  };
  asio::use_awaitable_t<Executor> token;
  co_return co_await asio::async_initiate<asio::use_awaitable_t<Executor>, void(Result)>(initiate,
                                                                                         token);
}

// False, and a line in the log, when `act` throws. The path may hold a key: it is not told.
template <class Act>
bool OrLog(const Shared& shared, const Request& request, const Act& act) {
  try {
    act();
    return true;
  } catch (const std::exception& error) {
    shared.log.Error("request={} method={}  the body broke off: {}",
                     request.request_id,
                     MethodName(request.method),
                     error.what());
    return false;
  }
}

}  // namespace

void ReadHead(const BodyParser& parser, Request& request) {
  const auto& message = parser.get();
  request.method = MethodOf(message.method());
  if (request.method == Method::kOther) {
    request.other_method = std::string(message.method_string());
  }
  request.target = std::string(message.target());
  const std::string_view target = OriginForm(request.target);
  const std::size_t question = std::min(target.find('?'), target.size());
  request.path = std::string(target.substr(0, question));
  request.query = std::string(target.substr(std::min(question + 1, target.size())));
  for (const auto& field : message) {
    request.headers.emplace_back(LowerCase(field.name_string()), std::string(field.value()));
  }
}

std::string_view HeadProblem(const BodyParser& parser) {
  const auto& message = parser.get();
  // RFC 9112 sections 3.2 and 6.1: both would let two servers read one request differently.
  if (message.version() >= 11 && message.count(beast::http::field::host) != 1) {
    return "The request must have exactly one Host header.";
  }
  // It becomes part of the links in answers (RFC 3986 section 3.2.2, without an escape's check).
  constexpr std::string_view kHostMarks = "-._~!$&'()*+,;=:[]%";
  if (!std::ranges::all_of(message[beast::http::field::host], [&](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
               kHostMarks.find(c) != std::string_view::npos;
      })) {
    return "The Host header is no host.";
  }
  // The parser takes "gzip, chunked", and would hand over what is packed as if it were the body.
  const auto coding = message.find(beast::http::field::transfer_encoding);
  if (coding != message.end() &&
      (message.count(beast::http::field::transfer_encoding) > 1 || !parser.chunked() ||
       !beast::iequals(coding->value(), "chunked"))) {
    return "The request has a Transfer-Encoding that is not chunked.";
  }
  // The parser takes "1, 1" for 1.
  const auto length = message.find(beast::http::field::content_length);
  if (message.count(beast::http::field::content_length) > 1 ||
      (length != message.end() && !std::ranges::all_of(length->value(), [](unsigned char c) {
         return std::isdigit(c) != 0;
       }))) {
    return "The request must have one Content-Length at most, a number.";
  }
  return {};
}

Response CallHandler(const Shared& shared, const Request& request) {
  try {
    return shared.handler(request);
  } catch (const std::exception& error) {
    shared.log.Error("request={} method={}  handler failed: {}",
                     request.request_id,
                     MethodName(request.method),
                     error.what());
    return ErrorResponse(500, "Unexpected error. Request id: " + request.request_id + ".");
  }
}

Response Busy() {
  Response response = ErrorResponse(503, "The server is busy. Try again in a moment.");
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

Task<Response> CallOnPool(const Shared& shared, const Request& request) {
  const std::function<Response(CallPool::Fate)> work = [&](CallPool::Fate fate) {
    return fate == CallPool::Fate::kRun ? CallHandler(shared, request) : Busy();
  };
  co_return co_await RunOnPool(shared.calls, work);
}

Task<Piece> ReadOnPool(const Shared& shared,
                       const Request& request,
                       BodySource& source,
                       std::span<std::uint8_t> to) {
  const std::function<Piece(CallPool::Fate)> work = [&](CallPool::Fate fate) {
    Piece piece;
    piece.failed = fate == CallPool::Fate::kDropped ||
                   !OrLog(shared, request, [&] { piece.size = source.Read(to); });
    return piece;
  };
  co_return co_await RunOnPool(shared.streams, work);
}

Task<bool> FinishOnPool(const Shared& shared, const Request& request, BodySource& source) {
  const std::function<bool(CallPool::Fate)> work = [&](CallPool::Fate fate) {
    return fate == CallPool::Fate::kRun && OrLog(shared, request, [&] { source.Finish(); });
  };
  co_return co_await RunOnPool(shared.streams, work);
}

// NOLINTNEXTLINE(performance-unnecessary-value-param): lives as long as the coroutine
Task<void> DestroyOnPool(const Shared& shared, std::unique_ptr<BodySource> source) {
  const std::function<bool(CallPool::Fate)> work = [&](CallPool::Fate) {
    source.reset();
    return true;
  };
  co_await RunOnPool(shared.streams, work);
}

}  // namespace tidemark::http
