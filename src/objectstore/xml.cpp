#include "objectstore/xml.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"

namespace tidemark::objectstore {
namespace {

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxElements = 100'000;

[[noreturn]] void Refuse(std::string_view why) {
  throw Error(ErrorCode::kCorrupt, "reading an answer of the object store: " + std::string(why));
}

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void AppendUtf8(std::uint32_t code, std::string& out) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

void AppendNumbered(std::string_view name, std::string& out) {
  const bool hex = name.starts_with("#x");
  const std::string_view digits = name.substr(hex ? 2 : 1);
  std::uint32_t code = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || code == 0 ||
      code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    Refuse("a character reference stands for nothing");
  }
  AppendUtf8(code, out);
}

void AppendEntity(std::string_view name, std::string& out) {
  if (name == "amp") {
    out += '&';
  } else if (name == "lt") {
    out += '<';
  } else if (name == "gt") {
    out += '>';
  } else if (name == "quot") {
    out += '"';
  } else if (name == "apos") {
    out += '\'';
  } else if (name.starts_with('#')) {
    AppendNumbered(name, out);
  } else {
    Refuse("an entity is unknown");
  }
}

// Confined; reads `text` from its front.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  XmlElement Document() {
    SkipProlog();
    XmlElement root;
    Element(0, root);
    SkipProlog();
    if (!text_.empty()) {
      Refuse("something follows its end");
    }
    return root;
  }

 private:
  bool Take(std::string_view prefix) {
    if (!text_.starts_with(prefix)) {
      return false;
    }
    text_.remove_prefix(prefix.size());
    return true;
  }

  void Expect(std::string_view prefix) {
    if (!Take(prefix)) {
      Refuse("it is not well formed");
    }
  }

  void SkipSpace() {
    while (!text_.empty() && IsSpace(text_.front())) {
      text_.remove_prefix(1);
    }
  }

  std::string_view TakeUntil(std::string_view end) {
    const std::size_t at = text_.find(end);
    if (at == std::string_view::npos) {
      Refuse("it ends too early");
    }
    const std::string_view taken = text_.substr(0, at);
    text_.remove_prefix(at + end.size());
    return taken;
  }

  // White space, comments and processing instructions.
  bool SkipOther() {
    if (Take("<!--")) {
      TakeUntil("-->");
      return true;
    }
    if (Take("<?")) {
      TakeUntil("?>");
      return true;
    }
    return false;
  }

  void SkipProlog() {
    Take("\xEF\xBB\xBF");
    do {
      SkipSpace();
    } while (SkipOther());
  }

  std::string_view Name() {
    const auto end = std::ranges::find_if(
        text_, [](char c) { return IsSpace(c) || c == '>' || c == '/' || c == '<' || c == '='; });
    const auto size = static_cast<std::size_t>(end - text_.begin());
    if (size == 0) {
      Refuse("an element has no name");
    }
    std::string_view name = text_.substr(0, size);
    text_.remove_prefix(size);
    return name;
  }

  void SkipAttributes() {
    for (SkipSpace(); !text_.empty() && text_.front() != '>' && text_.front() != '/'; SkipSpace()) {
      Name();
      SkipSpace();
      Expect("=");
      SkipSpace();
      const std::string quote(text_.substr(0, 1));
      if (quote != "\"" && quote != "'") {
        Refuse("an attribute has no quotes");
      }
      text_.remove_prefix(1);
      TakeUntil(quote);
    }
  }

  void Element(int depth, XmlElement& element) {
    if (depth >= kMaxDepth || ++elements_ > kMaxElements) {
      Refuse("it is nested too deep or too long");
    }
    Expect("<");
    const std::string_view name = Name();
    element.name = name.substr(name.find(':') == std::string_view::npos ? 0 : name.find(':') + 1);
    SkipAttributes();
    if (Take("/>")) {
      return;
    }
    Expect(">");
    Content(depth, element);
    Expect(name);
    SkipSpace();
    Expect(">");
  }

  // Up to and with "</".
  void Content(int depth, XmlElement& element) {
    while (!Take("</")) {
      if (text_.empty()) {
        Refuse("it ends too early");
      }
      if (Take("<![CDATA[")) {
        element.text += TakeUntil("]]>");
      } else if (SkipOther()) {
        continue;
      } else if (text_.front() == '<') {
        element.children.emplace_back();
        Element(depth + 1, element.children.back());
      } else {
        Text(element.text);
      }
    }
  }

  void Text(std::string& out) {
    if (Take("&")) {
      AppendEntity(TakeUntil(";"), out);
      return;
    }
    const std::size_t size = std::min(text_.find_first_of("<&"), text_.size());
    out += text_.substr(0, size);
    text_.remove_prefix(size);
  }

  std::string_view text_;
  std::size_t elements_ = 0;
};

}  // namespace

std::string_view XmlElement::TextOf(std::string_view child) const {
  const auto found = std::ranges::find(children, child, &XmlElement::name);
  return found == children.end() ? std::string_view() : found->text;
}

XmlElement ParseXml(std::string_view text) {
  if (text.size() > kMaxXml) {
    Refuse("it is too long");
  }
  return Parser(text).Document();
}

std::string EscapeXml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

}  // namespace tidemark::objectstore
