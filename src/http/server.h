#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/random.h"
#include "http/access_log.h"
#include "http/message.h"

namespace tidemark::http {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;         // 0: any free one, see Server::port()
  std::string tls_certificate_file;  // PEM; both or none. Plain http is for loopback only: anything
                                     // else throws
  std::string tls_key_file;
  int io_threads = 1;
  int call_threads = 8;                  // `calls` pool: handlers run here and may block
  std::size_t max_waiting_calls = 1024;  // beyond: 503 with Retry-After
  std::size_t max_connections = 2048;    // beyond: accepted and closed with 503
  std::size_t max_body = 1U << 20;       // bytes; a larger body is 413 (Request::body_too_large)
  // Bytes of all bodies that are held, beyond the first kSmallBody of each, as powers of two; more:
  // 503 as above.
  std::size_t max_bodies = 32U << 20;
  std::size_t max_header = 16U << 10;       // bytes; larger: 431
  std::chrono::seconds header_timeout{15};  // whole header must have come
  std::chrono::seconds body_timeout{60};
  std::chrono::seconds idle_timeout{75};  // between requests of one connection
  int stream_threads = 4;                 // `streams` pool: BodySources are read here
  std::size_t max_streams = 8;            // streamed bodies at once; beyond: 503 with Retry-After
  // In which the client must have taken a piece of kStreamPiece bytes: the slowest reader.
  std::chrono::seconds stall_timeout{60};
  AccessLog* access_log = nullptr;  // may be absent; must outlive the server
};

inline constexpr std::size_t kSmallBody = 16U << 10;     // bytes; nobody else can take their room
inline constexpr std::size_t kStreamPiece = 256U << 10;  // bytes of a BodySource read at once

// A plain function; runs on the `calls` pool, may block, must not throw (what it throws becomes a
// bare 500 and a log line).
using Handler = std::function<Response(const Request&)>;

// A listening HTTP/1.1 server: keep-alive, chunked request bodies, streamed answers (one buffer and
// no thread for each, however slow its reader), HEAD, pipelined requests one
// after another, Expect: 100-continue, TLS 1.2+. Bounded in connections, header, body and time.
// Synchronized.
class Server {
 public:
  // Binds and serves at once. kInvalidArgument: no such address, plain http beyond loopback, bad
  // certificate; kConflict: port taken. `log` and `random` must outlive the server.
  static std::unique_ptr<Server> Start(const ServerOptions& options,
                                       Handler handler,
                                       Log& log,
                                       RandomSource& random);
  virtual ~Server() = default;
  virtual std::uint16_t port() const = 0;
  // Reads certificate and key again, for the connections from now on; open ones keep what they
  // have. Blocks on the files. kInvalidArgument, and nothing changes, when they cannot be read, do
  // not belong together, or the certificate is not valid today. Nothing happens without TLS.
  virtual void ReloadTls() = 0;
  // When the certificate in use ends; nullopt without TLS.
  virtual std::optional<Instant> TlsEnds() const = 0;
  // Stops accepting, lets requests that have begun finish for at most `grace`, then closes. Blocks.
  // May be repeated.
  virtual void Stop(std::chrono::seconds grace) = 0;
};

}  // namespace tidemark::http
