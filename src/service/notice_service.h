#pragma once

#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/secret.h"
#include "domain/notice.h"
#include "notify/transport.h"
#include "service/environment.h"
#include "service/refusal.h"

namespace tidemark::service {

struct ChannelRegistration {
  domain::ChannelKind kind = domain::ChannelKind::kWebhook;
  Secret url;
  Secret secret;  // webhook: at least 16 bytes, or none; e-mail: the password
  std::string username;
  std::string sender;
  std::vector<std::string> recipients;    // 1 to kMaxRecipients for e-mail, none for a webhook
  std::vector<domain::EventKind> events;  // empty: all that there are
};

// Channels of a project, and trying them. Synchronized; every call blocks on the catalog.
class NoticeService {
 public:
  static constexpr std::size_t kMaxRecipients = 32;
  static constexpr std::size_t kMinSignatureSecret = 16;  // bytes
  static constexpr std::size_t kMaxText = 1024;           // bytes of a secret or user name
  static constexpr int kMaxTests = 2;                     // at once

  NoticeService(Environment& environment, notify::Transport& transport)
      : env_(environment), transport_(transport) {}

  // kInvalidValue, naming the member; kTooManyNotifications.
  domain::Channel Add(const ProjectId& project, const ChannelRegistration& registration);
  std::vector<domain::Channel> List(const ProjectId& project);
  // These three: kNotificationNotFound.
  domain::Channel Find(const ProjectId& project, const std::string& id);
  void Remove(const ProjectId& project, const std::string& id);

  struct Trial {
    bool delivered = false;
    std::string error;  // why not
  };

  // Sends a message of event TEST once and waits for the result, at most the transport's timeout;
  // the channel's notices and its failures are left alone. kUnavailable while kMaxTests are at it.
  Trial Test(const ProjectId& project, const std::string& id) TIDEMARK_EXCLUDES(mutex_);

  catalog::Outbox::NoticeCounts Count(const domain::Channel& channel);
  // For the dispatcher.
  notify::OpenChannel Open(const domain::Channel& channel);

 private:
  Environment& env_;
  notify::Transport& transport_;
  Mutex mutex_;
  int testing_ TIDEMARK_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::service
