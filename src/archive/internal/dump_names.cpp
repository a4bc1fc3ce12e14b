#include "archive/internal/dump_names.h"

#include <utility>

#include "base/error.h"
#include "codec/collection_name.h"

namespace tidemark::archive {
namespace {

constexpr std::size_t kMaxComponent = 255;  // bytes of a file name, most file systems

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
    if (!IsDatabaseFolder(entry.database) ||
        !IsComponent(codec::EscapeCollection(entry.collection))) {
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
