#include "dump/internal/names.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/error.h"
#include "dump/internal/limits.h"

namespace tidemark::dump {
namespace {

constexpr std::size_t kMaxShown = 200;  // bytes

std::string HexByte(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return HexEncode({&byte, 1});
}

// Of the printable UTF-8 character at the front; 0 when there is none. RFC 3629.
std::size_t CharacterSize(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) {
    return lead >= 0x20 && lead != 0x7F ? 1 : 0;
  }
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) {
    return 0;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) {
      return 0;
    }
  }
  const bool too_long = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
  const bool no_character = (lead == 0xED && byte(1) > 0x9F) || (lead == 0xF4 && byte(1) > 0x8F);
  return too_long || no_character ? 0 : size;
}

bool TakeSuffix(std::string_view& name, std::string_view suffix) {
  if (!name.ends_with(suffix)) {
    return false;
  }
  name.remove_suffix(suffix.size());
  return true;
}

[[noreturn]] void ThrowBadName(std::string_view what, std::string_view name, const char* why) {
  throw Error(ErrorCode::kCorrupt,
              "the " + std::string(what) + " \"" + Printable(name) + "\": " + why);
}

}  // namespace

void CheckDatabaseName(std::string_view database) {
  if (database.empty() || database.size() > kMaxDatabaseName) {
    ThrowBadName("database", database, "a name has 1 to 63 bytes");
  }
  if (database.find_first_of(std::string_view("/\\. \"$\0", 7)) != std::string_view::npos) {
    ThrowBadName("database", database, "a name does not hold / \\ . \" $, a space or NUL");
  }
}

void CheckCollectionName(std::string_view database, std::string_view collection) {
  if (collection.empty() || collection.starts_with('.')) {
    ThrowBadName("collection", collection, "a name is not empty and does not begin with a dot");
  }
  if (collection.find_first_of(std::string_view("$\0", 2)) != std::string_view::npos) {
    ThrowBadName("collection", collection, "a name does not hold $ or NUL");
  }
  if (database.size() + 1 + collection.size() > kMaxNamespaceName) {
    ThrowBadName("collection", collection, "with its database the name is longer than 255 bytes");
  }
}

std::optional<DumpFileName> ParseFileInDatabase(std::string_view name) {
  DumpFileName file;
  file.packed = TakeSuffix(name, ".gz");
  if (name == "prelude.json") {
    file.kind = DumpFileKind::kPrelude;
    return file;
  }
  if (TakeSuffix(name, ".metadata.json")) {
    file.kind = DumpFileKind::kMetadata;
  } else if (!TakeSuffix(name, ".bson") && !TakeSuffix(name, ".bin")) {
    return std::nullopt;
  }
  file.collection = name;
  return name.empty() ? std::nullopt : std::optional(file);
}

std::optional<DumpFileName> ParseFileBesideDatabases(std::string_view name) {
  DumpFileName file;
  file.packed = TakeSuffix(name, ".gz");
  if (name == "oplog.bson") {
    file.kind = DumpFileKind::kOplog;
    return file;
  }
  file.kind = DumpFileKind::kPrelude;
  return name == "prelude.json" ? std::optional(file) : std::nullopt;
}

std::string Printable(std::string_view name) {
  std::string shown;
  for (std::string_view rest = name.substr(0, kMaxShown); !rest.empty();) {
    const std::size_t size = CharacterSize(rest);
    shown += size == 0 ? "\\x" + HexByte(rest[0]) : std::string(rest.substr(0, size));
    rest.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return shown + (name.size() > kMaxShown ? "..." : "");
}

}  // namespace tidemark::dump
