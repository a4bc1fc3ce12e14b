#include <atomic>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "http/server.h"
#include "tests/support/http_peer.h"

namespace tidemark::http {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// What became of the sources of a test. Synchronized.
class Fates {
 public:
  void Finish() {
    const MutexLock lock(mutex_);
    ++finished_;
    changed_.NotifyAll();
  }

  void Destroy() {
    const MutexLock lock(mutex_);
    ++destroyed_;
    changed_.NotifyAll();
  }

  int finished() {
    const MutexLock lock(mutex_);
    return finished_;
  }

  // False when they are not destroyed within a generous time.
  bool WaitForDestroyed(int number) {
    const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    const MutexLock lock(mutex_);
    while (destroyed_ < number) {
      const auto left = deadline - std::chrono::steady_clock::now();
      if (left <= left.zero()) {
        return false;
      }
      changed_.WaitFor(mutex_, left);
    }
    return destroyed_ == number;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  int finished_ TIDEMARK_GUARDED_BY(mutex_) = 0;
  int destroyed_ TIDEMARK_GUARDED_BY(mutex_) = 0;
};

std::string ThreadName() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  return name.data();
}

// `size` bytes "abc..zabc..", or until it throws.
class Letters final : public BodySource {
 public:
  struct Plan {
    std::uint64_t size = 0;
    std::uint64_t throw_at = UINT64_MAX;
    bool finish_throws = false;
    std::size_t piece = kStreamPiece;  // the most that one Read gives
    bool ends_on_pool = false;         // the server is not stopped meanwhile
  };

  Letters(const Plan& plan, Fates& fates) : plan_(plan), fates_(fates) {}

  Letters(const Letters&) = delete;
  Letters& operator=(const Letters&) = delete;

  ~Letters() override {
    if (plan_.ends_on_pool) {
      EXPECT_EQ(ThreadName(), "streams");
    }
    fates_.Destroy();
  }

  std::size_t Read(std::span<std::uint8_t> to) override {
    EXPECT_EQ(ThreadName(), "streams");
    if (done_ >= plan_.throw_at) {
      throw Error(ErrorCode::kCorrupt, "reading letters: one is damaged");
    }
    const std::uint64_t left = std::min(plan_.size, plan_.throw_at) - done_;
    const auto count = static_cast<std::size_t>(
        std::min({left, std::uint64_t{to.size()}, std::uint64_t{plan_.piece}}));
    for (std::size_t i = 0; i < count; ++i) {
      to[i] = static_cast<std::uint8_t>('a' + (done_ + i) % 26);
    }
    done_ += count;
    return count;
  }

  void Finish() override {
    EXPECT_EQ(ThreadName(), "streams");
    if (plan_.finish_throws) {
      throw Error(ErrorCode::kIo, "finishing letters: the disk is full");
    }
    fates_.Finish();
  }

 private:
  const Plan plan_;
  Fates& fates_;
  std::uint64_t done_ = 0;
};

std::string LettersOf(std::size_t size) {
  std::string text(size, 'a');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('a' + i % 26);
  }
  return text;
}

class StreamTest : public testing::Test {
 protected:
  StreamTest() { options_.port = 0; }

  Server& Start(const Letters::Plan& plan, std::optional<std::uint64_t> size = std::nullopt) {
    server_ = Server::Start(
        options_,
        [this, plan, size](const Request& request) {
          if (request.path == "/short") {
            return Response{200, {}, "short|"};
          }
          Response response{200, {{"Content-Type", "text/plain"}}, {}};
          response.stream = BodyStream{std::make_unique<Letters>(plan, fates_), size};
          return response;
        },
        *log_,
        random_);
    return *server_;
  }

  std::string Exchange(std::string_view request) {
    Peer peer(server_->port());
    peer.Send(request);
    return peer.ReadToEnd();
  }

  static std::string BodyOf(const std::string& answer) {
    return answer.substr(answer.find("\r\n\r\n") + 4);
  }

  static constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  static constexpr std::string_view kGetAndClose =
      "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

