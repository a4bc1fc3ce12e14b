#include "codec/collection_name.h"

#include <algorithm>

#include "codec/codec.h"

namespace tidemark::codec {
namespace {

constexpr std::size_t kHashedSize = 238;  // bytes; mongo-tools: a file name of 255 with its ending
constexpr std::size_t kKept = 208;        // bytes of a longer one
constexpr std::string_view kBeforeHash = "%24";

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

// As Go's url.QueryEscape.
std::string QueryEscape(std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (IsUnreserved(c)) {
      escaped += c;
    } else if (c == ' ') {
      escaped += '+';
    } else {
      escaped += {'%', kHexDigits[byte >> 4U], kHexDigits[byte & 0xfU]};
    }
  }
  return escaped;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// RFC 4648 section 5, without padding.
std::string Base64Url(ByteView bytes) {
  std::string text = Base64Encode(bytes);
  text.erase(text.find_last_not_of('=') + 1);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

}  // namespace

std::string EscapeCollection(std::string_view collection) {
  std::string escaped = QueryEscape(collection);
  if (escaped.size() > kHashedSize) {
    escaped.resize(kKept);
    escaped += kBeforeHash;
    escaped += Base64Url(Sha1(AsBytes(collection)));
  }
  return escaped;
}

bool IsHashedName(std::string_view escaped) {
  return escaped.size() == kHashedSize && escaped.substr(kKept).starts_with(kBeforeHash);
}

std::optional<std::string> UnescapeCollection(std::string_view escaped) {
  if (IsHashedName(escaped)) {
    return std::nullopt;
  }
  std::string name;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '+') {
      name += ' ';
      continue;
    }
    if (escaped[i] != '%') {
      name += escaped[i];
      continue;
    }
    const int high = i + 2 < escaped.size() ? HexValue(escaped[i + 1]) : -1;
    const int low = i + 2 < escaped.size() ? HexValue(escaped[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    name += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return name;
}

}  // namespace tidemark::codec
