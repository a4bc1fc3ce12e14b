// libcurl against real sockets on loopback: a receiver that answers, hangs, lies or is too long.
#include "notify/transport.h"

#include <atomic>
#include <functional>
#include <thread>

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

namespace tidemark::notify {
namespace {

using testing::HasSubstr;
using testing::Not;

// One end of a connection.
class Peer {
 public:
  explicit Peer(int descriptor) : descriptor_(descriptor) {}

  ~Peer() { ::close(descriptor_); }

  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // False when the other side is gone.
  bool Say(const std::string& text) const {
    return ::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }

  // What has come up to and with `end`; shorter when the other side closes.
  std::string ReadUntil(const std::string& end) {
    std::string text;
    char c = 0;
    while (!text.ends_with(end) && ::recv(descriptor_, &c, 1, 0) == 1) {
      text.push_back(c);
    }
    return text;
  }

  std::string ReadBytes(std::size_t count) {
    std::string text;
    char c = 0;
    while (text.size() < count && ::recv(descriptor_, &c, 1, 0) == 1) {
      text.push_back(c);
    }
    return text;
  }

  void WaitForEnd() { ReadUntil(std::string(1, '\0') + "never"); }

 private:
  const int descriptor_;
};

// Serves one connection after the other with `serve`.
class Sink {
 public:
  explicit Sink(std::function<void(Peer&)> serve) : serve_(std::move(serve)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](const std::stop_token& stop) { Accept(stop); });
  }

  ~Sink() {
    thread_.request_stop();
    thread_.join();
    ::close(listener_);
  }

  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  std::string Address(const std::string& scheme) const {
    return scheme + "://127.0.0.1:" + std::to_string(port_);
  }

  int connections() const { return connections_; }

 private:
  void Accept(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      pollfd ready{.fd = listener_, .events = POLLIN, .revents = 0};
      if (::poll(&ready, 1, 10) != 1) {
        continue;
      }
      Peer peer(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
      ++connections_;
      serve_(peer);
    }
  }

  const std::function<void(Peer&)> serve_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::jthread thread_;
};

struct HttpRequest {
  std::string head;
  std::string body;
};

HttpRequest ReadRequest(Peer& peer) {
  HttpRequest request;
  request.head = peer.ReadUntil("\r\n\r\n");
  const std::string mark = "Content-Length: ";
  const std::size_t at = request.head.find(mark);
  if (at != std::string::npos) {
    request.body = peer.ReadBytes(std::stoul(request.head.substr(at + mark.size())));
  }
  return request;
}

class TransportTest : public testing::Test {
 protected:
  std::string Send(const OpenChannel& channel,
                   const TransportOptions& options,
                   const std::stop_token& stop = {}) {
    try {
      MakeCurlTransport(options, clock_)->Send(channel, message_, stop);
      return "";
    } catch (const Error& error) {
      return std::string(ErrorCodeName(error.code())) + ": " + std::string(error.message());
    }
  }

  std::string Post(const Sink& sink, TransportOptions options = {.loopback = Loopback::kAllow}) {
    return Send(Webhook(sink), options);
  }

  static OpenChannel Webhook(const Sink& sink) {
    return {.kind = domain::ChannelKind::kWebhook,
            .shown_address = "http://shown",
            .url = Secret(sink.Address("http") + "/canary-path"),
            .secret = Secret("0123456789abcdef")};
  }

  static OpenChannel Mail(const Sink& sink) {
    return {.kind = domain::ChannelKind::kEmail,
            .shown_address = "smtp://shown",
            .url = Secret(sink.Address("smtp")),
            .sender = "tidemark@example.org",
            .recipients = {"a@example.org", "b@example.org"}};
  }

  ManualClock clock_{*ParseInstant("2026-11-25T10:00:00Z")};
  Message message_{.id = "65a1-7",
                   .event = "SNAPSHOT_FAILED",
                   .at = *ParseInstant("2026-11-25T09:00:00Z"),
                   .project = "p",
                   .reason = "source is gone"};
};

void Answer(Peer& peer, const std::string& status) {
  ReadRequest(peer);
  peer.Say("HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n");
}

