#include "service/internal/archive_map_files.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/file.h"

namespace tidemark::service {
namespace {

constexpr unsigned kOwnerOnly = 0600;
constexpr std::string_view kExtension = ".map";

std::string LabelOf(const SnapshotId& snapshot) {
  return "archive map " + snapshot.ToString();
}

std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

ArchiveMapFiles::ArchiveMapFiles(repo::Repository& repository,
                                 Log& log,
                                 std::filesystem::path folder,
                                 std::function<bool(const SnapshotId&)> is_kept)
    : repository_(repository), log_(log), folder_(std::move(folder)), is_kept_(std::move(is_kept)) {
  std::error_code ignored;  // without the folder there are no maps
  std::filesystem::create_directories(folder_, ignored);
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, ignored);
  Prune();
}

std::filesystem::path ArchiveMapFiles::FileOf(const SnapshotId& snapshot) const {
  return folder_ / (snapshot.ToString() + std::string(kExtension));
}

std::optional<archive::ArchiveMap> ArchiveMapFiles::Read(const SnapshotId& snapshot) {
  try {
    const Bytes sealed = ReadFile(FileOf(snapshot), kMostBytes);
    const std::string plain = repository_.OpenSecret(LabelOf(snapshot), AsText(sealed));
    return archive::ArchiveMap::Decode(AsBytes(plain));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      log_.Warn(
          "snapshot={}  the archive's map is of no use: {}", snapshot.ToString(), error.message());
      Remove(snapshot);
    }
    return std::nullopt;
  }
}

void ArchiveMapFiles::Write(const SnapshotId& snapshot, const archive::ArchiveMap& map) {
  try {
    const Bytes plain = map.Encode();
    const std::string sealed = repository_.SealSecret(LabelOf(snapshot), AsText(plain));
    if (sealed.size() <= kMostBytes) {
      WriteFileDurably(FileOf(snapshot), AsBytes(sealed), kOwnerOnly);
    }
  } catch (const Error& error) {
    log_.Warn(
        "snapshot={}  the archive's map cannot be kept: {}", snapshot.ToString(), error.message());
  }
  Prune();
}

void ArchiveMapFiles::Remove(const SnapshotId& snapshot) {
  std::error_code ignored;
  std::filesystem::remove(FileOf(snapshot), ignored);
}

// The oldest files go beyond kMost, and all that are not a map of a snapshot that is there.
void ArchiveMapFiles::Prune() {
  std::error_code error;
  std::vector<std::pair<std::filesystem::file_time_type, std::filesystem::path>> kept;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    const auto snapshot = SnapshotId::Parse(entry.path().stem().string());
    const bool is_map = entry.path().extension() == kExtension && snapshot;
    if (is_map && is_kept_(*snapshot)) {
      kept.emplace_back(entry.last_write_time(error), entry.path());
    } else {
      std::filesystem::remove(entry.path(), error);
    }
  }
  std::ranges::sort(kept, std::greater<>());
  for (std::size_t i = kMost; i < kept.size(); ++i) {
    std::filesystem::remove(kept[i].second, error);
  }
}

}  // namespace tidemark::service
