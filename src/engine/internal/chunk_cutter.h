#pragma once

#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "repo/repair.h"

// Chunks and lists as a snapshot cuts them (RunBuilder), only named, not stored: what a repair
// compares with the names of what is damaged.
namespace tidemark::engine {

using ListedChunks = std::vector<repo::SnapshotWriter::ListedChunk>;

// A run's chunk list in the making. Confined.
class ListCutter {
 public:
  // `full` is called with each list.
  explicit ListCutter(std::function<void(const ListedChunks&)> full) : full_(std::move(full)) {}

  void Add(const repo::ChunkRef& ref, Bytes first_id);
  // Call it once, last.
  void Finish();

 private:
  const std::function<void(const ListedChunks&)> full_;
  ListedChunks chunks_;
  std::size_t bytes_ = 0;  // of first _ids
};

// Cuts documents into chunks. Holds what the chunk being filled is named by, and one list.
// Confined.
class ChunkCutter {
 public:
  // `damaged`, whose keys name the chunks, must outlive it. `chunk_size` is in bytes.
  ChunkCutter(const repo::DamagedProject& damaged, std::size_t chunk_size)
      : damaged_(&damaged), chunk_size_(chunk_size) {}

  void Add(ByteView document, const codec::Digest& hash);
  // nullopt when they are more than a list holds. Only destruction is legal afterwards.
  std::optional<ListedChunks> Finish();

 private:
  void Close();

  const repo::DamagedProject* damaged_;
  std::size_t chunk_size_;
  ListedChunks listed_;
  bool too_many_ = false;
  std::vector<codec::Digest> hashes_;
  std::size_t size_ = 0;
  Bytes first_id_;
};

// In bytes. Nothing says with which chunk size a snapshot was taken: the usual ones are tried
// beside today's.
std::set<std::size_t> ChunkSizes(ByteCount todays);

}  // namespace tidemark::engine
