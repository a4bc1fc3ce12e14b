#include "repo/internal/structure_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "repo/internal/chunk_codec.h"
#include "repo/internal/condemned.h"
#include "repo/internal/inventory.h"
#include "repo/internal/maintenance.h"
#include "repo/internal/pack.h"
#include "repo/internal/roots.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kDoing = "checking the repository";

// Where in a run something is.
struct RunPart {
  Bytes first_id;
  Bytes end_id;
};

class StructureChecker {
 public:
  StructureChecker(const Project& project, const std::stop_token& stop)
      : project_(project), stop_(stop) {}

  StructureCheck Check() {
    ListEverything();
    CheckCondemned();
    CheckQuarantine();
    CheckSegments();
    CheckPacks();
    for (const SnapshotId& id : roots_) {
      CheckRoot(id);
    }
    check_.snapshots = roots_.size();
    check_.chunks = index_.entries().size();
    return std::move(check_);
  }

 private:
  enum class Places { kSound, kQuarantined };

  void ListEverything();
  void CheckCondemned();
  void CheckQuarantine();
  void CheckSegments();
  void AddSegment(const IndexSegment& segment, Places places);
  void CheckPacks();
  void ComparePack(const PackId& id, ByteCount size);
  void CheckRoot(const SnapshotId& id);
  void CheckRun(const SnapshotId& snapshot, const NamespaceEntry& entry, std::size_t number);
  void CheckLists(const std::vector<ChunkRef>& lists, ObjectKind listed);
  Bytes CheckList(const ChunkRef& list, ObjectKind listed, const RunPart& part);
  void CheckPlace(ObjectKind kind, const ChunkRef& ref) const;
  Bytes FirstIdOf(const ChunkRef* list) const;
  void Report(std::string message, RunPart part = {});

  // Runs `step`; what it throws becomes a finding. False then.
  template <class Step>
  bool Try(RunPart part, const Step& step) {
    ThrowIfStopped(stop_, kDoing);
    try {
      step();
      return true;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::kCancelled) {
        throw;
      }
      Report(std::string(error.message()), std::move(part));
      return false;
    }
  }

  const Project& project_;
  const std::stop_token stop_;
  StructureCheck check_;

  std::vector<SnapshotId> roots_;
  Unfinished unfinished_;
  std::vector<SegmentId> segments_;
  std::vector<SegmentId> good_segments_;
  std::map<PackId, ByteCount> packs_;
  Quarantine quarantine_;
  ChunkIndex index_;
  std::map<PackId, std::uint64_t> indexed_;  // sound places of the index in each pack
  std::set<ChunkId> good_lists_;             // with all that they list

  // What is being checked, for Report.
  Finding where_;
};

void StructureChecker::Report(std::string message, RunPart part) {
  Finding finding = where_;
  finding.first_id = std::move(part.first_id);
  finding.end_id = std::move(part.end_id);
  finding.message = std::move(message);
  check_.findings.Add(std::move(finding));
}

// Manifests, segments, packs: what each names was there before it (I2, I3).
void StructureChecker::ListEverything() {
  blob::BlobStore& store = project_.store();
  const ProjectId& project = project_.keys().project();
  roots_ = ListRoots(project_);
  std::ranges::sort(roots_);
  unfinished_ = ListUnfinished(project_);
  const auto segments = ListIds<SegmentId>(store, SegmentPrefix(project));
  segments_.assign(segments.begin(), segments.end());
  store.List(PackPrefix(project), [&](const std::string& name, ByteCount size) {
    if (const auto id = ParseRandomId(name)) {
      packs_[PackId{*id}] = size;
    }
  });
  quarantine_ = LoadQuarantine(store, project_.keys());
  check_.segments = segments_.size();
  check_.packs = packs_.size();
}

void StructureChecker::CheckCondemned() {
  blob::BlobStore& store = project_.store();
  const ProjectId& project = project_.keys().project();
  for (const auto& id : ListIds<GenerationId>(store, CondemnedPrefix(project))) {
    Try({}, [&] { LoadCondemned(store, project_.keys(), id); });
  }
  for (const auto& id : ListIds<GenerationId>(store, WaitListPrefix(project))) {
    Try({}, [&] { LoadWaitList(store, project_.keys(), id); });
  }
}

