#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/internal/document_key.h"
#include "engine/internal/pull_merge.h"
#include "engine/internal/run_merge.h"

namespace tidemark::engine {

// The lists of one run, of its chunks or of its key chunks, opened when needed. Holds one list.
// Confined; `source` and `run` must outlive it.
class RunChunks {
 public:
  using Lists = std::vector<repo::ChunkRef> repo::Run::*;

  // A chunk by its place.
  struct Place {
    std::size_t list = 0;
    std::size_t chunk = 0;
    std::uint64_t first_ordinal = 0;  // of its first document in the run
  };

  RunChunks(const MergeSource& source, const repo::Run& run, Lists lists)
      : source_(source), run_(run), lists_(run.*lists) {}

  const MergeSource& source() const { return source_; }

  const repo::Run& run() const { return run_; }

  // The last chunk whose first key is not above `key`; the first chunk when all are above.
  // REQUIRES: the run has such lists.
  Place Find(const DocumentKey& key);
  // The chunk after it; nullopt at the end.
  std::optional<Place> After(const Place& place);

  repo::ChunkRef RefOf(const Place& place) { return List(place.list)[place.chunk].ref; }

 private:
  using Listed = std::vector<repo::SnapshotWriter::ListedChunk>;

  const Listed& List(std::size_t number);

  const MergeSource& source_;
  const repo::Run& run_;
  const std::vector<repo::ChunkRef>& lists_;
  std::optional<std::size_t> loaded_;
  Listed list_;  // number loaded_
};

// A position in the keys of one run, for PullMerge. Confined.
class KeyCursor {
 public:
  // Will start at the first key that is not below `from`. `keys` must outlive it.
  KeyCursor(RunChunks& keys, std::size_t number, const DocumentKey& from);

  std::size_t number() const { return number_; }

  DocumentKey key() const { return opened_ ? key_ : DecodeKey(start_); }

  std::uint64_t fingerprint() const { return block_.fingerprints[at_]; }

  // Of this document in the run.
  std::uint64_t ordinal() const { return place_.first_ordinal + at_; }

  bool deletes() const { return keys_.run().deletes; }

  bool opened() const { return opened_; }

  bool Open();
  bool Advance();

 private:
  void LoadBlock();
  // From the front of rest_.
  void TakeKey();

  RunChunks& keys_;
  const std::size_t number_;
  const Bytes start_;
  bool opened_ = false;
  RunChunks::Place place_;
  repo::KeyBlock block_;
  std::size_t at_ = 0;  // in the block
  ByteView rest_;       // of the block's keys, after the current one
  DocumentKey key_;
};

// All entries, deletions too, from `from` on; `keys` must outlive it.
PullMerge<KeyCursor> MergeKeys(std::vector<RunChunks>& keys, const DocumentKey& from);
// The keys of each of the runs.
std::vector<RunChunks> KeysOf(const MergeSource& source, std::span<const repo::Run> runs);
// Below every other.
const DocumentKey& LeastKey();

// Compares a source's documents with the newest snapshot's, by keys and fingerprints alone.
// Confined. Memory: one key chunk and one key list for each run that overlaps, and one bit for each
// document of the snapshot.
class KeyJoin {
 public:
  // `runs` must have keys, and like the source outlive the join.
  KeyJoin(const MergeSource& source, std::span<const repo::Run> runs);

  enum class Verdict {
    kUnchanged,  // the snapshot holds exactly this document
    kDiffers,    // it is new or changed
    kRepeated,   // the source has shown this document before
  };

  // Documents may come in several ascending series; each begins here.
  void StartAt(const DocumentKey& key);
  // The entry of the document with that key; nullptr when the snapshot holds none. Valid until the
  // next call. REQUIRES: not below any key since StartAt. kUnsupported when the snapshot holds a
  // document without _id.
  const KeyCursor* Find(const DocumentKey& key);
  // REQUIRES: above every key since StartAt. kUnsupported when the snapshot holds a document
  // without _id.
  Verdict Look(const DocumentKey& key, std::uint64_t fingerprint);
  using KeyVisitor = std::function<void(const DocumentKey& key)>;

  // As Look, for documents that come in one ascending series: gives `missing` what the snapshot
  // holds below `key` and the series has not shown. Not to be mixed with Look.
  Verdict Pass(const DocumentKey& key, std::uint64_t fingerprint, const KeyVisitor& missing);
  // The series has ended.
  void PassRest(const KeyVisitor& missing);
  // The series goes on behind `key`.
  void StartBehind(const DocumentKey& key);

  // What the snapshot holds and the source has not shown, in order of _id.
  void ForEachMissing(const std::function<void(const DocumentKey& key)>& visit);

 private:
  bool NextDocument();
  // False when it was marked before.
  bool MarkSeen();
  bool IsSeen() const;

  std::vector<RunChunks> runs_;
  std::vector<std::vector<bool>> seen_;  // by run and ordinal; empty until one is seen
  PullMerge<KeyCursor> merge_{{}};
  bool at_document_ = false;
};

}  // namespace tidemark::engine
