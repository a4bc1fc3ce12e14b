#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "repo/repository.h"

namespace tidemark::repo {

enum class ChunkKind { kData, kList, kKeys };

// "data chunk", "list chunk", "key chunk".
std::string_view ChunkKindName(ChunkKind kind);

// A run as a manifest names it.
struct RunUse {
  ClusterId cluster;
  std::string cluster_name;
  std::string database;
  std::string collection;
  NamespaceKind kind = NamespaceKind::kCollection;
  std::size_t number = 0;  // counts from 1
  Run run;
};

// A chunk that a manifest needs and that can be read nowhere.
struct DamagedChunk {
  ChunkKind kind = ChunkKind::kData;
  ChunkRef ref;
  std::string fault;                  // what the last try to read it has said
  std::vector<SnapshotId> snapshots;  // that need it, oldest first; the first kMaxSnapshots
  // One run that needs it, shared by all damaged chunks of that run.
  std::shared_ptr<const RunUse> use;
  bool of_keys = false;              // it is one of the run's key chunks or of their lists
  std::uint64_t first_document = 0;  // so many of the run's documents come before its own
  Bytes first_id;                    // documents {"": _id}: it holds those in [first, end)
  Bytes end_id;                      // empty: unknown, or the end of the run
  bool healed = false;
  std::string outcome;  // how it was healed, or why it was not; for people

  static constexpr std::size_t kMaxSnapshots = 100;
};

struct RepairOptions {
  bool dry_run = false;
  ByteCount pack_size = MiB(16);  // of the packs that healed chunks go to
  int compression_level = 1;
  // Called now and then with the stored bytes that were read so far. May be empty.
  std::function<void(ByteCount)> on_progress;
};

// What a repair has found and done; after a dry run, what it would do.
struct RepairReport {
  struct DamagedManifest {
    SnapshotId snapshot;
    std::string fault;
  };

  static constexpr std::size_t kMaxChunks = 10'000;

  bool dry_run = false;
  std::vector<DamagedManifest> manifests;  // cannot be healed
  // Index segments that did not open: what is in packs was indexed anew, then they were deleted.
  std::vector<std::string> segments;
  // Packs whose footers did not open: what could be read in them was copied to new packs.
  std::vector<std::string> packs;
  std::vector<std::string>
      lists;                      // condemned, wait and quarantine lists that did not open: deleted
  std::uint64_t indexed = 0;      // chunks that were in packs, but not in the index
  std::uint64_t copied = 0;       // chunks that were copied because their place is bad
  std::uint64_t quarantined = 0;  // places that nobody counts on from now on
  std::uint64_t chunks_read = 0;
  ByteCount bytes_read;              // stored
  std::vector<DamagedChunk> chunks;  // the first kMaxChunks that were found damaged
  std::uint64_t healed = 0;
  std::uint64_t lost = 0;         // damaged and not healed
  std::uint64_t passed_over = 0;  // damaged beyond kMaxChunks: the next repair looks at them

  // Whether every snapshot that has a manifest is whole.
  bool AllWhole() const { return manifests.empty() && lost == 0 && passed_over == 0; }
};

// What whoever looks for the bytes of damaged chunks works with. Confined; valid during the call
// that it is given to. A chunk is told by its name, so wrong bytes are refused, never stored.
class DamagedProject {
 public:
  virtual ~DamagedProject() = default;

  virtual std::size_t size() const = 0;  // grows: a list that is healed shows what it lists
  // Valid until the next offer.
  virtual const DamagedChunk& chunk(std::size_t number) const = 0;
  // From any place that is whole, or as it was offered. kCorrupt, kNotFound.
  virtual Bytes Load(const ChunkRef& ref) = 0;
  virtual std::vector<SnapshotWriter::ListedChunk> LoadList(const ChunkRef& ref) = 0;
  virtual KeyBlock LoadKeys(const ChunkRef& ref) = 0;
  // SnapshotWriter::Fingerprint.
  virtual std::uint64_t Fingerprint(const codec::Digest& hash) const = 0;
  // The chunk that would hold these keys; that would hold documents with these SHA-256s.
  virtual ChunkRef NameKeys(const KeyBlock& block) const = 0;
  virtual ChunkRef NameDocuments(const std::vector<codec::Digest>& hashes,
                                 std::size_t plain_size) const = 0;
  // True when a damaged chunk holds just these: it is stored anew (not in a dry run), and can be
  // loaded from now on. `how` is for people. In a dry run the latest 64 MiB can be loaded.
  virtual bool Offer(ByteView plain, std::string_view how) = 0;
  virtual bool OfferKeys(const KeyBlock& block, std::string_view how) = 0;
  virtual bool OfferList(const std::vector<SnapshotWriter::ListedChunk>& chunks,
                         std::string_view how) = 0;
  // Why the chunk could not be healed, for people. Replaces what was said before.
  virtual void Explain(std::size_t number, std::string why) = 0;
  // The data chunks that can be read and that no list names, of packs whose footers open.
  virtual void ForEachUnlisted(
      const std::function<void(const ChunkId& id, ByteView plain)>& visit) = 0;
};

// Offers bytes for what is damaged. What it throws ends the repair.
using Healer = std::function<void(DamagedProject&)>;

}  // namespace tidemark::repo
