#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <fmt/core.h>

#include "base/bytes.h"
#include "http/internal/exchange.h"
#include "http/internal/tls_stream.h"

namespace tidemark::http {

inline constexpr std::size_t kReadAtOnce = 16U << 10;    // bytes
inline constexpr std::size_t kMaxDrained = 8U << 20;     // bytes of a body over the bound
inline constexpr std::chrono::seconds kLinger{5};        // for the peer to read the last answer
inline constexpr std::size_t kMaxLingered = 256U << 20;  // bytes thrown away in that time

// One connection, plain or TLS, from handshake to close: requests one after another. Lives in the
// frame of the coroutine that runs it. Confined to its loop.
template <class Stream>
class Session final : public Connection {
 public:
  Session(Stream stream, IoLoop& loop, const Shared& shared)
      : stream_(std::move(stream)), loop_(loop), shared_(shared), buffer_(BufferLimit(shared)) {
    loop_.connections().insert(this);
  }

  ~Session() override { loop_.connections().erase(this); }

  void CloseIfIdle() override {
    if (idle_) {
      Close();
    }
  }

  void Close() override { Lowest().close(); }

  Task<void> Run() {
    if (!SetRemoteAddress()) {
      co_return;
    }
    if (!co_await Handshake()) {
      co_return;
    }
    while (!shared_.stopping && co_await WaitForRequest()) {
      if (!co_await ServeRequest()) {
        break;
      }
    }
    co_await End();
  }

 private:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  // The parser wants a whole head at once; 431 comes from its own limit, not from the buffer's.
  static std::size_t BufferLimit(const Shared& shared) {
    return shared.options.max_header + 4 * kReadAtOnce;
  }

  TcpStream& Lowest() { return beast::get_lowest_layer(stream_); }

  bool SetRemoteAddress() {
    boost::system::error_code error;
    const auto endpoint = Lowest().socket().remote_endpoint(error);
    if (!error) {
      remote_address_ = endpoint.address().to_string();
      Lowest().socket().set_option(Tcp::no_delay(true), error);
    }
    return !error;
  }

  Task<bool> Handshake() {
    if constexpr (kTls) {
      boost::system::error_code error;
      Lowest().expires_after(shared_.options.header_timeout);
      co_await stream_.async_handshake(Into(error));
      co_return !error;
    }
    co_return true;
  }

  // False when the peer has gone, or was silent for too long.
  Task<bool> WaitForRequest() {
    if (buffer_.size() > 0) {
      co_return true;
    }
    if (buffer_.capacity() > kFirstRead) {
      buffer_.shrink_to_fit();  // an idle connection should cost little
    }
    boost::system::error_code error;
    Lowest().expires_after(first_ ? shared_.options.header_timeout : shared_.options.idle_timeout);
    first_ = false;
    idle_ = true;
    const std::size_t got =
        co_await stream_.async_read_some(buffer_.prepare(kFirstRead), Into(error));
    idle_ = false;
    buffer_.commit(got);
    co_return !error;
  }

  // False when the connection cannot be used any more.
  Task<bool> ServeRequest() {
    answered_ = {};
    began_ = shared_.clock.Now();
    Request request;
    const bool keep = co_await ReadAndAnswer(request);
    if (shared_.options.access_log != nullptr && (answered_.status != 0 || !request.path.empty())) {
      LogAccess(request);
    }
    co_return keep;
  }

  void LogAccess(const Request& request) const {
    const auto took = std::max(shared_.clock.Now() - began_, std::chrono::microseconds(0));
    shared_.options.access_log->Write(
        {began_, took, request, answered_.actor, answered_.status, answered_.sent});
  }

