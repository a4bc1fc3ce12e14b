#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "domain/notice.h"

// What is sent. Pure functions; any thread.
namespace tidemark::notify {

// What a channel tells. The same for every try of a notice.
struct Message {
  std::string id;     // for receivers that must not act twice
  std::string event;  // NoticeName, or TEST
  Instant at;
  std::string project;
  std::string cluster;  // empty: about none
  std::string object;   // id of the snapshot, restore job or task; empty: none
  std::string reason;
};

Message MessageOf(const domain::Notice& notice);

// The body of a webhook: a JSON object; members without a value are left out.
std::string RenderJson(const Message& message);

// "sha256=" and the lower-case hex of HMAC-SHA256(secret, "<timestamp>.<body>"), timestamp in whole
// seconds since 1970: a receiver that compares both knows who sent it and that it is not an old one
// once more.
std::string Sign(const Secret& secret, std::int64_t timestamp, std::string_view body);

// A whole message of RFC 5322, its text in base64. REQUIRES: IsMailbox of the sender and each
// recipient.
std::string RenderMail(const Message& message,
                       const std::string& sender,
                       const std::vector<std::string>& recipients,
                       Instant now);

}  // namespace tidemark::notify
