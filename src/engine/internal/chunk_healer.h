#pragma once

#include <map>
#include <set>

#include "engine/internal/key_join.h"
#include "engine/repair.h"

namespace tidemark::engine {

// The documents' keys and fingerprints of one run, from some document on. Holds one key chunk and
// one list. Confined. Throws what the repair throws for what is damaged.
class RunKeys {
 public:
  struct Entry {
    ByteView key;  // document {"": _id}; valid until the next call
    std::uint64_t fingerprint = 0;
  };

  // `first` counts documents of the run. Both must outlive it.
  RunKeys(repo::DamagedProject& damaged, const repo::Run& run, std::uint64_t first);

  // nullopt at the end of the run.
  std::optional<Entry> Next();

 private:
  // False at the end of the run.
  bool LoadBlock();

  repo::DamagedProject& damaged_;
  const repo::Run& run_;
  std::uint64_t skipped_;  // documents still to be passed over
  std::size_t next_list_ = 0;
  std::vector<repo::SnapshotWriter::ListedChunk> list_;
  std::size_t next_chunk_ = 0;  // in list_
  repo::KeyBlock block_;
  std::size_t at_ = 0;  // in block_
  ByteView rest_;       // of the block's keys
};

// Looks for the bytes of damaged chunks. Confined. All must outlive it.
class ChunkHealer {
 public:
  ChunkHealer(repo::DamagedProject& damaged,
              DocumentSource* source,
              const RepairOptions& options,
              const RunContext& run)
      : damaged_(damaged), source_(source), options_(options), run_(run) {}

  // Tries again as long as anything was healed: keys help to heal documents, and these keys.
  void HealAll();

 private:
  using DocumentVisitor = std::function<void(ByteView document)>;

  // Throws Error when it cannot; what is said then is the reason.
  void Heal(std::size_t number);
  void HealKind(const repo::DamagedChunk& chunk);
  void HealData(const repo::DamagedChunk& chunk);
  void HealKeys(const repo::DamagedChunk& chunk);
  void HealKeyLists(const repo::Run& run);
  void HealDataList(const repo::DamagedChunk& list);
  bool HealListFromPacks(const repo::DamagedChunk& list);
  void HealListFromSource(const repo::DamagedChunk& list);
  void ReportProgress(std::size_t number) const;

  // The documents that the chunk held, in order, from the source. Throws when they are not as they
  // were, or may not be.
  void ReadAgain(const repo::DamagedChunk& chunk, const DocumentVisitor& visit);
  // Whether the keys of all that the chunk held can be read.
  bool HasKeys(const repo::DamagedChunk& chunk);
  void ReadByKeys(const repo::DamagedChunk& chunk, const DocumentVisitor& visit);
  void ReadFromFirst(const repo::DamagedChunk& chunk, const DocumentVisitor& visit);
  DocumentSource& Source() const;

  // Documents of a run, counted from its first.
  struct DocumentRange {
    std::uint64_t first = 0;
    std::uint64_t end = 0;

    bool Overlaps(std::uint64_t at, std::uint64_t count) const {
      return at < end && at + count > first;
    }
  };

  // From the run's data chunks.
  void ReadStored(const repo::Run& run, const DocumentRange& range, const DocumentVisitor& visit);
  // `at`: of the list's first document.
  void ReadListed(const repo::ChunkRef& list,
                  std::uint64_t at,
                  const DocumentRange& range,
                  const DocumentVisitor& visit);

  // A data chunk that no list names.
  struct Unlisted {
    repo::ChunkRef ref;
    Bytes first_id;
    codec::Digest fingerprints{};  // SHA-256 of those of its documents
  };

  // By the fingerprint of the first document.
  using UnlistedChunks = std::multimap<std::uint64_t, Unlisted>;

  const UnlistedChunks& FindUnlisted();
  std::optional<std::vector<repo::SnapshotWriter::ListedChunk>> FindListed(
      const repo::DamagedChunk& list, const UnlistedChunks& unlisted);

  repo::DamagedProject& damaged_;
  DocumentSource* const source_;
  const RepairOptions options_;
  const RunContext& run_;
  UnlistedChunks unlisted_;  // filled when a list is damaged
  bool found_unlisted_ = false;
  std::set<const repo::RunUse*> replayed_;  // in this round: their key lists were made anew
};

}  // namespace tidemark::engine
