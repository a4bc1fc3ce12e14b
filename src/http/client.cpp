#include "http/client.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "base/error.h"
#include "http/internal/tls.h"

namespace tidemark::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using Tcp = asio::ip::tcp;
using Failure = boost::system::error_code;
using WireRequest = beast::http::request<beast::http::string_body>;
using HeadParser = beast::http::response_parser<beast::http::empty_body>;
using ResponseParser = beast::http::response_parser<beast::http::string_body>;
using PieceParser = beast::http::response_parser<beast::http::buffer_body>;
using Sink = std::function<void(std::string_view)>;

constexpr std::size_t kPiece = 64U << 10;        // bytes given to a sink at once
constexpr std::uint64_t kMaxAnswer = 64U << 20;  // bytes

[[noreturn]] void ThrowBadUrl(std::string_view url) {
  throw Error(ErrorCode::kInvalidArgument,
              "reading the URL \"" + std::string(url) + "\": it is not http(s)://HOST[:PORT]",
              "for example http://127.0.0.1:8080");
}

std::string Where(const Origin& origin) {
  return origin.scheme + "://" + origin.host + ":" + std::to_string(origin.port);
}

[[noreturn]] void ThrowFailure(const Failure& failure, const Origin& origin) {
  const std::string message = "calling " + Where(origin) + ": " + failure.message();
  static const auto& http_category = make_error_code(beast::http::error::bad_method).category();
  if (failure == beast::error::timeout) {
    throw Error(ErrorCode::kTimeout, "calling " + Where(origin) + ": no answer in time");
  }
  if (failure == beast::http::error::body_limit) {
    throw Error(ErrorCode::kResourceExhausted, message);
  }
  if (failure == beast::http::error::end_of_stream ||
      failure == beast::http::error::partial_message || failure.category() != http_category) {
    throw Error(ErrorCode::kUnavailable, message, "is the server running there?");
  }
  throw Error(ErrorCode::kInvalidArgument, message, "is that URL one of Tidemark's?");
}

// One connection's work, step by step on an io_context that runs until each step is done: so that
// every step is under the one deadline.
class Exchange {
 public:
  // `sink` may be null: then the body stays in the response.
  Exchange(const Origin& origin, std::chrono::milliseconds timeout, const Sink* sink = nullptr)
      : origin_(origin),
        timeout_(timeout),
        deadline_(std::chrono::steady_clock::now() + timeout),
        sink_(sink) {}

  Response Run(const WireRequest& request) {
    const auto addresses = Resolve();
    if (origin_.scheme == "http") {
      beast::tcp_stream stream(context_);
      Connect(stream, addresses);
      return Talk(stream, request);
    }
    asio::ssl::context tls = MakeClientTls();
    asio::ssl::stream<beast::tcp_stream> stream(context_, tls);
    Connect(stream.next_layer(), addresses);
    Handshake(stream);
    return Talk(stream, request);
  }

 private:
  // Runs what was started; throws what came out.
  void Finish() {
    context_.restart();
    context_.run();
    if (failure_) {
      ThrowFailure(failure_, origin_);
    }
  }

  // A handler for any step: keeps its error.
  auto Keep() {
    return [this](const Failure& failure, const auto&...) { failure_ = failure; };
  }

  Tcp::resolver::results_type Resolve() {
    Tcp::resolver resolver(context_);
    auto addresses = resolver.resolve(origin_.host, std::to_string(origin_.port), failure_);
    if (failure_) {
      ThrowFailure(failure_, origin_);
    }
    return addresses;
  }

  void Connect(beast::tcp_stream& stream, const Tcp::resolver::results_type& addresses) {
    stream.expires_at(deadline_);
    stream.async_connect(addresses, Keep());
    Finish();
  }

  void Handshake(asio::ssl::stream<beast::tcp_stream>& stream) {
    SSL_set_tlsext_host_name(stream.native_handle(), origin_.host.c_str());
    stream.set_verify_callback(asio::ssl::host_name_verification(origin_.host));
    stream.async_handshake(asio::ssl::stream_base::client, Keep());
    context_.restart();
    context_.run();
    if (failure_.category() == asio::error::get_ssl_category()) {
      throw Error(ErrorCode::kUnauthenticated,
                  "calling " + Where(origin_) + ": " + failure_.message(),
                  "SSL_CERT_FILE may name a file with its authority");
    }
    if (failure_) {
      ThrowFailure(failure_, origin_);
    }
  }