  // `request` is filled as far as it comes.
  Task<bool> ReadAndAnswer(Request& request) {
    BodyParser parser;
    parser.header_limit(static_cast<std::uint32_t>(shared_.options.max_header));
    parser.body_limit(boost::none);  // max_body is applied while reading
    boost::system::error_code error;
    Lowest().expires_after(shared_.options.header_timeout);
    co_await beast::http::async_read_header(stream_, buffer_, parser, Into(error));
    began_ = shared_.clock.Now();
    request.remote_address = remote_address_;
    request.request_id = loop_.request_ids().Next(shared_.random);
    if (error) {
      co_return co_await RefuseHead(error, request);
    }
    if (const std::string_view problem = HeadProblem(parser); !problem.empty()) {
      co_return co_await Refuse(400, std::string(problem), request);
    }
    ReadHead(parser, request);
    request.scheme = kTls ? "https" : "http";
    Receiving receiving{request, BodyShare(shared_)};
    if (!parser.is_done() && !co_await ReadBody(parser, receiving)) {
      co_return false;
    }
    Response response = receiving.crowded ? Busy() : co_await CallOnPool(shared_, request);
    const bool chunks = parser.get().version() >= 11;
    const bool keep = parser.is_done() && parser.keep_alive() && !shared_.stopping && chunks;
    const ConnectionFate fate = keep ? ConnectionFate::kKeepAlive : ConnectionFate::kClose;
    if (response.stream) {
      co_return co_await WriteStream(response, request, fate, FramingOf(*response.stream, chunks));
    }
    co_return co_await Write(response, request, fate);
  }

  // A request whose body is on its way. Lives in the frame of ReadAndAnswer.
  struct Receiving {
    Request& request;
    BodyShare share;
    bool crowded = false;  // no room: all of it was thrown away
  };

  static BodyFraming FramingOf(const BodyStream& body, bool chunks) {
    if (body.size) {
      return BodyFraming::kSized;
    }
    return chunks && body.source ? BodyFraming::kChunked : BodyFraming::kUnsaid;
  }

  // False when the connection broke or the body is malformed. The parser is not done when the body
  // was given up.
  Task<bool> ReadBody(BodyParser& parser, Receiving& receiving) {
    Request& request = receiving.request;
    const std::uint64_t announced = parser.content_length().value_or(0);
    if (WantsContinue(request) && announced > shared_.options.max_body) {
      request.body_too_large = true;  // never sent: the peer waits for our word
      co_return true;
    }
    Lowest().expires_after(shared_.options.body_timeout);
    if (WantsContinue(request) && !co_await SendContinue()) {
      co_return false;
    }
    std::uint64_t seen = 0;
    std::array<char, kReadAtOnce> piece;
    while (!parser.is_done() && seen <= shared_.options.max_body + kMaxDrained) {
      boost::system::error_code error;
      const std::size_t got = co_await ReadPiece(parser, piece, error);
      if (error) {
        co_return co_await RefuseBody(error, request);
      }
      seen += got;
      Append({piece.data(), got}, receiving);
    }
    co_return true;
  }

  static bool WantsContinue(const Request& request) {
    return beast::iequals(request.Header("expect").value_or(""), "100-continue");
  }

  Task<bool> SendContinue() {
    boost::system::error_code error;
    co_await asio::async_write(
        stream_, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), Into(error));
    co_return !error;
  }

  Task<std::size_t> ReadPiece(BodyParser& parser,
                              std::array<char, kReadAtOnce>& piece,
                              boost::system::error_code& error) {
    auto& body = parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    co_await beast::http::async_read(stream_, buffer_, parser, Into(error));
    if (error == beast::http::error::need_buffer) {
      error = {};
    }
    co_return piece.size() - body.size;
  }

  void Append(std::string_view piece, Receiving& receiving) const {
    Request& request = receiving.request;
    if (request.body_too_large || receiving.crowded) {
      return;
    }
    const std::size_t size = request.body.size() + piece.size();
    request.body_too_large = size > shared_.options.max_body;
    receiving.crowded = !request.body_too_large && !MakeRoom(size, receiving);
    if (request.body_too_large || receiving.crowded) {
      std::string().swap(request.body);  // what is assigned to keeps its room
      receiving.share.GiveBack();
      return;
    }
    request.body.append(piece);
  }

