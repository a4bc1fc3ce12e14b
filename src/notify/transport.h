#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "domain/notice.h"
#include "notify/address.h"
#include "notify/message.h"

namespace tidemark::notify {

// A channel with its secrets unsealed.
struct OpenChannel {
  domain::ChannelKind kind = domain::ChannelKind::kWebhook;
  std::string shown_address;  // for messages
  Secret url;
  Secret secret;         // webhook: of the signature; e-mail: password. Empty: none
  std::string username;  // e-mail; empty: no login
  std::string sender;
  std::vector<std::string> recipients;
};

// Sends one message once. Synchronized; blocks for at most its timeout.
class Transport {
 public:
  virtual ~Transport() = default;
  // Returns once the receiver has taken it. kUnavailable, kTimeout, kUnauthenticated (certificate,
  // login), kPermissionDenied (an address that is not allowed), kCancelled (stopped). Messages name
  // the channel's shown address and no secret. Repeating it sends twice.
  virtual void Send(const OpenChannel& channel,
                    const Message& message,
                    const std::stop_token& stop) = 0;
};

struct TransportOptions {
  Loopback loopback = Loopback::kRefuse;
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds timeout{15000};  // for all of it
};

// HTTP POST and SMTP through libcurl. Nothing is followed (no redirects, no proxy, no .netrc),
// certificates are checked, a connection goes to allowed addresses only, whatever a name resolves
// to, and of an answer at most 64 KiB are read. A login is sent over TLS only. `clock` must outlive
// it.
std::unique_ptr<Transport> MakeCurlTransport(const TransportOptions& options, const Clock& clock);

}  // namespace tidemark::notify
