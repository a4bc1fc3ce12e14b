#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/object_id.h"
#include "base/random.h"
#include "base/units.h"
#include "blob/blob_store.h"
#include "bson/document.h"
#include "codec/codec.h"

// The on-disk format (docs/format.md). Chunks, packs, index segments and manifests are known to
// this folder only.
namespace tidemark::repo {

using MasterKey = codec::AeadKey;

// A chunk's name: a keyed hash of its plaintext (docs/format.md, "Chunk").
using ChunkId = codec::Digest;

// One chunk as a run lists it.
struct ChunkRef {
  ChunkId id{};
  std::uint32_t plain_size = 0;  // bytes
  std::uint32_t documents = 0;
};

// An immutable sequence of chunks. Sorted by _id unless `natural_order`. The list of its chunks is
// itself stored in chunks ("list chunks"), so that neither a manifest nor a reader grows with the
// collection. Beside its documents a run by _id has keys: what a later snapshot needs to tell
// which documents have changed, without reading them.
struct Run {
  bool natural_order = false;  // capped collections: as the server returned them
  bool deletes = false;        // its documents {_id: x} take away what older runs hold
  std::uint64_t documents = 0;
  std::uint64_t logical_bytes = 0;  // BSON
  Bytes first_id;  // document {"": <_id>} of the first and last document; empty when natural_order
  Bytes last_id;
  std::vector<ChunkRef> lists;      // list chunks, in order
  std::vector<ChunkRef> key_lists;  // list chunks of key chunks; empty when natural_order
};

// The keys of successive documents of a run: one key chunk.
struct KeyBlock {
  std::vector<std::uint64_t> fingerprints;  // SnapshotWriter::Fingerprint, one for each document
  Bytes keys;  // document {"": <_id>} of each, back to back; the empty document without _id
};

// The digest of a set of documents whatever their order: number of documents and the sum modulo
// 2^256 of their SHA-256, taken as little-endian numbers. Two namespaces with equal digests hold
// the same documents.
struct NamespaceDigest {
  std::uint64_t documents = 0;
  codec::Digest sum{};

  void Add(ByteView document);
  void AddHash(const codec::Digest& hash);  // SHA-256 of one document
  void Merge(const NamespaceDigest& other);
  std::string ToHex() const;  // of `sum`
  bool operator==(const NamespaceDigest&) const = default;
};

// The SHA-256 of each of the BSON documents that `plain` holds back to back. kCorrupt when it does
// not.
std::vector<codec::Digest> HashDocuments(ByteView plain);

// The documents of a chunk, and their SHA-256 in the same order.
struct HashedChunk {
  Bytes plain;
  std::vector<codec::Digest> hashes;
};

// What kind of namespace: the `type` of listCollections. Persistent as text.
enum class NamespaceKind { kCollection, kView, kTimeseries };

// One namespace of a snapshot.
struct NamespaceEntry {
  std::string database;
  std::string collection;
  NamespaceKind kind = NamespaceKind::kCollection;
  Bytes options;  // BSON, exactly listCollections' `options`
  std::vector<Bytes>
      indexes;  // BSON, exactly listIndexes' documents, _id index included, key order kept
  std::vector<Run>
      runs;  // a later run overrides an earlier one by _id, or deletes from it; empty for views
  // How many of `runs`, from the first on, are from the last time that everything was written; the
  // others are changes since.
  std::size_t base_runs = 0;
  NamespaceDigest digest;  // of the merged documents
  std::uint64_t logical_bytes = 0;
};

// A namespace that a snapshot was reading in order of _id when it was cut: everything up to
// `read_to`. In partial manifests only.
struct UnfinishedNamespace {
  NamespaceEntry entry;  // its digest and bytes are those of the documents up to `read_to`
  std::size_t own_runs =
      0;          // how many runs, the last ones, hold what was read; the others are older
  Bytes uuid;     // of the collection, 16 bytes; empty when the source names none
  Bytes read_to;  // {"": <_id>}
};

// Users and roles of a cluster, as documents of admin.system.users and admin.system.roles:
// credentials and rights too. They are few, so they lie in the manifest itself.
struct Accounts {
  std::vector<Bytes> users;
  std::vector<Bytes> roles;
  Bytes schema;          // the document authSchema of admin.system.version; empty: none
  std::string left_out;  // why a cluster's users and roles are not here; empty: they are