  // For a body of that size, counted before it is taken. False when there is none left.
  static bool MakeRoom(std::size_t size, Receiving& receiving) {
    std::string& body = receiving.request.body;
    if (size <= body.capacity()) {
      return true;
    }
    const std::size_t room = std::bit_ceil(size);
    if (!receiving.share.GrowTo(room)) {
      return false;
    }
    std::string larger;  // one that grows by itself takes up to twice as much
    larger.reserve(room);
    larger.append(body);
    body.swap(larger);
    return true;
  }

  static bool IsProtocolError(const boost::system::error_code& error) {
    static const auto& category = make_error_code(beast::http::error::bad_method).category();
    return error.category() == category && error != beast::http::error::end_of_stream &&
           error != beast::http::error::partial_message;
  }

  Task<bool> RefuseHead(boost::system::error_code error, const Request& request) {
    if (error == beast::http::error::header_limit || error == beast::http::error::buffer_overflow) {
      co_return co_await Refuse(431, "The request header is too large.", request);
    }
    if (IsProtocolError(error)) {
      co_return co_await Refuse(
          400, "The request is not HTTP/1.1: " + error.message() + ".", request);
    }
    co_return false;
  }

  Task<bool> RefuseBody(boost::system::error_code error, const Request& request) {
    if (IsProtocolError(error)) {
      co_await Refuse(400, "The request body is malformed: " + error.message() + ".", request);
    }
    co_return false;
  }

  Task<bool> Refuse(int status, std::string detail, const Request& request) {
    co_return co_await Write(ErrorResponse(status, detail), request, ConnectionFate::kClose);
  }

  // True when the connection may serve another request.
  Task<bool> Write(const Response& response, const Request& request, ConnectionFate fate) {
    const std::string head = FormatHead(response, {shared_.clock.Now(), request.request_id, fate});
    const bool bare = request.method == Method::kHead || !MayHaveBody(response.status);
    const std::array<asio::const_buffer, 2> parts{
        asio::buffer(head), bare ? asio::const_buffer() : asio::buffer(response.body)};
    boost::system::error_code error;
    Lowest().expires_after(shared_.options.body_timeout);
    co_await asio::async_write(stream_, parts, Into(error));
    answered_ = {response.status, error || bare ? 0 : response.body.size(), response.actor};
    lingering_ = !error && fate == ConnectionFate::kClose;
    co_return !error && fate == ConnectionFate::kKeepAlive;
  }

  // Sends what a source gives. True when the connection may serve another request.
  Task<bool> WriteStream(Response& response,
                         const Request& request,
                         ConnectionFate fate,
                         BodyFraming framing) {
    const std::string head =
        FormatHead(response, {shared_.clock.Now(), request.request_id, fate, framing});
    std::unique_ptr<BodySource> source = std::move(response.stream->source);
    answered_ = {response.status, 0, response.actor};
    if (request.method == Method::kHead || source == nullptr) {
      co_await DestroyOnPool(shared_, std::move(source));
      const bool sent = co_await Send(head, shared_.options.body_timeout);
      co_return sent&& fate == ConnectionFate::kKeepAlive;
    }
    const StreamSlot slot(shared_);
    if (!slot.taken()) {
      co_await DestroyOnPool(shared_, std::move(source));
      co_return co_await Write(Busy(), request, fate);
    }
    Bytes buffer(kStreamPiece);
    // Before the head: what cannot even begin is told with a status.
    const Piece first = co_await ReadOnPool(shared_, request, *source, buffer);
    if (first.failed) {
      co_await DestroyOnPool(shared_, std::move(source));
      const std::string detail = "Unexpected error. Request id: " + request.request_id + ".";
      co_return co_await Write(ErrorResponse(500, detail), request, fate);
    }
    Sending sending{*source, request, buffer, first, framing, response.stream->size};
    bool whole = co_await Send(head, shared_.options.stall_timeout);
    if (whole) {
      whole = co_await SendBody(sending);
    }
    co_await DestroyOnPool(shared_, std::move(source));
    EndStream(whole, framing, fate);
    co_return whole&& fate == ConnectionFate::kKeepAlive;
  }

