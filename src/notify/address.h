#pragma once

#include <string>
#include <string_view>

#include "domain/notice.h"

struct sockaddr;

// Where notices may go. Pure functions; any thread.
namespace tidemark::notify {

inline constexpr std::size_t kMaxUrl = 2048;     // bytes
inline constexpr std::size_t kMaxMailbox = 254;  // bytes; RFC 5321, 4.5.3.1.3

// Checks the URL of a channel and returns what of it may be shown: scheme, host and port. Webhooks
// have http or https; mail servers have smtp or smtps and neither path nor query. None has a user,
// a password or a fragment. kInvalidArgument, without a word of the URL.
std::string CheckUrl(domain::ChannelKind kind, const std::string& url);

// "local@domain" in ASCII without quotes, comments or spaces: nothing that could end a line of SMTP
// or a header.
bool IsMailbox(std::string_view text);

enum class Loopback { kRefuse, kAllow };

// Whether a notice may be sent to that address. Never to link-local ones (169.254.169.254 tells a
// cloud's secrets), multicast, broadcast or unspecified ones, nor to IPv6 forms that stand for such
// an IPv4 address.
bool IsAllowedAddress(const sockaddr& address, Loopback loopback);

}  // namespace tidemark::notify
