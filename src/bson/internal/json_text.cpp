#include "bson/internal/json_text.h"

#include <charconv>

#include "base/error.h"

namespace tidemark::bson {
namespace {

constexpr int kHighSurrogate = 0xD800;
constexpr int kLowSurrogate = 0xDC00;
constexpr int kEndOfSurrogates = 0xE000;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

void AppendUtf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | code >> 6U);
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | code >> 12U);
    out += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | code >> 18U);
    out += static_cast<char>(0x80U | (code >> 12U & 0x3FU));
    out += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

}  // namespace

void JsonText::Fail(const std::string& why) const {
  throw Error(ErrorCode::kCorrupt,
              "reading extended JSON at byte " + std::to_string(at_) + ": " + why);
}

void JsonText::ExpectWord(std::string_view word) {
  if (!text_.substr(at_).starts_with(word)) {
    Fail("expected " + std::string(word));
  }
  at_ += word.size();
}

std::string JsonText::ReadString() {
  Expect('"');
  std::string value;
  while (!TakeIf('"')) {
    const char c = text_[at_];
    if (static_cast<unsigned char>(c) < 0x20) {
      Fail("a control character in a string");
    }
    ++at_;
    if (c == '\\') {
      ReadEscape(value);
    } else {
      value += c;
    }
  }
  return value;
}

void JsonText::ReadEscape(std::string& value) {
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kCharacters = "\"\\/\b\f\n\r\t";
  const char name = Front();
  ++at_;
  if (name == 'u') {
    AppendUtf8(ReadCodePoint(), value);
    return;
  }
  const std::size_t found = kNames.find(name);
  if (found == std::string_view::npos) {
    Fail("an escape that JSON does not have");
  }
  value += kCharacters[found];
}

std::uint32_t JsonText::ReadCodePoint() {
  const std::uint32_t first = ReadHex4();
  if (first < kHighSurrogate || first >= kEndOfSurrogates) {
    return first;
  }
  if (first >= kLowSurrogate) {
    Fail("half of a surrogate pair");
  }
  ExpectWord("\\u");
  const std::uint32_t second = ReadHex4();
  if (second < kLowSurrogate || second >= kEndOfSurrogates) {
    Fail("half of a surrogate pair");
  }
  return 0x10000 + ((first - kHighSurrogate) << 10U) + (second - kLowSurrogate);
}

std::uint32_t JsonText::ReadHex4() {
  std::uint32_t value = 0;
  const std::string_view digits = text_.substr(at_, 4);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.size() != 4 || error != std::errc() || end != digits.data() + digits.size()) {
    Fail("expected four hex digits");
  }
  at_ += 4;
  return value;
}

void JsonText::ExpectColon() {
  SkipSpace();
  Expect(':');
  SkipSpace();
}

std::string_view JsonText::ReadNumber(bool& whole) {
  const std::size_t start = at_;
  const auto digits = [this] {
    const std::size_t first = at_;
    while (at_ < text_.size() && IsDigit(text_[at_])) {
      ++at_;
    }
    if (at_ == first) {
      Fail("expected a value");
    }
    return at_ - first;
  };
  at_ += Front() == '-' ? 1 : 0;
  const bool zero = Front() == '0';
  if (digits() > 1 && zero) {
    Fail("a number begins with 0");
  }
  whole = true;
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    digits();
    whole = false;
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    ++at_;
    at_ += Front() == '+' || Front() == '-' ? 1 : 0;
    digits();
    whole = false;
  }
  return text_.substr(start, at_ - start);
}

void JsonText::ExpectMember(std::string_view name) {
  SkipSpace();
  if (ReadString() != name) {
    Fail("expected the member " + std::string(name));
  }
  ExpectColon();
}

void JsonText::ExpectNextMember(std::string_view name) {
  SkipSpace();
  Expect(',');
  ExpectMember(name);
}

void JsonText::CloseObject() {
  SkipSpace();
  Expect('}');
}

}  // namespace tidemark::bson