  // A body that only the end of the connection ends must not look whole when it is not: reset.
  void EndStream(bool whole, BodyFraming framing, ConnectionFate fate) {
    lingering_ = whole && fate == ConnectionFate::kClose;
    if (!whole && framing == BodyFraming::kUnsaid) {
      boost::system::error_code ignored;
      Lowest().socket().set_option(asio::socket_base::linger(true, 0), ignored);
    }
  }

  // A body on its way. Lives in the frame of WriteStream.
  struct Sending {
    BodySource& source;
    const Request& request;
    Bytes& buffer;
    Piece piece;  // what `buffer` holds
    BodyFraming framing;
    std::optional<std::uint64_t> size;
  };

  // False when it broke off. The last byte of a sized body waits for Finish, as the last chunk
  // does.
  Task<bool> SendBody(Sending& sending) {
    std::uint64_t left = sending.size.value_or(UINT64_MAX);
    std::string last;
    while (sending.piece.size > 0) {
      if (sending.piece.size > left) {
        co_return false;
      }
      left -= sending.piece.size;
      std::string_view text = AsText(ByteView(sending.buffer).first(sending.piece.size));
      if (left == 0) {
        last = text.back();
        text.remove_suffix(1);
      }
      const bool sent = co_await SendPiece(text, sending.framing);
      if (!sent) {
        co_return false;
      }
      answered_.sent += text.size();
      sending.piece = co_await ReadOnPool(shared_, sending.request, sending.source, sending.buffer);
      if (sending.piece.failed) {
        co_return false;
      }
    }
    if (sending.size && left > 0) {
      co_return false;
    }
    const bool finished = co_await FinishOnPool(shared_, sending.request, sending.source);
    if (!finished) {
      co_return false;
    }
    answered_.sent += last.size();
    if (sending.framing == BodyFraming::kChunked) {
      last = "0\r\n\r\n";
    }
    co_return co_await Send(last, shared_.options.stall_timeout);
  }

  Task<bool> SendPiece(std::string_view text, BodyFraming framing) {
    if (framing != BodyFraming::kChunked) {
      co_return co_await Send(text, shared_.options.stall_timeout);
    }
    const std::string size = fmt::format("{:x}\r\n", text.size());
    const std::array<asio::const_buffer, 3> parts{
        asio::buffer(size), asio::buffer(text), asio::buffer(std::string_view("\r\n"))};
    boost::system::error_code error;
    Lowest().expires_after(shared_.options.stall_timeout);
    co_await asio::async_write(stream_, parts, Into(error));
    co_return !error;
  }

  Task<bool> Send(std::string_view text, std::chrono::seconds timeout) {
    boost::system::error_code error;
    Lowest().expires_after(timeout);
    co_await asio::async_write(stream_, asio::buffer(text), Into(error));
    co_return !error;
  }

  // A close with unread input resets the connection, and the peer may lose our last answer with it:
  // end our side, then throw away what still comes, for a while.
  Task<void> End() {
    if (!lingering_) {
      co_return;
    }
    boost::system::error_code error;
    Lowest().expires_after(kLinger);
    if constexpr (kTls) {
      co_await stream_.async_shutdown(Into(error));
    }
    Lowest().socket().shutdown(Tcp::socket::shutdown_send, error);
    std::array<char, kReadAtOnce> ignored;
    for (std::size_t total = 0; !error && total < kMaxLingered;) {
      idle_ = true;
      total += co_await Lowest().async_read_some(asio::buffer(ignored), Into(error));
    }
  }

  static constexpr std::size_t kFirstRead = 4096;  // bytes

  // What has been answered to the request of the moment.
  struct Answered {
    int status = 0;
    std::uint64_t sent = 0;  // bytes of the body
    std::string actor;
  };

  Stream stream_;
  IoLoop& loop_;
  const Shared& shared_;
  beast::flat_buffer buffer_;
  std::string remote_address_;
  Instant began_;
  Answered answered_;
  bool first_ = true;
  bool idle_ = false;
  bool lingering_ = false;  // our last answer announced the close
};

}  // namespace tidemark::http
