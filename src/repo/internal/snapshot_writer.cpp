#include "repo/internal/snapshot_writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/error.h"
#include "repo/internal/byte_reader.h"
#include "repo/internal/chunk_codec.h"
#include "repo/internal/index_segment.h"
#include "repo/internal/manifest_codec.h"
#include "repo/internal/pack.h"
#include "repo/internal/roots.h"

namespace tidemark::repo {
namespace {

// A pack ends with the chunk that fills it and its footer.
constexpr ByteCount kPackSlack = KiB(512);

// A finished pack on its way to storage. Shared by the thread that writes it and by those that read
// a chunk from it.
struct ClosedPack {
  PackId id;
  std::shared_ptr<const Bytes> bytes;
};

// State: committed_ goes to true once; failed_ goes to true at the first exception of a flush.
class PackingWriter final : public SnapshotWriter {
 public:
  PackingWriter(Project& project, const WriterOptions& options, WriterClaim claim)
      : project_(project), options_(options), claim_(std::move(claim)) {}

  ChunkRef Store(ByteView plain, const std::vector<codec::Digest>& hashes) override {
    CheckSize(ObjectKind::kDataChunk, plain);
    return StoreNamed(ObjectKind::kDataChunk,
                      {.id = project_.keys().NameDocuments(hashes),
                       .plain_size = static_cast<std::uint32_t>(plain.size()),
                       .documents = static_cast<std::uint32_t>(hashes.size())},
                      plain);
  }

  ChunkRef StoreList(const std::vector<ListedChunk>& chunks) override {
    return StoreKind(ObjectKind::kListChunk, EncodeList(chunks), CountDocuments(chunks));
  }

  ChunkRef StoreKeys(const KeyBlock& block) override {
    return StoreKind(ObjectKind::kKeyChunk,
                     EncodeKeys(block),
                     static_cast<std::uint32_t>(block.fingerprints.size()));
  }

  std::uint64_t Fingerprint(const codec::Digest& hash) const override {
    return project_.keys().Fingerprint(hash);
  }

  bool Holds(const ChunkRef& ref) const override { return Knows(ref.id); }

  Bytes Load(const ChunkRef& ref) override { return LoadKind(ObjectKind::kDataChunk, ref); }

  std::vector<ListedChunk> LoadList(const ChunkRef& ref) override {
    return DecodeList(LoadKind(ObjectKind::kListChunk, ref));
  }

  KeyBlock LoadKeys(const ChunkRef& ref) override {
    return DecodeKeys(LoadKind(ObjectKind::kKeyChunk, ref));
  }

  ByteCount added() const override TIDEMARK_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return added_;
  }

  void SavePartial(const Manifest& done) override TIDEMARK_EXCLUDES(mutex_);
  void Commit(const Manifest& manifest) override;

 private:
  static void CheckSize(ObjectKind kind, ByteView plain);
  ChunkRef StoreKind(ObjectKind kind, ByteView plain, std::uint32_t documents);
  ChunkRef StoreNamed(ObjectKind kind, const ChunkRef& ref, ByteView plain);
  Bytes LoadKind(ObjectKind kind, const ChunkRef& ref);
  bool Knows(const ChunkId& id) const TIDEMARK_EXCLUDES(mutex_);
  std::optional<ClosedPack> Append(ObjectKind kind, const ChunkRef& ref, ByteView sealed)
      TIDEMARK_EXCLUDES(mutex_);
  PackBuilder& OpenPack() TIDEMARK_REQUIRES(mutex_);
  ClosedPack CloseOpenPack() TIDEMARK_REQUIRES(mutex_);
  std::optional<ClosedPack> CloseLastPack() TIDEMARK_EXCLUDES(mutex_);
  void PutPack(const ClosedPack& pack) TIDEMARK_EXCLUDES(mutex_);
  // Waits until every pack that is closed now is in storage.
  void WaitForPacks() TIDEMARK_EXCLUDES(mutex_);
  // The sealed chunk if its pack is not in storage yet.
  std::optional<Bytes> CopyUnwritten(const ChunkPlace& place) const TIDEMARK_EXCLUDES(mutex_);
  std::optional<ChunkPlace> FindOwn(const ChunkId& id) const TIDEMARK_EXCLUDES(mutex_);

