// Every request of an upload is spoilt once, in every way that is worth a row.
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "base/mutex.h"
#include "objectstore/s3.h"
#include "tests/support/s3_server.h"

namespace tidemark::objectstore {
namespace {

using testing::HasSubstr;

constexpr int kParts = 3;

enum class Outcome {
  kSucceeds,  // another try does it, or it did no harm
  kRefused,   // nothing is worth another try
  kDoubtful,  // the store says what is not so: it is found out, or it did no harm
};

struct Spoilt {
  std::string name;
  Outcome outcome = Outcome::kSucceeds;
  std::optional<S3Answer> instead;            // of doing it
  std::function<void(S3Answer&)> afterwards;  // when it has been done
  ErrorCode code = ErrorCode::kCorrupt;       // unless it succeeds
};

S3Answer Says(int status, const std::string& code) {
  return {.status = status, .body = "<Error><Code>" + code + "</Code></Error>"};
}

std::vector<Spoilt> WaysToSpoil() {
  const auto becomes = [](const S3Answer& other) {
    return [other](S3Answer& answer) { answer = other; };
  };
  return {
      {.name = "hangs up", .instead = S3Answer{.status = 0}},
      {.name = "does it and hangs up", .afterwards = becomes({.status = 0})},
      {.name = "500", .instead = S3Answer{.status = 500}},
      {.name = "does it and says 500", .afterwards = becomes(Says(500, "InternalError"))},
      {.name = "503 SlowDown", .instead = Says(503, "SlowDown")},
      {.name = "429", .instead = S3Answer{.status = 429}},
      {.name = "400 RequestTimeout", .instead = Says(400, "RequestTimeout")},
      {.name = "does it and cuts the answer",
       .afterwards = [](S3Answer& answer) { answer.length = answer.body.size() + 100; }},
      {.name = "another ETag", .afterwards = [](S3Answer& answer) { answer.etag = "other"; }},
      {.name = "no ETag", .afterwards = [](S3Answer& answer) { answer.etag.clear(); }},
      {.name = "403 RequestTimeTooSkewed",
       .outcome = Outcome::kRefused,
       .instead = Says(403, "RequestTimeTooSkewed"),
       .code = ErrorCode::kPermissionDenied},
      {.name = "301",
       .outcome = Outcome::kRefused,
       .instead = Says(301, "PermanentRedirect"),
       .code = ErrorCode::kInvalidArgument},
      {.name = "307",
       .outcome = Outcome::kRefused,
       .instead = Says(307, "TemporaryRedirect"),
       .code = ErrorCode::kInvalidArgument},
      {.name = "says it is done",
       .outcome = Outcome::kDoubtful,
       .instead = S3Answer{.status = 200}},
      {.name = "a page for people",
       .outcome = Outcome::kDoubtful,
       .instead = S3Answer{.status = 200, .body = "<html><body/></html>"}},
  };
}

constexpr int kNone = -1;  // of the requests
constexpr int kEvery = -2;

class S3FaultTest : public testing::Test {
 protected:
  S3FaultTest() {
    server_.intercept = [this](const S3Seen& seen) -> std::optional<S3Answer> {
      const MutexLock lock(mutex_);
      is_now_ = place_ == kEvery || seen_ == place_;
      ++seen_;
      spoilt_ = is_now_ ? seen.method + " " + seen.target : spoilt_;
      return is_now_ ? how_.instead : std::nullopt;
    };
    server_.spoil = [this](const S3Seen&, S3Answer& answer) {
      const MutexLock lock(mutex_);
      if (is_now_ && how_.afterwards) {
        how_.afterwards(answer);
      }
    };
  }

  // Spoils the request of number `place` of those to come, kEvery or kNone.
  void Spoil(const Spoilt& how, int place) TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    how_ = how;
    place_ = place;
    seen_ = 0;
  }

  // The one that was spoilt; empty when there were not so many.
  std::string TakeSpoilt() TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return std::exchange(spoilt_, {});
  }

  // What putting `bytes` throws.
  std::optional<Error> Put(const std::string& bytes) {
    try {
      const auto bucket = OpenS3Bucket({.endpoint = server_.endpoint(),
                                        .region = S3Server::kRegion,
                                        .bucket = "bucket",
                                        .access_key = S3Server::kAccessKey,
                                        .secret_key = Secret(S3Server::kSecretKey)},
                                       options_,
                                       clock_,
                                       *log_);
      bucket->Put("key", AsBytes(bytes), {});
    } catch (const Error& error) {
      return error;
    }
    return std::nullopt;
  }

