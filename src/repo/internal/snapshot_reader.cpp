#include "repo/internal/snapshot_reader.h"

#include "repo/internal/chunk_codec.h"

namespace tidemark::repo {
namespace {

class ProjectReader final : public SnapshotReader {
 public:
  explicit ProjectReader(const Project& project) : project_(project) {}

  Bytes Load(const ChunkRef& ref) override { return LoadKind(ObjectKind::kDataChunk, ref); }

  ListedChunks LoadList(const ChunkRef& ref) override {
    return DecodeList(LoadKind(ObjectKind::kListChunk, ref));
  }

  KeyBlock LoadKeys(const ChunkRef& ref) override {
    return DecodeKeys(LoadKind(ObjectKind::kKeyChunk, ref));
  }

 private:
  Bytes LoadKind(ObjectKind kind, const ChunkRef& ref) const {
    const std::optional<ChunkPlace> place = project_.Find(ref.id);
    if (!place) {
      ThrowNoSuchChunk(kind, ref.id);
    }
    return LoadStoredChunk(project_, kind, ref, *place);
  }

  const Project& project_;
};

}  // namespace

std::unique_ptr<SnapshotReader> MakeSnapshotReader(const Project& project) {
  return std::make_unique<ProjectReader>(project);
}

}  // namespace tidemark::repo
