#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/c_handle.h"
#include "http/internal/io_loop.h"

namespace tidemark::http {

// OpenSSL over a socket, which it reads and writes itself as far as that goes without waiting. Only
// the few bytes that show that the socket is ready again pass through here, so that a connection
// has no buffers of ours; asio::ssl::stream has 68 KiB for each. Confined to the socket's loop.
class TlsEngine {
 public:
  // As a server. `tls` must outlive it.
  TlsEngine(TcpStream next, asio::ssl::context& tls);

  TlsEngine(const TlsEngine&) = delete;
  TlsEngine& operator=(const TlsEngine&) = delete;

  TcpStream& next() { return next_; }

  SSL* ssl() { return ssl_.get(); }

  // What became of a call of OpenSSL.
  struct Outcome {
    bool finished = false;  // otherwise the same call is to be made again, after input or output
    boost::system::error_code error;
    std::size_t bytes = 0;
  };

  // `result` is what the call returned. REQUIRES: the error queue was empty before the call.
  Outcome Judge(int result);

  // What OpenSSL has written and the socket did not take: to be sent before anything else.
  bool has_output() const { return output_size_ > 0; }

  asio::const_buffer output() const { return {output_.data(), output_size_}; }

  void OutputIsSent() { output_size_ = 0; }

  // Whether reading may get something without waiting for the socket. Otherwise OpenSSL is not
  // asked before something comes: it has 50 KiB of buffers for a handshake and 17 for a record.
  bool may_have_input() const {
    return !input_left_.empty() || !dry_ || SSL_has_pending(ssl_.get()) == 1;
  }

  // Where the first bytes go that come. REQUIRES: what came before has been read.
  asio::mutable_buffer input_room() { return asio::buffer(input_); }

  void InputHasCome(std::size_t size) {
    input_left_ = std::span(input_).first(size);
    dry_ = size < input_.size();
  }

 private:
  static int ReadSome(BIO* bio, char* to, int size);
  static int WriteSome(BIO* bio, const char* from, int size);
  static long Control(BIO* bio, int command, long number, void* pointer);
  static const BIO_METHOD* Methods();

  // Neither touches the descriptor of a socket that was closed: it may be another connection's.
  int Read(std::span<char> to, BIO* bio);
  int Write(std::span<const char> from, BIO* bio);
  int Fail(int number);  // errno

  TcpStream next_;
  CHandle<SSL, SSL_free> ssl_;
  std::array<char, 1024> input_;  // most requests, with one read of the socket
  std::array<char, 64> output_;
  std::span<const char> input_left_;
  std::size_t output_size_ = 0;
  bool dry_ = true;                  // the socket had no more when it was last read
  boost::system::error_code error_;  // of the socket
};

// A server's TLS connection: an AsyncStream (Boost.Beast) of which one operation at a time may be
// under way. Deadlines are those of next_layer(). An error ends it.
class TlsStream {
 public:
  using next_layer_type = TcpStream;
  using executor_type = TcpStream::executor_type;

  TlsStream(TcpStream next, asio::ssl::context& tls)
      : engine_(std::make_unique<TlsEngine>(std::move(next), tls)) {}

  executor_type get_executor() { return engine_->next().get_executor(); }

  TcpStream& next_layer() { return engine_->next(); }

  // Each completes with (error_code, std::size_t bytes).
  template <class Token>
  auto async_handshake(Token&& token) {
    return Start(Begins::kReading, [](SSL* ssl) { return SSL_do_handshake(ssl); }, token);
  }

  // Says that nothing follows, and does not wait for the peer to say the same.
  template <class Token>
  auto async_shutdown(Token&& token) {
    return Start(Begins::kWriting, [](SSL* ssl) { return SSL_shutdown(ssl) < 0 ? -1 : 1; }, token);
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    const asio::mutable_buffer to = FirstOf<asio::mutable_buffer>(buffers);
    return Start(
        Begins::kReading,
        [to](SSL* ssl) { return SSL_read(ssl, to.data(), SizeOf(to.size())); },
        token);
  }

  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return Start(Begins::kWriting, [buffers](SSL* ssl) { return WriteSome(ssl, buffers); }, token);
  }

 private:
  enum class Begins : std::uint8_t { kReading, kWriting };

  template <class Call>
  struct Operation {
    enum class Step : std::uint8_t { kBegin, kInput, kOutput, kEnd };

    TlsEngine& engine;
    Begins begins;
    Call call;  // returns what OpenSSL does
    Step step = Step::kBegin;
    TlsEngine::Outcome outcome = {};

    template <class Self>
    void operator()(Self& self, boost::system::error_code error = {}, std::size_t bytes = 0) {
      if (step == Step::kEnd) {
        return self.complete(outcome.error, outcome.bytes);
      }
      if (error) {
        return self.complete(error, 0);
      }
      if (step == Step::kInput) {
        engine.InputHasCome(bytes);
      } else if (step == Step::kOutput) {
        engine.OutputIsSent();
      }
      const bool waits =
          step == Step::kBegin && begins == Begins::kReading && !engine.may_have_input();
      if (!outcome.finished && !waits) {
        ERR_clear_error();
        outcome = engine.Judge(call(engine.ssl()));
      }
      Continue(self);
    }

    // `this` moves away with `self`.
    template <class Self>
    void Continue(Self& self) {
      TlsEngine& to = engine;
      if (to.has_output()) {
        step = Step::kOutput;
        asio::async_write(to.next(), to.output(), std::move(self));
      } else if (!outcome.finished) {
        step = Step::kInput;
        to.next().async_read_some(to.input_room(), std::move(self));
      } else if (step == Step::kBegin) {
        step = Step::kEnd;  // never from within the call that began it
        asio::post(to.next().get_executor(), std::move(self));
      } else {
        self.complete(outcome.error, outcome.bytes);
      }
    }
  };

  template <class Call, class Token>
  auto Start(Begins begins, Call call, Token& token) {
    return asio::async_compose<Token, void(boost::system::error_code, std::size_t)>(
        Operation<Call>{*engine_, begins, std::move(call)}, token, engine_->next());
  }

  // OpenSSL counts in int; a record has no more anyway.
  static int SizeOf(std::size_t size) {
    constexpr std::size_t kRecord = 16U << 10;  // bytes (RFC 8446 section 5.1)
    return static_cast<int>(std::min(size, kRecord));
  }

  // The first that is not empty.
  template <class Buffer, class Buffers>
  static Buffer FirstOf(const Buffers& buffers) {
    for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers);
         ++at) {
      if (Buffer(*at).size() > 0) {
        return *at;
      }
    }
    return {};
  }

  // Small buffers together are one record, so that a head and its body are one packet.
  template <class Buffers>
  static int WriteSome(SSL* ssl, const Buffers& buffers) {
    const auto first = FirstOf<asio::const_buffer>(buffers);
    std::array<char, 8192> joined;
    const std::size_t all = asio::buffer_size(buffers);
    if (first.size() == all || first.size() >= joined.size()) {
      return SSL_write(ssl, first.data(), SizeOf(first.size()));
    }
    const std::size_t size = asio::buffer_copy(asio::buffer(joined), buffers);
    return SSL_write(ssl, joined.data(), SizeOf(size));
  }

  std::unique_ptr<TlsEngine> engine_;
};

}  // namespace tidemark::http
