#include <algorithm>
#include <deque>
#include <thread>

#include "base/error.h"
#include "engine/internal/compaction.h"
#include "engine/internal/run_levels.h"
#include "tests/fault/campaign.h"
#include "tests/fault/child.h"
#include "tests/fault/world.h"

// A child works on a repository in a directory and is killed; then the repository has to open, be
// whole and hold every snapshot that was committed, and the work that was cut has to be finished by
// the next child.
namespace tidemark::fault {
namespace {

using std::chrono::microseconds;

constexpr std::size_t kKept = 4;             // snapshots
constexpr std::uint64_t kReadDataEvery = 8;  // kills
constexpr std::uint64_t kMaxAttempts = 20;   // in which no kill hits, for each kill that is wanted

// A source that tells the parent when all of a namespace has been read: what follows is merging.
class PhaseSource final : public engine::SnapshotSource {
 public:
  PhaseSource(engine::MemorySource inner, Shared& shared)
      : inner_(std::move(inner)), shared_(shared) {}

  engine::SourceCatalog ReadCatalog() override { return inner_.ReadCatalog(); }

  bool ReadsById(const engine::SourceNamespace& ns) override { return inner_.ReadsById(ns); }

  void ScanById(const engine::SourceNamespace& ns,
                ByteView after,
                const std::stop_token& stop,
                const std::function<void(ByteView document)>& visit) override {
    shared_.Enter("scan");
    inner_.ScanById(ns, after, stop, visit);
    shared_.Enter("merge");
    shared_.Note(1);
  }

  void Scan(const engine::SourceNamespace& ns,
            const std::stop_token& stop,
            const std::function<void(ByteView document)>& visit) override {
    shared_.Enter("scan");
    inner_.Scan(ns, stop, visit);
    shared_.Enter("merge");
    shared_.Note(1);
  }

 private:
  engine::MemorySource inner_;
  Shared& shared_;
};

class KilledRepository {
 public:
  KilledRepository(const CampaignOptions& options, const Model::Shape& shape)
      : options_(options),
        root_((options.directory / "repository").string()),
        random_(options.seed),
        model_(options.seed + 1, shape) {
    std::filesystem::remove_all(root_);
    const auto store = blob::OpenDirectoryStore(root_);
    repo::Repository::Create(*store, TestNames().master, ids_);
  }

  CampaignReport& report() { return report_; }

  bool MoreWanted() {
    const bool hopeless = attempts_ > options_.count * kMaxAttempts;
    if (hopeless) {
      report_.Violation("the kills never hit");
    }
    return !hopeless && report_.violations() == 0 && Kills() < options_.count;
  }

  std::uint64_t Kills() const { return report_.CountOf("kills"); }

  std::uint64_t Below(std::uint64_t bound) { return random_.Next() % bound; }

  const std::deque<SnapshotId>& kept() const { return kept_; }

  // By _id or in natural order: a snapshot that was cut may go on in the other way.
  std::function<void()> Snapshot(const SnapshotId& id) {
    const bool by_id = Below(2) == 0;
    return [this, id, by_id] {
      Session session(OpenStore());
      session.OpenAsOwner();
      engine::MemorySource documents = model_.Source();
      if (by_id) {
        documents.OfferById();
      }
      PhaseSource source(std::move(documents), shared_);
      session.Take(source, id, kept_.empty() ? std::nullopt : std::optional(kept_.back()));
    };
  }

  // Sometimes beside a session whose owner is dead: then the collection waits.
  std::function<void()> Collection() {
    const bool waits = Below(3) == 0;
    return [this, waits] {
      Session session(OpenStore());
      session.OpenAsOwner();
      if (waits) {
        session.store().Put(
            "sessions/" + TestNames().project.ToString() + "/" + RandomHex(session.random(), 16),
            {});
      }
      session.Collect();
    };
  }