void StructureChecker::CheckQuarantine() {
  blob::BlobStore& store = project_.store();
  const ProjectId& project = project_.keys().project();
  for (const auto& id : ListIds<QuarantineId>(store, QuarantinePrefix(project))) {
    Try({}, [&] { OpenQuarantine(project_.keys(), id, store.Get(QuarantineName(project, id))); });
  }
}

// Segments that opened are read once more for the places in quarantine, which count only for
// chunks that are nowhere else.
void StructureChecker::CheckSegments() {
  const auto read = [this](const SegmentId& id, Places places) {
    const Bytes blob = project_.store().Get(SegmentName(project_.keys().project(), id));
    AddSegment(OpenIndexSegment(project_.keys(), id, blob), places);
  };
  for (const SegmentId& id : segments_) {
    const bool opened = Try({}, [&] { read(id, Places::kSound); });
    if (opened) {
      good_segments_.push_back(id);
    }
  }
  if (!quarantine_.empty()) {
    for (const SegmentId& id : good_segments_) {
      Try({}, [&] { read(id, Places::kQuarantined); });
    }
  }
}

void StructureChecker::AddSegment(const IndexSegment& segment, Places places) {
  std::map<std::uint32_t, std::uint32_t> numbers;
  for (const auto& [chunk, slot] : segment.entries) {
    const PackId& pack = segment.packs[slot.pack];
    const bool bad = quarantine_.Contains(pack, slot.offset);
    if (!packs_.contains(pack) || bad != (places == Places::kQuarantined)) {
      continue;  // whoever references the chunk is told that it is in no pack
    }
    const auto [number, added] = numbers.try_emplace(slot.pack, 0);
    if (added) {
      number->second = index_.AddPack(pack);
    }
    ChunkSlot renumbered = slot;
    renumbered.pack = number->second;
    if (index_.Insert(chunk, renumbered) && !bad) {
      ++indexed_[pack];
    }
  }
}

void StructureChecker::CheckPacks() {
  for (const auto& pack : packs_) {
    Try({}, [&] { ComparePack(pack.first, pack.second); });
  }
}

void StructureChecker::ComparePack(const PackId& id, ByteCount size) {
  if (indexed_[id] == 0 && quarantine_.Names(id)) {
    return;  // what snapshots need of it is elsewhere, or found missing with them
  }
  std::uint64_t found = 0;
  for (const PackEntry& entry : ReadPackFooter(project_.keys(), id, project_.store(), size)) {
    const std::optional<std::uint32_t> number = index_.FindNumber(entry.id);
    if (!number || quarantine_.Contains(id, entry.offset)) {
      continue;
    }
    const auto [pack, slot] = PlaceOf(index_, *number);
    const bool same = pack == id && slot.offset == entry.offset &&
                      slot.stored_size == entry.stored_size && slot.plain_size == entry.plain_size;
    found += same ? 1 : 0;
  }
  if (found != indexed_[id]) {
    throw Error(ErrorCode::kCorrupt,
                "comparing " + DescribeObject(ObjectKind::kPackFooter, id.bytes) + ": " +
                    std::to_string(indexed_[id] - found) +
                    " chunks of the index are not in its footer");
  }
}

void StructureChecker::CheckRoot(const SnapshotId& id) {
  where_ = {.snapshot = id};
  Try({}, [&] {
    const std::optional<Manifest> manifest = LoadRoot(project_, id, unfinished_);
    if (!manifest) {
      return;  // deleted, or going on, meanwhile
    }
    VisitEntries(*manifest, [&](const NamespaceEntry& entry) {
      for (std::size_t number = 1; number <= entry.runs.size(); ++number) {
        CheckRun(id, entry, number);
      }
    });
  });
}

