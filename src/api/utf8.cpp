#include "api/internal/utf8.h"

#include <array>
#include <cstdint>
#include <cwctype>

#include <locale.h>

namespace tidemark::api {
namespace {

constexpr std::size_t kMaxNameLength = 64;  // code points
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Length of the sequence that `lead` begins; 0 when none can.
std::size_t SequenceLength(std::uint8_t lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead <= 0xDF) {
    return 2;
  }
  if ((lead & 0xF0) == 0xE0) {
    return 3;
  }
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

bool IsScalar(char32_t value, std::size_t length) {
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  return value >= kSmallest[length] && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

// \p{L} or \p{N}, by the C library's table of Unicode, whatever the process's own locale is.
bool IsLetterOrDigit(char32_t value) {
  if (value < 0x80) {
    return (value >= '0' && value <= '9') || (value >= 'A' && value <= 'Z') ||
           (value >= 'a' && value <= 'z');
  }
  static const locale_t unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  const auto wide = static_cast<wint_t>(value);
  return unicode == nullptr ? std::iswalnum(wide) != 0 : iswalnum_l(wide, unicode) != 0;
}

bool IsNameCharacter(char32_t value) {
  constexpr std::string_view kMarks = "-_.(),:&@+'";
  return IsLetterOrDigit(value) ||
         (value < 0x80 && kMarks.find(static_cast<char>(value)) != std::string_view::npos);
}

}  // namespace

std::optional<char32_t> TakeCodePoint(std::string_view& text) {
  if (text.empty()) {
    return std::nullopt;
  }
  const auto lead = static_cast<std::uint8_t>(text.front());
  const std::size_t length = SequenceLength(lead);
  if (length == 0 || length > text.size()) {
    return std::nullopt;
  }
  char32_t value = length == 1 ? lead : lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    if ((byte & 0xC0) != 0x80) {
      return std::nullopt;
    }
    value = value << 6 | (byte & 0x3FU);
  }
  if (!IsScalar(value, length)) {
    return std::nullopt;
  }
  text.remove_prefix(length);
  return value;
}

std::string MakeWellFormed(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::string_view before = text;
    if (TakeCodePoint(text)) {
      out += before.substr(0, before.size() - text.size());
    } else {
      out += kReplacement;
      text.remove_prefix(1);
    }
  }
  return out;
}

bool IsDeploymentItemName(std::string_view text) {
  std::size_t count = 0;
  while (!text.empty()) {
    const auto value = TakeCodePoint(text);
    if (!value || !IsNameCharacter(*value) || ++count > kMaxNameLength) {
      return false;
    }
  }
  return count > 0;
}

}  // namespace tidemark::api
