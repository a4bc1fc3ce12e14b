#include <filesystem>
#include <fstream>
#include <thread>

#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "bson/builder.h"
#include "delivery/cluster_restore.h"
#include "tests/fault/campaign.h"
#include "tests/fault/child.h"
#include "tests/fault/world.h"
#include "tests/support/memory_server.h"

// A child restores into a server that survives it, with checkpoints, and is killed; the next one
// goes on. The parent speaks to nobody itself: a process with the driver's threads must not fork.
namespace tidemark::fault {
namespace {

using std::chrono::microseconds;

constexpr std::uint64_t kMaxAttempts = 20;  // in which no kill hits, for each kill that is wanted

// What a child that looks at the target tells the parent.
enum Look { kOther = 1, kOld, kNew, kMarked };

// Its port is the note.
void ServeForever(Shared& shared) {
  const SystemClock clock;
  SystemRandom random;
  memory::MemoryServer server({}, clock, random);
  shared.Note(server.port());
  while (true) {
    pause();
  }
}

Bytes Index(std::string_view field) {
  const Bytes key = bson::Builder().Append(field, 1).Finish();
  return bson::Builder()
      .Append("v", 2)
      .Append("key", bson::Document(key))
      .Append("name", std::string(field) + "_1")
      .Finish();
}

class KilledRestores {
 public:
  explicit KilledRestores(const CampaignOptions& options)
      : options_(options),
        root_((options.directory / "repository").string()),
        checkpoint_(options.directory / "checkpoint"),
        random_(options.seed),
        server_([this] { ServeForever(server_note_); }) {
    TakeSnapshots();
    while (server_note_.note() == 0 && !server_.HasEnded()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    uri_ = "mongodb://127.0.0.1:" + std::to_string(server_note_.note()) + "/";
  }

  CampaignReport Run() {
    span_ = RunChild(Restore(0));
    RemoveCheckpoint();
    for (std::size_t wanted = 1; MoreWanted(); wanted = 1 - wanted) {
      bool begun = false;
      do {
        KillOne(wanted, begun);
      } while (random_.Next() % 3 != 0 && MoreWanted());
      const bool goes_on = std::filesystem::exists(checkpoint_);
      span_ = (span_ * 3 + RunChild(Restore(wanted))) / 4;
      report_.Count(goes_on ? "went-on" : "began-anew");
      RemoveCheckpoint();
      if (LookAt(wanted) != kNew) {
        report_.Violation("a restore has ended, and the target is not equal or marked");
      }
    }
    return report_;
  }

 private:
  bool MoreWanted() {
    const bool hopeless = attempts_ > options_.count * kMaxAttempts;
    if (hopeless) {
      report_.Violation("the kills never hit");
    }
    return !hopeless && report_.violations() == 0 && report_.CountOf("kills") < options_.count;
  }

  void TakeSnapshots() {
    std::filesystem::remove_all(root_);
    Session session(blob::OpenDirectoryStore(root_));
    repo::Repository::Create(session.store(), TestNames().master, session.random());
    session.OpenAsOwner();
    Model model(options_.seed + 1, {.collections = 4});
    for (int i = 0; i < 2; ++i) {
      engine::MemorySource source = model.Source();
      for (engine::SourceNamespace& ns : source.catalog().namespaces) {
        ns.indexes = {Index("_id"), Index("text")};
      }
      snapshots_.push_back(NextSnapshotId(session.random()));
      contents_.push_back(model.Now());
      session.Take(source, snapshots_.back(), std::nullopt);
      model.Churn();
    }
  }

  std::unique_ptr<mongo::Connection> Connect() const {
    return mongo::Connection::Open(Secret(uri_), {.pool_size = 4});
  }

  // As the service does: goes on from what was saved last.
  std::function<void()> Restore(std::size_t number) {
    // By turns with what is on the target, and from nothing.
    const ByteCount go_on_from = random_.Next() % 2 == 0 ? ByteCount{1} : MiB(1024);
    return [this, number, go_on_from] {
      Session session(blob::OpenDirectoryStore(root_));
      repo::Repository& repository = session.OpenAsOwner();
      const repo::Manifest manifest =
          repository.LoadManifest(TestNames().project, snapshots_[number]);
      const auto reader = repository.NewReader(TestNames().project);
      const auto connection = Connect();
      const auto target = delivery::MakeClusterTarget(*connection);
      engine::RunContext run = session.Context();
      run.save_checkpoint = [this](const std::string& text) {
        WriteFileDurably(checkpoint_, AsBytes(text), 0600);
      };
      if (std::filesystem::exists(checkpoint_)) {
        run.checkpoint = std::string(AsText(ReadFile(checkpoint_, 1 << 20)));
      }
      delivery::RunRestore(manifest,
                           *reader,
                           *target,
                           {.job = "j1", .writers = 2, .attempts = 1, .go_on_from = go_on_from},
                           run);
    };
  }

  void RemoveCheckpoint() { std::filesystem::remove(checkpoint_); }

  // `begun`: an earlier attempt of the same restore may have touched the target.
  void KillOne(std::size_t wanted, bool& begun) {
    ++attempts_;
    Child child(Restore(wanted));
    std::this_thread::sleep_for(
        microseconds(random_.Next() % (static_cast<std::uint64_t>(span_.count()) + 1)));
    const Ending ending = child.Kill();
    if (ending == Ending::kFailed) {
      report_.Violation("a restore failed without being killed");
    }
    if (ending != Ending::kKilled) {
      report_.Count("missed");
      begun = true;
      if (LookAt(wanted) != kNew) {
        report_.Violation("a restore has ended, and the target is not equal or marked");
      }
      return;
    }
    report_.Count("kills");
    const Look found = LookAt(wanted);
    report_.Count(found == kOld ? "before-the-mark" : (found == kMarked ? "marked" : "complete"));
    if (found == kOther) {
      report_.Violation("the target is neither marked, nor as it was, nor as the snapshot");
    }
    if (found == kOld && begun) {
      report_.Violation("the mark of a restore that was cut has gone");
    }
    begun = begun || found != kOld;
  }

  Look LookAt(std::size_t wanted) {
    look_.Reset();
    RunChild([this, wanted] { look_.Note(LookNow(wanted)); });
    return static_cast<Look>(look_.note());
  }

  // In a child.
  Look LookNow(std::size_t wanted) {
    const auto connection = Connect();
    if (connection->Count(mongo::kMarkerDatabase, mongo::kMarkerCollection) > 0) {
      return kMarked;
    }
    Content found;
    for (const auto& [name, documents] : contents_[wanted]) {
      const std::size_t point = name.find('.');
      const std::string database = name.substr(0, point);
      const std::string collection = name.substr(point + 1);
      connection->ForEachById(database, collection, {}, [&, key = name](ByteView document) {
        found[key].emplace_back(document.begin(), document.end());
      });
      if (connection->ListIndexes(database, collection).size() != 2) {
        return kOther;
      }
    }
    if (found == contents_[wanted]) {
      return kNew;
    }
    return found == contents_[1 - wanted] ? kOld : kOther;
  }

  const CampaignOptions options_;
  const std::string root_;
  const std::filesystem::path checkpoint_;
  SeededRandom random_;
  Shared server_note_;
  Shared look_;
  Child server_;
  std::string uri_;
  std::vector<SnapshotId> snapshots_;
  std::vector<Content> contents_;  // of the snapshots
  CampaignReport report_;
  microseconds span_{0};
  std::uint64_t attempts_ = 0;
};

}  // namespace

CampaignReport KillRestores(const CampaignOptions& options) {
  return KilledRestores(options).Run();
}

}  // namespace tidemark::fault
