#include "bson/internal/iso_date.h"

#include <chrono>

namespace tidemark::bson {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

class IsoDate {
 public:
  explicit IsoDate(std::string_view text) : text_(text) {}

  std::optional<std::int64_t> Parse() {
    const auto year = Number(4, '-');
    const auto month = Number(2, '-');
    const auto day = Number(2, 'T');
    const auto hour = Number(2, ':');
    const auto minute = Number(2, ':');
    const auto second = Number(2, '\0');
    const std::int64_t milliseconds = Fraction();
    const auto zone = Zone();
    if (!good_ || !zone || !text_.empty() || hour > 23 || minute > 59 || second > 59) {
      return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year(year),
                                           std::chrono::month(static_cast<unsigned>(month)),
                                           std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok()) {
      return std::nullopt;
    }
    const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
    const std::int64_t minutes = (days * 24 + hour) * 60 + minute - *zone;
    return (minutes * 60 + second) * 1000 + milliseconds;
  }

 private:
  int Number(std::size_t digits, char behind) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      good_ = good_ && i < text_.size() && IsDigit(text_[i]);
      value = good_ ? value * 10 + (text_[i] - '0') : 0;
    }
    text_.remove_prefix(good_ ? digits : 0);
    if (behind != '\0') {
      good_ = good_ && text_.starts_with(behind);
      text_.remove_prefix(good_ ? 1 : 0);
    }
    return value;
  }

  std::int64_t Fraction() {
    std::int64_t value = 0;
    if (!text_.starts_with('.')) {
      return value;
    }
    text_.remove_prefix(1);
    std::int64_t unit = 100;
    good_ = good_ && !text_.empty() && IsDigit(text_[0]);
    while (!text_.empty() && IsDigit(text_[0])) {
      value += unit * (text_[0] - '0');
      unit /= 10;
      text_.remove_prefix(1);
    }
    return value;
  }

  std::optional<std::int64_t> Zone() {  // minutes east
    if (text_ == "Z") {
      text_ = {};
      return 0;
    }
    if (text_.empty() || (text_[0] != '+' && text_[0] != '-')) {
      return std::nullopt;
    }
    const int sign = text_[0] == '-' ? -1 : 1;
    text_.remove_prefix(1);
    const int hours = Number(2, '\0');
    text_.remove_prefix(text_.starts_with(':') ? 1 : 0);
    const int minutes = Number(2, '\0');
    return sign * (hours * 60 + minutes);
  }

  std::string_view text_;
  bool good_ = true;
};

}  // namespace

std::optional<std::int64_t> ParseIsoDate(std::string_view text) {
  return IsoDate(text).Parse();
}

}  // namespace tidemark::bson
