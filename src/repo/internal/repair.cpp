#include "repo/internal/repair.h"

#include <algorithm>
#include <array>
#include <list>
#include <utility>

#include "base/error.h"
#include "repo/internal/condemned.h"
#include "repo/internal/copier.h"
#include "repo/internal/damage_survey.h"
#include "repo/internal/maintenance.h"
#include "repo/internal/roots.h"
#include "repo/internal/session.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kDoing = "repairing the repository";

}  // namespace

std::string_view ChunkKindName(ChunkKind kind) {
  switch (kind) {
    case ChunkKind::kData:
      return "data chunk";
    case ChunkKind::kList:
      return "list chunk";
    case ChunkKind::kKeys:
      return "key chunk";
  }
  return {};
}

namespace {

ObjectKind ObjectKindOf(ChunkKind kind) {
  switch (kind) {
    case ChunkKind::kData:
      return ObjectKind::kDataChunk;
    case ChunkKind::kList:
      return ObjectKind::kListChunk;
    case ChunkKind::kKeys:
      return ObjectKind::kKeyChunk;
  }
  return ObjectKind::kDataChunk;
}

// The plaintext of the latest offers. More than one pack: what has been pushed out is in storage.
class LatestOffers {
 public:
  void Add(const ChunkId& id, ByteView plain) {
    offers_.emplace_back(id, Bytes(plain.begin(), plain.end()));
    bytes_ += plain.size();
    while (bytes_ > kMaxChunkPlain && offers_.size() > 1) {
      bytes_ -= offers_.front().second.size();
      offers_.pop_front();
    }
  }

  const Bytes* Find(const ChunkId& id) const {
    const auto found = std::ranges::find(offers_, id, &Offer::first);
    return found == offers_.end() ? nullptr : &found->second;
  }

 private:
  using Offer = std::pair<ChunkId, Bytes>;
  std::list<Offer> offers_;
  std::size_t bytes_ = 0;
};

class ProjectRepair final : public DamagedProject {
 public:
  ProjectRepair(Project& project, const RepairOptions& options, const std::stop_token& stop)
      : project_(project),
        options_(options),
        stop_(stop),
        roots_(ListRoots(project)),
        book_(project, stop, options.on_progress),
        survey_(project, book_),
        copier_(project, options.pack_size) {}

  RepairReport Run(const Healer& heal) {
    survey_.WalkRoots(roots_, stop_);
    if (heal && !survey_.damage().empty()) {
      heal(*this);
    }
    PlanPlaces();
    FindBrokenLists();
    if (!options_.dry_run) {
      Execute();
    }
    return Report();
  }

  std::size_t size() const override { return survey_.damage().size(); }

  const DamagedChunk& chunk(std::size_t number) const override { return survey_.damage()[number]; }

  Bytes Load(const ChunkRef& ref) override { return LoadKind(ObjectKind::kDataChunk, ref); }

  ListedChunks LoadList(const ChunkRef& ref) override {
    return DecodeList(LoadKind(ObjectKind::kListChunk, ref));
  }

  KeyBlock LoadKeys(const ChunkRef& ref) override {
    return DecodeKeys(LoadKind(ObjectKind::kKeyChunk, ref));
  }

  std::uint64_t Fingerprint(const codec::Digest& hash) const override {
    return project_.keys().Fingerprint(hash);
  }

  ChunkRef NameKeys(const KeyBlock& block) const override {
    const Bytes plain = EncodeKeys(block);
    return {.id = project_.keys().NameChunk(ObjectKind::kKeyChunk, plain),
            .plain_size = static_cast<std::uint32_t>(plain.size()),
            .documents = static_cast<std::uint32_t>(block.fingerprints.size())};
  }

  ChunkRef NameDocuments(const std::vector<codec::Digest>& hashes,
                         std::size_t plain_size) const override {
    return {.id = project_.keys().NameDocuments(hashes),
            .plain_size = static_cast<std::uint32_t>(plain_size),
            .documents = static_cast<std::uint32_t>(hashes.size())};
  }

  bool Offer(ByteView plain, std::string_view how) override {
    return OfferKind(ChunkKind::kData, plain, how).has_value();
  }

  bool OfferKeys(const KeyBlock& block, std::string_view how) override {
    return OfferKind(ChunkKind::kKeys, EncodeKeys(block), how).has_value();
  }

  bool OfferList(const ListedChunks& chunks, std::string_view how) override {
    const auto number = OfferKind(ChunkKind::kList, EncodeList(chunks), how);
    if (number) {
      survey_.WalkHealedList(*number, chunks);
    }
    return number.has_value();
  }

  void Explain(std::size_t number, std::string why) override {
    survey_.damage()[number].outcome = std::move(why);
  }

  void ForEachUnlisted(
      const std::function<void(const ChunkId& id, ByteView plain)>& visit) override;

