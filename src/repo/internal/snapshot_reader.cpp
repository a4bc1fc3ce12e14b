#include "repo/internal/snapshot_reader.h"

#include <utility>

#include "repo/internal/chunk_codec.h"

namespace tidemark::repo {
namespace {

class ProjectReader final : public SnapshotReader {
 public:
  ProjectReader(Project& project, std::unique_ptr<Session> session)
      : project_(project), session_(std::move(session)) {}

  Bytes Load(const ChunkRef& ref) override { return LoadKind(ObjectKind::kDataChunk, ref); }

  HashedChunk LoadHashed(const ChunkRef& ref) override {
    return FindAndLoadDocuments(project_, ref);
  }

  ListedChunks LoadList(const ChunkRef& ref) override {
    return DecodeList(LoadKind(ObjectKind::kListChunk, ref));
  }

  KeyBlock LoadKeys(const ChunkRef& ref) override {
    return DecodeKeys(LoadKind(ObjectKind::kKeyChunk, ref));
  }

 private:
  Bytes LoadKind(ObjectKind kind, const ChunkRef& ref) const {
    return FindAndLoadChunk(project_, kind, ref);
  }

  Project& project_;
  const std::unique_ptr<Session> session_;
};

}  // namespace

std::unique_ptr<SnapshotReader> MakeSnapshotReader(Project& project,
                                                   std::unique_ptr<Session> session) {
  return std::make_unique<ProjectReader>(project, std::move(session));
}

}  // namespace tidemark::repo