  Fates fates_;
  ServerOptions options_;
  std::unique_ptr<Log> log_ = MakeNullLog();
  SystemRandom random_;
  std::unique_ptr<Server> server_;  // destroys the sources that are left
};

TEST_F(StreamTest, SizedBodyIsWholeAndTheConnectionGoesOn) {
  const std::size_t size = 3 * kStreamPiece + 5;
  Start({.size = size}, size);
  Peer peer(server_->port());
  peer.Send(kGet);
  const std::string head = peer.ReadThrough("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Content-Length: " + std::to_string(size) + "\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Transfer-Encoding")));
  const std::string expected = LettersOf(size);
  EXPECT_EQ(peer.ReadThrough(expected), expected);
  EXPECT_EQ(fates_.finished(), 1);  // whoever has the last byte finds it done
  peer.Send("GET /short HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(peer.ReadThrough("|"), EndsWith("short|"));
}

TEST_F(StreamTest, BodyOfUnknownSizeIsChunked) {
  Start({.size = 30, .piece = 26});
  Peer peer(server_->port());
  peer.Send(kGet);
  const std::string head = peer.ReadThrough("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Content-Length")));
  EXPECT_EQ(peer.ReadThrough("0\r\n\r\n"),
            "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n4\r\nabcd\r\n0\r\n\r\n");
  EXPECT_EQ(fates_.finished(), 1);
  peer.Send("GET /short HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(peer.ReadThrough("|"), EndsWith("short|"));
}

TEST_F(StreamTest, EmptyBodiesAreBodies) {
  Start({.size = 0});
  EXPECT_EQ(BodyOf(Exchange(kGetAndClose)), "0\r\n\r\n");
  Start({.size = 0}, 0);
  EXPECT_THAT(Exchange(kGetAndClose), HasSubstr("Content-Length: 0\r\n"));
  EXPECT_EQ(fates_.finished(), 2);
}

TEST_F(StreamTest, HttpOneZeroReadsToTheEndOfTheConnection) {
  Start({.size = 100});
  const std::string answer = Exchange("GET / HTTP/1.0\r\n\r\n");
  EXPECT_THAT(answer, Not(HasSubstr("Transfer-Encoding")));
  EXPECT_EQ(BodyOf(answer), LettersOf(100));
  EXPECT_EQ(fates_.finished(), 1);
}

TEST_F(StreamTest, HeadReadsNothing) {
  Start({.size = 30, .throw_at = 0}, 30);
  Peer peer(server_->port());
  peer.Send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET /short HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(peer.ReadThrough("\r\n\r\n"), HasSubstr("Content-Length: 30\r\n"));
  EXPECT_THAT(peer.ReadThrough("|"), StartsWith("HTTP/1.1 200 OK"));
  EXPECT_TRUE(fates_.WaitForDestroyed(1));
  EXPECT_EQ(fates_.finished(), 0);
}

TEST_F(StreamTest, SourceThatCannotBeginIsA500) {
  Start({.size = 30, .throw_at = 0});
  Peer peer(server_->port());
  peer.Send(kGet);
  const std::string answer = peer.ReadThrough("}");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("damaged")));
  EXPECT_TRUE(fates_.WaitForDestroyed(1));
  EXPECT_EQ(fates_.finished(), 0);
}

TEST_F(StreamTest, FaultBreaksChunks) {
  Start({.size = 1000, .throw_at = 500});
  const std::string answer = Exchange(kGetAndClose);
  EXPECT_THAT(answer, HasSubstr(LettersOf(500)));
  EXPECT_THAT(answer, Not(EndsWith("0\r\n\r\n")));
  EXPECT_TRUE(fates_.WaitForDestroyed(1));
  EXPECT_EQ(fates_.finished(), 0);
}

TEST_F(StreamTest, FaultLeavesASizedBodyShort) {
  Start({.size = 1000, .throw_at = 500}, 1000);
  EXPECT_EQ(BodyOf(Exchange(kGet)), LettersOf(500));
  // A fault behind the last byte, too: it is held back until the source has said that it is good.
  Start({.size = 2000, .throw_at = 1000}, 1000);
  EXPECT_EQ(BodyOf(Exchange(kGet)), LettersOf(999));
  EXPECT_EQ(fates_.finished(), 0);
}

