#pragma once

#include <vector>

#include "base/units.h"
#include "engine/internal/chunk_encoder.h"
#include "engine/internal/document_key.h"
#include "repo/repository.h"

namespace tidemark::engine {

enum class RunOrder { kById, kNatural };

// What runs are written with. Borrowed parts must outlive every user.
struct RunSink {
  ChunkEncoder& encoder;
  repo::SnapshotWriter& writer;
  ByteCount chunk_size;
};

struct BuiltRun {
  repo::Run run;
  repo::NamespaceDigest digest;
  std::size_t largest_chunk = 0;  // plaintext bytes: what a reader of the run holds in memory
};

// Cuts documents into the chunks of one run. Confined.
// Memory: the chunk being filled, and 4096 references (at most kMaxListBytes of first _ids).
class RunBuilder {
 public:
  RunBuilder(const RunSink& sink, RunOrder order);

  // REQUIRES: in a run by _id, Continues(key). Blocks while the encoders are behind.
  void Add(ByteView document, const DocumentKey& key);
  // Whether a document with this key may be added: it comes after every other.
  bool Continues(const DocumentKey& key) const;
  void CloseChunk();
  // Waits for the chunks. Only destruction is legal afterwards.
  BuiltRun Finish();

  bool empty() const { return built_.run.documents == 0; }

 private:
  struct Pending {
    ChunkEncoder::Ticket ticket;
    Bytes first_id;
  };

  void StartChunk(const DocumentKey& key);
  void StoreList();

  const RunSink sink_;
  const RunOrder order_;
  BuiltRun built_;
  KeyCopy last_key_;
  Bytes chunk_;
  std::uint32_t chunk_documents_ = 0;
  Bytes chunk_first_id_;
  std::vector<Pending> pending_;
  std::size_t pending_bytes_ = 0;  // of first _ids
};

}  // namespace tidemark::engine
