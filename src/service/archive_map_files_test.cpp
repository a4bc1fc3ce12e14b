#include "service/internal/archive_map_files.h"

#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "base/random.h"
#include "bson/builder.h"
#include "service/internal/archive_maps.h"

namespace tidemark::service {
namespace {

class ArchiveMapFilesTest : public testing::Test {
 protected:
  ArchiveMapFilesTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "map_files_XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    repo::Repository::Create(*blobs_, kMaster, random_);
    repository_ = repo::Repository::Open(*blobs_, kMaster, random_);
  }

  ~ArchiveMapFilesTest() override { std::filesystem::remove_all(folder_); }

  SnapshotId NewId() { return SnapshotId::Generate(Instant(std::chrono::seconds(1)), random_); }

  std::unique_ptr<ArchiveMapFiles> Open() {
    return std::make_unique<ArchiveMapFiles>(
        *repository_, *log_, folder_ / "maps", [this](const SnapshotId& id) {
          return !deleted_.contains(id);
        });
  }

  static archive::ArchiveMap MapTo(std::uint64_t offset, const std::string& id = "secret-id") {
    archive::ArchiveMap map;
    archive::ArchiveMap::Point point;
    point.offset = offset;
    point.place.opening = false;
    point.place.documents = 5;
    point.place.next_id = bson::Builder().Append("", id).Finish();
    map.Record(point);
    return map;
  }

  std::filesystem::path FileOf(const SnapshotId& id) const {
    return folder_ / "maps" / (id.ToString() + ".map");
  }

  std::size_t CountFiles() const {
    const std::filesystem::directory_iterator all(folder_ / "maps");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  static std::string TextOf(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  static constexpr repo::MasterKey kMaster{1, 2, 3};
  SeededRandom random_{5};
  std::unique_ptr<Log> log_ = MakeNullLog();
  std::unique_ptr<blob::BlobStore> blobs_ = blob::MakeMemoryStore();
  std::unique_ptr<repo::Repository> repository_;
  std::filesystem::path folder_;
  std::set<SnapshotId> deleted_;
};

TEST_F(ArchiveMapFilesTest, AMapOutlivesARestart) {
  const SnapshotId id = NewId();
  const archive::ArchiveMap map = MapTo(5U << 20);
  Open()->Write(id, map);
  const auto found = Open()->Read(id);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->Encode(), map.Encode());
  EXPECT_FALSE(Open()->Read(NewId()).has_value());
}

TEST_F(ArchiveMapFilesTest, NobodyReadsTheIdsInIt) {
  const SnapshotId id = NewId();
  Open()->Write(id, MapTo(5U << 20, "anna@example.org"));
  EXPECT_EQ(TextOf(FileOf(id)).find("anna"), std::string::npos);
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(FileOf(id)).permissions(),
            perms::owner_read | perms::owner_write);
  EXPECT_EQ(std::filesystem::status(folder_ / "maps").permissions(), perms::owner_all);
}

TEST_F(ArchiveMapFilesTest, ADamagedOrForeignFileIsRemoved) {
  const SnapshotId id = NewId();
  const SnapshotId other = NewId();
  const auto files = Open();
  files->Write(id, MapTo(5U << 20));
  std::filesystem::copy_file(FileOf(id), FileOf(other));
  EXPECT_FALSE(files->Read(other).has_value());  // sealed for another snapshot
  EXPECT_FALSE(std::filesystem::exists(FileOf(other)));
  std::fstream file(FileOf(id), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(40);
  file.put('!');
  file.close();
  EXPECT_FALSE(files->Read(id).has_value());
  EXPECT_FALSE(std::filesystem::exists(FileOf(id)));
}

TEST_F(ArchiveMapFilesTest, TheirNumberIsBounded) {
  const auto files = Open();
  for (std::size_t i = 0; i < ArchiveMapFiles::kMost + 3; ++i) {
    files->Write(NewId(), MapTo(2U << 20));
  }
  EXPECT_EQ(CountFiles(), ArchiveMapFiles::kMost);
}

TEST_F(ArchiveMapFilesTest, ThoseOfDeletedSnapshotsGo) {
  const SnapshotId id = NewId();
  Open()->Write(id, MapTo(2U << 20));
  std::ofstream(folder_ / "maps" / "rest.tmp") << "x";
  deleted_.insert(id);
  Open();
  EXPECT_EQ(CountFiles(), 0U);
}

TEST_F(ArchiveMapFilesTest, WhatMemoryHasNotComesFromTheFiles) {
  const SnapshotId id = NewId();
  ArchiveMaps(Open()).Keep(id, MapTo(5U << 20));
  ArchiveMaps maps(Open());
  EXPECT_EQ(maps.Find(id).Encode(), MapTo(5U << 20).Encode());
  maps.Forget(id);
  EXPECT_EQ(maps.Find(id).FindBefore(UINT64_MAX), nullptr);
  EXPECT_EQ(CountFiles(), 0U);
}

}  // namespace
}  // namespace tidemark::service
