#include "base/one_line.h"

#include <algorithm>
#include <cstddef>

#include <fmt/core.h>

namespace tidemark {
namespace {

// The code point at the front of `text` and its bytes, when it is one that a terminal obeys instead
// of showing: a control (U+0000 to U+001F, U+007F to U+009F), or a mark that turns the direction of
// writing (U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069). Else no bytes.
struct Obeyed {
  unsigned code_point = 0;
  std::size_t bytes = 0;
};

Obeyed FirstObeyed(std::string_view text) {
  const auto byte = [&](std::size_t at) {
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
  };
  if (byte(0) < 0x20 || byte(0) == 0x7f) {
    return {byte(0), 1};
  }
  if (byte(0) == 0xc2 && byte(1) >= 0x80 && byte(1) <= 0x9f) {
    return {byte(1), 2};
  }
  if (byte(0) == 0xe2 && (byte(1) == 0x80 || byte(1) == 0x81) && byte(2) >= 0x80) {
    const unsigned point = 0x2000U + ((byte(1) & 0x3fU) << 6U) + (byte(2) & 0x3fU);
    const bool turns = point == 0x200e || point == 0x200f || (point >= 0x202a && point <= 0x202e) ||
                       (point >= 0x2066 && point <= 0x2069);
    return turns ? Obeyed{point, 3} : Obeyed{};
  }
  return {};
}

std::string EscapeOf(unsigned code_point) {
  switch (code_point) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return code_point < 0x80 ? fmt::format("\\x{:02x}", code_point)
                               : fmt::format("\\u{:04x}", code_point);
  }
}

}  // namespace

std::string OneLine(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  while (!text.empty()) {
    const Obeyed obeyed = FirstObeyed(text);
    if (obeyed.bytes > 0) {
      line += EscapeOf(obeyed.code_point);
    } else {
      line += text.front();
    }
    text.remove_prefix(std::max<std::size_t>(obeyed.bytes, 1));
  }
  return line;
}

}  // namespace tidemark
