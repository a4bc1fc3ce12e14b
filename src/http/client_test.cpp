#include "http/client.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/error.h"
#include "http/server.h"

namespace tidemark::http {
namespace {

std::string MessageOf(std::string_view url) {
  try {
    ParseOrigin(url);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return std::string(error.message());
  }
  return "no error";
}

TEST(ParseOrigin, ReadsHostAndPort) {
  const Origin origin = ParseOrigin("http://127.0.0.1:8080/");
  EXPECT_EQ(origin.scheme, "http");
  EXPECT_EQ(origin.host, "127.0.0.1");
  EXPECT_EQ(origin.port, 8080);
}

TEST(ParseOrigin, KnowsDefaultPortsAndIpv6) {
  EXPECT_EQ(ParseOrigin("https://backup.example").port, 443);
  const Origin origin = ParseOrigin("http://[::1]:81");
  EXPECT_EQ(origin.host, "::1");
  EXPECT_EQ(origin.port, 81);
  EXPECT_EQ(ParseOrigin("http://[::1]").port, 80);
}

TEST(ParseOrigin, RefusesOtherUrls) {
  EXPECT_EQ(MessageOf("localhost:80"),
            "reading the URL \"localhost:80\": it is not http(s)://HOST[:PORT]");
  for (const char* url : {"",
                          "ftp://a",
                          "http://",
                          "http://a:0",
                          "http://a:65536",
                          "http://a:",
                          "http://a/b",
                          "http://u@a",
                          "http://a:8x"}) {
    EXPECT_NE(MessageOf(url), "no error") << url;
  }
}

TEST(Send, GivesStatusHeadersAndBody) {
  const auto log = MakeNullLog();
  SeededRandom random(1);
  ServerOptions options;
  options.port = 0;
  const auto server = Server::Start(
      options,
      [](const Request& request) {
        return Response{201,
                        {{"X-Seen", std::string(request.Header("x-sent").value_or(""))}},
                        std::string(MethodName(request.method)) + request.target + request.body};
      },
      *log,
      random);
  const Origin origin{"http", "127.0.0.1", server->port()};
  const Response response = Send(
      origin, {Method::kPost, "/a?b=c", {{"X-Sent", "yes"}}, "hello"}, std::chrono::seconds(30));
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "POST/a?b=chello");
  EXPECT_NE(
      std::ranges::find(response.headers, std::pair<std::string, std::string>("x-seen", "yes")),
      response.headers.end());
}

TEST(Send, SaysThatNobodyListens) {
  try {
    Send({"http", "127.0.0.1", 1}, {Method::kGet, "/", {}, {}}, std::chrono::seconds(30));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
    EXPECT_EQ(error.message(), "calling http://127.0.0.1:1: Connection refused");
    EXPECT_EQ(error.hint(), "is the server running there?");
  }
}

// `size` times "x", or until it breaks off.
class Filler final : public BodySource {
 public:
  Filler(std::size_t size, bool breaks) : left_(size), breaks_(breaks) {}

  std::size_t Read(std::span<std::uint8_t> to) override {
    const std::size_t count = std::min(left_, to.size());
    if (count == 0 && breaks_) {
      throw Error(ErrorCode::kCorrupt, "filling: no more");
    }
    std::fill_n(to.begin(), count, 'x');
    left_ -= count;
    return count;
  }

  void Finish() override {}

 private:
  std::size_t left_;
  const bool breaks_;
};

class ReceiveTest : public testing::Test {
 protected:
  ReceiveTest() {
    ServerOptions options;
    options.port = 0;
    server_ = Server::Start(
        options,
        [](const Request& request) {
          if (request.path == "/refused") {
            return Response{403, {}, "no"};
          }
          Response response;
          response.stream =
              BodyStream{std::make_unique<Filler>(kSize, request.path == "/broken"),
                         request.path == "/sized" ? std::optional(kSize) : std::nullopt};
          return response;
        },
        *log_,
        random_);
  }

  Response Get(const std::string& path) {
    return Receive({"http", "127.0.0.1", server_->port()},
                   {Method::kGet, path, {}, {}},
                   std::chrono::seconds(30),
                   [this](std::string_view piece) { received_ += piece; });
  }

  static constexpr std::uint64_t kSize = 70U << 20;  // more than Send takes

  std::unique_ptr<Log> log_ = MakeNullLog();
  SeededRandom random_{1};
  std::unique_ptr<Server> server_;
  std::string received_;
};

TEST_F(ReceiveTest, GivesALargeBodyInPieces) {
  for (const char* path : {"/chunked", "/sized"}) {
    received_.clear();
    const Response response = Get(path);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(received_.size(), kSize);
    EXPECT_EQ(received_.find_first_not_of('x'), std::string::npos);
  }
}

TEST_F(ReceiveTest, RefusalStaysInTheResponse) {
  const Response response = Get("/refused");
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "no");
  EXPECT_EQ(received_, "");
}

TEST_F(ReceiveTest, BodyThatBreaksOffThrows) {
  try {
    Get("/broken");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  }
}

}  // namespace
}  // namespace tidemark::http