  template <class Stream>
  Response Talk(Stream& stream, const WireRequest& request) {
    beast::http::async_write(stream, request, Keep());
    Finish();
    beast::flat_buffer buffer;
    HeadParser head;
    head.body_limit(boost::none);  // checked again by what reads the body
    head.skip(request.method() == beast::http::verb::head);
    beast::http::async_read_header(stream, buffer, head, Keep());
    Finish();
    if (sink_ != nullptr && head.get().result_int() / 100 == 2) {
      return ReadPieces(stream, buffer, PieceParser(std::move(head)));
    }
    ResponseParser parser(std::move(head));
    parser.body_limit(kMaxAnswer);
    beast::http::async_read(stream, buffer, parser, Keep());
    Finish();
    auto answer = parser.release();
    Response response = MakeResponse(answer.base());
    response.body = std::move(answer.body());
    return response;
  }

  template <class Stream>
  Response ReadPieces(Stream& stream, beast::flat_buffer& buffer, PieceParser parser) {
    std::array<char, kPiece> piece;
    while (!parser.is_done()) {
      auto& body = parser.get().body();
      body.data = piece.data();
      body.size = piece.size();
      beast::get_lowest_layer(stream).expires_after(timeout_);
      beast::http::async_read(stream, buffer, parser, Keep());
      context_.restart();
      context_.run();
      if (failure_ && failure_ != beast::http::error::need_buffer) {
        ThrowFailure(failure_, origin_);
      }
      (*sink_)({piece.data(), piece.size() - body.size});
    }
    return MakeResponse(parser.get().base());
  }

  static Response MakeResponse(const beast::http::response_header<>& answer) {
    Response response;
    response.status = static_cast<int>(answer.result_int());
    for (const auto& field : answer) {
      std::string name(field.name_string());
      std::ranges::transform(
          name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      response.headers.emplace_back(std::move(name), std::string(field.value()));
    }
    return response;
  }

  const Origin& origin_;
  const std::chrono::milliseconds timeout_;
  const std::chrono::steady_clock::time_point deadline_;
  asio::io_context context_{1};
  Failure failure_;
  const Sink* sink_;
};

WireRequest MakeWireRequest(const Origin& origin, const ClientRequest& request) {
  WireRequest wire;
  wire.version(11);
  wire.method_string(MethodName(request.method));
  wire.target(request.target);
  const bool address6 = origin.host.find(':') != std::string::npos;
  wire.set(beast::http::field::host,
           (address6 ? "[" + origin.host + "]" : origin.host) + ":" + std::to_string(origin.port));
  wire.set(beast::http::field::user_agent, "tidemark");
  wire.set(beast::http::field::connection, "close");
  for (const auto& [name, value] : request.headers) {
    wire.insert(name, value);
  }
  wire.body() = request.body;
  wire.prepare_payload();
  return wire;
}

std::uint16_t ParsePort(std::string_view text, std::string_view url) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0 || port > 65535) {
    ThrowBadUrl(url);
  }
  return static_cast<std::uint16_t>(port);
}

}  // namespace

Origin ParseOrigin(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    ThrowBadUrl(url);
  }
  Origin origin;
  origin.scheme = std::string(url.substr(0, scheme));
  std::string_view authority = url.substr(scheme + 3);
  if (authority.ends_with('/')) {
    authority.remove_suffix(1);
  }
  if ((origin.scheme != "http" && origin.scheme != "https") ||
      authority.find_first_of("/?#@ ") != std::string_view::npos) {
    ThrowBadUrl(url);
  }
  origin.port = origin.scheme == "http" ? 80 : 443;
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    origin.port = ParsePort(authority.substr(colon + 1), url);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) {
    authority = authority.substr(1, authority.size() - 2);
  }
  if (authority.empty()) {
    ThrowBadUrl(url);
  }
  origin.host = std::string(authority);
  return origin;
}

Response Send(const Origin& origin,
              const ClientRequest& request,
              std::chrono::milliseconds timeout) {
  return Exchange(origin, timeout).Run(MakeWireRequest(origin, request));
}

Response Receive(const Origin& origin,
                 const ClientRequest& request,
                 std::chrono::milliseconds timeout,
                 const Sink& sink) {
  return Exchange(origin, timeout, &sink).Run(MakeWireRequest(origin, request));
}

}  // namespace tidemark::http
