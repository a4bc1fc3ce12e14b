#include "notify/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"

namespace tidemark::notify {
namespace {

Message Example() {
  return {.id = "65a1-7",
          .event = "SNAPSHOT_FAILED",
          .at = *ParseInstant("2026-11-25T10:00:00Z"),
          .project = "32b6e34b3d91647abb20e7b8",
          .cluster = "c0",
          .object = "32b6e34b3d91647abb20e7b9",
          .reason = "source is gone"};
}

TEST(Message, IsThatOfTheNotice) {
  domain::Notice notice;
  notice.channel = *domain::ChannelId::Parse("0123456789abcdef01234567");
  notice.event = {.number = 7,
                  .kind = domain::EventKind::kRestoreFailed,
                  .at = *ParseInstant("2026-11-25T10:00:00Z"),
                  .project = *ProjectId::Parse("32b6e34b3d91647abb20e7b8"),
                  .cluster = "c0",
                  .object = "x",
                  .reason = "y"};
  const Message message = MessageOf(notice);
  EXPECT_EQ(message.id, "0123456789abcdef01234567-7");
  EXPECT_EQ(message.event, "RESTORE_FAILED");
  EXPECT_EQ(message.project, "32b6e34b3d91647abb20e7b8");
}

TEST(Message, IsAJsonObject) {
  EXPECT_EQ(RenderJson(Example()),
            R"({"id":"65a1-7","event":"SNAPSHOT_FAILED","at":"2026-11-25T10:00:00Z",)"
            R"("projectId":"32b6e34b3d91647abb20e7b8","clusterName":"c0",)"
            R"("objectId":"32b6e34b3d91647abb20e7b9","reason":"source is gone"})");
  Message short_one = Example();
  short_one.cluster.clear();
  short_one.object.clear();
  short_one.reason.clear();
  EXPECT_EQ(RenderJson(short_one),
            R"({"id":"65a1-7","event":"SNAPSHOT_FAILED","at":"2026-11-25T10:00:00Z",)"
            R"("projectId":"32b6e34b3d91647abb20e7b8"})");
}

TEST(Message, ReasonCannotBreakTheJson) {
  Message message = Example();
  message.reason = "a\"b\\c\nd\x01 \xc3\xa9 \xff \xed\xa0\x80 \xf0\x9f\x8c\x8a \xc3";
  EXPECT_THAT(RenderJson(message),
              testing::HasSubstr("\"reason\":\"a\\\"b\\\\c\\u000ad\\u0001 \xc3\xa9 \xef\xbf\xbd "
                                 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd \xf0\x9f\x8c\x8a "
                                 "\xef\xbf\xbd\"}"));
}

// Made with: printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
TEST(Sign, IsHmacOfTimestampAndBody) {
  EXPECT_EQ(Sign(Secret("0123456789abcdef"), 1700000000, R"({"a":1})"),
            "sha256=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23");
}

TEST(RenderMail, IsAWholeMessage) {
  const std::string mail = RenderMail(Example(),
                                      "tidemark@example.org",
                                      {"a@example.org", "b@example.org"},
                                      *ParseInstant("2026-11-25T10:00:05Z"));
  const std::size_t body = mail.find("\r\n\r\n") + 4;
  EXPECT_EQ(mail.substr(0, body),
            "From: Tidemark <tidemark@example.org>\r\n"
            "To: <a@example.org>,\r\n <b@example.org>\r\n"
            "Date: Wed, 25 Nov 2026 10:00:05 +0000\r\n"
            "Message-ID: <65a1-7@tidemark.invalid>\r\n"
            "Subject: [Tidemark] SNAPSHOT_FAILED: cluster c0\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n");
  std::string encoded;
  for (const char c : mail.substr(body)) {
    if (c != '\r' && c != '\n') {
      encoded.push_back(c);
    }
  }
  EXPECT_EQ(AsText(Base64Decode(encoded)),
            "SNAPSHOT_FAILED\n\n"
            "at        2026-11-25T10:00:00Z\n"
            "project   32b6e34b3d91647abb20e7b8\n"
            "cluster   c0\n"
            "object    32b6e34b3d91647abb20e7b9\n"
            "reason    source is gone\n"
            "notice    65a1-7\n");
}

TEST(RenderMail, LinesAreShort) {
  Message message = Example();
  message.reason = std::string(2000, 'x') + "\r\n.\r\nRCPT TO:<a@b>";
  const std::string mail = RenderMail(message, "a@b", std::vector<std::string>(32, "c@d"), {});
  std::size_t start = 0;
  for (std::size_t end = mail.find("\r\n"); end != std::string::npos;
       start = end + 2, end = mail.find("\r\n", start)) {
    EXPECT_LE(end - start, 76U);
  }
  EXPECT_EQ(start, mail.size());
  EXPECT_EQ(mail.find("RCPT"), std::string::npos);
}

}  // namespace
}  // namespace tidemark::notify