  bool empty() const { return users.empty() && roles.empty(); }
};

inline constexpr ByteCount kMaxAccounts = MiB(64);  // BSON bytes of one snapshot's

// A whole snapshot. Written last; before that the snapshot exists for nobody (invariant I3).
struct Manifest {
  SnapshotId snapshot;
  ProjectId project;
  ClusterId cluster;
  std::string cluster_name;
  std::string mongodb_version;
  Instant created;
  bool consistent = false;
  std::string inconsistent_reason;
  std::uint32_t position_seconds = 0;  // oplog position when the read began
  std::uint32_t position_increment = 0;
  std::vector<std::string> empty_databases;  // databases that hold no namespace
  std::vector<NamespaceEntry> namespaces;
  std::vector<UnfinishedNamespace> unfinished;  // of a partial manifest; a snapshot has none
  Accounts accounts;
};

struct WriterOptions {
  int compression_level = 1;      // zstd
  ByteCount pack_size = MiB(16);  // stored bytes at which a pack is closed
};

// Stores the chunks of one snapshot. Synchronized: several threads may call Store at once;
// compression and encryption run on the caller's thread, so throughput grows with callers. A chunk
// that the repository has already is not stored again. After an exception only destruction is
// legal; what was written is unreferenced and harms nobody.
class SnapshotWriter {
 public:
  virtual ~SnapshotWriter() = default;
  // `plain` is BSON documents back to back, `hashes` their SHA-256. REQUIRES: just these hashes;
  // the chunk is named by them and could not be read otherwise. Blocks on storage when a pack is
  // full. kResourceExhausted on a full disk.
  virtual ChunkRef Store(ByteView plain, const std::vector<codec::Digest>& hashes) = 0;

  ChunkRef Store(ByteView plain) { return Store(plain, HashDocuments(plain)); }

  // The list chunks of a run: `refs` is a piece of its chunk list (any length up to
  // kMaxRefsPerList) with, per chunk, the document {"": _id} of its first document (empty Bytes in
  // natural order).
  struct ListedChunk {
    ChunkRef ref;
    Bytes first_id;
  };

  virtual ChunkRef StoreList(const std::vector<ListedChunk>& chunks) = 0;
  // A key chunk. REQUIRES: as many keys as fingerprints.
  virtual ChunkRef StoreKeys(const KeyBlock& block) = 0;
  // The keyed fingerprint of a document with that SHA-256: equal documents have equal ones, others
  // differ but for one chance in 2^64, which nobody without the project's key can search for.
  virtual std::uint64_t Fingerprint(const codec::Digest& hash) const = 0;
  // Reads back a chunk that this writer or an earlier snapshot stored (also from the pack still
  // open).
  virtual Bytes Load(const ChunkRef& ref) = 0;
  virtual std::vector<ListedChunk> LoadList(const ChunkRef& ref) = 0;
  virtual KeyBlock LoadKeys(const ChunkRef& ref) = 0;
  // Whether the chunk is stored: by this writer, or by an earlier snapshot in a pack that is there.
  virtual bool Holds(const ChunkRef& ref) const = 0;
  // Stored bytes that this writer added so far.
  virtual ByteCount added() const = 0;
  // Makes durable what `done` needs, then `done` itself: a manifest of the namespaces that are
  // finished or half read, from which another writer may go on (Repository::LoadPartial). Others
  // may go on storing meanwhile, but only one thread at a time may save. kInternal when storing a
  // pack has failed.
  virtual void SavePartial(const Manifest& done) = 0;
  // Packs durable -> index segment naming them -> manifest -> manifest read back and compared ->
  // partial manifests deleted. May be called once. REQUIRES: nothing is unfinished.
  virtual void Commit(const Manifest& manifest) = 0;
};

inline constexpr std::size_t kMaxRefsPerList = 4096;
inline constexpr std::size_t kMaxChunkPlain = 64U
                                              << 20;  // bytes; one document of at most 48 MiB fits

// Reads chunks of one project. Synchronized.
class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  // kCorrupt when any bit is not as it was stored; kNotFound when the chunk is in no pack.
  virtual Bytes Load(const ChunkRef& ref) = 0;