 private:
  Bytes LoadKind(ObjectKind kind, const ChunkRef& ref);
  // The number of the chunk when it has been healed by this.
  std::optional<std::size_t> OfferKind(ChunkKind kind, ByteView plain, std::string_view how);

  void PlanPlaces();
  void PlanChunk(std::span<const Place> places);
  void FindBrokenLists();
  void Execute();
  void IndexAgain();
  void DeleteBrokenLists();
  RepairReport Report();

  Project& project_;
  const RepairOptions options_;
  const std::stop_token stop_;
  const std::vector<SnapshotId> roots_;  // listed before the book is made
  PlaceBook book_;
  DamageSurvey survey_;
  Copier copier_;
  LatestOffers latest_;
  std::set<ChunkId> healed_;

  // What is to be done.
  std::vector<Place> indexed_;
  std::vector<Place> copied_;
  std::set<BadPlace> quarantined_;
  std::vector<GenerationId> broken_condemned_;
  std::vector<GenerationId> broken_waits_;
  std::vector<QuarantineId> broken_quarantine_;
};

Bytes ProjectRepair::LoadKind(ObjectKind kind, const ChunkRef& ref) {
  if (const Bytes* plain = latest_.Find(ref.id)) {
    return *plain;
  }
  const auto places = book_.Of(ref.id);
  const auto sound = std::ranges::find_if(places, [](const Place& place) { return place.sound; });
  if (sound != places.end()) {
    return OpenChunk(project_.keys(), kind, ref, book_.ReadSealed(*sound));
  }
  throw Error(ErrorCode::kNotFound, "reading " + DescribeObject(kind, ref.id) + ": it is damaged");
}

std::optional<std::size_t> ProjectRepair::OfferKind(ChunkKind kind,
                                                    ByteView plain,
                                                    std::string_view how) {
  ThrowIfStopped(stop_, kDoing);
  if (plain.size() > kMaxChunkPlain) {
    return std::nullopt;
  }
  const ObjectKind object = ObjectKindOf(kind);
  const ChunkId id = project_.keys().NameChunk(object, plain);
  const auto number = survey_.Find(id);
  if (!number || survey_.damage()[*number].kind != kind) {
    return std::nullopt;
  }
  DamagedChunk& chunk = survey_.damage()[*number];
  if (chunk.healed) {
    return std::nullopt;
  }
  if (!options_.dry_run) {
    const Bytes sealed = SealChunk(
        project_.keys(), object, id, plain, options_.compression_level, project_.random());
    copier_.CopyChunk({.kind = object,
                       .id = id,
                       .stored_size = static_cast<std::uint32_t>(sealed.size()),
                       .plain_size = static_cast<std::uint32_t>(plain.size())},
                      sealed);
  }
  latest_.Add(id, plain);
  healed_.insert(id);
  chunk.healed = true;
  chunk.outcome = how;
  return number;
}

void ProjectRepair::ForEachUnlisted(
    const std::function<void(const ChunkId& id, ByteView plain)>& visit) {
  for (const Place& place : book_.places()) {
    ThrowIfStopped(stop_, kDoing);
    if (place.kind == ObjectKind::kDataChunk && place.sound && !place.live) {
      visit(place.id,
            OpenChunk(project_.keys(),
                      place.kind,
                      {place.id, place.plain_size, 0},
                      book_.ReadSealed(place)));
    }
  }
}

// ---- what to do with places

void ProjectRepair::PlanPlaces() {
  for (const PlaceBook::Pack& pack : book_.packs()) {
    if (!pack.has_footer && !book_.quarantine().Contains(pack.id, 0)) {
      quarantined_.insert({pack.id, 0});
    }
  }
  const std::vector<Place>& places = book_.places();
  for (auto first = places.begin(); first != places.end();) {
    const auto end = std::find_if(
        first, places.end(), [&](const Place& place) { return place.id != first->id; });
    PlanChunk({first, end});
    first = end;
  }
}

// All places of one chunk. A bad place is quarantined even when the chunk is nowhere else: the next
// snapshot that holds the same documents then stores it, and all that need it are whole again.
void ProjectRepair::PlanChunk(std::span<const Place> places) {
  const auto solid = [this](const Place& place) { return book_.IsSolid(place); };
  const bool has_solid = std::ranges::any_of(places, solid);
  const auto best = std::ranges::find_if(places, [this](const Place& place) {
    return place.sound && !place.quarantined && book_.packs()[place.pack].has_footer;
  });
  const auto any_sound =
      std::ranges::find_if(places, [](const Place& place) { return place.sound; });
  const bool live = places.front().live;
  const bool was_indexed =
      !book_.bad_segments().empty() ||
      std::ranges::any_of(places, [](const Place& place) { return place.indexed; });
  if (!has_solid && best != places.end() && (live || was_indexed)) {
    indexed_.push_back(*best);
  } else if (!has_solid && any_sound != places.end() && live) {
    copied_.push_back(*any_sound);
  }
  for (const Place& place : places) {
    const bool bad = !place.sound || !book_.packs()[place.pack].has_footer;
    if (place.indexed && bad && !place.quarantined) {
      quarantined_.insert({book_.packs()[place.pack].id, place.offset});
    }
  }
}

void ProjectRepair::FindBrokenLists() {
  blob::BlobStore& store = project_.store();
  const ProjectKeys& keys = project_.keys();
  const ProjectId& id = keys.project();
  const auto opens = [](const auto& open) {
    try {
      open();
      return true;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorrupt) {
        throw;
      }
      return false;
    }
  };
  for (const auto& list : ListIds<GenerationId>(store, CondemnedPrefix(id))) {
    if (!opens([&] { LoadCondemned(store, keys, list); })) {
      broken_condemned_.push_back(list);
    }
  }
  for (const auto& list : ListIds<GenerationId>(store, WaitListPrefix(id))) {
    if (!opens([&] { LoadWaitList(store, keys, list); })) {
      broken_waits_.push_back(list);
    }
  }
  for (const auto& list : ListIds<QuarantineId>(store, QuarantinePrefix(id))) {
    if (!opens([&] { OpenQuarantine(keys, list, store.Get(QuarantineName(id, list))); })) {
      broken_quarantine_.push_back(list);
    }
  }
}

