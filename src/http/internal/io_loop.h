#pragma once

#include <array>
#include <string>
#include <thread>
#include <unordered_set>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <pthread.h>

#include "base/bytes.h"
#include "base/random.h"

namespace tidemark::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

// Concrete executors: any_io_executor costs 5 % of the requests per second.
using Executor = asio::io_context::executor_type;
template <class T>
using Task = asio::awaitable<T, Executor>;
using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, Executor>;
using TcpStream = beast::basic_stream<Tcp, Executor, beast::unlimited_rate_policy>;

// co_await x.async_y(.., Into(error)): the outcome is in `error`, nothing is thrown.
inline auto Into(boost::system::error_code& error) {
  return asio::redirect_error(asio::use_awaitable_t<Executor>(), error);
}

// What a loop knows of a connection. Only its loop's thread touches it.
class Connection {
 public:
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  virtual ~Connection() = default;
  // Ends the connection unless a request has begun.
  virtual void CloseIfIdle() = 0;
  virtual void Close() = 0;
};

// Ids of requests, 16 hex digits each: unlikely to meet again, no secrets. A call of the random
// source for each would be a call of the kernel. Confined.
class RequestIds {
 public:
  std::string Next(RandomSource& random) {
    if (left_.empty()) {
      random.Fill(bytes_);
      left_ = bytes_;
    }
    const ByteView id = left_.first(kSize);
    left_ = left_.subspan(kSize);
    return HexEncode(id);
  }

 private:
  static constexpr std::size_t kSize = 8;  // bytes

  std::array<std::uint8_t, 64 * kSize> bytes_{};
  ByteView left_;
};

// One io thread with its own io_context: connections stay on one thread and need neither strands
// nor locks. Destroying it requires Join().
class IoLoop {
 public:
  IoLoop() : context_(1), guard_(context_.get_executor()) {
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "io");
      context_.run();
    });
  }

  IoLoop(const IoLoop&) = delete;
  IoLoop& operator=(const IoLoop&) = delete;

  ~IoLoop() { Join(); }

  Executor executor() { return context_.get_executor(); }

  // Confined to the loop's thread.
  std::unordered_set<Connection*>& connections() { return connections_; }

  RequestIds& request_ids() { return request_ids_; }

  // Waits for every connection to end. May be repeated.
  void Join() {
    guard_.reset();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

 private:
  asio::io_context context_;
  asio::executor_work_guard<Executor> guard_;
  std::unordered_set<Connection*> connections_;
  RequestIds request_ids_;
  std::thread thread_;
};

}  // namespace tidemark::http
