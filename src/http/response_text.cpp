#include "http/internal/response_text.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/core.h>

namespace tidemark::http {
namespace {

constexpr std::array<std::string_view, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 12> kMonths{
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// What the server itself sets.
constexpr std::array<std::string_view, 6> kOwnHeaders{
    "connection", "content-length", "date", "server", "transfer-encoding", "x-request-id"};

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

bool IsOwnHeader(std::string_view name) {
  return std::ranges::any_of(kOwnHeaders,
                             [name](std::string_view own) { return EqualIgnoringCase(own, name); });
}

void AppendHeader(std::string_view name, std::string_view value, std::string& head) {
  const std::size_t start = head.size();
  head.append(name).append(": ").append(value);
  std::replace_if(
      head.begin() + static_cast<std::ptrdiff_t>(start),
      head.end(),
      [](unsigned char c) { return c < ' ' || c == 0x7f; },
      ' ');
  head.append("\r\n");
}

void AppendFraming(const Response& response, BodyFraming framing, std::string& head) {
  switch (framing) {
    case BodyFraming::kSized: {
      const std::uint64_t size =
          response.stream ? response.stream->size.value_or(0) : response.body.size();
      AppendHeader("Content-Length", std::to_string(size), head);
      return;
    }
    case BodyFraming::kChunked:
      AppendHeader("Transfer-Encoding", "chunked", head);
      return;
    case BodyFraming::kUnsaid:
      return;
  }
}

}  // namespace

std::string FormatHttpDate(Instant instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(instant - day));
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                     kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()),
                     kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()),
                     time.hours().count(),
                     time.minutes().count(),
                     time.seconds().count());
}

Response ErrorResponse(int status, std::string_view detail) {
  Response response;
  response.status = status;
  response.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
  response.body = fmt::format(
      R"({{"detail":"{}","error":{},"errorCode":"UNEXPECTED_ERROR","parameters":[],"reason":"{}"}})",
      detail,
      status,
      ReasonPhrase(status));
  return response;
}

bool MayHaveBody(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string FormatHead(const Response& response, const HeadFacts& facts) {
  std::string head =
      fmt::format("HTTP/1.1 {} {}\r\n", response.status, ReasonPhrase(response.status));
  AppendHeader("Date", FormatHttpDate(facts.now), head);
  AppendHeader("Server", "tidemark", head);
  AppendHeader("X-Request-Id", facts.request_id, head);
  for (const auto& [name, value] : response.headers) {
    if (!IsOwnHeader(name)) {
      AppendHeader(name, value, head);
    }
  }
  if (MayHaveBody(response.status)) {
    AppendFraming(response, facts.framing, head);
  }
  if (facts.fate == ConnectionFate::kClose) {
    AppendHeader("Connection", "close", head);
  }
  head.append("\r\n");
  return head;
}

}  // namespace tidemark::http
