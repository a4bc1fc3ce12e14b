#include "archive/internal/dump_names.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "codec/codec.h"

namespace tidemark::archive {
namespace {

constexpr std::size_t kMaxEscaped = 238;  // bytes; mongo-tools: a file name of 255 with its ending
constexpr std::size_t kKept = 208;        // bytes of a longer one
constexpr std::size_t kMaxComponent = 255;  // bytes of a file name, most file systems

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

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

// RFC 4648 section 5, without padding.
std::string Base64Url(ByteView bytes) {
  std::string text = Base64Encode(bytes);
  text.erase(text.find_last_not_of('=') + 1);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return text;
}

bool IsComponent(std::string_view name) {
  return !name.empty() && name.size() <= kMaxComponent && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\\\0", 3)) == std::string_view::npos;
}

// There is a file beside the databases.
bool IsDatabaseFolder(std::string_view name) {
  return IsComponent(name) && name != "prelude.json";
}

[[noreturn]] void ThrowNoFolder(const std::string& name) {
  throw Error(ErrorCode::kUnsupported,
              "packing " + name + ": the name cannot be that of a file",
              "the formats archive and archive.gz take any name");
}

// The number at the front of `text`, which loses it; 0 when there is none.
int TakeNumber(std::string_view& text) {
  constexpr int kTooLarge = 1'000'000;
  int number = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9' && number < kTooLarge) {
    number = 10 * number + (text[0] - '0');
    text.remove_prefix(1);
  }
  return number;
}

// {8, 3} of "8.3.1"; zeros for what is no number.
std::pair<int, int> VersionOf(std::string_view text) {
  const int major = TakeNumber(text);
  const bool more = text.starts_with('.');
  text.remove_prefix(more ? 1 : 0);
  return {major, more ? TakeNumber(text) : 0};
}

}  // namespace

std::string EscapeCollection(std::string_view collection) {
  std::string escaped = QueryEscape(collection);
  if (escaped.size() > kMaxEscaped) {
    escaped.resize(kKept);
    escaped += "%24" + Base64Url(codec::Sha1(AsBytes(collection)));
  }
  return escaped;
}

std::string DataCollection(const repo::Manifest& manifest, const repo::NamespaceEntry& entry) {
  constexpr std::pair kWithoutBuckets{8, 3};  // since this version the buckets have no name
  const bool in_buckets = entry.kind == repo::NamespaceKind::kTimeseries &&
                          VersionOf(manifest.mongodb_version) < kWithoutBuckets;
  return in_buckets ? "system.buckets." + entry.collection : entry.collection;
}

void CheckFolderNames(const repo::Manifest& manifest) {
  for (const std::string& database : manifest.empty_databases) {
    if (!IsDatabaseFolder(database)) {
      ThrowNoFolder(database);
    }
  }
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    if (!IsDatabaseFolder(entry.database) || !IsComponent(EscapeCollection(entry.collection))) {
      ThrowNoFolder(entry.database + "." + entry.collection);
    }
  }
}

void CheckTopDirectory(std::string_view name) {
  if (!IsComponent(name)) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "packing an archive: its folder \"" + std::string(name) + "\" is not one path component");
  }
}

}  // namespace tidemark::archive
