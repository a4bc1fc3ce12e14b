#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/random.h"
#include "blob/blob_store.h"
#include "bson/builder.h"
#include "repo/repository.h"
#include "tests/support/caught_error.h"

// Small snapshots for the tests of the repository.
namespace tidemark::repo {

inline MasterKey TestMasterKey(std::uint8_t fill = 7) {
  MasterKey key{};
  key.fill(fill);
  return key;
}

template <class Id>
Id TestId(std::uint8_t fill) {
  std::array<std::uint8_t, 12> bytes{};
  bytes.fill(fill);
  return Id(ObjectId(bytes));
}

// One document of that size, at least 12.
inline Bytes TestChunk(std::uint64_t seed, std::size_t size = 1000) {
  constexpr std::size_t kFraming = 12;  // a document with one binary field without name
  Bytes filling(size - kFraming);
  SeededRandom(seed).Fill(filling);
  return bson::Builder().AppendBinary("", filling).Finish();
}

inline std::vector<Bytes> TestChunks(std::uint64_t first, std::size_t count) {
  std::vector<Bytes> chunks;
  for (std::size_t i = 0; i < count; ++i) {
    chunks.push_back(TestChunk(first + i));
  }
  return chunks;
}

inline Bytes TestFirstId(std::int32_t value) {
  bson::Builder builder;
  builder.Append("", value);
  return builder.Finish();
}

// Stores `chunks` as one run of one collection and commits it.
inline void CommitSnapshot(SnapshotWriter& writer,
                           const ProjectId& project,
                           const SnapshotId& snapshot,
                           const std::vector<Bytes>& chunks) {
  std::vector<SnapshotWriter::ListedChunk> listed;
  Run run;
  for (const Bytes& chunk : chunks) {
    listed.push_back({writer.Store(chunk), TestFirstId(static_cast<int>(listed.size()))});
    run.documents += 1;
    run.logical_bytes += chunk.size();
  }
  run.lists.push_back(writer.StoreList(listed));
  Manifest manifest;
  manifest.snapshot = snapshot;
  manifest.project = project;
  manifest.namespaces.push_back({.database = "db", .collection = "c", .runs = {run}});
  writer.Commit(manifest);
}

inline void CommitSnapshot(Repository& repository,
                           const ProjectId& project,
                           const SnapshotId& snapshot,
                           const std::vector<Bytes>& chunks,
                           const WriterOptions& options = {}) {
  CommitSnapshot(*repository.NewSnapshot(project, options), project, snapshot, chunks);
}

// Every chunk of every run of the snapshot, in order.
inline std::vector<Bytes> ReadSnapshot(Repository& repository,
                                       const ProjectId& project,
                                       const SnapshotId& snapshot) {
  const Manifest manifest = repository.LoadManifest(project, snapshot);
  const auto reader = repository.NewReader(project);
  std::vector<Bytes> chunks;
  for (const NamespaceEntry& entry : manifest.namespaces) {
    for (const Run& run : entry.runs) {
      for (const ChunkRef& list : run.lists) {
        for (const auto& [ref, first_id] : reader->LoadList(list)) {
          chunks.push_back(reader->Load(ref));
        }
      }
    }
  }
  return chunks;
}

// A repository in memory with one snapshot of three chunks.
class RepositoryFixture : public testing::Test {
 protected:
  RepositoryFixture() {
    Repository::Create(*store_, master_, random_);
    repository_ = OpenRepository();
  }

  std::unique_ptr<Repository> OpenRepository() {
    return Repository::Open(*store_, master_, random_);
  }

  std::vector<std::string> BlobNames(std::string_view prefix) {
    std::vector<std::string> names;
    store_->List(prefix, [&](const std::string& name, ByteCount) { names.push_back(name); });
    return names;
  }

  std::uint64_t StoredBytes() {
    std::uint64_t bytes = 0;
    store_->List("", [&](const std::string&, ByteCount size) { bytes += size.value; });
    return bytes;
  }

  void Replace(const std::string& name, ByteView bytes) {
    const Bytes copy(bytes.begin(), bytes.end());
    store_->Delete(name);
    store_->Put(name, copy);
  }

  const MasterKey master_ = TestMasterKey();
  const ProjectId project_ = TestId<ProjectId>(0x11);
  const SnapshotId first_ = TestId<SnapshotId>(0x21);
  const SnapshotId second_ = TestId<SnapshotId>(0x22);
  SeededRandom random_{1};
  std::unique_ptr<blob::BlobStore> store_ = blob::MakeMemoryStore();
  std::unique_ptr<Repository> repository_;
};

using tidemark::Failure;
using tidemark::FailureOf;

}  // namespace tidemark::repo
