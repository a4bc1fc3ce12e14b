#include "api/internal/digest.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "codec/codec.h"

namespace tidemark::api {
namespace {

class NonceGuardTest : public testing::Test {
 protected:
  ManualClock clock_{*ParseInstant("2026-11-25T10:00:00Z")};
  SeededRandom random_{1};
  NonceGuard guard_{clock_, random_, "key", 2};
};

}  // namespace

TEST(DigestCredentials, TokensQuotedStringsAndUnknownNamesAreRead) {
  const auto read = ParseDigestCredentials(
      "username=\"a\\\"b\",realm=\"MMS Public API\" , URI=\"/x?a=1,2\", algorithm=MD5,"
      " opaque=\"\", qop=auth, nc=00000001, cnonce=\"NjA=\", response=\"ff\", nonce=\"n\"");
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->username, "a\"b");
  EXPECT_EQ(read->uri, "/x?a=1,2");
  EXPECT_EQ(read->algorithm, "MD5");
  EXPECT_EQ(read->cnonce, "NjA=");
  EXPECT_EQ(read->nc, "00000001");
}

TEST(DigestCredentials, MalformedHeadersAreRefused) {
  for (const char* text : {"username",
                           "username=\"a",
                           "username=\"a\\",
                           "=a",
                           "username=\"a\"b",
                           "nc=1, nc=2",
                           "username=\"a\", Username=\"b\""}) {
    EXPECT_FALSE(ParseDigestCredentials(text).has_value()) << text;
  }
}

TEST(DigestCredentials, ResponseIsTheOneOfTheSpecification) {
  DigestCredentials credentials;  // RFC 2617, 3.5
  credentials.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
  credentials.uri = "/dir/index.html";
  credentials.nc = "00000001";
  credentials.cnonce = "0a4f113b";
  credentials.qop = "auth";
  const std::string ha1 = codec::Md5Hex("Mufasa:testrealm@host.com:Circle Of Life");
  EXPECT_EQ(DigestResponse(credentials, ha1, "GET"), "6629fae49393a05397450978507c4ef1");
}

TEST(NonceCount, IsEightHexDigits) {
  EXPECT_EQ(ParseNonceCount("0000001A"), 26U);
  for (const char* text : {"", "1", "0000000g", "000000001", "-0000001", "0x000001"}) {
    EXPECT_FALSE(ParseNonceCount(text).has_value()) << text;
  }
}

TEST_F(NonceGuardTest, NonceIsThirtyTwoCharactersAndProvesItself) {
  const std::string nonce = guard_.Make();
  EXPECT_EQ(nonce.size(), 32U);
  EXPECT_EQ(guard_.Check(nonce), NonceState::kValid);
  NonceGuard other_node(clock_, random_, "key");
  EXPECT_EQ(other_node.Check(nonce), NonceState::kValid);
  NonceGuard other_key(clock_, random_, "another");
  EXPECT_EQ(other_key.Check(nonce), NonceState::kForged);
}

TEST_F(NonceGuardTest, AnyChangedCharacterIsForged) {
  const std::string nonce = guard_.Make();
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    std::string changed = nonce;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_EQ(guard_.Check(changed), NonceState::kForged) << i;
  }
  EXPECT_EQ(guard_.Check(""), NonceState::kForged);
  EXPECT_EQ(guard_.Check(std::string(32, '=')), NonceState::kForged);
}

TEST_F(NonceGuardTest, NonceLivesFiveMinutes) {
  const std::string nonce = guard_.Make();
  clock_.Advance(std::chrono::minutes(5));
  EXPECT_EQ(guard_.Check(nonce), NonceState::kValid);
  clock_.Advance(std::chrono::microseconds(1));
  EXPECT_EQ(guard_.Check(nonce), NonceState::kExpired);
}

TEST_F(NonceGuardTest, CountsAreUsedOnceInAnyOrderWithinTheWindow) {
  const std::string nonce = guard_.Make();
  EXPECT_EQ(guard_.Use(nonce, 70), NonceUse::kAccepted);
  EXPECT_EQ(guard_.Use(nonce, 69), NonceUse::kAccepted);
  EXPECT_EQ(guard_.Use(nonce, 70), NonceUse::kReplayed);
  EXPECT_EQ(guard_.Use(nonce, 69), NonceUse::kReplayed);
  EXPECT_EQ(guard_.Use(nonce, 7), NonceUse::kAccepted);
  EXPECT_EQ(guard_.Use(nonce, 6), NonceUse::kReplayed);
  EXPECT_EQ(guard_.Use(nonce, 71), NonceUse::kAccepted);
  EXPECT_EQ(guard_.Use(nonce, 69), NonceUse::kReplayed);
  EXPECT_EQ(guard_.Use(nonce, 0xFFFFFFFF), NonceUse::kAccepted);
  EXPECT_EQ(guard_.Use(nonce, 72), NonceUse::kReplayed);
}

TEST_F(NonceGuardTest, CountZeroIsUsedOnce) {
  const std::string nonce = guard_.Make();
  EXPECT_EQ(guard_.Use(nonce, 0), NonceUse::kAccepted);
  EXPECT_EQ(guard_.Use(nonce, 0), NonceUse::kReplayed);
}

TEST_F(NonceGuardTest, ForgottenNonceIsNeverNewAgain) {
  std::string nonces[3];
  for (std::string& nonce : nonces) {
    nonce = guard_.Make();
    EXPECT_EQ(guard_.Use(nonce, 1), NonceUse::kAccepted);
    clock_.Advance(std::chrono::seconds(1));
  }
  EXPECT_EQ(guard_.Use(nonces[0], 1), NonceUse::kForgotten);
  EXPECT_EQ(guard_.Use(nonces[2], 1), NonceUse::kReplayed);
}

TEST_F(NonceGuardTest, NonceFromBeforeTheProcessStartedCountsAsForgotten) {
  const std::string nonce = guard_.Make();
  clock_.Advance(std::chrono::seconds(1));
  NonceGuard restarted(clock_, random_, "key");
  EXPECT_EQ(restarted.Check(nonce), NonceState::kValid);
  EXPECT_EQ(restarted.Use(nonce, 1), NonceUse::kForgotten);
}

}  // namespace tidemark::api
