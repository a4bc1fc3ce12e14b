#pragma once

#include <deque>
#include <vector>

#include "base/units.h"
#include "engine/internal/chunk_encoder.h"
#include "engine/internal/document_key.h"
#include "repo/repository.h"

namespace tidemark::engine {

// A list chunk holds the first _id of each chunk, and an _id may be megabytes.
inline constexpr std::size_t kMaxListBytes = 4U << 20;
// Plaintext at which a key chunk is closed: some 6,000 documents with ObjectIds. A repair makes
// lost key chunks anew by the same rule.
inline constexpr std::size_t kKeyChunkBytes = 128U << 10;

enum class RunOrder { kById, kNatural };
enum class RunContent { kDocuments, kDeletions };

// What runs are written with. Borrowed parts must outlive every user.
struct RunSink {
  ChunkEncoder& encoder;
  repo::SnapshotWriter& writer;
  ByteCount chunk_size;
  ByteCount merge_memory = MiB(64);  // RunLevels
};

struct BuiltRun {
  repo::Run run;
  repo::NamespaceDigest digest;
  std::size_t largest_chunk = 0;  // plaintext bytes
  std::size_t chunks = 0;

  // What a reader of the run, or of its keys, holds in memory: a chunk and a list.
  std::size_t open_bytes() const;
};

// A list of chunks in the making, stored in list chunks as it grows. Confined.
class ChunkList {
 public:
  // Goes on behind `stored`.
  explicit ChunkList(repo::SnapshotWriter& writer, std::vector<repo::ChunkRef> stored = {})
      : writer_(writer), stored_(std::move(stored)) {}

  void Add(const repo::ChunkRef& ref, Bytes first_id);
  // The list chunks of all that was added, in order.
  const std::vector<repo::ChunkRef>& Flush();

 private:
  void Store();

  repo::SnapshotWriter& writer_;
  std::vector<repo::SnapshotWriter::ListedChunk> open_;
  std::size_t open_bytes_ = 0;  // of first _ids
  std::vector<repo::ChunkRef> stored_;
};

// Cuts documents into the chunks of one run, and their keys into key chunks. Confined.
// Memory: the chunk being filled, 4096 references (at most kMaxListBytes of first _ids), the keys
// of 2 chunks and of those on their way through the encoders, one key chunk.
class RunBuilder {
 public:
  RunBuilder(const RunSink& sink, RunOrder order, RunContent content = RunContent::kDocuments);
  // Goes on behind a run by _id, which Flush() gave.
  RunBuilder(const RunSink& sink, repo::Run run);

  // REQUIRES: in a run by _id, Continues(key). Blocks while the encoders are behind.
  void Add(ByteView document, const DocumentKey& key);
  // Whether a document with this key may be added: it comes after every other.
  bool Continues(const DocumentKey& key) const;
  void CloseChunk();
  // What was added so far, as a whole run; waits for its chunks. The digest is that of the
  // documents that were added here. More may be added.
  const BuiltRun& Flush();
  // The same; only destruction is legal afterwards.
  BuiltRun Finish();

  bool empty() const { return built_.run.documents == 0; }

 private:
  struct Pending {
    ChunkEncoder::Ticket ticket;
    Bytes keys;  // of the chunk's documents, as KeyBlock::keys; empty in natural order
  };

  void StartChunk(const DocumentKey& key);
  // Takes the oldest chunk back from the encoders.
  void Harvest();
  void AddKeys(const Bytes& keys, const std::vector<std::uint64_t>& fingerprints);
  void CloseKeys();

  const RunSink sink_;
  const RunOrder order_;
  BuiltRun built_;
  KeyCopy last_key_;
  Bytes chunk_;
  std::uint32_t chunk_documents_ = 0;
  Bytes chunk_keys_;
  std::deque<Pending> pending_;
  ChunkList chunks_;
  repo::KeyBlock keys_;
  ChunkList key_chunks_;
};

}  // namespace tidemark::engine
