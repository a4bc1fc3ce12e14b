#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tidemark::objectstore {

// An element of an answer of S3: text or children, no attributes (nothing of S3's that we read has
// any).
struct XmlElement {
  std::string name;  // without a namespace prefix
  std::string text;
  std::vector<XmlElement> children;

  // Text of the first child of that name; empty when there is none.
  std::string_view TextOf(std::string_view child) const;
};

// Reads a document of at most kMaxXml bytes, 16 levels and 100,000 elements; kCorrupt for anything
// else. No document type, so no entities but the five of XML and numbers.
inline constexpr std::size_t kMaxXml = 4U << 20;  // bytes; a page of uploads has about 500 KiB
XmlElement ParseXml(std::string_view text);
// `text` as the content of an element.
std::string EscapeXml(std::string_view text);

}  // namespace tidemark::objectstore
