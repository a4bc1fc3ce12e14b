#include "dump/internal/tar_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/error.h"
#include "dump/internal/names.h"

namespace tidemark::dump {
namespace {

constexpr std::size_t kBlock = 512;                 // bytes
constexpr std::uint64_t kMaxExtension = 64U << 10;  // bytes of a pax header or a long name
constexpr std::uint64_t kMaxMember = std::uint64_t{1} << 60U;  // bytes; sums stay in 64 bits
constexpr std::size_t kMaxPath = 1024;                         // bytes; three names of a dump

using Block = std::array<std::uint8_t, kBlock>;

// Fields of a ustar header: offset and size in bytes.
struct Field {
  std::size_t offset;
  std::size_t size;
};

constexpr Field kName{0, 100};
constexpr Field kSize{124, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kMagic{257, 5};
constexpr Field kPrefix{345, 155};
constexpr std::size_t kTypeOffset = 156;

[[noreturn]] void ThrowBad(const std::string& why) {
  throw Error(ErrorCode::kCorrupt, "reading the tar: " + why);
}

std::string_view FieldOf(ByteView header, Field field) {
  return AsText(header.subspan(field.offset, field.size));
}

std::string TextOf(ByteView header, Field field) {
  const std::string_view text = FieldOf(header, field);
  return std::string(text.substr(0, text.find('\0')));
}

// Octal digits, spaces and NULs around them; or, GNU, 80 hex and a big-endian number.
std::uint64_t NumberOf(ByteView header, Field field) {
  std::string_view text = FieldOf(header, field);
  std::uint64_t value = 0;
  if (static_cast<std::uint8_t>(text[0]) == 0x80) {
    for (const char c : text.substr(1)) {
      if (value >= kMaxMember) {
        ThrowBad("a number is too large");
      }
      value = value << 8U | static_cast<std::uint8_t>(c);
    }
    return value;
  }
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 8);
  const bool clean =
      std::all_of(end, text.data() + text.size(), [](char c) { return c == ' ' || c == '\0'; });
  if (error != std::errc() || !clean) {
    ThrowBad("a number is no number");
  }
  return value;
}

// The sum of all bytes, the checksum's own as spaces.
bool HasGoodChecksum(ByteView header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.size;
    sum += own ? ' ' : header[i];
  }
  return sum == NumberOf(header, kChecksum);
}

// GNU's older form keeps other things where the prefix is.
bool IsPosix(ByteView header) {
  return header[kMagic.offset + kMagic.size] == 0;
}

bool IsZero(ByteView bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

std::string CleanPath(std::string_view path, bool folder) {
  const std::string shown = Printable(path);
  const auto refuse = [&shown](const char* why) {
    throw Error(ErrorCode::kUnsupported, "reading the tar: the path \"" + shown + "\" " + why);
  };
  if (path.size() > kMaxPath) {
    refuse("is longer than any of a dump");
  }
  while (path.starts_with("./")) {
    path.remove_prefix(2);
  }
  if (folder && path.ends_with('/')) {
    path.remove_suffix(1);
  }
  if (folder && (path.empty() || path == ".")) {
    return {};
  }
  for (std::string_view rest = path;;) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (part.empty() || part == "." || part == "..") {
      refuse("is absolute or leads out of the tar");
    }
    if (part.find_first_of(std::string_view("\\\0", 2)) != std::string_view::npos) {
      refuse("holds a backslash or NUL");
    }
    if (part.size() == rest.size()) {
      return std::string(path);
    }
    rest.remove_prefix(part.size() + 1);
  }
}

// "LENGTH KEY=VALUE\n"; takes it off the front of `records`.
std::pair<std::string_view, std::string_view> TakeRecord(std::string_view& records) {
  std::size_t length = 0;
  const auto [end, error] =
      std::from_chars(records.data(), records.data() + records.size(), length);
  const auto digits = static_cast<std::size_t>(end - records.data());
  if (error != std::errc() || length > records.size() || length < digits + 2 ||
      records[digits] != ' ' || records[length - 1] != '\n') {
    ThrowBad("a pax header is no list of records");
  }
  const std::string_view record = records.substr(digits + 1, length - digits - 2);
  records.remove_prefix(length);
  const std::size_t equals = record.find('=');
  if (equals == std::string_view::npos) {
    ThrowBad("a pax header has a record without a value");
  }
  return {record.substr(0, equals), record.substr(equals + 1)};
}

std::uint64_t ParseSize(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > kMaxMember) {
    ThrowBad("a pax header's size is no size");
  }
  return value;
}

}  // namespace