TEST_F(StreamTest, FaultResetsWhatOnlyACloseWouldEnd) {
  Start({.size = 1000, .throw_at = 500});
  Peer peer(server_->port());
  peer.Send("GET / HTTP/1.0\r\n\r\n");
  peer.ReadToEnd();
  EXPECT_TRUE(peer.was_reset());
}

TEST_F(StreamTest, SourceOfAnotherSizeThanAnnouncedIsBroken) {
  Start({.size = 999}, 1000);
  EXPECT_EQ(BodyOf(Exchange(kGet)), LettersOf(999));
  Start({.size = 1001, .piece = 1000}, 1000);
  EXPECT_EQ(BodyOf(Exchange(kGet)), LettersOf(999));
  Start({.size = 1001}, 1000);
  EXPECT_EQ(BodyOf(Exchange(kGet)), "");
  EXPECT_EQ(fates_.finished(), 0);
}

TEST_F(StreamTest, FinishThatFailsBreaksTheBody) {
  Start({.size = 100, .finish_throws = true});
  EXPECT_THAT(Exchange(kGetAndClose), Not(EndsWith("0\r\n\r\n")));
  Start({.size = 100, .finish_throws = true}, 100);
  EXPECT_EQ(BodyOf(Exchange(kGet)), LettersOf(99));
}

TEST_F(StreamTest, SaysBusyBeyondTheStreams) {
  options_.max_streams = 1;
  Start({.size = 1U << 30});
  Peer first(server_->port());
  first.Send(kGet);
  first.ReadThrough("\r\n\r\n");
  Peer second(server_->port());
  second.Send(kGet);
  const std::string answer = second.ReadThrough("}");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_TRUE(fates_.WaitForDestroyed(1));
  second.Send("GET /short HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(second.ReadThrough("|"), EndsWith("short|"));
}

TEST_F(StreamTest, ReaderThatStallsIsCut) {
  options_.stall_timeout = std::chrono::seconds(1);
  Start({.size = 1U << 30});
  Peer peer(server_->port());
  peer.Send(kGet);
  EXPECT_TRUE(fates_.WaitForDestroyed(1));
  EXPECT_EQ(fates_.finished(), 0);
}

TEST_F(StreamTest, ReaderThatGoesAwayEndsTheSource) {
  Start({.size = 1ULL << 50, .ends_on_pool = true});
  auto peer = std::make_unique<Peer>(server_->port());
  peer->Send(kGet);
  peer->ReadThrough("\r\n\r\n");
  peer.reset();
  EXPECT_TRUE(fates_.WaitForDestroyed(1));
  EXPECT_EQ(fates_.finished(), 0);
}

TEST_F(StreamTest, SlowReadersHoldNoThread) {
  options_.stream_threads = 1;
  options_.max_streams = 100;
  Start({.size = 100U << 20});
  std::vector<std::unique_ptr<Peer>> slow;
  for (int i = 0; i < 60; ++i) {
    slow.push_back(std::make_unique<Peer>(server_->port()));
    slow.back()->Send(kGet);
    slow.back()->ReadThrough("\r\n\r\n");
  }
  EXPECT_THAT(Exchange(kGetAndClose), EndsWith("0\r\n\r\n"));
  slow.clear();
  EXPECT_TRUE(fates_.WaitForDestroyed(61));
  EXPECT_EQ(fates_.finished(), 1);
}

TEST_F(StreamTest, StopEndsWhatIsOnItsWay) {
  Server& server = Start({.size = 1ULL << 50});
  Peer peer(server.port());
  peer.Send(kGet);
  peer.ReadThrough("\r\n\r\n");
  server.Stop(std::chrono::seconds(0));
  EXPECT_THAT(peer.ReadToEnd(), Not(EndsWith("0\r\n\r\n")));
  EXPECT_EQ(fates_.finished(), 0);
}

}  // namespace
}  // namespace tidemark::http