void StructureChecker::CheckRun(const SnapshotId& snapshot,
                                const NamespaceEntry& entry,
                                std::size_t number) {
  where_ = {
      .snapshot = snapshot, .name_space = entry.database + "." + entry.collection, .run = number};
  const Run& run = entry.runs[number - 1];
  CheckLists(run.lists, ObjectKind::kDataChunk);
  CheckLists(run.key_lists, ObjectKind::kKeyChunk);
  std::uint64_t documents = 0;
  for (const ChunkRef& list : run.lists) {
    documents += list.documents;
  }
  if (documents != run.documents) {
    Report("reading the manifest: its lists hold " + std::to_string(documents) +
           " documents, the run is said to hold " + std::to_string(run.documents));
  }
}

// Where the list begins; empty when that cannot be told.
Bytes StructureChecker::FirstIdOf(const ChunkRef* list) const {
  try {
    const auto chunks = list == nullptr ? std::nullopt : LoadList(project_, index_, *list);
    return chunks && !chunks->empty() ? chunks->front().first_id : Bytes();
  } catch (const Error&) {
    return {};  // reported when its turn comes
  }
}

void StructureChecker::CheckLists(const std::vector<ChunkRef>& lists, ObjectKind listed) {
  Bytes reached;  // the first _id of the last chunk before
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const ChunkRef& list = lists[i];
    if (good_lists_.contains(list.id)) {
      continue;
    }
    const bool last = i + 1 == lists.size();
    const RunPart part{reached, FirstIdOf(last ? nullptr : &lists[i + 1])};
    const std::uint64_t before = check_.findings.total();
    Try(part, [&] { reached = CheckList(list, listed, part); });
    if (check_.findings.total() == before) {
      good_lists_.insert(list.id);
    }
  }
}

// Returns the first _id of the last chunk that is listed.
Bytes StructureChecker::CheckList(const ChunkRef& list, ObjectKind listed, const RunPart& part) {
  CheckPlace(ObjectKind::kListChunk, list);
  const ListedChunks chunks = LoadList(project_, index_, list).value_or(ListedChunks());
  for (std::size_t at = 0; at < chunks.size(); ++at) {
    const bool last = at + 1 == chunks.size();
    const RunPart chunk{chunks[at].first_id, last ? part.end_id : chunks[at + 1].first_id};
    Try(chunk, [&] { CheckPlace(listed, chunks[at].ref); });
  }
  if (CountDocuments(chunks) != list.documents) {
    Report("reading " + DescribeObject(ObjectKind::kListChunk, list.id) +
           ": it does not list as many documents as the manifest says");
  }
  return chunks.empty() ? part.first_id : chunks.back().first_id;
}

void StructureChecker::CheckPlace(ObjectKind kind, const ChunkRef& ref) const {
  const std::optional<std::uint32_t> number = index_.FindNumber(ref.id);
  if (!number) {
    ThrowNoSuchChunk(kind, ref.id);
  }
  const auto [pack, slot] = PlaceOf(index_, *number);
  const std::string what = "looking up " + DescribeObject(kind, ref.id);
  if (slot.plain_size != ref.plain_size) {
    throw Error(ErrorCode::kCorrupt, what + ": the index and its list differ in its size");
  }
  if (quarantine_.Contains(pack, slot.offset)) {
    throw Error(ErrorCode::kCorrupt,
                what + ": a repair has found it damaged in " +
                    DescribeObject(ObjectKind::kPackFooter, pack.bytes) +
                    " and could not store it anew");
  }
  const std::uint64_t end = std::uint64_t{slot.offset} + slot.stored_size;
  if (end > packs_.at(pack).value) {
    throw Error(
        ErrorCode::kCorrupt,
        what + ": " + DescribeObject(ObjectKind::kPackFooter, pack.bytes) + " ends before it does");
  }
}

}  // namespace

StructureCheck CheckProject(Project& project, const std::stop_token& stop) {
  const MutexLock lock(project.collection_mutex());  // nothing that was listed goes meanwhile
  return StructureChecker(project, stop).Check();
}

}  // namespace tidemark::repo
