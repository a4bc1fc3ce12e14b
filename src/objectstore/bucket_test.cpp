#include "objectstore/bucket.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.h"
#include "base/random.h"
#include "codec/codec.h"
#include "objectstore/s3.h"
#include "tests/support/s3_server.h"

namespace tidemark::objectstore {
namespace {

namespace fs = std::filesystem;

// What every bucket promises.
class BucketSuite : public testing::TestWithParam<std::string> {
 protected:
  BucketSuite() {
    SystemRandom random;
    folder_ = fs::temp_directory_path() / ("bucket_suite-" + RandomHex(random, 8));
    if (GetParam() == "Directory") {
      bucket_ = OpenDirectoryBucket(folder_, "bucket");
    } else {
      server_ = std::make_unique<S3Server>("bucket");
      bucket_ = OpenS3Bucket({.endpoint = server_->endpoint(),
                              .region = S3Server::kRegion,
                              .bucket = "bucket",
                              .access_key = S3Server::kAccessKey,
                              .secret_key = Secret(S3Server::kSecretKey)},
                             {.may_connect = [](const sockaddr&) { return true; },
                              .part_size = KiB(64),
                              .first_pause = std::chrono::milliseconds(1)},
                             clock_,
                             *log_);
    }
  }

  ~BucketSuite() override { fs::remove_all(folder_); }

  std::string ReadAll(const std::string& key) {
    std::string all;
    bucket_->Read(key, {}, [&all](ByteView bytes) { all += AsText(bytes); });
    return all;
  }

  fs::path folder_;
  std::unique_ptr<S3Server> server_;
  ManualClock clock_{*ParseInstant("2026-11-25T10:00:00Z")};
  std::unique_ptr<Log> log_ = MakeNullLog();
  std::unique_ptr<Bucket> bucket_;
};

INSTANTIATE_TEST_SUITE_P(Buckets,
                         BucketSuite,
                         testing::Values("Directory", "S3"),
                         [](const auto& info) { return info.param; });

TEST_P(BucketSuite, ReturnsWhatWasPut) {
  const std::string key = "a b/ä+~%2F/中.0.json.gz";
  const auto put = bucket_->Put(key, AsBytes("some bytes"), {});
  EXPECT_EQ(put.size, 10U);
  EXPECT_EQ(put.checksum, HexEncode(codec::Sha256(AsBytes("some bytes"))));
  EXPECT_EQ(ReadAll(key), "some bytes");
  EXPECT_TRUE(bucket_->Exists(key, {}));
  bucket_->Put(key, AsBytes("others"), {});
  EXPECT_EQ(ReadAll(key), "others");
  bucket_->Delete(key, {});
  bucket_->Delete(key, {});
  EXPECT_FALSE(bucket_->Exists(key, {}));
  EXPECT_THROW(ReadAll(key), Error);
}

TEST_P(BucketSuite, EmptyObjectsAreObjects) {
  bucket_->Put("folder/.complete", {}, {});
  EXPECT_TRUE(bucket_->Exists("folder/.complete", {}));
  EXPECT_EQ(ReadAll("folder/.complete"), "");
}

TEST_P(BucketSuite, LargeObjectsComeInPieces) {
  const auto upload = bucket_->Begin("large", {});
  std::string all;
  for (int i = 0; i < 40; ++i) {
    const std::string piece(5000 + i, static_cast<char>('a' + i % 26));
    upload->Write(AsBytes(piece));
    all += piece;
  }
  EXPECT_FALSE(bucket_->Exists("large", {}));
  const auto result = upload->Finish();
  EXPECT_EQ(result.size, all.size());
  EXPECT_EQ(result.checksum, HexEncode(codec::Sha256(AsBytes(all))));
  EXPECT_TRUE(ReadAll("large") == all);
}

TEST_P(BucketSuite, WhatIsNotFinishedIsNoObject) {
  {
    const auto upload = bucket_->Begin("given/up", {});
    upload->Write(AsBytes(std::string(200'000, 'x')));
  }
  EXPECT_FALSE(bucket_->Exists("given/up", {}));
  if (server_) {
    EXPECT_EQ(server_->OpenUploads(), 0U);
  } else {
    EXPECT_TRUE(fs::is_empty(folder_ / "bucket" / "given"));
  }
}

TEST_P(BucketSuite, UploadsOfTheDeadAreDropped) {
  auto dead = bucket_->Begin("dead/one", {});
  dead->Write(AsBytes(std::string(200'000, 'x')));
  bucket_->Put("dead/two", AsBytes("stays"), {});
  bucket_->DropUploads("dead", {});
  EXPECT_EQ(ReadAll("dead/two"), "stays");
  if (server_) {
    EXPECT_EQ(server_->OpenUploads(), 0U);
  } else {
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "bucket" / "dead"), {}), 1);
  }
  bucket_->DropUploads("nothing/there", {});
}

TEST_P(BucketSuite, StopEndsAnUpload) {
  std::stop_source stop;
  stop.request_stop();
  try {
    bucket_->Put("stopped", AsBytes("x"), stop.get_token());
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
  EXPECT_FALSE(bucket_->Exists("stopped", {}));
}

TEST(DirectoryBucket, FileInTheWayIsAnError) {
  SystemRandom random;
  const fs::path folder = fs::temp_directory_path() / ("bucket_test-" + RandomHex(random, 8));
  const auto bucket = OpenDirectoryBucket(folder, "");
  bucket->Put("a", AsBytes("x"), {});
  EXPECT_THROW(bucket->Put("a/b", AsBytes("x"), {}), Error);
  EXPECT_THROW(OpenDirectoryBucket(folder, "a/b"), Error);
  fs::remove_all(folder);
}

TEST(IsBucketName, TakesNamesOfEveryProvider) {
  for (const char* name : {"abc", "my-bucket.1", "My_Bucket"}) {
    EXPECT_TRUE(IsBucketName(name)) << name;
  }
  for (const std::string& name : {std::string("ab"),
                                  std::string(64, 'a'),
                                  std::string("-ab"),
                                  std::string("ab."),
                                  std::string("a..b"),
                                  std::string("a/b"),
                                  std::string("äbc")}) {
    EXPECT_FALSE(IsBucketName(name)) << name;
  }
}

}  // namespace
}  // namespace tidemark::objectstore