  // A snapshot that is killed and never goes on: garbage, and perhaps a partial manifest.
  void Abandon() {
    Churn();
    const SnapshotId id = NextId();
    {
      const Child cut(Snapshot(id));
      std::this_thread::sleep_for(span_ / 2);
    }
    Session session(blob::OpenDirectoryStore(root_));
    repo::Repository& repository = session.OpenAsOwner();
    repository.DeleteManifest(TestNames().project, id);
    if (Below(2) == 0) {
      for (const SnapshotId& partial : repository.ListPartials(TestNames().project)) {
        repository.DropPartial(TestNames().project, partial);
      }
    }
  }

  void Churn() { model_.Churn(); }

  SnapshotId NextId() { return NextSnapshotId(ids_); }

  // Allows the snapshot to be there or not.
  void Begin(const SnapshotId& id) { expected_.possible = {{id, model_.Now()}}; }

  void Finish(const SnapshotId& id) {
    span_ = RunMeasured(Snapshot(id));
    expected_.possible.clear();
    expected_.committed[id] = model_.Now();
    kept_.push_back(id);
    Verify(false, "after the snapshot was finished");
  }

  // One more snapshot, undisturbed.
  void TakeOne() {
    Churn();
    Finish(NextId());
  }

  void DeleteOldest() {
    while (kept_.size() > kKept) {
      const SnapshotId oldest = kept_.front();
      kept_.pop_front();
      expected_.committed.erase(oldest);
      Session session(blob::OpenDirectoryStore(root_));
      session.OpenAsOwner().DeleteManifest(TestNames().project, oldest);
    }
  }

  void DeleteRandom() {
    if (kept_.size() > 1) {
      std::swap(kept_.front(), kept_[Below(kept_.size() - 1)]);  // never the newest, the base
      const SnapshotId victim = kept_.front();
      kept_.pop_front();
      expected_.committed.erase(victim);
      Session session(blob::OpenDirectoryStore(root_));
      session.OpenAsOwner().DeleteManifest(TestNames().project, victim);
    }
  }

  microseconds FinishCollections() {
    const microseconds took = RunMeasured([this] {
      Session session(OpenStore());
      repo::Repository& repository = session.OpenAsOwner();
      for (const SnapshotId& partial : repository.ListPartials(TestNames().project)) {
        repository.DropPartial(TestNames().project, partial);
      }
      session.CollectAll();
    });
    Verify(false, "after the collection was finished");
    Session session(blob::OpenDirectoryStore(root_));
    const auto stats = session.OpenAsOwner().OpenMaintenance(TestNames().project)->ReadStats({});
    if (stats.unreferenced.value != 0) {
      report_.Violation("garbage stays after a finished collection");
    }
    return took;
  }

  // Kills `work`: at a random moment of `span`, which begins when `wait` says so; or, every other
  // time, at a random one of its calls to the store. False when it ended first.
  bool KillIn(
      const std::function<void()>& work, microseconds span, const std::function<bool()>& wait = [] {
        return true;
      }) {
    const bool at_a_step = ++attempts_ % 2 == 0;
    shared_.Reset(at_a_step ? 1 + Below(steps_) : 0);
    Child child(work);
    if (!at_a_step) {
      while (!wait() && !child.HasEnded()) {
        std::this_thread::sleep_for(microseconds(50));
      }
      std::this_thread::sleep_for(
          microseconds(Below(static_cast<std::uint64_t>(span.count()) + 1)));
    }
    const Ending ending = at_a_step ? child.Wait() : child.Kill();
    if (ending == Ending::kFailed) {
      report_.Violation("the work failed without being killed");
    }
    if (ending != Ending::kKilled) {
      report_.Count("missed");
      return false;
    }
    report_.Count("kills");
    last_phase_ = shared_.phase();
    report_.Count(last_phase_);
    Verify(Kills() % kReadDataEvery == 0, std::string("after a kill at ") + last_phase_);
    return true;
  }

  const std::string& last_phase() const { return last_phase_; }

  Shared& shared() { return shared_; }

  microseconds span() const { return span_; }

  std::uint64_t steps() const { return steps_; }

  void SetSteps(std::uint64_t steps) { steps_ = steps; }