// docs/format.md, "Repair": what takes the place of something is durable before that goes, and
// before the bad place is quarantined.
void ProjectRepair::Execute() {
  for (const Place& place : copied_) {
    ThrowIfStopped(stop_, kDoing);
    copier_.CopyChunk({.kind = place.kind,
                       .id = place.id,
                       .stored_size = place.stored_size,
                       .plain_size = place.plain_size},
                      book_.ReadSealed(place));
  }
  IndexAgain();
  copier_.Finish();
  for (const SegmentId& id : book_.bad_segments()) {
    project_.store().Delete(SegmentName(project_.keys().project(), id));
  }
  PutQuarantine(project_.store(), project_.keys(), quarantined_, project_.random());
  DeleteBrokenLists();
}

void ProjectRepair::IndexAgain() {
  std::ranges::sort(
      indexed_, {}, [](const Place& place) { return std::pair(place.pack, place.offset); });
  for (const Place& place : indexed_) {
    copier_.KeepEntry(
        place.id,
        {.offset = place.offset, .stored_size = place.stored_size, .plain_size = place.plain_size},
        book_.packs()[place.pack].id);
  }
}

// A condemned list without a wait list waits for more sessions, never for fewer.
void ProjectRepair::DeleteBrokenLists() {
  blob::BlobStore& store = project_.store();
  const ProjectId& id = project_.keys().project();
  for (const GenerationId& list : broken_waits_) {
    store.Delete(WaitListName(id, list));
  }
  for (const GenerationId& list : broken_condemned_) {
    store.Delete(WaitListName(id, list));
    store.Delete(CondemnedName(id, list));
  }
  for (const QuarantineId& list : broken_quarantine_) {
    store.Delete(QuarantineName(id, list));
  }
}

RepairReport ProjectRepair::Report() {
  RepairReport report{.dry_run = options_.dry_run,
                      .manifests = survey_.manifests(),
                      .indexed = indexed_.size(),
                      .copied = copied_.size(),
                      .quarantined = quarantined_.size(),
                      .chunks_read = book_.chunks_read(),
                      .bytes_read = book_.bytes_read(),
                      .passed_over = survey_.passed_over()};
  for (const SegmentId& id : book_.bad_segments()) {
    report.segments.push_back(HexEncode(id.bytes));
  }
  for (const PlaceBook::Pack& pack : book_.packs()) {
    if (!pack.has_footer && !book_.quarantine().Contains(pack.id, 0)) {
      report.packs.push_back(HexEncode(pack.id.bytes));
    }
  }
  for (const GenerationId& id : broken_condemned_) {
    report.lists.push_back(DescribeObject(ObjectKind::kCondemned, id.bytes));
  }
  for (const GenerationId& id : broken_waits_) {
    report.lists.push_back(DescribeObject(ObjectKind::kWaitList, id.bytes));
  }
  for (const QuarantineId& id : broken_quarantine_) {
    report.lists.push_back(DescribeObject(ObjectKind::kQuarantine, id.bytes));
  }
  for (DamagedChunk& chunk : survey_.damage()) {
    ++(chunk.healed ? report.healed : report.lost);
    report.chunks.push_back(std::move(chunk));
  }
  return report;
}

}  // namespace

RepairReport RepairProject(Project& project,
                           const RepairOptions& options,
                           const Healer& heal,
                           const std::stop_token& stop) {
  const MutexLock lock(project.collection_mutex());  // nothing that was listed goes meanwhile
  const std::unique_ptr<Session> session =
      options.dry_run ? BeginReading(project) : std::make_unique<Session>(project);
  return ProjectRepair(project, options, stop).Run(heal ? heal : [](DamagedProject&) {});
}

}  // namespace tidemark::repo
