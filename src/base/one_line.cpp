#include "base/one_line.h"

#include "base/bytes.h"

namespace tidemark {
namespace {

void AppendEscape(char c, std::string& line) {
  switch (c) {
    case '\n':
      line += "\\n";
      return;
    case '\r':
      line += "\\r";
      return;
    case '\t':
      line += "\\t";
      return;
    default: {
      const auto byte = static_cast<unsigned char>(c);
      line += "\\x" + HexEncode({&byte, 1});
    }
  }
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

// U+0080 to U+009F in UTF-8: 0xc2 and another byte.
bool IsUnicodeControl(std::string_view text) {
  return text.size() >= 2 && static_cast<unsigned char>(text[0]) == 0xc2 &&
         static_cast<unsigned char>(text[1]) >= 0x80 && static_cast<unsigned char>(text[1]) <= 0x9f;
}

}  // namespace

std::string OneLine(std::string_view text) {
  std::string line;
  line.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (IsUnicodeControl(text.substr(i))) {
      AppendEscape(text[++i], line);
    } else if (IsControl(text[i])) {
      AppendEscape(text[i], line);
    } else {
      line.push_back(text[i]);
    }
  }
  return line;
}

}  // namespace tidemark
