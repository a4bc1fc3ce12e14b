#include "service/notice_service.h"

#include <algorithm>

#include "service/internal/labels.h"

namespace tidemark::service {
namespace {

[[noreturn]] void RefuseValue(const std::string& member, const std::string& rule) {
  throw Refusal(Reason::kInvalidValue, ErrorCode::kInvalidArgument, rule, {member});
}

[[noreturn]] void ThrowNotFound(const std::string& id) {
  throw Refusal(Reason::kNotificationNotFound,
                ErrorCode::kNotFound,
                "finding notification " + id + ": there is none",
                {id});
}

// No line break or other control character: they go into lines of a protocol.
bool IsLine(const std::string& text) {
  return text.size() <= NoticeService::kMaxText &&
         std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

std::string CheckedAddress(const ChannelRegistration& registration) {
  try {
    return notify::CheckUrl(registration.kind, registration.url.Reveal());
  } catch (const Error& error) {
    RefuseValue("url", std::string(error.message()));
  }
}

void CheckWebhook(const ChannelRegistration& registration) {
  if (!registration.sender.empty() || !registration.recipients.empty() ||
      !registration.username.empty()) {
    RefuseValue("kind", "a webhook has no from, to or username");
  }
  if (!registration.secret.empty() &&
      registration.secret.Reveal().size() < NoticeService::kMinSignatureSecret) {
    RefuseValue("secret", "needs at least 16 bytes");
  }
}

void CheckMail(const ChannelRegistration& registration) {
  if (!notify::IsMailbox(registration.sender)) {
    RefuseValue("from", "must be a mail address");
  }
  const auto& to = registration.recipients;
  if (to.empty() || to.size() > NoticeService::kMaxRecipients ||
      !std::ranges::all_of(to, notify::IsMailbox)) {
    RefuseValue("to", "must be 1 to 32 mail addresses");
  }
  if (registration.username.empty() != registration.secret.empty()) {
    RefuseValue("username", "goes together with a password");
  }
}

void Check(const ChannelRegistration& registration) {
  if (!IsLine(registration.secret.Reveal()) || !IsLine(registration.username)) {
    RefuseValue("secret", "secret, username and password are one line of at most 1024 bytes");
  }
  switch (registration.kind) {
    case domain::ChannelKind::kWebhook:
      return CheckWebhook(registration);
    case domain::ChannelKind::kEmail:
      return CheckMail(registration);
  }
}

std::int64_t MaskOf(const std::vector<domain::EventKind>& events) {
  std::int64_t mask = 0;
  for (const domain::EventKind kind : events.empty() ? domain::NoticeKinds() : events) {
    mask |= domain::EventBit(kind);
  }
  return mask;
}

}  // namespace

domain::Channel NoticeService::Add(const ProjectId& project,
                                   const ChannelRegistration& registration) {
  Check(registration);
  const Instant now = env_.clock.Now();
  domain::Channel channel;
  channel.shown_address = CheckedAddress(registration);
  channel.id = domain::ChannelId::Generate(now, env_.random);
  channel.project = project;
  channel.kind = registration.kind;
  const std::string id = channel.id.ToString();
  channel.sealed_url = env_.repository.SealSecret(ChannelUrlLabel(id), registration.url.Reveal());
  if (!registration.secret.empty()) {
    channel.sealed_secret =
        env_.repository.SealSecret(ChannelSecretLabel(id), registration.secret.Reveal());
  }
  channel.username = registration.username;
  channel.sender = registration.sender;
  channel.recipients = registration.recipients;
  channel.events = MaskOf(registration.events);
  channel.created = now;
  try {
    env_.store.AddChannel(channel);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kResourceExhausted) {
      throw;
    }
    throw Refusal(Reason::kTooManyNotifications,
                  ErrorCode::kConflict,
                  std::string(error.message()),
                  {project.ToString()});
  }
  env_.log.Info("project={} channel={}  notifications go there", project.ToString(), id);
  return channel;
}

std::vector<domain::Channel> NoticeService::List(const ProjectId& project) {
  return env_.store.ListChannels(project);
}

domain::Channel NoticeService::Find(const ProjectId& project, const std::string& id) {
  const auto parsed = domain::ChannelId::Parse(id);
  auto found = parsed ? env_.store.FindChannel(project, *parsed) : std::nullopt;
  if (!found) {
    ThrowNotFound(id);
  }
  return *found;
}

void NoticeService::Remove(const ProjectId& project, const std::string& id) {
  const auto parsed = domain::ChannelId::Parse(id);
  if (!parsed || !env_.store.RemoveChannel(project, *parsed)) {
    ThrowNotFound(id);
  }
  env_.log.Info("project={} channel={}  notifications removed", project.ToString(), id);
}

NoticeService::Trial NoticeService::Test(const ProjectId& project, const std::string& id) {
  const domain::Channel channel = Find(project, id);
  {
    const MutexLock lock(mutex_);
    if (testing_ >= kMaxTests) {
      throw Error(ErrorCode::kUnavailable, "testing a notification: other tests are running");
    }
    ++testing_;
  }

  // Ends the turn however the test ends.
  struct Turn {
    NoticeService& service;

    ~Turn() {
      const MutexLock lock(service.mutex_);
      --service.testing_;
    }
  } const turn{*this};

  const Instant now = env_.clock.Now();
  notify::Message message;
  message.id = channel.id.ToString() + "-test-" + std::to_string(ToMicros(now));
  message.event = "TEST";
  message.at = now;
  message.project = project.ToString();
  message.reason = "somebody has asked for a test of this notification";
  const notify::OpenChannel open = Open(channel);
  try {
    transport_.Send(open, message, {});
    return {.delivered = true, .error = {}};
  } catch (const Error& error) {  // what failed is the answer, not a failure of the question
    return {.delivered = false, .error = std::string(error.message())};
  }
}

catalog::Outbox::NoticeCounts NoticeService::Count(const domain::Channel& channel) {
  return env_.store.CountNotices(channel.id);
}

notify::OpenChannel NoticeService::Open(const domain::Channel& channel) {
  const std::string id = channel.id.ToString();
  notify::OpenChannel open;
  open.kind = channel.kind;
  open.shown_address = channel.shown_address;
  open.url = Secret(env_.repository.OpenSecret(ChannelUrlLabel(id), channel.sealed_url));
  if (!channel.sealed_secret.empty()) {
    open.secret = Secret(env_.repository.OpenSecret(ChannelSecretLabel(id), channel.sealed_secret));
  }
  open.username = channel.username;
  open.sender = channel.sender;
  open.recipients = channel.recipients;
  return open;
}

}  // namespace tidemark::service
