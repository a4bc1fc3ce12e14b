#include "http/server.h"

#include <atomic>
#include <optional>
#include <vector>

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>

#include "base/error.h"
#include "base/mutex.h"
#include "http/internal/session.h"
#include "http/internal/tls.h"

namespace tidemark::http {
namespace {

using TlsContext = asio::ssl::context;
using Acceptor = asio::basic_socket_acceptor<Tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         Executor>;

constexpr std::chrono::milliseconds kAcceptPause{100};  // out of descriptors: let some be closed
constexpr std::size_t kMaxRefusing = 64;                // connections that are being told 503

// How many sessions are open, and waiting until none is. Synchronized.
class SessionCount {
 public:
  void Add() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    ++open_;
  }

  void Remove() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    --open_;
    changed_.NotifyAll();
  }

  std::size_t open() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return open_;
  }

  // Returns after `limit` at the latest.
  void WaitForNone(std::chrono::seconds limit) TIDEMARK_EXCLUDES(mutex_) {
    const Deadline deadline = std::chrono::steady_clock::now() + limit;
    const MutexLock lock(mutex_);
    while (open_ > 0) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) {
        return;
      }
      changed_.WaitFor(mutex_, left);
    }
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::size_t open_ TIDEMARK_GUARDED_BY(mutex_) = 0;
};

// Counts a session for as long as its coroutine lives.
class SessionTicket {
 public:
  explicit SessionTicket(SessionCount& count) : count_(count) { count_.Add(); }

  SessionTicket(const SessionTicket&) = delete;
  SessionTicket& operator=(const SessionTicket&) = delete;

  ~SessionTicket() { count_.Remove(); }

 private:
  SessionCount& count_;
};

Tcp::endpoint ResolveEndpoint(const ServerOptions& options) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) {
    throw Error(ErrorCode::kInvalidArgument,
                "listening on \"" + options.address + "\": it is not an IP address",
                "for example 127.0.0.1, ::1 or, with TLS, 0.0.0.0");
  }
  const bool tls = !options.tls_certificate_file.empty();
  if (tls != !options.tls_key_file.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "setting up TLS: only one of certificate and key is given");
  }
  if (!tls && !address.is_loopback()) {
    throw Error(ErrorCode::kInvalidArgument,
                "listening on " + options.address + ": plain http is for loopback addresses only",
                "give a certificate and a key, or listen on 127.0.0.1 behind a TLS proxy");
  }
  return {address, options.port};
}

void Listen(const Tcp::endpoint& endpoint, Acceptor& acceptor) {
  boost::system::error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) {
    acceptor.set_option(asio::socket_base::reuse_address(true), error);
  }
  if (!error) {
    acceptor.bind(endpoint, error);
  }
  if (!error) {
    acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    const bool taken = error == asio::error::address_in_use;
    const std::string where =
        endpoint.address().to_string() + " port " + std::to_string(endpoint.port());
    throw Error(taken ? ErrorCode::kConflict : ErrorCode::kInvalidArgument,
                "listening on " + where + ": " + error.message(),
                taken ? "another program listens there; choose another port" : "");
  }
}

class AsioServer final : public Server {
 public:
  AsioServer(const ServerOptions& options, Handler handler, Log& log, RandomSource& random)
      : options_(options),
        handler_(std::move(handler)),
        endpoint_(ResolveEndpoint(options_)),
        calls_("calls", options_.call_threads, options_.max_waiting_calls),
        // One piece of work at a time for each connection: it is never full.
        streams_("streams", options_.stream_threads, options_.max_connections),
        shared_{options_,
                handler_,
                log,
                random,
                clock_,
                calls_,
                streams_,
                open_streams_,
                held_bodies_,
                stopping_} {
    if (!options_.tls_certificate_file.empty()) {
      SetTls(MakeServerTls(options_.tls_certificate_file, options_.tls_key_file));
    }
    for (int i = 0; i < std::max(1, options_.io_threads); ++i) {
      loops_.push_back(std::make_unique<IoLoop>());
    }
    acceptor_.emplace(loops_.front()->executor());
    Listen(endpoint_, *acceptor_);
    port_ = acceptor_->local_endpoint().port();
    asio::co_spawn(loops_.front()->executor(), Accept(), asio::detached);
  }

  AsioServer(const AsioServer&) = delete;
  AsioServer& operator=(const AsioServer&) = delete;

  ~AsioServer() override { Stop(std::chrono::seconds(0)); }

  std::uint16_t port() const override { return port_; }

  void ReloadTls() override TIDEMARK_EXCLUDES(tls_mutex_) {
    const std::string& file = options_.tls_certificate_file;
    if (file.empty()) {
      return;
    }
    TlsContext made = MakeServerTls(file, options_.tls_key_file);
    const Validity validity = ValidityOf(made);
    const Instant now = clock_.Now();
    if (now < validity.begins || now >= validity.ends) {
      throw Error(ErrorCode::kInvalidArgument,
                  "reading the TLS file " + file + ": the certificate is valid from " +
                      FormatInstant(validity.begins) + " to " + FormatInstant(validity.ends),
                  "the one before stays in use");
    }
    SetTls(std::move(made));
  }

  std::optional<Instant> TlsEnds() const override TIDEMARK_EXCLUDES(tls_mutex_) {
    const MutexLock lock(tls_mutex_);
    return tls_ ? std::optional(ValidityOf(*tls_).ends) : std::nullopt;
  }

