#include "exporter/object_keys.h"

#include "base/bytes.h"
#include "codec/codec.h"

namespace tidemark::exporter {
namespace {

constexpr std::size_t kMaxComponent = 200;  // bytes: room for an ending in a file name of 255
constexpr std::size_t kKept = 160;          // bytes of a longer one, less what is half a character
constexpr std::size_t kHashed = 16;         // bytes of the hash

std::uint8_t ByteAt(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

// What the first byte of a UTF-8 sequence says of its size; 0: it begins none.
std::size_t AnnouncedSize(std::uint8_t first) {
  if (first < 0x80) {
    return 1;
  }
  if (first < 0xC2 || first >= 0xF5) {
    return 0;
  }
  if (first < 0xE0) {
    return 2;
  }
  return first < 0xF0 ? 3 : 4;
}

// Overlong forms, surrogates and what lies beyond Unicode: only the second byte tells.
bool IsSecondByte(std::uint8_t first, std::uint8_t second) {
  const int least = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const int most = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  return second >= least && second <= most;
}

// How many bytes the well-formed UTF-8 sequence at the front has; 0 when there is none.
std::size_t SequenceSize(std::string_view text) {
  const std::size_t size = AnnouncedSize(ByteAt(text, 0));
  if (size > text.size()) {
    return 0;
  }
  if (size > 1 && !IsSecondByte(ByteAt(text, 0), ByteAt(text, 1))) {
    return 0;
  }
  for (std::size_t i = 2; i < size; ++i) {
    if ((ByteAt(text, i) & 0xC0) != 0x80) {
      return 0;
    }
  }
  return size;
}

void AppendEscaped(char c, std::string& out) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += {'%', kHex[byte >> 4U], kHex[byte & 0xfU]};
}

bool NeedsEscape(unsigned char c) {
  return c < 0x20 || c == 0x7f || c == '/' || c == '%' || c == '\\';
}

std::string Escaped(std::string_view name) {
  std::string escaped;
  const bool dots = name == "." || name == "..";
  while (!name.empty()) {
    const std::size_t size = SequenceSize(name);
    if (size == 0 || dots || NeedsEscape(static_cast<unsigned char>(name.front()))) {
      AppendEscaped(name.front(), escaped);
      name.remove_prefix(1);
    } else {
      escaped += name.substr(0, size);
      name.remove_prefix(size);
    }
  }
  return escaped;
}

// Neither half a character nor half an escape at the end.
std::string CutTo(std::string_view escaped, std::size_t size) {
  while ((static_cast<unsigned char>(escaped[size]) & 0xC0) == 0x80) {
    --size;
  }
  const std::size_t percent = escaped.substr(0, size).rfind('%');
  if (percent != std::string_view::npos && percent + 3 > size) {
    size = percent;
  }
  return std::string(escaped.substr(0, size));
}

std::string Folder(std::string_view prefix,
                   std::string_view database,
                   std::string_view collection) {
  return std::string(prefix) + "/" + KeyComponent(database) + "/" + KeyComponent(collection) + "/";
}

}  // namespace

std::string KeyComponent(std::string_view name) {
  std::string escaped = Escaped(name);
  if (escaped.size() <= kMaxComponent) {
    return escaped;
  }
  const codec::Digest hash = codec::Sha256(AsBytes(name));
  return CutTo(escaped, kKept) + "%~" + HexEncode(ByteView(hash).first(kHashed));
}

std::string MetadataKey(std::string_view prefix,
                        std::string_view database,
                        std::string_view collection) {
  return Folder(prefix, database, collection) + "metadata.json";
}

std::string DocumentsKey(std::string_view prefix,
                         std::string_view database,
                         std::string_view collection,
                         std::string_view shard,
                         std::uint32_t part) {
  return Folder(prefix, database, collection) + KeyComponent(shard) + "." + std::to_string(part) +
         ".json.gz";
}

std::string CompleteKey(std::string_view prefix) {
  return std::string(prefix) + "/.complete";
}

}  // namespace tidemark::exporter