TEST_F(TransportTest, WebhookGetsBodyIdAndSignature) {
  HttpRequest request;
  {
    Sink sink([&](Peer& peer) {
      request = ReadRequest(peer);
      peer.Say("HTTP/1.1 204 No Content\r\n\r\n");
    });
    EXPECT_EQ(Post(sink), "");
  }
  const std::string timestamp = std::to_string(ToMicros(clock_.Now()) / 1'000'000);
  EXPECT_EQ(request.body, RenderJson(message_));
  EXPECT_THAT(request.head, testing::StartsWith("POST /canary-path HTTP/1.1\r\n"));
  EXPECT_THAT(request.head, HasSubstr("\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(request.head, HasSubstr("\r\nTidemark-Notice-Id: 65a1-7\r\n"));
  EXPECT_THAT(request.head, HasSubstr("\r\nTidemark-Timestamp: " + timestamp + "\r\n"));
  EXPECT_THAT(
      request.head,
      HasSubstr("\r\nTidemark-Signature: " +
                Sign(Secret("0123456789abcdef"), ToMicros(clock_.Now()) / 1'000'000, request.body) +
                "\r\n"));
}

TEST_F(TransportTest, OtherAnswersAreFailures) {
  for (const char* status : {"500 Oops", "404 Not Found", "301 Moved\r\nLocation: /"}) {
    const Sink sink([status](Peer& peer) { Answer(peer, status); });
    EXPECT_EQ(Post(sink),
              "Unavailable: sending to http://shown: it answered " + std::string(status, 3));
  }
}

TEST_F(TransportTest, RedirectsAreNotFollowed) {
  const Sink other([](Peer& peer) { Answer(peer, "200 OK"); });
  const Sink sink([&other](Peer& peer) {
    Answer(peer, "307 Elsewhere\r\nLocation: " + other.Address("http") + "/");
  });
  EXPECT_EQ(Post(sink), "Unavailable: sending to http://shown: it answered 307");
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(TransportTest, LoopbackIsRefusedBeforeAnythingIsSent) {
  const Sink sink([](Peer& peer) { Answer(peer, "200 OK"); });
  EXPECT_EQ(Post(sink, {}),
            "PermissionDenied: sending to http://shown: its address is not allowed");
  EXPECT_EQ(sink.connections(), 0);
  OpenChannel named = Webhook(sink);
  const std::string url = sink.Address("http");
  named.url = Secret("http://localhost" + url.substr(url.rfind(':')));
  EXPECT_EQ(Send(named, {}),
            "PermissionDenied: sending to http://shown: its address is not allowed");
  EXPECT_EQ(sink.connections(), 0);
}

TEST_F(TransportTest, LinkLocalIsNeverAllowed) {
  OpenChannel metadata{.shown_address = "http://shown",
                       .url = Secret("http://169.254.169.254/latest/meta-data")};
  for (const char* host :
       {"169.254.169.254", "[::ffff:169.254.169.254]", "0xa9fea9fe", "2852039166"}) {
    metadata.url = Secret("http://" + std::string(host) + "/");
    EXPECT_EQ(Send(metadata, {.loopback = Loopback::kAllow}),
              "PermissionDenied: sending to http://shown: its address is not allowed")
        << host;
  }
}

TEST_F(TransportTest, ReceiverThatHangsIsATimeout) {
  const Sink sink([](Peer& peer) {
    ReadRequest(peer);
    peer.WaitForEnd();
  });
  EXPECT_THAT(Post(sink, {.loopback = Loopback::kAllow, .timeout = std::chrono::milliseconds{200}}),
              testing::StartsWith("Timeout: sending to http://shown: "));
}

TEST_F(TransportTest, AnswerThatDripsIsATimeout) {
  const Sink sink([](Peer& peer) {
    ReadRequest(peer);
    peer.Say("HTTP/1.1 200 OK\r\n\r\n");
    while (peer.Say("x")) {
      std::this_thread::yield();
      pollfd none{};
      ::poll(&none, 0, 5);
    }
  });
  EXPECT_THAT(Post(sink, {.loopback = Loopback::kAllow, .timeout = std::chrono::milliseconds{300}}),
              testing::StartsWith("Timeout: "));
}

TEST_F(TransportTest, StopCutsIt) {
  std::stop_source stop;
  const Sink sink([&stop](Peer& peer) {
    ReadRequest(peer);
    stop.request_stop();
    peer.WaitForEnd();
  });
  EXPECT_THAT(Send(Webhook(sink), {.loopback = Loopback::kAllow}, stop.get_token()),
              testing::StartsWith("Cancelled: "));
}

TEST_F(TransportTest, LongAnswerIsNotRead) {
  std::atomic<std::size_t> taken = 0;
  {
    const Sink sink([&taken](Peer& peer) {
      ReadRequest(peer);
      peer.Say("HTTP/1.1 200 OK\r\n\r\n");
      while (taken < (256U << 20) && peer.Say(std::string(65536, 'x'))) {
        taken += 65536;
      }
    });
    EXPECT_EQ(Post(sink), "");
  }
  EXPECT_LT(taken, 64U << 20);  // what the kernel buffers
}

TEST_F(TransportTest, NobodyThereIsUnavailable) {
  OpenChannel channel{.shown_address = "http://shown", .url = Secret("http://127.0.0.1:1/canary")};
  const std::string refusal = Send(channel, {.loopback = Loopback::kAllow});
  EXPECT_THAT(refusal, testing::StartsWith("Unavailable: sending to http://shown: "));
  EXPECT_THAT(refusal, Not(HasSubstr("canary")));
}

TEST_F(TransportTest, OtherSchemesAreNotSpoken) {
  for (const char* url : {"file:///etc/passwd", "ftp://127.0.0.1:1/", "gopher://127.0.0.1:1/"}) {
    OpenChannel channel{.shown_address = "http://shown", .url = Secret(url)};
    EXPECT_THAT(Send(channel, {.loopback = Loopback::kAllow}), HasSubstr("Unsupported protocol"))
        << url;
  }
}

// Speaks as much SMTP as a delivery takes; returns what was said to it.
std::string ServeMail(Peer& peer, const std::string& features = "") {
  std::string said;
  peer.Say("220 sink\r\n");
  for (;;) {
    const std::string line = peer.ReadUntil("\r\n");
    said += line;
    if (line.empty() || line == "QUIT\r\n") {
      peer.Say("221 bye\r\n");
      return said;
    }
    if (line == "DATA\r\n") {
      peer.Say("354 go on\r\n");
      said += peer.ReadUntil("\r\n.\r\n");
    }
    peer.Say(line.starts_with("EHLO") ? "250-sink\r\n" + features + "250 SIZE 1000000\r\n"
                                      : "250 fine\r\n");
  }
}

TEST_F(TransportTest, MailIsDelivered) {
  std::string said;
  {
    Sink sink([&](Peer& peer) { said = ServeMail(peer); });
    EXPECT_EQ(Send(Mail(sink), {.loopback = Loopback::kAllow}), "");
  }
  EXPECT_THAT(said, HasSubstr("MAIL FROM:<tidemark@example.org>"));
  EXPECT_THAT(said, HasSubstr("RCPT TO:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n"));
  EXPECT_THAT(
      said,
      HasSubstr(
          RenderMail(
              message_, "tidemark@example.org", {"a@example.org", "b@example.org"}, clock_.Now()) +
          ".\r\n"));
}

TEST_F(TransportTest, RefusedMailIsAFailureWithItsCode) {
  const Sink sink([](Peer& peer) {
    peer.Say("220 sink\r\n");
    peer.ReadUntil("\r\n");
    peer.Say("250 sink\r\n");
    peer.ReadUntil("\r\n");
    peer.Say("550 canary says no\r\n");
    peer.ReadUntil("\r\n");
  });
  const std::string refusal = Send(Mail(sink), {.loopback = Loopback::kAllow});
  EXPECT_THAT(refusal, testing::StartsWith("Unavailable: sending to smtp://shown: "));
  EXPECT_THAT(refusal, HasSubstr("(reply 550)"));
  EXPECT_THAT(refusal, Not(HasSubstr("canary")));
}

TEST_F(TransportTest, PasswordIsNotSentInTheClear) {
  std::string said;
  {
    Sink sink([&](Peer& peer) { said = ServeMail(peer, "250-AUTH PLAIN LOGIN\r\n"); });
    OpenChannel channel = Mail(sink);
    channel.username = "user";
    channel.secret = Secret("password");
    EXPECT_THAT(Send(channel, {.loopback = Loopback::kAllow}),
                testing::StartsWith("Unavailable: sending to smtp://shown: "));
  }
  EXPECT_THAT(said, Not(HasSubstr("AUTH")));
}

TEST_F(TransportTest, MailServerThatHangsIsATimeout) {
  const Sink sink([](Peer& peer) { peer.WaitForEnd(); });
  EXPECT_THAT(
      Send(Mail(sink), {.loopback = Loopback::kAllow, .timeout = std::chrono::milliseconds{200}}),
      testing::StartsWith("Timeout: sending to smtp://shown: "));
}

}  // namespace
}  // namespace tidemark::notify
