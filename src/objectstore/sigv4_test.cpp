#include "objectstore/sigv4.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "codec/codec.h"

namespace tidemark::objectstore {
namespace {

const std::string kEmptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// The worked examples of "Authenticating Requests: Using the Authorization Header" in Amazon's S3
// API reference: its key, its requests, its signatures.
class AmazonExamples : public testing::Test {
 protected:
  std::string Sign(SignedRequest request) const {
    request.headers.emplace_back("host", "examplebucket.s3.amazonaws.com");
    request.headers.emplace_back("x-amz-content-sha256", request.payload_hash);
    request.headers.emplace_back("x-amz-date", AmzDate(kNow));
    const std::string header = Authorization(key_, request, kNow);
    return header.substr(header.rfind('=') + 1);
  }

  const Instant kNow = *ParseInstant("2013-05-24T00:00:00Z");
  const SigningKey key_{.access_key = "AKIAIOSFODNN7EXAMPLE",
                        .secret_key = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                        .region = "us-east-1"};
};

TEST_F(AmazonExamples, GetObject) {
  EXPECT_EQ(Sign({.method = "GET",
                  .path = "/test.txt",
                  .headers = {{"range", "bytes=0-9"}},
                  .payload_hash = kEmptyHash}),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(AmazonExamples, PutObject) {
  EXPECT_EQ(Sign({.method = "PUT",
                  .path = "/test$file.text",
                  .headers = {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
                              {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                  .payload_hash = HexEncode(codec::Sha256(AsBytes("Welcome to Amazon S3.")))}),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_F(AmazonExamples, BucketLifecycle) {
  EXPECT_EQ(
      Sign(
          {.method = "GET", .path = "/", .query = {{"lifecycle", ""}}, .payload_hash = kEmptyHash}),
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_F(AmazonExamples, ListOfObjectsInAnyOrderOfItsParameters) {
  const std::string expected = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
  EXPECT_EQ(Sign({.method = "GET",
                  .path = "/",
                  .query = {{"max-keys", "2"}, {"prefix", "J"}},
                  .payload_hash = kEmptyHash}),
            expected);
  EXPECT_EQ(Sign({.method = "GET",
                  .path = "/",
                  .query = {{"prefix", "J"}, {"max-keys", "2"}},
                  .payload_hash = kEmptyHash}),
            expected);
}

TEST_F(AmazonExamples, HeaderNamesTheScope) {
  const std::string header = Authorization(
      key_,
      {.method = "GET",
       .path = "/",
       .headers = {{"x-amz-date", AmzDate(kNow)}, {"host", "examplebucket.s3.amazonaws.com"}},
       .payload_hash = kEmptyHash},
      kNow);
  EXPECT_TRUE(header.starts_with(
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
      "SignedHeaders=host;x-amz-date,Signature="));
  EXPECT_EQ(header.find("wJalr"), std::string::npos);
}

// Signatures that botocore 1.44 (S3SigV4Auth) gives for the same requests.
class BotocoreSignatures : public testing::Test {
 protected:
  std::string Sign(SignedRequest request, std::string_view body) const {
    request.payload_hash = HexEncode(codec::Sha256(AsBytes(body)));
    request.headers = {{"x-amz-date", AmzDate(kNow)},
                       {"x-amz-content-sha256", request.payload_hash},
                       {"host", "127.0.0.1:9000"}};
    const std::string header = Authorization(key_, request, kNow);
    return header.substr(header.rfind('=') + 1);
  }

  const Instant kNow = *ParseInstant("2026-11-25T10:00:00Z");
  const SigningKey key_{.access_key = "AKTIDEMARKTEST",
                        .secret_key = Secret("a/secret+of=the tests"),
                        .region = "eu-test-1"};
};

TEST_F(BotocoreSignatures, KeysOfAnyCharacters) {
  EXPECT_EQ(Sign({.method = "PUT", .path = "/bucket/db/a b+c/ä~%2F中.0.json.gz"}, "some bytes"),
            "3166272361e90f4e6179d2f576a3f96cfc7e12e6723b2a1c4c29c324aa57581c");
}

TEST_F(BotocoreSignatures, ParametersWithoutAValue) {
  EXPECT_EQ(Sign({.method = "POST", .path = "/bucket/key", .query = {{"uploads", ""}}}, ""),
            "fcbb07951200d2a0e9202ad564be76283c34a8bddba7029e1059d466af6c150f");
}

TEST_F(BotocoreSignatures, UnsortedParametersThatNeedAnEscape) {
  EXPECT_EQ(Sign({.method = "PUT",
                  .path = "/bucket/key",
                  .query = {{"uploadId", "up&load/1="}, {"partNumber", "2"}}},
                 "part"),
            "4335876a1726c3403bddf206443a1efff5a47da8ff4d2b80d346e7feb5e1adeb");
  EXPECT_EQ(
      Sign(
          {.method = "GET",
           .path = "/bucket",
           .query = {{"uploads", ""}, {"prefix", "exported_snapshots/ä b/"}, {"max-uploads", "5"}}},
          ""),
      "b27785c0cdd060ecaba2b395d7e8b33b3cbba46551b00cd0534557e39c155262");
}

TEST(Encoding, KeepsSlashesOfPathsOnly) {
  EXPECT_EQ(EncodePath("/b/a b+c/ä~%2F.json"), "/b/a%20b%2Bc/%C3%A4~%252F.json");
  EXPECT_EQ(EncodeUri("a/b"), "a%2Fb");
}

// "uploads" has no value but needs its '='; names are compared as they are encoded.
TEST(Encoding, QueriesAreSortedAndComplete) {
  EXPECT_EQ(CanonicalQuery({{"uploads", ""}}), "uploads=");
  EXPECT_EQ(CanonicalQuery({{"b", "2"}, {"a", "é"}, {"a", "1"}, {"A", ""}}), "A=&a=%C3%A9&a=1&b=2");
}

}  // namespace
}  // namespace tidemark::objectstore
