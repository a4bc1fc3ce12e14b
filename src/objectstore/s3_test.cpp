#include "objectstore/s3.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "tests/support/s3_server.h"

namespace tidemark::objectstore {
namespace {

using testing::HasSubstr;

class S3Test : public testing::Test {
 protected:
  std::unique_ptr<Bucket> Open(const std::string& secret = S3Server::kSecretKey,
                               const std::string& bucket = "bucket") {
    return OpenS3Bucket({.endpoint = server_.endpoint(),
                         .region = S3Server::kRegion,
                         .bucket = bucket,
                         .access_key = S3Server::kAccessKey,
                         .secret_key = Secret(secret)},
                        options_,
                        clock_,
                        *log_);
  }

  // What putting an object throws.
  static Error PutError(Bucket& bucket, const std::string& bytes = "x") {
    try {
      bucket.Put("key", AsBytes(bytes), {});
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "nothing was thrown";
    return {ErrorCode::kInternal, ""};
  }

  // Answers the first `count` requests that `matches` takes with `answer`.
  void Instead(int count, S3Answer answer, std::function<bool(const S3Seen&)> matches = {}) {
    server_.intercept =
        [this, count, answer, matches](const S3Seen& seen) -> std::optional<S3Answer> {
      if ((matches && !matches(seen)) || intercepted_ >= count) {
        return std::nullopt;
      }
      ++intercepted_;
      return answer;
    };
  }

  S3Server server_{"bucket"};
  S3Options options_{.may_connect = [](const sockaddr&) { return true; },
                     .part_size = KiB(64),
                     .attempts = 3,
                     .first_pause = std::chrono::milliseconds(1)};
  ManualClock clock_{*ParseInstant("2026-11-25T10:00:00Z")};
  std::unique_ptr<Log> log_ = MakeNullLog();
  std::atomic<int> intercepted_{0};
};

TEST_F(S3Test, WrongSecretIsSaidAndNotTriedAgain) {
  const Error error = PutError(*Open("wrong"));
  EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied);
  EXPECT_THAT(std::string(error.message()), HasSubstr("403 SignatureDoesNotMatch"));
  EXPECT_THAT(std::string(error.message()), testing::Not(HasSubstr("wrong")));
  EXPECT_EQ(server_.refused(), 1);
}

TEST_F(S3Test, AbsentBucketIsSaid) {
  const Error error = PutError(*Open(S3Server::kSecretKey, "other"));
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(std::string(error.message()), HasSubstr("s3://other/key"));
  EXPECT_THROW(Open(S3Server::kSecretKey, "other")->Delete("key", {}), Error);
}

TEST_F(S3Test, PassingFaultsAreTriedAgain) {
  Instead(2, {503, "<Error><Code>SlowDown</Code></Error>", ""});
  Open()->Put("key", AsBytes("bytes"), {});
  EXPECT_EQ(server_.Objects().at("key"), "bytes");
  EXPECT_EQ(intercepted_, 2);
}

TEST_F(S3Test, ConnectionsThatBreakAreTriedAgain) {
  Instead(2, {0, "", ""});
  Open()->Put("key", AsBytes("bytes"), {});
  EXPECT_EQ(server_.Objects().at("key"), "bytes");
}

TEST_F(S3Test, AttemptsHaveAnEnd) {
  Instead(100, {500, "", ""});
  const Error error = PutError(*Open());
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(std::string(error.message()), HasSubstr("3 attempts, the last"));
  EXPECT_EQ(intercepted_, 3);
}

TEST_F(S3Test, PartsAreTriedAgainOneByOne) {
  Instead(2, {500, "", ""}, [](const S3Seen& seen) {
    return seen.target.find("partNumber=2&") != std::string::npos;
  });
  const std::string bytes(150'000, 'y');
  Open()->Put("key", AsBytes(bytes), {});
  EXPECT_TRUE(server_.Objects().at("key") == bytes);
  EXPECT_EQ(server_.OpenUploads(), 0U);
}

TEST_F(S3Test, FailedMultipartUploadIsAborted) {
  Instead(100, {403, "<Error><Code>AccessDenied</Code></Error>", ""}, [](const S3Seen& seen) {
    return seen.target.find("partNumber=2&") != std::string::npos;
  });
  EXPECT_EQ(PutError(*Open(), std::string(200'000, 'y')).code(), ErrorCode::kPermissionDenied);
  EXPECT_EQ(server_.OpenUploads(), 0U);
  EXPECT_TRUE(server_.Objects().empty());
}

// S3 may say 200 and then find that it cannot.
TEST_F(S3Test, ErrorInsideOfAnAnswer200IsAnError) {
  const auto completes = [](const S3Seen& seen) {
    return seen.method == "POST" && seen.target.find("uploadId=") != std::string::npos;
  };
  Instead(1, {200, "<Error><Code>InternalError</Code></Error>", ""}, completes);
  Open()->Put("key", AsBytes(std::string(200'000, 'y')), {});
  EXPECT_EQ(server_.Objects().at("key").size(), 200'000U);
}

TEST_F(S3Test, LostAnswerToCompleteIsNoFailure) {
  // The first request completes the upload, its answer is lost; the second finds no upload.
  const std::string bytes(130'000, 'z');
  server_.intercept = [this, bytes](const S3Seen& seen) -> std::optional<S3Answer> {
    if (seen.method == "POST" && seen.target.find("uploadId=") != std::string::npos &&
        ++intercepted_ == 1) {
      return S3Answer{404, "<Error><Code>NoSuchUpload</Code></Error>", ""};
    }
    return std::nullopt;
  };
  EXPECT_EQ(PutError(*Open(), bytes).code(), ErrorCode::kCorrupt);  // nothing was there
  intercepted_ = 0;
  server_.SetObject("key", bytes);
  Open()->Put("key", AsBytes(bytes), {});
}

TEST_F(S3Test, LostBytesAreFound) {
  server_.intercept = [this](const S3Seen& seen) -> std::optional<S3Answer> {
    if (seen.method != "PUT") {
      return std::nullopt;
    }
    server_.SetObject("key", "byteX");
    return S3Answer{200, "", ""};
  };
  const Error error = PutError(*Open(), "bytes");
  EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
  EXPECT_THAT(std::string(error.message()), HasSubstr("its bytes are others"));
  EXPECT_THAT(std::string(PutError(*Open(), "many bytes").message()), HasSubstr("instead of 10"));
}

TEST_F(S3Test, EtagsThatAreNoChecksumMakeItReadAgain) {
  server_.opaque_etags = true;
  const auto bucket = Open();
  bucket->Put("key", AsBytes("bytes"), {});
  EXPECT_THAT(server_.Log(), testing::Contains("GET /bucket/key"));
}

TEST_F(S3Test, AddressesAreAskedFor) {
  options_.may_connect = [](const sockaddr&) { return false; };
  const Error error = PutError(*Open());
  EXPECT_EQ(error.code(), ErrorCode::kPermissionDenied);
  EXPECT_THAT(std::string(error.message()), HasSubstr("its address is not allowed"));
}

TEST_F(S3Test, WhatIsNoS3ServerIsSaid) {
  Instead(100, {200, "<html><body/></html>", ""}, [](const S3Seen& seen) {
    return seen.method == "POST";
  });
  const Error error = PutError(*Open(), std::string(200'000, 'y'));
  EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
  EXPECT_EQ(error.hint(), "is the endpoint an S3 server?");
}

TEST(CheckEndpoint, GivesSchemeHostAndPort) {
  EXPECT_EQ(CheckEndpoint("https://s3.eu-west-1.amazonaws.com"),
            "https://s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(CheckEndpoint("http://127.0.0.1:9000/"), "http://127.0.0.1:9000");
  EXPECT_EQ(CheckEndpoint("https://host:443"), "https://host");
  for (const char* endpoint : {"ftp://host",
                               "host:9000",
                               "https://",
                               "https://user:secret@host",
                               "https://host/path",
                               "https://host?query",
                               "https://ho st"}) {
    EXPECT_THROW(CheckEndpoint(endpoint), Error) << endpoint;
  }
}

}  // namespace
}  // namespace tidemark::objectstore
