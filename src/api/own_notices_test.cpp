#include <boost/json/serialize.hpp>

#include "tests/support/api_fixture.h"

namespace tidemark::api {
namespace {

using testing::HasSubstr;
using testing::Not;

class Notifications : public ApiFixture {
 protected:
  // The answer to a registration.
  boost::json::object Add(const std::string& body, int status = 201) {
    const auto response = Post(Own("/notifications"), body);
    EXPECT_EQ(response.status, status) << response.body;
    return BodyOf(response);
  }

  // Which member the refusal of a registration is about.
  std::string Refused(const std::string& body) {
    const auto refusal = Add(body, 400);
    const auto* detail = refusal.if_contains("badRequestDetail");
    return detail == nullptr ? std::string(refusal.at("errorCode").as_string())
                             : boost::json::serialize(detail->at("fields").at(0).at("field"));
  }

  static std::string IdOf(const boost::json::object& body) {
    return std::string(body.at("id").as_string());
  }
};

TEST_F(Notifications, WebhookIsShownWithoutItsSecrets) {
  const auto made = Add(
      R"({"kind":"webhook","url":"https://hooks.example.org/canary1?t=canary2","secret":"canary3canary3canary3"})");
  EXPECT_THAT(MembersOf(made),
              testing::UnorderedElementsAre("address",
                                            "created",
                                            "events",
                                            "failures",
                                            "givenUp",
                                            "id",
                                            "kind",
                                            "projectId",
                                            "signed",
                                            "waiting"));
  EXPECT_EQ(made.at("address"), "https://hooks.example.org:443");
  EXPECT_EQ(made.at("signed"), true);
  EXPECT_EQ(made.at("events").as_array().size(), 5U);
  const std::string shown = Get(Own("/notifications/") + IdOf(made)).body +
                            Get(Own("/notifications")).body + Get("/api/tidemark/v1/audit").body;
  EXPECT_THAT(shown, HasSubstr("createNotification"));
  EXPECT_THAT(shown, Not(HasSubstr("canary")));
  const auto opened = notices_->Open(notices_->Find(first_.project.id, IdOf(made)));
  EXPECT_EQ(opened.url.Reveal(), "https://hooks.example.org/canary1?t=canary2");
  EXPECT_EQ(opened.secret.Reveal(), "canary3canary3canary3");
}

TEST_F(Notifications, MailIsShownWithoutItsPassword) {
  const auto made = Add(R"({"kind":"email","url":"smtps://mail.example.org","from":"t@example.org",
      "to":["a@example.org","b@example.org"],"username":"u","password":"canary",
      "events":["SNAPSHOT_FAILED"]})");
  EXPECT_EQ(made.at("address"), "smtps://mail.example.org:465");
  EXPECT_EQ(boost::json::serialize(made.at("to")), R"(["a@example.org","b@example.org"])");
  EXPECT_EQ(boost::json::serialize(made.at("events")), R"(["SNAPSHOT_FAILED"])");
  EXPECT_EQ(made.at("username"), "u");
  EXPECT_THAT(boost::json::serialize(made), Not(HasSubstr("canary")));
}

TEST_F(Notifications, WrongOnesAreRefusedWithTheMember) {
  EXPECT_EQ(Refused(R"({"kind":"pager","url":"https://h"})"), R"("kind")");
  EXPECT_EQ(Refused(R"({"kind":"webhook","url":"file:///etc/passwd"})"), R"("url")");
  EXPECT_EQ(Refused(R"({"kind":"webhook","url":"https://u:p@h/"})"), R"("url")");
  EXPECT_EQ(Refused(R"({"kind":"webhook","url":"https://h","secret":"short"})"), R"("secret")");
  EXPECT_EQ(Refused(R"({"kind":"webhook","url":"https://h","password":"x"})"), R"("password")");
  EXPECT_EQ(Refused(R"({"kind":"webhook","url":"https://h","to":["a@b"]})"), R"("kind")");
  EXPECT_EQ(Refused(R"({"kind":"webhook","url":"https://h","events":["ALL"]})"), R"("events")");
  EXPECT_EQ(Refused(R"({"kind":"webhook","url":"https://h","events":[1]})"),
            "INVALID_JSON_ATTRIBUTE");
  const std::string mail = R"({"kind":"email","url":"smtp://h","from":"t@h","to":["a@h"])";
  EXPECT_EQ(Refused(R"({"kind":"email","url":"smtp://h","from":"t","to":["a@h"]})"), R"("from")");
  EXPECT_EQ(
      Refused(R"({"kind":"email","url":"smtp://h","from":"t@h","to":["a\r\nRCPT TO:<x>@h"]})"),
      R"("to")");
  EXPECT_EQ(Refused(R"({"kind":"email","url":"smtp://h","from":"t@h"})"), R"("to")");
  EXPECT_EQ(Refused(mail + R"(,"username":"u"})"), R"("username")");
  EXPECT_EQ(Refused(mail + R"(,"username":"u","password":"a\nb"})"), R"("secret")");
  EXPECT_EQ(Refused(mail + R"(,"secret":"0123456789abcdef"})"), R"("secret")");
  EXPECT_EQ(Refused(R"({"url":"https://h"})"), "MISSING_ATTRIBUTE");
  EXPECT_EQ(BodyOf(Get(Own("/notifications"))).at("totalCount"), 0);
}

TEST_F(Notifications, AreListedOverPagesAndRemoved) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    ids.push_back(IdOf(Add(R"({"kind":"webhook","url":"https://h"})")));
    clock_.Advance(std::chrono::seconds{1});
  }
  const auto page = BodyOf(Get(Own("/notifications?itemsPerPage=2&pageNum=2")));
  EXPECT_EQ(page.at("totalCount"), 3);
  ASSERT_EQ(page.at("results").as_array().size(), 1U);
  EXPECT_EQ(page.at("results").at(0).at("id").as_string(), ids.at(2));
  EXPECT_TRUE(BodyOf(Get(Own("/notifications?pageNum=9"))).at("results").as_array().empty());
  EXPECT_EQ(Delete(Own("/notifications/") + ids.at(1)).status, 204);
  for (const std::string& gone : {ids.at(1), std::string("nonsense")}) {
    EXPECT_EQ(CodeOf(Delete(Own("/notifications/") + gone)), "NOTIFICATION_NOT_FOUND");
    EXPECT_EQ(CodeOf(Get(Own("/notifications/") + gone)), "NOTIFICATION_NOT_FOUND");
    EXPECT_EQ(CodeOf(Post(Own("/notifications/") + gone + "/test", "{}")),
              "NOTIFICATION_NOT_FOUND");
  }
}

TEST_F(Notifications, TooManyAreRefused) {
  for (int i = 0; i < 32; ++i) {
    Add(R"({"kind":"webhook","url":"https://h"})");
  }
  EXPECT_EQ(Add(R"({"kind":"webhook","url":"https://h"})", 409).at("errorCode"),
            "TOO_MANY_NOTIFICATIONS");
}

TEST_F(Notifications, OwnersChangeThemOnly) {
  const std::string id = IdOf(Add(R"({"kind":"webhook","url":"https://h"})"));
  const std::string backup = TokenWith(domain::Role::kGroupBackupManager);
  EXPECT_EQ(GetAs(backup, Own("/notifications")).status, 200);
  http::Request request = MakeRequest(http::Method::kDelete, Own("/notifications/") + id);
  request.headers.emplace_back("authorization", "Bearer " + backup);
  EXPECT_EQ(api_->Handle(request).status, 401);
}

TEST_F(Notifications, TestTellsWhyItWasNotDelivered) {
  const std::string id = IdOf(Add(R"({"kind":"webhook","url":"http://127.0.0.1:1/canary"})"));
  const auto result = Post(Own("/notifications/") + id + "/test", "{}");
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(BodyOf(result).at("delivered"), false);
  EXPECT_EQ(BodyOf(result).at("error"),
            "sending to http://127.0.0.1:1: its address is not allowed");
  EXPECT_EQ(BodyOf(Get(Own("/notifications/") + id)).at("failures"), 0);
}

TEST_F(Notifications, StateOfTheDeliveryIsShown) {
  const std::string id = IdOf(Add(R"({"kind":"webhook","url":"https://h"})"));
  store_->AddEvent({.kind = domain::EventKind::kSnapshotFailed,
                    .at = clock_.Now(),
                    .project = first_.project.id});
  store_->SettleEvents();
  store_->MarkFailed(store_->FindDueNotice(clock_.Now())->notice,
                     "sending to https://h:443: it answered 500",
                     clock_.Now() + std::chrono::seconds{10});
  const auto shown = BodyOf(Get(Own("/notifications/") + id));
  EXPECT_EQ(shown.at("failures"), 1);
  EXPECT_EQ(shown.at("waiting"), 1);
  EXPECT_EQ(shown.at("lastError"), "sending to https://h:443: it answered 500");
  EXPECT_EQ(shown.at("nextTry"), "2026-11-25T10:00:10Z");
}

}  // namespace
}  // namespace tidemark::api
