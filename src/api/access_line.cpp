#include "api/access_line.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/core.h>

#include "base/bytes.h"

namespace tidemark::api {
namespace {

constexpr std::string_view kMasked = "***";
constexpr std::string_view kApi = "/api/";
constexpr std::string_view kPull = "pull/";  // what stands before job and key in a download's link
constexpr int kShownSegments = 2;            // of a path that is not the API's
constexpr std::size_t kMaxSegment = 16;      // bytes of such a one; a longer one may be a key
constexpr std::size_t kMaxPath = 512;        // bytes shown
constexpr std::size_t kMaxQuery = 512;       // bytes shown
constexpr std::size_t kMaxWord = 64;         // bytes shown of a method, an address, a key's name

// Parameters whose values are numbers, names of fixed things or dates (contract.md 5,
// docs/own-api.md).
constexpr std::array<std::string_view, 14> kShownParameters{"completed",
                                                            "envelope",
                                                            "format",
                                                            "from",
                                                            "includeCount",
                                                            "itemsPerPage",
                                                            "operation",
                                                            "pageNum",
                                                            "pretty",
                                                            "since",
                                                            "state",
                                                            "to",
                                                            "until",
                                                            "verbose"};

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(
      lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

// What would end a field or a line, or is no ASCII, percent-encoded; cut at `most` bytes.
std::string Printable(std::string_view text, std::size_t most) {
  std::string shown;
  for (const char c : text) {
    if (shown.size() >= most) {
      return shown + "...";
    }
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte < 0x7f) {
      shown.push_back(c);
    } else {
      shown += "%" + HexEncode({&byte, 1});
    }
  }
  return shown;
}

std::string Word(std::string_view text) {
  return text.empty() ? "-" : Printable(text, kMaxWord);
}

// Percent-decoded, malformed escapes left as they are.
std::string DecodedOnce(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%'
                          ? http::PercentDecode(text.substr(i, 3), http::PlusSign::kLiteral)
                          : std::nullopt;
    decoded += byte ? *byte : std::string(1, text[i]);
    i += byte ? 2 : 0;
  }
  return decoded;
}

// As often as it changes anything, at most thrice: a proxy or a mistaken client may have encoded a
// link again.
std::string Decoded(std::string_view path) {
  std::string text(path);
  for (int i = 0; i < 3 && text.find('%') != std::string::npos; ++i) {
    text = DecodedOnce(text);
  }
  return text;
}

bool IsPlainName(std::string_view name) {
  constexpr std::size_t kMaxName = 32;
  return !name.empty() && name.size() <= kMaxName &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isalpha(c) != 0; });
}

std::string ShownParameter(std::string_view parameter) {
  const std::size_t equals = parameter.find('=');
  const std::string_view name = parameter.substr(0, equals);
  if (equals == std::string_view::npos || !IsPlainName(name)) {
    return std::string(kMasked);
  }
  const bool shown = std::ranges::find(kShownParameters, name) != kShownParameters.end();
  return std::string(name) + "=" +
         (shown ? Printable(parameter.substr(equals + 1), kMaxWord) : std::string(kMasked));
}

std::string ShownQuery(std::string_view query) {
  std::string shown;
  while (!query.empty()) {
    if (shown.size() >= kMaxQuery) {
      return shown + "...";
    }
    const std::size_t end = std::min(query.find('&'), query.size());
    shown += (shown.empty() ? "" : "&") + ShownParameter(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return shown;
}

// A link, or what somebody has made of one.
std::string Beginning(std::string_view path) {
  std::string shown;
  for (int i = 0; !path.empty(); ++i) {
    path.remove_prefix(path.front() == '/' ? 1 : 0);
    const std::size_t end = std::min(path.find('/'), path.size());
    if (i == kShownSegments || end > kMaxSegment) {
      return shown + "/" + std::string(kMasked);
    }
    shown += "/" + Printable(path.substr(0, end), kMaxWord);
    path.remove_prefix(end);
  }
  return shown;
}

}  // namespace

std::string ShownPath(std::string_view path) {
  const std::string decoded = LowerCase(Decoded(path));
  if (decoded.starts_with(kApi) && decoded.find(kPull) == std::string::npos) {
    return Printable(path, kMaxPath);
  }
  return Beginning(path);
}

std::string FormatAccessLine(const http::Access& access) {
  const http::Request& request = access.request;
  std::string target = request.path.empty() ? "-" : ShownPath(request.path);
  if (!request.query.empty()) {
    target += "?" + ShownQuery(request.query);
  }
  const auto now = std::chrono::floor<std::chrono::seconds>(access.began);
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(access.began - now).count();
  std::string time = FormatInstant(now);
  time.pop_back();  // the Z
  return fmt::format("{}.{:03}Z {} {} {} {} {} {} {} {:.3f}",
                     time,
                     millis,
                     Word(request.request_id),
                     Word(request.remote_address),
                     Word(access.actor),
                     request.path.empty() ? "-" : Word(request.MethodText()),
                     target,
                     access.status == 0 ? "-" : std::to_string(access.status),
                     access.sent,
                     static_cast<double>(access.took.count()) / 1000);
}

}  // namespace tidemark::api
