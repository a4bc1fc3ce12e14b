#pragma once

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tidemark::http {

// A blocking connection that sends and receives raw bytes.
class Peer {
 public:
  explicit Peer(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }

  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  ~Peer() { close(socket_); }

  void Send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return;
      }
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  // Everything up to and with `mark`, or until the end of the stream.
  std::string ReadThrough(std::string_view mark) {
    while (received_.find(mark) == std::string::npos && Receive()) {
    }
    const std::size_t at = received_.find(mark);
    const std::size_t end = at == std::string::npos ? received_.size() : at + mark.size();
    std::string text = received_.substr(0, end);
    received_.erase(0, end);
    return text;
  }

  std::string ReadToEnd() {
    while (Receive()) {
    }
    return std::exchange(received_, {});
  }

  // What the end of the stream was: the other side's reset, and not its close.
  bool was_reset() const { return was_reset_; }

 private:
  bool Receive() {
    std::array<char, 4096> piece;
    const ssize_t got = recv(socket_, piece.data(), piece.size(), 0);
    if (got > 0) {
      received_.append(piece.data(), static_cast<std::size_t>(got));
    }
    was_reset_ = got < 0 && errno == ECONNRESET;
    return got > 0;
  }

  int socket_;
  bool was_reset_ = false;
  std::string received_;
};

}  // namespace tidemark::http
