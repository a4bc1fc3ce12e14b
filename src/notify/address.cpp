#include "notify/address.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <span>

#include <netinet/in.h>

#include "base/error.h"
#include "curl/handles.h"

namespace tidemark::notify {
namespace {

using curl::UrlHandle;

[[noreturn]] void Refuse(std::string_view why) {
  throw Error(ErrorCode::kInvalidArgument, "reading the URL of a channel: " + std::string(why));
}

bool IsPlain(char c) {
  return c > ' ' && c < 0x7f;
}

std::string Part(const UrlHandle& url, CURLUPart part, unsigned flags = 0) {
  char* raw = nullptr;
  if (curl_url_get(url.get(), part, &raw, flags) != CURLUE_OK) {
    return {};
  }
  const CHandle<char, curl_free> text(raw);
  return text.get();
}

UrlHandle Parse(const std::string& url) {
  if (url.size() > kMaxUrl || !std::ranges::all_of(url, IsPlain)) {
    Refuse("it is longer than 2048 bytes, or has characters that need an escape");
  }
  UrlHandle handle(curl_url());
  if (!handle || curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    Refuse("it is none");
  }
  return handle;
}

using Ip4 = std::array<std::uint8_t, 4>;
using Ip6 = std::array<std::uint8_t, 16>;

bool IsAllowed(const Ip4& ip, Loopback loopback) {
  if (ip[0] == 127) {
    return loopback == Loopback::kAllow;
  }
  const bool link_local = ip[0] == 169 && ip[1] == 254;
  return ip[0] != 0 && !link_local && ip[0] < 224;  // from 224 on: multicast, reserved, broadcast
}

bool StartsWith(const Ip6& ip, std::span<const std::uint8_t> prefix) {
  return std::equal(prefix.begin(), prefix.end(), ip.begin());
}

// The IPv4 address that begins at `at`.
Ip4 Embedded(const Ip6& ip, std::size_t at) {
  return {ip[at], ip[at + 1], ip[at + 2], ip[at + 3]};
}

bool IsAllowed(const Ip6& ip, Loopback loopback) {
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<std::uint8_t, 12> kTranslated{0, 0x64, 0xff, 0x9b};  // RFC 6052
  constexpr std::array<std::uint8_t, 2> kSixToFour{0x20, 0x02};             // RFC 3056
  constexpr std::array<std::uint8_t, 12> kCompatible{};                     // RFC 4291, 2.5.5.1
  constexpr Ip6 kLoopback{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  // Amazon's metadata service
  constexpr Ip6 kMetadata{0xfd, 0, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
  if (ip == kLoopback) {
    return loopback == Loopback::kAllow;
  }
  if (StartsWith(ip, kMapped) || StartsWith(ip, kTranslated) || StartsWith(ip, kCompatible)) {
    return IsAllowed(Embedded(ip, 12), loopback);
  }
  if (StartsWith(ip, kSixToFour)) {
    return IsAllowed(Embedded(ip, 2), loopback);
  }
  const bool link_local = ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80;
  return !link_local && ip[0] != 0xff && ip != kMetadata;
}

}  // namespace

std::string CheckUrl(domain::ChannelKind kind, const std::string& url) {
  const UrlHandle parsed = Parse(url);
  const std::string scheme = Part(parsed, CURLUPART_SCHEME);
  const bool mail = kind == domain::ChannelKind::kEmail;
  if (mail ? scheme != "smtp" && scheme != "smtps" : scheme != "http" && scheme != "https") {
    Refuse(mail ? "it needs smtp:// or smtps://" : "it needs http:// or https://");
  }
  if (!Part(parsed, CURLUPART_USER).empty() || !Part(parsed, CURLUPART_PASSWORD).empty() ||
      !Part(parsed, CURLUPART_OPTIONS).empty() || !Part(parsed, CURLUPART_FRAGMENT).empty()) {
    Refuse("a user, a password or a fragment does not belong into it");
  }
  const std::string path = Part(parsed, CURLUPART_PATH);
  if (mail && ((!path.empty() && path != "/") || !Part(parsed, CURLUPART_QUERY).empty())) {
    Refuse("a mail server has no path");
  }
  const std::string host = Part(parsed, CURLUPART_HOST);
  if (host.empty()) {
    Refuse("it has no host");
  }
  return scheme + "://" + host + ":" + Part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

bool IsMailbox(std::string_view text) {
  const std::size_t at = text.find('@');
  if (text.size() > kMaxMailbox || at == std::string_view::npos || at == 0) {
    return false;
  }
  const auto in_local = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("!#$%&'*+-/=?^_`{|}~.").find(static_cast<char>(c)) !=
               std::string_view::npos;
  };
  const auto in_domain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.';
  };
  const std::string_view domain = text.substr(at + 1);
  return !domain.empty() && std::isalnum(static_cast<unsigned char>(domain.front())) != 0 &&
         std::ranges::all_of(text.substr(0, at), in_local) &&
         std::ranges::all_of(domain, in_domain);
}

bool IsAllowedAddress(const sockaddr& address, Loopback loopback) {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    Ip4 ip{};
    std::memcpy(ip.data(), &in.sin_addr, ip.size());
    return IsAllowed(ip, loopback);
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    Ip6 ip{};
    std::memcpy(ip.data(), &in.sin6_addr, ip.size());
    return IsAllowed(ip, loopback);
  }
  return false;
}

}  // namespace tidemark::notify