bool TarReader::LooksLikeOne(ByteView begin) {
  return begin.size() >= kBlock && FieldOf(begin, kMagic) == "ustar";
}

std::size_t TarReader::Read(std::span<std::uint8_t> to) {
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left_, to.size()));
  reader_.Read(to.first(count));
  left_ -= count;
  return count;
}

void TarReader::BeginMember(std::uint64_t size) {
  if (size > kMaxMember) {
    ThrowBad("a member of " + std::to_string(size) + " bytes");
  }
  left_ = size;
  padding_ = (kBlock - size % kBlock) % kBlock;
}

void TarReader::FinishMember() {
  reader_.Skip(left_ + padding_);
  left_ = 0;
  padding_ = 0;
}

// One block of zeros has been read: another one, and zeros up to the end.
void TarReader::ReadEnd() {
  Block block{};
  reader_.Read(block);
  while (IsZero(block)) {
    const std::size_t rest = reader_.Peek(kBlock).size();
    if (rest == 0) {
      return;
    }
    block.fill(0);
    reader_.Read(std::span(block).first(rest));
  }
  ThrowBad("there is more behind its end");
}

void TarReader::ReadPaxRecords(std::string_view records, char type, Extensions& extensions) {
  while (!records.empty()) {
    const auto [key, value] = TakeRecord(records);
    if (key.starts_with("GNU.sparse.") || (type == 'g' && (key == "path" || key == "size"))) {
      throw Error(ErrorCode::kUnsupported,
                  "reading the tar: pax records " + Printable(key) + " are not read here");
    }
    if (key == "path") {
      extensions.path = value;
    } else if (key == "size") {
      extensions.size = ParseSize(value);
    }
  }
}

// REQUIRES: BeginMember has been called for it.
void TarReader::ReadExtension(char type, Extensions& extensions) {
  if (left_ > kMaxExtension) {
    ThrowBad("a header of " + std::to_string(left_) + " bytes");
  }
  std::string text(static_cast<std::size_t>(left_), '\0');
  const std::span out(reinterpret_cast<std::uint8_t*>(text.data()), text.size());
  reader_.Read(out);
  left_ = 0;
  if (type != 'g' && (extensions.path || extensions.size)) {
    ThrowBad("two extended headers of one member");
  }
  if (type == 'L') {
    extensions.path = text.substr(0, text.find('\0'));
  } else {
    ReadPaxRecords(text, type, extensions);
  }
}

TarMember TarReader::ReadMember(ByteView header, const Extensions& extensions) {
  const char type = static_cast<char>(header[kTypeOffset]);
  if (type != '0' && type != '\0' && type != '5') {
    throw Error(ErrorCode::kUnsupported,
                "reading the tar: the member \"" + Printable(TextOf(header, kName)) +
                    "\" is neither a file nor a folder",
                "a dump has no links and devices");
  }
  TarMember member{.folder = type == '5', .size = extensions.size.value_or(left_)};
  BeginMember(member.size);
  if (member.folder && member.size > 0) {
    ThrowBad("a folder with contents");
  }
  std::string path = TextOf(header, kName);
  const std::string prefix = TextOf(header, kPrefix);
  if (IsPosix(header) && !prefix.empty()) {
    path = prefix + "/" + path;
  }
  member.path = CleanPath(extensions.path.value_or(path), member.folder);
  return member;
}

std::optional<TarMember> TarReader::Next() {
  Extensions extensions;
  while (true) {
    FinishMember();
    Block header{};
    reader_.Read(header);
    if (IsZero(header)) {
      if (extensions.path || extensions.size) {
        ThrowBad("it ends behind a header without its member");
      }
      ReadEnd();
      return std::nullopt;
    }
    if (FieldOf(header, kMagic) != "ustar" || !HasGoodChecksum(header)) {
      ThrowBad("a header is damaged, before byte " + std::to_string(reader_.position()));
    }
    BeginMember(NumberOf(header, kSize));
    const char type = static_cast<char>(header[kTypeOffset]);
    if (type != 'x' && type != 'g' && type != 'L') {
      return ReadMember(header, extensions);
    }
    ReadExtension(type, extensions);
  }
}

}  // namespace tidemark::dump