  void BeginCommit(const Manifest& manifest) TIDEMARK_EXCLUDES(mutex_);
  void CheckListsAreStored(const Manifest& manifest) const;
  // Index segments for all packs that are in storage and in none yet.
  void PutIndex() TIDEMARK_EXCLUDES(mutex_);

  bool IsUnwritten(const PackId& pack) const TIDEMARK_REQUIRES(mutex_) {
    return (open_ && open_->id() == pack) || closed_.contains(pack);
  }

  void PutManifest(const Manifest& manifest) TIDEMARK_EXCLUDES(mutex_);
  void CheckManifestReadsBack(const Manifest& manifest, const Bytes& blob) const;
  void PutBlob(const std::string& name, const Bytes& blob) TIDEMARK_EXCLUDES(mutex_);

  // Constant after construction.
  Project& project_;
  const WriterOptions options_;
  const WriterClaim claim_;

  mutable Mutex mutex_;
  ChunkIndex own_ TIDEMARK_GUARDED_BY(mutex_);  // what this writer stored
  std::optional<PackBuilder> open_ TIDEMARK_GUARDED_BY(mutex_);
  std::uint32_t open_number_ TIDEMARK_GUARDED_BY(mutex_) = 0;
  // At most one per thread that calls Store: each writes the pack it filled before it returns.
  std::map<PackId, std::shared_ptr<const Bytes>> closed_ TIDEMARK_GUARDED_BY(mutex_);
  CondVar packs_changed_;                                  // closed_, failed_
  std::vector<bool> indexed_ TIDEMARK_GUARDED_BY(mutex_);  // by pack number: a segment names it
  std::optional<PartialId> partial_;                       // the last; of the thread that saves
  ByteCount added_ TIDEMARK_GUARDED_BY(mutex_);
  bool failed_ TIDEMARK_GUARDED_BY(mutex_) = false;
  bool committed_ TIDEMARK_GUARDED_BY(mutex_) = false;
};

void PackingWriter::CheckSize(ObjectKind kind, ByteView plain) {
  if (plain.size() > kMaxChunkPlain) {
    throw Error(ErrorCode::kInvalidArgument,
                "storing a " + std::string(ObjectKindName(kind)) + ": " +
                    std::to_string(plain.size()) + " bytes are more than 64 MiB");
  }
}

ChunkRef PackingWriter::StoreKind(ObjectKind kind, ByteView plain, std::uint32_t documents) {
  CheckSize(kind, plain);
  return StoreNamed(kind,
                    {.id = project_.keys().NameChunk(kind, plain),
                     .plain_size = static_cast<std::uint32_t>(plain.size()),
                     .documents = documents},
                    plain);
}

ChunkRef PackingWriter::StoreNamed(ObjectKind kind, const ChunkRef& ref, ByteView plain) {
  if (Knows(ref.id)) {
    return ref;
  }
  const Bytes sealed = SealChunk(
      project_.keys(), kind, ref.id, plain, options_.compression_level, project_.random());
  if (const std::optional<ClosedPack> full = Append(kind, ref, sealed)) {
    PutPack(*full);
  }
  return ref;
}

bool PackingWriter::Knows(const ChunkId& id) const {
  return FindOwn(id) || project_.FindLasting(id, claim_.refreshed);
}

std::optional<ChunkPlace> PackingWriter::FindOwn(const ChunkId& id) const {
  const MutexLock lock(mutex_);
  const std::optional<ChunkSlot> slot = own_.Find(id);
  return slot ? std::optional(ChunkPlace{own_.pack(slot->pack), *slot}) : std::nullopt;
}

std::optional<ClosedPack> PackingWriter::Append(ObjectKind kind,
                                                const ChunkRef& ref,
                                                ByteView sealed) {
  const MutexLock lock(mutex_);
  if (own_.Find(ref.id)) {
    return std::nullopt;  // another thread stored the same bytes meanwhile
  }
  PackBuilder& pack = OpenPack();
  const PackEntry entry = pack.Append(kind, ref, sealed);
  own_.Insert(ref.id,
              {.pack = open_number_,
               .offset = entry.offset,
               .stored_size = entry.stored_size,
               .plain_size = entry.plain_size});
  added_ += ByteCount{sealed.size()};
  const bool full = pack.bytes().size() >= options_.pack_size.value;
  return full ? std::optional(CloseOpenPack()) : std::nullopt;
}

PackBuilder& PackingWriter::OpenPack() {
  if (!open_) {
    const auto id = PackId::Generate(project_.random());
    open_number_ = own_.AddPack(id);
    open_.emplace(id, options_.pack_size + kPackSlack);
  }
  return *open_;
}

ClosedPack PackingWriter::CloseOpenPack() {
  PackBuilder& open = OpenPack();
  const std::size_t chunks_end = open.bytes().size();
  ClosedPack pack{open.id(),
                  std::make_shared<const Bytes>(open.Finish(project_.keys(), project_.random()))};
  open_.reset();
  closed_.emplace(pack.id, pack.bytes);
  added_ += ByteCount{kHeaderSize + pack.bytes->size() - chunks_end};
  return pack;
}

std::optional<ClosedPack> PackingWriter::CloseLastPack() {
  const MutexLock lock(mutex_);
  return open_ ? std::optional(CloseOpenPack()) : std::nullopt;
}

void PackingWriter::PutPack(const ClosedPack& pack) {
  try {
    project_.store().Put(PackName(project_.keys().project(), pack.id), *pack.bytes);
  } catch (const Error& error) {
    const MutexLock lock(mutex_);
    failed_ = true;
    packs_changed_.NotifyAll();
    throw error.WithContext("storing " + DescribeObject(ObjectKind::kPackFooter, pack.id.bytes));
  }
  const MutexLock lock(mutex_);
  closed_.erase(pack.id);
  packs_changed_.NotifyAll();
}

void PackingWriter::WaitForPacks() {
  const MutexLock lock(mutex_);
  std::vector<PackId> waited;
  waited.reserve(closed_.size());
  for (const auto& [id, bytes] : closed_) {
    waited.push_back(id);
  }
  const auto is_closed = [this](const PackId& id)
                             TIDEMARK_REQUIRES(mutex_) { return closed_.contains(id); };
  while (!failed_ && std::ranges::any_of(waited, is_closed)) {
    packs_changed_.Wait(mutex_);
  }
  if (failed_) {
    throw Error(ErrorCode::kInternal,
                "saving a partial manifest: storing one of its packs has failed");
  }
}

std::optional<Bytes> PackingWriter::CopyUnwritten(const ChunkPlace& place) const {
  const MutexLock lock(mutex_);
  ByteView pack;
  if (open_ && open_->id() == place.pack) {
    pack = open_->bytes();
  } else if (const auto found = closed_.find(place.pack); found != closed_.end()) {
    pack = *found->second;
  } else {
    return std::nullopt;
  }
  const ByteView sealed = pack.subspan(place.slot.offset, place.slot.stored_size);
  return Bytes(sealed.begin(), sealed.end());
}

Bytes PackingWriter::LoadKind(ObjectKind kind, const ChunkRef& ref) {
  const std::optional<ChunkPlace> own = FindOwn(ref.id);
  if (!own) {
    return FindAndLoadChunk(project_, kind, ref);
  }
  if (const std::optional<Bytes> sealed = CopyUnwritten(*own)) {
    return OpenChunk(project_.keys(), kind, ref, *sealed);
  }
  return LoadStoredChunk(project_, kind, ref, *own);
}

// The same order as a commit's.
void PackingWriter::SavePartial(const Manifest& done) {
  CheckListsAreStored(done);
  if (const std::optional<ClosedPack> last = CloseLastPack()) {
    PutPack(*last);
  }
  WaitForPacks();
  PutIndex();
  const auto id = PartialId::Generate(project_.random());
  PutBlob(PartialName(done.project, done.snapshot, id),
          SealPartial(project_.keys(), id, done, project_.random()));
  if (const std::optional<PartialId> previous = std::exchange(partial_, id)) {
    project_.store().Delete(PartialName(done.project, done.snapshot, *previous));
  }
}

// docs/format.md, "Order of writes" (I2, I3).
void PackingWriter::Commit(const Manifest& manifest) {
  BeginCommit(manifest);
  CheckListsAreStored(manifest);
  if (const std::optional<ClosedPack> last = CloseLastPack()) {
    PutPack(*last);
  }
  PutIndex();
  PutManifest(manifest);
  DeletePartials(project_.store(), manifest.project, manifest.snapshot);
}

void PackingWriter::BeginCommit(const Manifest& manifest) {
  TIDEMARK_CHECK(manifest.unfinished.empty());
  if (manifest.project != project_.keys().project()) {
    throw Error(ErrorCode::kInvalidArgument,
                "committing snapshot " + manifest.snapshot.ToString() +
                    ": its manifest names another project than its writer");
  }
  const MutexLock lock(mutex_);
  TIDEMARK_CHECK(!committed_);
  if (failed_) {
    throw Error(ErrorCode::kInternal,
                "committing snapshot " + manifest.snapshot.ToString() +
                    ": storing one of its packs failed before");
  }
  committed_ = true;
}

void PackingWriter::CheckListsAreStored(const Manifest& manifest) const {
  const auto check = [this](const std::vector<ChunkRef>& lists) {
    const auto missing =
        std::ranges::find_if_not(lists, [this](const ChunkRef& list) { return Knows(list.id); });
    if (missing != lists.end()) {
      ThrowNoSuchChunk(ObjectKind::kListChunk, missing->id);
    }
  };
  VisitEntries(manifest, [&check](const NamespaceEntry& entry) {
    for (const Run& run : entry.runs) {
      check(run.lists);
      check(run.key_lists);
    }
  });
}

void PackingWriter::PutIndex() {
  std::vector<IndexSegment> segments;
  {
    const MutexLock lock(mutex_);
    indexed_.resize(own_.packs().size());
    std::vector<bool> due(own_.packs().size());
    for (std::size_t pack = 0; pack < due.size(); ++pack) {
      due[pack] = !indexed_[pack] && !IsUnwritten(own_.packs()[pack]);
    }
    segments = SplitIntoSegments(own_, [&due](std::uint32_t pack) { return due[pack]; });
    for (std::size_t pack = 0; pack < due.size(); ++pack) {
      indexed_[pack] = indexed_[pack] || due[pack];
    }
  }
  for (const IndexSegment& segment : segments) {
    const auto id = SegmentId::Generate(project_.random());
    PutBlob(SegmentName(project_.keys().project(), id),
            SealIndexSegment(project_.keys(), id, segment, project_.random()));
  }
}

void PackingWriter::PutManifest(const Manifest& manifest) {
  const std::string name = ManifestName(manifest.project, manifest.snapshot);
  const Bytes blob = SealManifest(project_.keys(), manifest, project_.random());
  PutBlob(name, blob);
  try {
    CheckManifestReadsBack(manifest, blob);
  } catch (const Error&) {
    project_.store().Delete(name);
    throw;
  }
}

void PackingWriter::CheckManifestReadsBack(const Manifest& manifest, const Bytes& blob) const {
  const Bytes stored = project_.store().Get(ManifestName(manifest.project, manifest.snapshot));
  const Manifest decoded = OpenManifest(project_.keys(), manifest.snapshot, stored);
  if (stored != blob || EncodeManifest(decoded) != EncodeManifest(manifest)) {
    throw Error(ErrorCode::kCorrupt,
                "writing manifest " + manifest.snapshot.ToString() +
                    ": it does not read back as it was written",
                "check the storage and this machine's memory");
  }
}

void PackingWriter::PutBlob(const std::string& name, const Bytes& blob) {
  project_.store().Put(name, blob);
  const MutexLock lock(mutex_);
  added_ += ByteCount{blob.size()};
}

}  // namespace

std::unique_ptr<SnapshotWriter> MakeSnapshotWriter(Project& project,
                                                   const WriterOptions& options,
                                                   WriterClaim claim) {
  if (options.pack_size > kMaxPackTarget) {
    throw Error(ErrorCode::kInvalidArgument,
                "writing a snapshot: packs of more than 1024 MiB are not possible");
  }
  return std::make_unique<PackingWriter>(project, options, std::move(claim));
}

}  // namespace tidemark::repo
