#include "api/access_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemark::api {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kKey = "0123456789abcdef0123456789abcdef";

http::Request GetOf(const std::string& path, const std::string& query = "") {
  http::Request request;
  request.path = path;
  request.query = query;
  request.request_id = "00112233445566ff";
  request.remote_address = "127.0.0.1";
  return request;
}

std::string LineOf(const http::Request& request) {
  return FormatAccessLine({*ParseInstant("2026-11-25T22:00:01Z") + std::chrono::milliseconds(7),
                           std::chrono::microseconds(1234),
                           request,
                           "abcdefgh",
                           200,
                           512});
}

TEST(FormatAccessLine, NamesWhatWasAskedByWhomAndWhatWasAnswered) {
  EXPECT_EQ(LineOf(GetOf("/api/atlas/v2/groups", "pageNum=2&pretty=true")),
            "2026-11-25T22:00:01.007Z 00112233445566ff 127.0.0.1 abcdefgh GET "
            "/api/atlas/v2/groups?pageNum=2&pretty=true 200 512 1.234");
}

TEST(FormatAccessLine, HasADashForWhatThereIsNot) {
  const http::Request unread;
  EXPECT_EQ(FormatAccessLine({*ParseInstant("2026-11-25T22:00:01Z"), {}, unread, "", 0, 0}),
            "2026-11-25T22:00:01.000Z - - - - - - 0 0.000");
}

TEST(FormatAccessLine, IsOneLineOfNineFieldsWhateverComes) {
  http::Request request = GetOf("/api/a b\nc\r\x01\xff", "x y=\n&pageNum=1 2\n3");
  request.method = http::Method::kOther;
  request.other_method = "BREW\n TEA";
  const std::string line = LineOf(request);
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  EXPECT_THAT(line, HasSubstr(" BREW%0a%20TEA /api/a%20b%0ac%0d%01%ff?***&pageNum=1%202%0a3 "));
  EXPECT_EQ(std::ranges::count(line, ' '), 8);
}

TEST(FormatAccessLine, HidesTheKeyOfADownloadHoweverItIsWritten) {
  const std::string rest = "0123456789abcdef01234567/" + kKey + "/Source.tar.gz";
  for (const std::string& path : {"/backup/restore/v2/pull/" + rest,
                                  "//backup/restore/v2/pull/" + rest,
                                  "/backup/restore/v2/%70ull/" + rest,
                                  "/backup/restore/v2/%2570ull/" + rest,
                                  "/backup/restore/v2/%70ull/%zz" + rest + "%",
                                  "/backup/restore/v2//pull/" + rest,
                                  "/backup/restore/v2/x/../pull/" + rest,
                                  "/backup/restore/v2/pul/" + rest,
                                  "/api/../backup/restore/v2/pull/" + rest,
                                  "/" + rest,
                                  "/" + kKey,
                                  "/BACKUP/restore/v2/pull/" + rest,
                                  "/backup%2frestore/v2/pull/" + rest,
                                  "/backup/restore/v2/pull/" + kKey}) {
    EXPECT_THAT(LineOf(GetOf(path)), Not(HasSubstr(kKey))) << path;
    EXPECT_THAT(LineOf(GetOf(path)), HasSubstr("/*** 200")) << path;
  }
}

TEST(FormatAccessLine, ShowsShortPathsOfOurs) {
  EXPECT_EQ(ShownPath("/healthz"), "/healthz");
  EXPECT_EQ(ShownPath("/"), "/");
  EXPECT_EQ(ShownPath("*"), "/*");
  EXPECT_EQ(ShownPath("/backup/restore/v2/pull/x"), "/backup/restore/***");
}

TEST(FormatAccessLine, ShowsValuesOfKnownParametersOnly) {
  const std::string line = LineOf(
      GetOf("/api", "access_token=" + kKey + "&" + kKey + "&=" + kKey + "&a." + kKey + "=1"));
  EXPECT_THAT(line, Not(HasSubstr(kKey)));
  EXPECT_THAT(line, HasSubstr("?***&***&***&***"));
}

TEST(FormatAccessLine, IsBounded) {
  EXPECT_LT(LineOf(GetOf("/" + std::string(100000, 'a'), std::string(100000, '&'))).size(), 1500U);
}

}  // namespace
}  // namespace tidemark::api