  void Verify(bool read_data, const std::string& when) {
    Session session(blob::OpenDirectoryStore(root_));
    session.OpenAsOwner();
    if (const std::string fault = FaultOf(session, expected_, read_data); !fault.empty()) {
      report_.Violation(when + ": " + fault);
    }
    report_.Count("verified");
  }

  // How many runs the newest snapshot's only collection has beside its base; and how they overlap.
  std::size_t DeltaOverlap() {
    Session session(blob::OpenDirectoryStore(root_));
    const repo::Manifest manifest = session.Open().LoadManifest(TestNames().project, kept_.back());
    const repo::NamespaceEntry& entry = manifest.namespaces.at(0);
    return engine::MaxOverlap(engine::Pointers(std::span(entry.runs).subspan(entry.base_runs)));
  }

 private:
  std::unique_ptr<blob::BlobStore> OpenStore() {
    return std::make_unique<PhaseStore>(blob::OpenDirectoryStore(root_), shared_);
  }

  microseconds RunMeasured(const std::function<void()>& work) {
    shared_.Reset();
    const microseconds took = RunChild(work);
    steps_ = shared_.steps();
    return took;
  }

  const CampaignOptions options_;
  const std::string root_;
  SeededRandom random_;
  SystemRandom ids_;
  Model model_;
  Shared shared_;
  Expected expected_;
  std::deque<SnapshotId> kept_;  // committed, oldest first
  CampaignReport report_;
  microseconds span_{0};     // of a snapshot that nobody killed
  std::uint64_t steps_ = 1;  // of the work that was measured last
  std::uint64_t attempts_ = 0;
  std::string last_phase_;
};

}  // namespace

CampaignReport KillSnapshots(const CampaignOptions& options) {
  KilledRepository world(options, {});
  world.TakeOne();
  for (int round = 0; world.MoreWanted(); ++round) {
    world.Churn();
    const SnapshotId id = world.NextId();
    world.Begin(id);
    do {
      world.KillIn(world.Snapshot(id), world.span());
    } while (world.Below(2) == 0 && world.MoreWanted());
    world.Finish(id);
    world.DeleteOldest();
    if (round % 10 == 9) {
      world.FinishCollections();
    }
  }
  world.Verify(true, "at the end");
  return world.report();
}

CampaignReport KillCompactions(const CampaignOptions& options) {
  KilledRepository world(options, {.collections = 1, .documents = 500});
  world.TakeOne();
  const auto all_is_read = [&world] { return world.shared().note() != 0; };
  while (world.MoreWanted()) {
    if (world.DeltaOverlap() < engine::kMaxDeltaRuns) {
      world.TakeOne();
      world.DeleteOldest();
      continue;
    }
    world.Churn();
    const SnapshotId id = world.NextId();
    world.Begin(id);
    for (int kill = 0; kill < 4 && world.MoreWanted(); ++kill) {
      world.KillIn(world.Snapshot(id), world.span() / 2, all_is_read);
    }
    world.Finish(id);
    if (world.DeltaOverlap() >= engine::kMaxDeltaRuns) {
      world.report().Violation("a compaction was due and did not happen");
    }
    world.report().Count("compactions");
    world.FinishCollections();
  }
  world.Verify(true, "at the end");
  return world.report();
}

CampaignReport KillCollections(const CampaignOptions& options) {
  KilledRepository world(options, {});
  world.TakeOne();
  world.TakeOne();
  world.TakeOne();
  microseconds span = world.span();
  std::uint64_t collection_steps = world.steps();
  while (world.MoreWanted()) {
    world.TakeOne();
    world.DeleteRandom();
    world.DeleteOldest();
    if (world.Below(4) == 0) {
      world.Abandon();
    }
    world.SetSteps(collection_steps);
    do {
      world.KillIn(world.Collection(), span);
    } while (world.Below(3) != 0 && world.MoreWanted());
    span = world.FinishCollections();
    collection_steps = world.steps();
  }
  world.Verify(true, "at the end");
  return world.report();
}

}  // namespace tidemark::fault
