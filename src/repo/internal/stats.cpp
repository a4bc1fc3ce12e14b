#include "repo/internal/stats.h"

#include <algorithm>

#include "base/error.h"
#include "repo/internal/byte_reader.h"
#include "repo/internal/chunk_codec.h"
#include "repo/internal/inventory.h"
#include "repo/internal/maintenance.h"
#include "repo/internal/roots.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kDoing = "counting what is stored";

// Walks the snapshots from old to new. Each stored chunk belongs to the oldest that references it,
// until a second one does: then it is shared. A list chunk that is shared has had all its chunks
// marked as shared, so it is read at most twice.
class StatsReader {
 public:
  StatsReader(const Project& project, const std::stop_token& stop)
      : project_(project),
        stop_(stop),
        inventory_(TakeStock(project, stop)),
        owner_(inventory_.index.entries().size()),
        shared_(inventory_.index.entries().size()) {}

  RepositoryStats Read() {
    std::vector<SnapshotId> roots = ListSnapshots(project_.store(), project_.keys().project());
    std::ranges::sort(roots);  // an id begins with the time it was made
    for (const SnapshotId& id : roots) {
      ThrowIfStopped(stop_, kDoing);
      if (const std::optional<Manifest> manifest = LoadRoot(project_, id)) {
        AddSnapshot(*manifest);
      }
    }
    AddStored();
    return std::move(stats_);
  }

 private:
  enum class Visit { kFirst, kSecond, kKnown };

  void AddSnapshot(const Manifest& manifest);
  void WalkList(const ListOfRun& list);
  Visit Touch(const ChunkId& id, ObjectKind kind);
  void AddStored();

  const Project& project_;
  const std::stop_token stop_;
  Inventory inventory_;
  std::vector<std::uint32_t> owner_;  // by number of index entry: snapshot number + 1
  std::vector<bool> shared_;
  RepositoryStats stats_;
};

void StatsReader::AddSnapshot(const Manifest& manifest) {
  SnapshotStats& snapshot = stats_.snapshots.emplace_back();
  snapshot.snapshot = manifest.snapshot;
  snapshot.created = manifest.created;
  snapshot.cluster_name = manifest.cluster_name;
  for (const NamespaceEntry& entry : manifest.namespaces) {
    snapshot.logical += ByteCount{entry.logical_bytes};
  }
  stats_.logical += snapshot.logical;
  const auto size =
      project_.store().Size(ManifestName(project_.keys().project(), manifest.snapshot));
  const ByteCount stored = size.value_or(ByteCount{});
  snapshot.exclusive += stored;
  snapshot.added += stored;
  stats_.manifests += stored;
  VisitLists(manifest, [&](const ListOfRun& list) {
    try {
      WalkList(list);
    } catch (const Error& error) {
      throw error.WithContext("snapshot " + manifest.snapshot.ToString() + " " + DescribeRun(list));
    }
  });
}

void StatsReader::WalkList(const ListOfRun& list) {
  if (Touch(list.ref.id, ObjectKind::kListChunk) == Visit::kKnown) {
    return;
  }
  ThrowIfStopped(stop_, kDoing);
  const auto listed = LoadList(project_, inventory_.index, list.ref);
  TIDEMARK_CHECK(listed.has_value());
  for (const auto& [ref, first_id] : *listed) {
    Touch(ref.id, list.listed);
  }
}

StatsReader::Visit StatsReader::Touch(const ChunkId& id, ObjectKind kind) {
  const std::optional<std::uint32_t> number = inventory_.index.FindNumber(id);
  if (!number) {
    throw Error(ErrorCode::kCorrupt,
                "reading " + DescribeObject(kind, id) + ": it is in no pack",
                "find what is damaged with: tidemark repo check");
  }
  const ChunkPlace place = PlaceOf(inventory_.index, *number);
  const ByteCount size{place.slot.stored_size};
  const auto current = static_cast<std::uint32_t>(stats_.snapshots.size());
  std::uint32_t& owner = owner_[*number];
  if (owner == 0) {
    owner = current;
    stats_.snapshots.back().exclusive += size;
    stats_.snapshots.back().added += size;
    inventory_.packs[place.pack].live_bytes += size.value;
    return Visit::kFirst;
  }
  if (owner == current || shared_[*number]) {
    return Visit::kKnown;
  }
  shared_[*number] = true;
  stats_.snapshots[owner - 1].exclusive.value -= size.value;
  return Visit::kSecond;
}

void StatsReader::AddStored() {
  stats_.chunks = inventory_.index.entries().size();
  for (const auto& [id, segment] : inventory_.segments) {
    stats_.index += segment.size;
  }
  for (const auto& [id, pack] : inventory_.packs) {
    stats_.packs += pack.size;
    const std::uint64_t payload =
        pack.payload_end == 0 ? pack.size.value : pack.payload_end - kHeaderSize;
    stats_.unreferenced += ByteCount{payload - pack.live_bytes};
  }
}

}  // namespace

RepositoryStats ReadProjectStats(Project& project, const std::stop_token& stop) {
  const MutexLock lock(project.collection_mutex());  // nothing that was listed goes meanwhile
  return StatsReader(project, stop).Read();
}

}  // namespace tidemark::repo
