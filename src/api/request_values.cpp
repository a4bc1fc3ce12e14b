#include "api/internal/request_values.h"

#include <charconv>
#include <cmath>

#include "api/internal/failure.h"

namespace tidemark::api {
namespace {

namespace json = boost::json;

constexpr double kExact = 9007199254740992;  // 2^53: from here on a float is no single integer

std::optional<std::int64_t> IntegerIn(const json::value& value) {
  if (value.is_int64()) {
    return value.get_int64();
  }
  if (value.is_double() && std::trunc(value.get_double()) == value.get_double() &&
      std::abs(value.get_double()) < kExact) {
    return static_cast<std::int64_t>(value.get_double());
  }
  if (!value.is_string()) {
    return std::nullopt;
  }
  const std::string_view text = value.get_string();
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// "+hh:mm", "+hhmm" or "Z"; nullopt for anything else. Empty means UTC.
std::optional<std::chrono::minutes> ParseZone(std::string_view zone) {
  if (zone.empty() || zone == "Z" || zone == "z") {
    return std::chrono::minutes{0};
  }
  const bool colon = zone.size() == 6 && zone[3] == ':';
  if ((zone[0] != '+' && zone[0] != '-') || (!colon && zone.size() != 5)) {
    return std::nullopt;
  }
  const std::string digits =
      std::string(zone.substr(1, 2)) + std::string(zone.substr(colon ? 4 : 3));
  int number = 0;
  for (const char c : digits) {
    if (!IsDigit(c)) {
      return std::nullopt;
    }
    number = number * 10 + (c - '0');
  }
  if (number / 100 > 23 || number % 100 > 59) {
    return std::nullopt;
  }
  const std::chrono::minutes offset{number / 100 * 60 + number % 100};
  return zone[0] == '-' ? -offset : offset;
}

}  // namespace

std::optional<std::int64_t> IntegerOf(const Call& call,
                                      const json::object& body,
                                      std::string_view name) {
  const json::value* value = body.if_contains(name);
  if (value == nullptr) {
    return std::nullopt;
  }
  const auto number = IntegerIn(*value);
  const bool lenient = call.family == Family::kV10 || call.family == Family::kV15;
  if (!number || (!lenient && !value->is_int64())) {
    throw InvalidJsonAttribute(name, "a whole number");
  }
  return number;
}

std::optional<Instant> ParseDate(std::string_view text) {
  constexpr std::size_t kDate = 10;      // "2026-11-25"
  constexpr std::size_t kDateTime = 19;  // "2026-11-25T10:00:00"
  if (text.size() == kDate) {
    return ParseInstant(std::string(text) + "T00:00:00Z");
  }
  if (text.size() < kDateTime) {
    return std::nullopt;
  }
  std::size_t end = kDateTime;
  if (end < text.size() && text[end] == '.') {
    ++end;
    while (end < text.size() && IsDigit(text[end])) {
      ++end;
    }
  }
  const auto local = ParseInstant(std::string(text.substr(0, end)) + "Z");
  const auto offset = ParseZone(text.substr(end));
  if (!local || !offset) {
    return std::nullopt;
  }
  return ParseInstant(
      FormatInstant(*local - *offset));  // an offset may leave the years we can write
}

}  // namespace tidemark::api
