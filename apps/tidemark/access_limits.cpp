#include "access_limits.h"

#include "base/error.h"

namespace tidemark::app {
namespace {

// So many at once, and as many in every minute.
api::RateLimit PerMinute(std::int64_t count) {
  return {count, std::max<std::int64_t>(count, 1), std::chrono::minutes(1)};
}

// Separated by commas or blanks.
std::vector<domain::Network> ParseNetworks(const std::string& text) {
  std::vector<domain::Network> networks;
  constexpr const char* kSeparators = ", ";
  std::size_t begin = text.find_first_not_of(kSeparators);
  while (begin != std::string::npos) {
    const std::size_t end = text.find_first_of(kSeparators, begin);
    const std::string word = text.substr(begin, end - begin);
    const auto network = domain::Network::Parse(word);
    if (!network) {
      throw Error(
          ErrorCode::kInvalidArgument,
          "reading the setting trusted-proxies: \"" + word + "\" is no address or CIDR block",
          "e.g. 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32, with 0 bits behind the prefix");
    }
    networks.push_back(*network);
    begin = end == std::string::npos ? end : text.find_first_not_of(kSeparators, end);
  }
  return networks;
}

}  // namespace

api::AccessLimits MakeAccessLimits(const config::Settings& settings) {
  api::AccessLimits limits;
  limits.requests = {settings.Integer("rate-limit"),
                     settings.Integer("rate-limit-refill"),
                     std::chrono::seconds(settings.Integer("rate-limit-interval-seconds"))};
  limits.failed_logins = PerMinute(settings.Integer("failed-logins-per-minute"));
  limits.token_requests = PerMinute(settings.Integer("token-requests-per-minute"));
  limits.trusted_proxies = ParseNetworks(settings.Text("trusted-proxies"));
  return limits;
}

}  // namespace tidemark::app
