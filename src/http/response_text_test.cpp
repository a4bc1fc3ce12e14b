#include "http/internal/response_text.h"

#include <gtest/gtest.h>

namespace tidemark::http {
namespace {

const Instant kNow = FromMicros(784111777000000);

TEST(FormatHttpDate, IsRfc9110) {
  EXPECT_EQ(FormatHttpDate(kNow), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(FormatHttpDate(FromMicros(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(FormatHead, HasWhatTheServerAdds) {
  EXPECT_EQ(FormatHead({200, {{"X", "y"}}, "body"}, {kNow, "00ff", ConnectionFate::kClose}),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: tidemark\r\n"
            "X-Request-Id: 00ff\r\nX: y\r\nContent-Length: 4\r\nConnection: close\r\n\r\n");
}

TEST(FormatHead, HasNoContentLengthWithoutBody) {
  EXPECT_EQ(FormatHead({204, {}, ""}, {kNow, "00ff", ConnectionFate::kKeepAlive}),
            "HTTP/1.1 204 No Content\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            "Server: tidemark\r\nX-Request-Id: 00ff\r\n\r\n");
}

TEST(FormatHead, HandlerCannotSmuggleOrRepeatHeaders) {
  const std::string head =
      FormatHead({200, {{"X", "a\r\nSet-Cookie: b"}, {"content-length", "9"}}, ""},
                 {kNow, "00ff", ConnectionFate::kKeepAlive});
  EXPECT_NE(head.find("X: a  Set-Cookie: b\r\n"), std::string::npos);
  EXPECT_EQ(head.find("content-length"), std::string::npos);
}

TEST(ErrorResponse, HasTheFormOfAtlas) {
  EXPECT_EQ(ErrorResponse(400, "No.").body,
            R"({"detail":"No.","error":400,"errorCode":"UNEXPECTED_ERROR","parameters":[],)"
            R"("reason":"Bad Request"})");
}

}  // namespace
}  // namespace tidemark::http