  // HEAD has no body: neither a word for what was wrong, nor one that could be cut. What it
  // announces is another length.
  static Spoilt AtThis(const Spoilt& how, const std::string& spoilt) {
    Spoilt here = how;
    if (spoilt.starts_with("HEAD") && how.name == "400 RequestTimeout") {
      here.outcome = Outcome::kRefused;
      here.code = ErrorCode::kInvalidArgument;
    }
    if (spoilt.starts_with("HEAD") && how.name == "does it and cuts the answer") {
      here.outcome = Outcome::kRefused;
    }
    return here;
  }

  // False when there are not that many requests.
  bool SpoilOne(const Spoilt& how, int place, const std::string& bytes) {
    Spoil(how, place);
    const std::optional<Error> error = Put(bytes);
    const std::string spoilt = TakeSpoilt();
    if (spoilt.empty()) {
      return false;
    }
    const Spoilt here = AtThis(how, spoilt);
    SCOPED_TRACE(how.name + " at " + spoilt + (error ? ": " + std::string(error->message()) : ""));
    if (here.outcome != Outcome::kDoubtful) {
      EXPECT_EQ(error.has_value(), here.outcome == Outcome::kRefused);
    }
    if (error) {
      EXPECT_EQ(error->code(), here.code);
    } else {
      EXPECT_TRUE(server_.Objects().contains("key") && server_.Objects().at("key") == bytes);
    }
    EXPECT_EQ(server_.OpenUploads(), 0U) << "somebody pays for it";
    Spoil(how, kNone);
    EXPECT_FALSE(Put(bytes).has_value()) << "the next one has to go well";
    return true;
  }

  void SpoilEach(const std::string& bytes, int at_least) {
    for (const Spoilt& how : WaysToSpoil()) {
      int place = 0;
      while (SpoilOne(how, place, bytes)) {
        ++place;
      }
      EXPECT_GE(place, at_least) << how.name;
    }
  }

  S3Options options_{.may_connect = [](const sockaddr&) { return true; },
                     .part_size = KiB(16),
                     .attempts = 3,
                     .first_pause = std::chrono::milliseconds(1)};
  ManualClock clock_{*ParseInstant("2026-11-25T10:00:00Z")};
  std::unique_ptr<Log> log_ = MakeNullLog();
  Mutex mutex_;
  Spoilt how_ TIDEMARK_GUARDED_BY(mutex_);
  int place_ TIDEMARK_GUARDED_BY(mutex_) = kNone;
  int seen_ TIDEMARK_GUARDED_BY(mutex_) = 0;
  bool is_now_ TIDEMARK_GUARDED_BY(mutex_) = false;  // that it is spoilt
  std::string spoilt_ TIDEMARK_GUARDED_BY(mutex_);
  S3Server server_{"bucket"};  // last: its thread uses the others
};

TEST_F(S3FaultTest, EachRequestOfAnObject) {
  SpoilEach("bytes", 2);
}

TEST_F(S3FaultTest, EachRequestOfAnObjectInParts) {
  SpoilEach(std::string((kParts - 1) * KiB(16).value + 100, 'y'), 1 + kParts + 2);
}

TEST_F(S3FaultTest, EachRequestOfAnObjectThatIsReadAgain) {
  server_.opaque_etags = true;
  SpoilEach(std::string((kParts - 1) * KiB(16).value + 100, 'y'), 1 + kParts + 3);
}

// A store that answers like this whatever is asked of it.
TEST_F(S3FaultTest, WhatStaysSoIsToldAndEnds) {
  for (const Spoilt& how : WaysToSpoil()) {
    SCOPED_TRACE(how.name);
    Spoil(how, kEvery);
    const std::optional<Error> error = Put("bytes");
    const bool is_harmless = how.name.ends_with("ETag");
    ASSERT_EQ(error.has_value(), !is_harmless);
    if (error) {
      EXPECT_THAT(std::string(error->message()), HasSubstr("s3://bucket/key"));
      EXPECT_EQ(error->code(),
                how.outcome == Outcome::kSucceeds ? ErrorCode::kUnavailable : how.code);
    }
  }
}

}  // namespace
}  // namespace tidemark::objectstore