  void Stop(std::chrono::seconds grace) override TIDEMARK_EXCLUDES(stop_mutex_) {
    const MutexLock lock(stop_mutex_);
    if (stopping_.exchange(true)) {
      return;
    }
    asio::post(loops_.front()->executor(), [this] { acceptor_->close(ignored_); });
    ForEachConnection([](Connection& connection) { connection.CloseIfIdle(); });
    sessions_.WaitForNone(grace);
    ForEachConnection([](Connection& connection) { connection.Close(); });
    // Before the loops: a call that ends needs its loop to resume on.
    calls_.Stop();
    streams_.Stop();
    for (const auto& loop : loops_) {
      loop->Join();
    }
  }

 private:
  void SetTls(TlsContext made) TIDEMARK_EXCLUDES(tls_mutex_) {
    const MutexLock lock(tls_mutex_);
    tls_ = std::make_shared<TlsContext>(std::move(made));
  }

  // Null without TLS.
  std::shared_ptr<TlsContext> tls() const TIDEMARK_EXCLUDES(tls_mutex_) {
    const MutexLock lock(tls_mutex_);
    return tls_;
  }

  void ForEachConnection(void (*visit)(Connection&)) {
    for (const auto& loop : loops_) {
      asio::post(loop->executor(), [&connections = loop->connections(), visit] {
        for (Connection* connection : connections) {
          visit(*connection);
        }
      });
    }
  }

  Acceptor& acceptor() {
    TIDEMARK_CHECK(acceptor_.has_value());
    return *acceptor_;
  }

  Task<void> Accept() {
    Timer pause(loops_.front()->executor());
    for (std::size_t next = 0; !stopping_; next = (next + 1) % loops_.size()) {
      boost::system::error_code error;
      Socket socket = co_await acceptor().async_accept(loops_[next]->executor(), Into(error));
      if (stopping_) {
        co_return;
      }
      if (error) {
        shared_.log.Warn("error={}  accepting a connection failed", error.message());
        pause.expires_after(kAcceptPause);
        co_await pause.async_wait(Into(error));
        continue;
      }
      Start(std::move(socket), *loops_[next]);
    }
  }

  void Start(Socket socket, IoLoop& loop) {
    const std::size_t open = sessions_.open();
    if (open >= options_.max_connections + kMaxRefusing) {
      return;  // closes it
    }
    auto ticket = std::make_unique<SessionTicket>(sessions_);
    const Executor executor = loop.executor();
    if (open >= options_.max_connections) {
      asio::co_spawn(executor, Turn(std::move(socket), std::move(ticket)), asio::detached);
    } else {
      asio::co_spawn(executor, Serve(std::move(socket), loop, std::move(ticket)), asio::detached);
    }
  }

  // NOLINTNEXTLINE(performance-unnecessary-value-param): lives as long as the coroutine
  Task<void> Serve(Socket socket, IoLoop& loop, std::unique_ptr<SessionTicket> ticket) {
    // Seen on the connection's own loop: whoever registers later than Stop()'s visit sees it here.
    if (stopping_) {
      co_return;
    }
    const std::shared_ptr<TlsContext> tls = this->tls();
    if (tls) {
      Session<TlsStream> session(TlsStream(TcpStream(std::move(socket)), *tls), loop, shared_);
      co_await session.Run();
    } else {
      Session<TcpStream> session(TcpStream(std::move(socket)), loop, shared_);
      co_await session.Run();
    }
  }

  // Says 503 to one connection too many. One that expects TLS is just closed.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): lives as long as the coroutine
  Task<void> Turn(Socket socket, std::unique_ptr<SessionTicket> ticket) {
    if (tls()) {
      co_return;
    }
    Response response = ErrorResponse(503, "The server has too many connections.");
    response.headers.emplace_back("Retry-After", "1");
    const std::string id = RandomHex(shared_.random, 8);
    const std::string text =
        FormatHead(response, {clock_.Now(), id, ConnectionFate::kClose}) + response.body;
    TcpStream stream(std::move(socket));
    stream.expires_after(kTurnTime);
    boost::system::error_code error;
    co_await asio::async_write(stream, asio::buffer(text), Into(error));
    stream.socket().shutdown(Tcp::socket::shutdown_send, error);
    std::array<char, 512> ignored;
    while (!error && !stopping_) {
      co_await stream.async_read_some(asio::buffer(ignored), Into(error));
    }
  }

  static constexpr std::chrono::seconds kTurnTime{2};

  const ServerOptions options_;
  const Handler handler_;
  const Tcp::endpoint endpoint_;
  mutable Mutex tls_mutex_;
  // Shared with the connections that began with it.
  std::shared_ptr<TlsContext> tls_ TIDEMARK_GUARDED_BY(tls_mutex_);
  const SystemClock clock_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> open_streams_ = 0;
  std::atomic<std::size_t> held_bodies_ = 0;
  CallPool calls_;
  CallPool streams_;
  Shared shared_;
  SessionCount sessions_;
  std::vector<std::unique_ptr<IoLoop>> loops_;
  std::optional<Acceptor> acceptor_;  // confined to the first loop once serving
  boost::system::error_code ignored_;
  std::uint16_t port_ = 0;
  Mutex stop_mutex_;
};

}  // namespace

std::unique_ptr<Server> Server::Start(const ServerOptions& options,
                                      Handler handler,
                                      Log& log,
                                      RandomSource& random) {
  return std::make_unique<AsioServer>(options, std::move(handler), log, random);
}

}  // namespace tidemark::http
