#include "notify/address.h"

#include <cstring>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/error.h"

namespace tidemark::notify {
namespace {

using domain::ChannelKind;

std::string Refusal(ChannelKind kind, const std::string& url) {
  try {
    CheckUrl(kind, url);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return std::string(error.message());
  }
  return "";
}

bool Allowed(const std::string& ip, Loopback loopback = Loopback::kRefuse) {
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  if (inet_pton(AF_INET6, ip.c_str(), &in6.sin6_addr) == 1) {
    return IsAllowedAddress(reinterpret_cast<const sockaddr&>(in6), loopback);
  }
  sockaddr_in in{};
  in.sin_family = AF_INET;
  EXPECT_EQ(inet_pton(AF_INET, ip.c_str(), &in.sin_addr), 1) << ip;
  return IsAllowedAddress(reinterpret_cast<const sockaddr&>(in), loopback);
}

TEST(CheckUrl, ShowsSchemeHostAndPortOnly) {
  EXPECT_EQ(CheckUrl(ChannelKind::kWebhook, "https://hooks.example.org/secret/path?token=1"),
            "https://hooks.example.org:443");
  EXPECT_EQ(CheckUrl(ChannelKind::kWebhook, "http://[2001:db8::1]:8080/x"),
            "http://[2001:db8::1]:8080");
  EXPECT_EQ(CheckUrl(ChannelKind::kEmail, "smtp://mail.example.org"), "smtp://mail.example.org:25");
  EXPECT_EQ(CheckUrl(ChannelKind::kEmail, "smtps://mail.example.org:465/"),
            "smtps://mail.example.org:465");
}

TEST(CheckUrl, SchemesAreThoseOfTheKind) {
  const std::string web = "reading the URL of a channel: it needs http:// or https://";
  for (const char* url : {"ftp://h/", "file:///etc/passwd", "smtp://h", "gopher://h", "dict://h"}) {
    EXPECT_EQ(Refusal(ChannelKind::kWebhook, url), web) << url;
  }
  EXPECT_EQ(Refusal(ChannelKind::kEmail, "https://h"),
            "reading the URL of a channel: it needs smtp:// or smtps://");
}

TEST(CheckUrl, OddPartsAreRefusedWithoutRepeatingThem) {
  for (const char* url : {"http://canary@h/",
                          "http://u:canary@h/",
                          "http://h/#canary",
                          "http://h/can ary",
                          "http://h/canary\r\nX: y",
                          "http://?canary",
                          "canary",
                          "http://h:99999/canary",
                          ""}) {
    const std::string refusal = Refusal(ChannelKind::kWebhook, url);
    EXPECT_NE(refusal, "") << url;
    EXPECT_EQ(refusal.find("canary"), std::string::npos) << refusal;
  }
  EXPECT_NE(Refusal(ChannelKind::kWebhook, "http://h/" + std::string(kMaxUrl, 'a')), "");
  EXPECT_NE(Refusal(ChannelKind::kEmail, "smtp://h/path"), "");
  EXPECT_NE(Refusal(ChannelKind::kEmail, "smtp://h/?query"), "");
}

TEST(IsMailbox, TakesPlainOnesOnly) {
  EXPECT_TRUE(IsMailbox("ops+tidemark@example.org"));
  EXPECT_TRUE(IsMailbox("root@localhost"));
  for (const char* text : {"",
                           "@",
                           "a@",
                           "@b",
                           "a b@c",
                           "a@b c",
                           "a@b>",
                           "<a@b>",
                           "a@b\r\nRCPT TO:<x>",
                           "a\n@b",
                           "\"a\"@b",
                           "a@b@c",
                           "a@-b",
                           "a@b,c@d",
                           "\xc3\xa9@b"}) {
    EXPECT_FALSE(IsMailbox(text)) << text;
  }
  EXPECT_FALSE(IsMailbox(std::string(kMaxMailbox, 'a') + "@b"));
}

TEST(IsAllowedAddress, TakesPublicAndPrivateOnes) {
  for (const char* ip : {"192.0.2.1",
                         "10.0.0.1",
                         "172.16.1.1",
                         "192.168.1.1",
                         "8.8.8.8",
                         "2001:db8::1",
                         "fd12::1",
                         "64:ff9b::808:808"}) {
    EXPECT_TRUE(Allowed(ip)) << ip;
  }
}

TEST(IsAllowedAddress, RefusesWhatIsNoPlaceForNotices) {
  for (const char* ip : {"169.254.169.254",
                         "169.254.0.1",
                         "0.0.0.0",
                         "0.1.2.3",
                         "224.0.0.1",
                         "255.255.255.255",
                         "240.0.0.1",
                         "::",
                         "fe80::1",
                         "febf::1",
                         "ff02::1",
                         "::ffff:169.254.169.254",
                         "64:ff9b::a9fe:a9fe",
                         "2002:a9fe:a9fe::1",
                         "::169.254.169.254",
                         "fd00:ec2::254"}) {
    EXPECT_FALSE(Allowed(ip, Loopback::kAllow)) << ip;
  }
}

TEST(IsAllowedAddress, LoopbackIsForWhoAsksForIt) {
  for (const char* ip :
       {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"}) {
    EXPECT_FALSE(Allowed(ip)) << ip;
    EXPECT_TRUE(Allowed(ip, Loopback::kAllow)) << ip;
  }
}

TEST(IsAllowedAddress, OtherFamiliesAreRefused) {
  sockaddr_un socket{};
  socket.sun_family = AF_UNIX;
  EXPECT_FALSE(IsAllowedAddress(reinterpret_cast<const sockaddr&>(socket), Loopback::kAllow));
}

}  // namespace
}  // namespace tidemark::notify
