#include "http/server.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/mutex.h"
#include "tests/support/http_peer.h"

namespace tidemark::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Response Echo(const Request& request) {
  if (request.path == "/empty") {
    return {204, {}, {}};
  }
  if (request.path == "/throw") {
    throw std::runtime_error("no luck");
  }
  if (request.body_too_large) {
    return {413, {}, "too large|"};
  }
  return {200,
          {{"Content-Type", "text/plain"}},
          std::string(MethodName(request.method)) + " " + request.path + "?" + request.query + " " +
              request.body + "|"};
}

class ServerTest : public testing::Test {
 protected:
  ServerTest() { options_.port = 0; }

  Server& Start(Handler handler = Echo) {
    server_ = Server::Start(options_, std::move(handler), *log_, random_);
    return *server_;
  }

  Peer Connect() const { return Peer(server_->port()); }

  std::string Exchange(std::string_view request) {
    Peer peer = Connect();
    peer.Send(request);
    return peer.ReadToEnd();
  }

  ServerOptions options_;
  std::unique_ptr<Log> log_ = MakeNullLog();
  SystemRandom random_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, KeepsTheConnectionForTheNextRequest) {
  Start();
  Peer peer = Connect();
  peer.Send("GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string first = peer.ReadThrough("|");
  EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(first, HasSubstr("Server: tidemark\r\n"));
  EXPECT_THAT(first, HasSubstr("Date: "));
  EXPECT_THAT(first, HasSubstr("X-Request-Id: "));
  EXPECT_THAT(first, HasSubstr("Content-Length: 12\r\n"));
  EXPECT_THAT(first, EndsWith("\r\n\r\nGET /a?b=c |"));
  peer.Send("POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nxyz");
  EXPECT_THAT(peer.ReadThrough("|"), EndsWith("POST /p? xyz|"));
}

TEST_F(ServerTest, ClosesWhenAskedTo) {
  Start();
  EXPECT_THAT(Exchange("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(Exchange("GET / HTTP/1.0\r\n\r\n"), EndsWith("GET /? |"));
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  Peer peer = Connect();
  peer.Send(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
      "GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(peer.ReadThrough("|"), EndsWith("GET /1? |"));
  EXPECT_THAT(peer.ReadThrough("|"), EndsWith("POST /2? ab|"));
  EXPECT_THAT(peer.ReadThrough("|"), EndsWith("GET /3? |"));
}

TEST_F(ServerTest, ReadsChunkedBodies) {
  Start();
  Peer peer = Connect();
  peer.Send(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: t\r\n\r\n");
  EXPECT_THAT(peer.ReadThrough("|"), EndsWith("POST /? abcde|"));
  peer.Send("GET /again HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(peer.ReadThrough("|"), EndsWith("GET /again? |"));
}

TEST_F(ServerTest, RefusesMalformedChunks) {
  Start();
  EXPECT_THAT(Exchange("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
              StartsWith("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_F(ServerTest, HeadHasTheLengthButNoBody) {
  Start();
  Peer peer = Connect();
  peer.Send("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\nGET /g HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string head = peer.ReadThrough("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(peer.ReadThrough("|"), StartsWith("HTTP/1.1 200 OK"));
}

TEST_F(ServerTest, NoContentHasNoLength) {
  Start();
  EXPECT_THAT(Exchange("GET /empty HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              Not(HasSubstr("Content-Length")));
}

TEST_F(ServerTest, ContinuesWhenExpectedTo) {
  Start();
  Peer peer = Connect();
  peer.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(peer.ReadThrough("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  peer.Send("hi");
  EXPECT_THAT(peer.ReadThrough("|"), EndsWith("POST /? hi|"));
}

TEST_F(ServerTest, DoesNotAskForABodyThatIsTooLarge) {
  options_.max_body = 4;
  Start();
  EXPECT_THAT(
      Exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"),
      StartsWith("HTTP/1.1 413 Payload Too Large\r\n"));
}

TEST_F(ServerTest, DrainsABodyOverTheBoundAndGoesOn) {
  options_.max_body = 1000;
  Start();
  Peer peer = Connect();
  peer.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" +
            std::string(100000, 'x'));
  EXPECT_THAT(peer.ReadThrough("|"), StartsWith("HTTP/1.1 413 Payload Too Large\r\n"));
  peer.Send("GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(peer.ReadThrough("|"), EndsWith("GET /next? |"));
}

TEST_F(ServerTest, ABodyWithoutRoomIsToldToComeAgain) {
  options_.max_bodies = 20000;
  Start();
  Peer peer = Connect();
  const auto post = [&peer](std::size_t size) {
    peer.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
              std::string(size, 'x'));
    const std::string head = peer.ReadThrough("\r\n\r\n");
    peer.ReadThrough(head.starts_with("HTTP/1.1 200 ") ? "|" : "}");
    return head;
  };
  const std::string refused = post(50000);
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(refused, HasSubstr("Retry-After: 1\r\n"));
  for (int i = 0; i < 10; ++i) {  // what bodies have taken they give back
    EXPECT_THAT(post(kSmallBody + 9000), StartsWith("HTTP/1.1 200 "));
  }
  // Its room counts: 64 KiB, of which 48 are not free.
  EXPECT_THAT(post(2 * kSmallBody + 1), StartsWith("HTTP/1.1 503 "));
  options_.max_bodies = 0;
  Start();
  Peer other = Connect();
  other.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 16384\r\n\r\n" +
             std::string(16384, 'x'));
  EXPECT_THAT(other.ReadThrough("|"), StartsWith("HTTP/1.1 200 "));  // a small one always fits
}

TEST_F(ServerTest, GivesUpOnAHugeBodyAndCloses) {
  options_.max_body = 1000;
  Start();
  const std::string answer =
      Exchange("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n" +
               std::string(10 << 20, 'x'));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 Payload Too Large\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
}

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
  Start();
  const std::string answer = Exchange("hello there\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, HasSubstr(R"("error":400,"errorCode":"UNEXPECTED_ERROR")"));
}

TEST_F(ServerTest, RefusesWhatTwoServersCouldReadDifferently) {
  Start();
  for (const char* headers : {"",
                              "Host: x\r\nHost: y\r\n",
                              "Host: x\r\nTransfer-Encoding: gzip\r\n",
                              "Host: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n",
                              "Host: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n"}) {
    EXPECT_THAT(Exchange("POST / HTTP/1.1\r\n" + std::string(headers) + "\r\n"),
                StartsWith("HTTP/1.1 400 Bad Request\r\n"))
        << headers;
  }
}

TEST_F(ServerTest, RefusesHeadsAndChunksThatAreNotAsTheRfcHasThem) {
  Start();
  const std::string host = "Host: x\r\n";
  const std::string chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::string> requests{
      "GET / HTTP/1.1\nHost: x\n\n" + std::string("\r\n\r\n"),          // LF alone
      "GET / HTTP/1.1\rHost: x\r\r" + std::string("\r\n\r\n"),          // CR alone
      "GET / HTTP/1.1\r\n" + host + "A: b\rc: d\r\n\r\n",               // CR in a value
      "GET / HTTP/1.1\r\n" + host + std::string("A: b\0c\r\n\r\n", 9),  // NUL
      "GET / HTTP/1.1\r\n" + host + "A : b\r\n\r\n",                    // space before the colon
      "GET / HTTP/1.1\r\n Host: x\r\n\r\n",                             // space before the first
      "GET  / HTTP/1.1\r\n" + host + "\r\n",
      "GET / HTTP/1.1 x\r\n" + host + "\r\n",
      "GET /a b HTTP/1.1\r\n" + host + "\r\n",
      "GET / HTTP/2.0\r\n" + host + "\r\n",
      "POST / HTTP/1.1\r\n" + host + "Content-Length: -1\r\n\r\n",
      "POST / HTTP/1.1\r\n" + host + "Content-Length: +1\r\n\r\nx",
      "POST / HTTP/1.1\r\n" + host + "Content-Length: 1,1\r\n\r\nx",
      "POST / HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999999\r\n\r\n",
      "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, identity\r\n\r\n",
      "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n" +
          "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\"<b>\r\n\r\n",
      chunked + "-1\r\n",
      chunked + "0x1\r\na\r\n0\r\n\r\n",
      chunked + "fffffffffffffffff\r\n",
      chunked + "1\r\nab\r\n0\r\n\r\n",
      chunked + "1\na\n0\n\n\r\n\r\n"};
  for (const std::string& request : requests) {
    EXPECT_THAT(Exchange(request), StartsWith("HTTP/1.1 400 Bad Request\r\n")) << request;
  }
}

TEST_F(ServerTest, TakesEveryFormOfAHost) {
  Start();
  for (const char* host :
       {"", "x", "x_y.example:8080", "127.0.0.1", "[::1]:8080", "%C3%A9.example"}) {
    EXPECT_THAT(
        Exchange("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\nConnection: close\r\n\r\n"),
        StartsWith("HTTP/1.1 200 OK\r\n"))
        << host;
  }
}

TEST_F(ServerTest, AnAbsoluteTargetIsTheSamePath) {
  Start();
  EXPECT_THAT(
      Exchange("GET http://other/a/../b?c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
      EndsWith("GET /a/../b?c |"));
}

TEST_F(ServerTest, KnowsTheNameOfAMethodThatItDoesNotServe) {
  Start([](const Request& request) {
    return Response{200, {}, std::string(request.MethodText()) + "|"};
  });
  for (const std::string method : {"OPTIONS", "TRACE", "BREW"}) {
    EXPECT_THAT(Exchange(method + " * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                EndsWith(method + "|"));
  }
}

// Keeps what it is told.
class KeptAccess final : public AccessLog {
 public:
  void Write(const Access& access) override {
    const MutexLock lock(mutex_);
    lines_.push_back(std::string(access.request.MethodText()) + " " + access.request.path + " " +
                     std::string(access.actor) + " " + std::to_string(access.status) + " " +
                     std::to_string(access.sent));
  }

  std::vector<std::string> lines() {
    const MutexLock lock(mutex_);
    return lines_;
  }

 private:
  Mutex mutex_;
  std::vector<std::string> lines_ TIDEMARK_GUARDED_BY(mutex_);
};

TEST_F(ServerTest, TellsTheAccessLogOfEveryAnswer) {
  KeptAccess kept;
  options_.access_log = &kept;
  Start([](const Request& request) {
    Response response = Echo(request);
    response.actor = "somebody";
    return response;
  });
  Exchange(
      "GET /empty HTTP/1.1\r\nHost: x\r\n\r\nHEAD /b HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  Exchange("nonsense\r\n\r\n");
  Exchange("POST /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n");
  server_->Stop(std::chrono::seconds(10));
  EXPECT_THAT(kept.lines(),
              testing::ElementsAre("GET /empty somebody 204 0",
                                   "HEAD /b somebody 200 0",
                                   "GET /c somebody 200 9",
                                   testing::MatchesRegex("GET   400 [0-9]+"),
                                   testing::MatchesRegex("POST /d  400 [0-9]+")));
  server_.reset();  // before what it was lent
}

TEST_F(ServerTest, RefusesAHeaderBomb) {
  Start();
  EXPECT_THAT(Exchange("GET / HTTP/1.1\r\nHost: x\r\nBomb: " + std::string(200000, 'x')),
              StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
}

TEST_F(ServerTest, RefusesAHeaderBombOfManySmallOnes) {
  Start();
  std::string request = "GET / HTTP/1.1\r\nHost: x\r\n";
  for (int i = 0; i < 5000; ++i) {
    request += "a: b\r\n";
  }
  EXPECT_THAT(Exchange(request + "\r\n"),
              StartsWith("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
}

TEST_F(ServerTest, AThrowingHandlerBecomesABare500) {
  Start();
  const std::string answer =
      Exchange("GET /throw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("no luck")));
}

TEST_F(ServerTest, SilentPeersAreClosed) {
  options_.header_timeout = std::chrono::seconds(1);
  Start();
  Peer peer = Connect();
  peer.Send("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(peer.ReadToEnd(), "");
}

TEST_F(ServerTest, BytesNowAndThenDoNotProlongAHeadOrABody) {
  options_.header_timeout = std::chrono::seconds(1);
  options_.body_timeout = std::chrono::seconds(1);
  Start();
  for (const std::string_view begin :
       {"GET / HTTP/1.1\r\nHost: x\r\nA: ",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"}) {
    Peer peer = Connect();
    peer.Send(begin);
    auto end = std::async(std::launch::async, [&peer] { return peer.ReadToEnd(); });
    int sent = 0;
    while (end.wait_for(std::chrono::milliseconds(100)) != std::future_status::ready) {
      ASSERT_LT(++sent, 300);
      peer.Send("x");
    }
    EXPECT_GE(sent, 5);
    EXPECT_EQ(end.get(), "");
  }
}

TEST_F(ServerTest, SaysBusyWhenThePoolIsFull) {
  options_.call_threads = 1;
  options_.max_waiting_calls = 0;
  std::promise<void> running;
  std::promise<void> go;
  Start([&](const Request&) {
    running.set_value();
    go.get_future().wait();
    return Response{200, {}, "done|"};
  });
  Peer first = Connect();
  first.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  running.get_future().wait();
  Peer second = Connect();
  second.Send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = second.ReadThrough("}");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
  go.set_value();
  EXPECT_THAT(first.ReadThrough("|"), EndsWith("done|"));
}

TEST_F(ServerTest, SaysBusyBeyondTheConnections) {
  options_.max_connections = 1;
  Start();
  Peer first = Connect();
  first.Send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(first.ReadThrough("|"), EndsWith("GET /1? |"));
  const std::string answer = Exchange("GET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
  first.Send("GET /3 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(first.ReadThrough("|"), EndsWith("GET /3? |"));
}

TEST_F(ServerTest, StopLetsARunningRequestFinishAndClosesIdleOnes) {
  std::promise<void> running;
  std::promise<void> go;
  Server& server = Start([&](const Request& request) {
    if (request.path == "/slow") {
      running.set_value();
      go.get_future().wait();
    }
    return Response{200, {}, request.path + "|"};
  });
  Peer idle = Connect();
  idle.Send("GET /quick HTTP/1.1\r\nHost: x\r\n\r\n");
  idle.ReadThrough("|");
  auto slow = std::make_unique<Peer>(server.port());
  slow->Send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  running.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { server.Stop(std::chrono::seconds(30)); });
  EXPECT_EQ(idle.ReadToEnd(), "");
  go.set_value();
  const std::string answer = slow->ReadThrough("|");
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("/slow|"));
  slow.reset();
  stopped.get();
  server.Stop(std::chrono::seconds(0));
}

ErrorCode CodeOfStart(const ServerOptions& options) {
  const auto log = MakeNullLog();
  SystemRandom random;
  try {
    Server::Start(options, Echo, *log, random);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::kInternal;
}

TEST_F(ServerTest, RefusesAddressesItMayNotServe) {
  options_.address = "0.0.0.0";
  EXPECT_EQ(CodeOfStart(options_), ErrorCode::kInvalidArgument);
  options_.address = "nonsense";
  EXPECT_EQ(CodeOfStart(options_), ErrorCode::kInvalidArgument);
  options_.address = "127.0.0.1";
  options_.tls_certificate_file = "/nowhere/certificate.pem";
  EXPECT_EQ(CodeOfStart(options_), ErrorCode::kInvalidArgument);
  options_.tls_key_file = "/nowhere/key.pem";
  EXPECT_EQ(CodeOfStart(options_), ErrorCode::kInvalidArgument);
}

TEST_F(ServerTest, ATakenPortIsAConflict) {
  options_.port = Start().port();
  EXPECT_EQ(CodeOfStart(options_), ErrorCode::kConflict);
}

}  // namespace
}  // namespace tidemark::http