  // The same, with the hashes that its check has made: whoever needs the digest of the documents
  // does not hash them again.
  virtual HashedChunk LoadHashed(const ChunkRef& ref) {
    Bytes plain = Load(ref);
    std::vector<codec::Digest> hashes = HashDocuments(plain);
    return {.plain = std::move(plain), .hashes = std::move(hashes)};
  }

  virtual std::vector<SnapshotWriter::ListedChunk> LoadList(const ChunkRef& ref) = 0;
  virtual KeyBlock LoadKeys(const ChunkRef& ref) = 0;
};

class Maintenance;  // repo/maintenance.h

// What ShredProject took away.
struct ShreddedProject {
  std::uint64_t keys = 0;
  std::uint64_t manifests = 0;
  std::uint64_t segments = 0;
  std::uint64_t packs = 0;
  ByteCount bytes;
};

// One repository in one blob store. Synchronized. Every call blocks. Writers and readers must not
// outlive it.
class Repository {
 public:
  // Writes the format blob and the master key's probe. kConflict when the store holds a repository
  // already. Repeating it finishes one that was cut.
  static void Create(blob::BlobStore& store, const MasterKey& master_key, RandomSource& random);
  // kNotFound when the store holds none, kUnsupported for another version, kUnauthenticated for
  // another master key. `store` and `random` must outlive the repository.
  static std::unique_ptr<Repository> Open(blob::BlobStore& store,
                                          const MasterKey& master_key,
                                          RandomSource& random);

  virtual ~Repository() = default;

  // The projects that have a key, by id.
  virtual std::vector<ProjectId> ListProjects() = 0;
  // Deletes the project's key, then manifests, index segments and packs. Once the key has gone
  // nobody can read the project's snapshots again, whoever has the master key and a copy of the
  // rest. From the call on the project takes no new writers or readers (kNotFound). Repeating it
  // finishes one that was cut. REQUIRES: no writer or reader of the project is at work.
  virtual ShreddedProject ShredProject(const ProjectId& project) = 0;
  // The project's key is made on first use.
  virtual std::unique_ptr<SnapshotWriter> NewSnapshot(const ProjectId& project,
                                                      const WriterOptions& options) = 0;
  virtual std::unique_ptr<SnapshotReader> NewReader(const ProjectId& project) = 0;
  // kNotFound, kCorrupt.
  virtual Manifest LoadManifest(const ProjectId& project, const SnapshotId& snapshot) = 0;
  // The snapshots whose manifests are there.
  virtual std::vector<SnapshotId> ListManifests(const ProjectId& project) = 0;
  // The snapshot no longer exists. Its chunks stay until garbage collection. Repeating it is no
  // error.
  virtual void DeleteManifest(const ProjectId& project, const SnapshotId& snapshot) = 0;
  // What a snapshot had read when it was cut: the last SavePartial. nullopt when there is none.
  // kCorrupt.
  virtual std::optional<Manifest> LoadPartial(const ProjectId& project,
                                              const SnapshotId& snapshot) = 0;
  // The snapshots that have one.
  virtual std::vector<SnapshotId> ListPartials(const ProjectId& project) = 0;
  // Nobody will go on with it. Repeating it is no error.
  virtual void DropPartial(const ProjectId& project, const SnapshotId& snapshot) = 0;
  // Collection, check and statistics of one project.
  virtual std::unique_ptr<Maintenance> OpenMaintenance(const ProjectId& project) = 0;
  // Removes what writers and readers that died have left behind and collections would wait for.
  // REQUIRES: no writer and no reader of this store lives, in any process.
  virtual void DropSessions() = 0;
  // Seals a secret (a connection string, HA1) under the master key, bound to `label`; base64 text,
  // and back.
  virtual std::string SealSecret(std::string_view label, std::string_view text) = 0;
  virtual std::string OpenSecret(std::string_view label, std::string_view sealed) = 0;
};

// The same without a repository.
std::string SealSecret(const MasterKey& master_key,
                       std::string_view label,
                       std::string_view text,
                       RandomSource& random);
// kCorrupt, naming the label, when it was sealed under another key or label, or is damaged.
std::string OpenSecret(const MasterKey& master_key,
                       std::string_view label,
                       std::string_view sealed);

}  // namespace tidemark::repo
