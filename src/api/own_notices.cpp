#include <array>

#include "api/internal/failure.h"
#include "api/internal/own_render.h"
#include "api/internal/request_body.h"
#include "api/internal/routes.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

using enum FieldUse;

constexpr std::array kChannelFields{Field{"kind", FieldType::kString, kRequired},
                                    Field{"url", FieldType::kString, kRequired},
                                    Field{"secret", FieldType::kString, kOptional},
                                    Field{"from", FieldType::kString, kOptional},
                                    Field{"to", FieldType::kArray, kOptional},
                                    Field{"username", FieldType::kString, kOptional},
                                    Field{"password", FieldType::kString, kOptional},
                                    Field{"events", FieldType::kArray, kOptional}};

constexpr std::size_t kMaxNames = 64;  // elements of an array, before each is looked at

json::array RenderTexts(const std::vector<std::string>& texts) {
  json::array array;
  for (const std::string& text : texts) {
    array.emplace_back(text);
  }
  return array;
}

json::array RenderEvents(std::int64_t mask) {
  json::array events;
  for (const domain::EventKind kind : domain::NoticeKinds()) {
    if ((mask & domain::EventBit(kind)) != 0) {
      events.emplace_back(domain::NoticeName(kind));
    }
  }
  return events;
}

json::object RenderChannel(const domain::Channel& channel,
                           const catalog::Outbox::NoticeCounts& counts) {
  json::object body;
  body["id"] = channel.id.ToString();
  body["projectId"] = channel.project.ToString();
  body["address"] = channel.shown_address;
  body["events"] = RenderEvents(channel.events);
  body["created"] = FormatInstant(channel.created);
  body["failures"] = channel.failures;
  body["waiting"] = counts.waiting;
  body["givenUp"] = counts.given_up;
  if (channel.kind == domain::ChannelKind::kWebhook) {
    body["kind"] = "webhook";
    body["signed"] = !channel.sealed_secret.empty();
  } else {
    body["kind"] = "email";
    body["from"] = channel.sender;
    body["to"] = RenderTexts(channel.recipients);
    AddText(body, "username", channel.username);
  }
  AddText(body, "lastError", channel.last_error);
  AddInstant(body, "lastDelivered", channel.last_delivered);
  if (channel.failures > 0 && counts.waiting > 0) {
    body["nextTry"] = FormatInstant(channel.next_try);
  }
  return body;
}

domain::ChannelKind KindOf(const json::object& body) {
  const std::string kind = StringOf(body, "kind");
  if (kind != "webhook" && kind != "email") {
    throw InvalidValue("kind", "must be webhook or email");
  }
  return kind == "webhook" ? domain::ChannelKind::kWebhook : domain::ChannelKind::kEmail;
}

std::vector<std::string> TextsOf(const json::object& body, std::string_view name) {
  const json::value* found = body.if_contains(name);
  std::vector<std::string> texts;
  if (found == nullptr) {
    return texts;
  }
  const json::array& array = found->get_array();
  if (array.size() > kMaxNames) {
    throw InvalidValue(name, "has more than 64 elements");
  }
  for (const json::value& element : array) {
    if (!element.is_string()) {
      throw InvalidJsonAttribute(name, "an array of strings");
    }
    texts.emplace_back(element.get_string());
  }
  return texts;
}

std::vector<domain::EventKind> EventsOf(const json::object& body) {
  std::vector<domain::EventKind> events;
  for (const std::string& name : TextsOf(body, "events")) {
    const auto kind = domain::ParseNoticeName(name);
    if (!kind) {
      throw InvalidValue(
          "events",
          "must be of SNAPSHOT_FAILED, RESTORE_FAILED, SCHEDULE_MISSED, VERIFICATION_FAILED, "
          "EXPORT_FAILED");
    }
    events.push_back(*kind);
  }
  return events;
}

service::ChannelRegistration ReadRegistration(const Call& call) {
  const json::object body = ReadBody(call.request, kChannelFields);
  service::ChannelRegistration registration;
  registration.kind = KindOf(body);
  const bool mail = registration.kind == domain::ChannelKind::kEmail;
  const std::string_view foreign = mail ? "secret" : "password";
  if (body.contains(foreign)) {
    throw InvalidValue(foreign, mail ? "a webhook has one, mail a password" : "only mail has one");
  }
  registration.url = Secret(StringOf(body, "url"));
  registration.secret = Secret(StringOf(body, mail ? "password" : "secret"));
  registration.username = StringOf(body, "username");
  registration.sender = StringOf(body, "from");
  registration.recipients = TextsOf(body, "to");
  registration.events = EventsOf(body);
  return registration;
}

json::object Show(const Call& call, const domain::Channel& channel) {
  return RenderChannel(channel, call.parts.notices.Count(channel));
}

Reply ListNotifications(const Call& call) {
  const auto channels = call.parts.notices.List(ProjectOf(call).id);
  return ListReply(call.request,
                   call.query,
                   PageOf(std::span(channels), call.query.page),
                   [&](const domain::Channel& channel) { return Show(call, channel); });
}

Reply CreateNotification(const Call& call) {
  const domain::Channel channel =
      call.parts.notices.Add(ProjectOf(call).id, ReadRegistration(call));
  return {201, Shape::kObject, RenderChannel(channel, {})};
}

Reply GetNotification(const Call& call) {
  const domain::Channel channel =
      call.parts.notices.Find(ProjectOf(call).id, call.path.Get("notificationId"));
  return {200, Shape::kObject, Show(call, channel)};
}

Reply DeleteNotification(const Call& call) {
  call.parts.notices.Remove(ProjectOf(call).id, call.path.Get("notificationId"));
  return {204, Shape::kNone, {}};
}

Reply TestNotification(const Call& call) {
  const service::NoticeService::Trial trial =
      call.parts.notices.Test(ProjectOf(call).id, call.path.Get("notificationId"));
  json::object body;
  body["delivered"] = trial.delivered;
  AddText(body, "error", trial.error);
  return {200, Shape::kObject, std::move(body)};
}

}  // namespace

std::span<const Route> OwnNoticeRoutes() {
  using enum domain::Permission;
  using enum http::Method;
  static constexpr std::array kRoutes{
      Route{kGet,
            "/projects/{groupId}/notifications",
            kOwn,
            kProjectRead,
            "listNotifications",
            ListNotifications},
      Route{kPost,
            "/projects/{groupId}/notifications",
            kOwn,
            kProjectOwner,
            "createNotification",
            CreateNotification},
      Route{kGet,
            "/projects/{groupId}/notifications/{notificationId}",
            kOwn,
            kProjectRead,
            "getNotification",
            GetNotification},
      Route{kDelete,
            "/projects/{groupId}/notifications/{notificationId}",
            kOwn,
            kProjectOwner,
            "deleteNotification",
            DeleteNotification},
      Route{kPost,
            "/projects/{groupId}/notifications/{notificationId}/test",
            kOwn,
            kProjectOwner,
            "testNotification",
            TestNotification},
  };
  return kRoutes;
}

}  // namespace tidemark::api
