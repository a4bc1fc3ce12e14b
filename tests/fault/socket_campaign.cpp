#include <array>
#include <cerrno>

#include "base/error.h"
#include "delivery/cluster_restore.h"
#include "engine/mongo_source.h"
#include "tests/fault/campaign.h"
#include "tests/fault/socket_calls.h"
#include "tests/fault/world.h"
#include "tests/support/memory/store.h"
#include "tests/support/memory_server.h"

// Connections break: at each of our own socket calls, at each command of the server, amid replies.
// A snapshot is equal or has failed with a reason; a restore is equal or has failed and left the
// target marked; and the next try, on a server that works again, succeeds.
namespace tidemark::fault {
namespace {

using memory::FaultAction;
using std::chrono::milliseconds;

constexpr milliseconds kSocketTimeout{150};
constexpr milliseconds kTooSlow{400};
constexpr milliseconds kPatient{20'000};  // where nothing is broken, on whatever machine

// Something that goes wrong once, for the n-th time it can.
struct Breakage {
  std::string name;
  // Socket calls of ours.
  std::optional<SocketFault> socket;
  // Of the server.
  std::optional<memory::Fault> fault;
  bool steps_down = false;
  std::optional<std::uint64_t> after_bytes;
};

const std::vector<std::string>& AllCommands() {
  static const std::vector<std::string> commands{"find",
                                                 "getMore",
                                                 "listDatabases",
                                                 "listCollections",
                                                 "listIndexes",
                                                 "buildInfo",
                                                 "insert",
                                                 "create",
                                                 "drop",
                                                 "dropDatabase",
                                                 "createIndexes",
                                                 "count",
                                                 "aggregate",
                                                 "update",
                                                 "delete"};
  return commands;
}

Content ContentOf(memory::MemoryServer& server) {
  Content content;
  server.WithStore([&content](memory::Store& store) {
    for (const memory::NamespacePtr& ns : store.Collections("shop")) {
      std::vector<Bytes>& documents = content[ns->FullName()];
      for (auto at = ns->documents.begin(); at < ns->documents.end(); ++at) {
        if (const ByteView document = ns->documents.At(at); !document.empty()) {
          documents.emplace_back(document.begin(), document.end());
        }
      }
      std::ranges::sort(documents, [](const Bytes& a, const Bytes& b) {
        return bson::CompareValues(*bson::Document(a).begin(), *bson::Document(b).begin()) < 0;
      });
    }
  });
  return content;
}

bool IsMarked(memory::MemoryServer& server) {
  bool marked = false;
  server.WithStore([&marked](memory::Store& store) {
    marked = !store.Collections(mongo::kMarkerDatabase).empty();
  });
  return marked;
}

class Inflicting {
 public:
  Inflicting(memory::MemoryServer& server, const Breakage& breakage) : server_(server) {
    if (breakage.socket) {
      socket_.emplace(*breakage.socket);
    }
    if (breakage.fault) {
      met_ = std::make_shared<std::atomic<int>>(breakage.fault->skip + 1);
      server_.faults().SetHook([met = met_, &breakage](std::string_view command, std::string_view) {
        *met -=
            std::ranges::find(breakage.fault->commands, command) != breakage.fault->commands.end()
                ? 1
                : 0;
      });
      if (!breakage.steps_down) {
        server_.faults().Add(*breakage.fault);
      } else {
        StepDownAt(breakage);
      }
    }
    if (breakage.after_bytes) {
      server_.faults().DropAfterBytes(*breakage.after_bytes);
    }
  }

  // The server works again.
  ~Inflicting() {
    server_.faults().SetHook({});
    server_.faults().Clear();
    if (stepped_down_ && *stepped_down_) {
      server_.StepUp();
    }
  }

  Inflicting(const Inflicting&) = delete;
  Inflicting& operator=(const Inflicting&) = delete;

  // Whether there were so many calls at all.
  bool met() const { return socket_ ? socket_->met() : (!met_ || *met_ <= 0); }

 private:
  void StepDownAt(const Breakage& breakage) {
    stepped_down_ = std::make_shared<std::atomic<bool>>(false);
    server_.faults().SetHook([this, met = met_, down = stepped_down_, &breakage](
                                 std::string_view command, std::string_view) {
      const auto& commands = breakage.fault->commands;
      if (std::ranges::find(commands, command) != commands.end() && --*met == 0) {
        *down = true;
        server_.StepDown();
      }
    });
  }

  memory::MemoryServer& server_;
  std::optional<FailingSocket> socket_;
  std::shared_ptr<std::atomic<int>> met_;  // shared with the hook: commands to go
  std::shared_ptr<std::atomic<bool>> stepped_down_;
};

std::unique_ptr<mongo::Connection> Connect(memory::MemoryServer& server,
                                           milliseconds socket_timeout = kPatient) {
  return mongo::Connection::Open(
      Secret(server.Uri()),
      {.pool_size = 4, .connect_timeout = milliseconds(2000), .socket_timeout = socket_timeout});
}

class SocketCampaign {
 public:
  explicit SocketCampaign(const CampaignOptions& options)
      : options_(options),
        random_(options.seed),
        model_(options.seed + 1, {.collections = 2, .documents = 220, .text = 400}) {}

  CampaignReport Run() {
    model_.Churn();
    content_ = model_.Now();
    PrepareSource();
    PrepareSnapshot();
    SweepSockets();
    SweepCommands();
    CutAmidReplies();
    return report_;
  }

 private:
  void PrepareSource() {
    const auto connection = Connect(source_);
    for (const auto& [name, documents] : content_) {
      connection->InsertMany("shop", name.substr(5), {documents.begin(), documents.end()});
    }
  }

  std::unique_ptr<Session> NewSession() {
    auto session = std::make_unique<Session>(blob::MakeMemoryStore());
    repo::Repository::Create(session->store(), TestNames().master, session->random());
    session->OpenAsOwner();
    return session;
  }

  void PrepareSnapshot() {
    restored_from_ = NewSession();
    snapshot_ = NextSnapshotId(ids_);
    const auto connection = Connect(source_);
    const auto source = engine::MakeMongoSource(*connection);
    restored_from_->Take(*source, snapshot_, std::nullopt);
  }

  void SweepSockets() {
    struct Row {
      const char* name;
      SocketFault fault;
    };

    static constexpr std::array kRows{
        Row{"reset", {.how = SocketFault::How::kError, .error = ECONNRESET}},
        Row{"timeout", {.how = SocketFault::How::kError, .error = ETIMEDOUT}},
        Row{"end", {.how = SocketFault::How::kEnd}},
        Row{"short", {.how = SocketFault::How::kShort}},
    };
    for (const Row& row : kRows) {
      Sweep([&row](std::size_t call) {
        SocketFault fault = row.fault;
        fault.call = call;
        return Breakage{.name = std::string("socket-") + row.name, .socket = fault};
      });
    }
  }

  void SweepCommands() {
    SweepCommand("dropped", {.action = FaultAction::kDropConnection});
    SweepCommand("unanswered", {.action = FaultAction::kDropAfterwards});
    SweepCommand("not-primary", {.code = 10107, .code_name = "NotWritablePrimary"});
    SweepCommand("shutting-down", {.code = 11600, .code_name = "InterruptedAtShutdown"});
    SweepCommand("slow", {.action = FaultAction::kDelay, .delay = kTooSlow});
    memory::Fault killed{.action = FaultAction::kKillCursor};
    killed.commands = {"getMore"};
    SweepCommand("cursor-killed", killed);
    SweepCommand("step-down", {}, true);
  }

  void SweepCommand(const std::string& name, memory::Fault fault, bool steps_down = false) {
    if (fault.commands.empty()) {
      fault.commands = AllCommands();
    }
    fault.message = "injected";
    Sweep([&](std::size_t call) {
      Breakage breakage{.name = name, .fault = fault, .steps_down = steps_down};
      breakage.fault->skip = static_cast<int>(call) - 1;
      return breakage;
    });
  }

  // Of snapshots, then of restores, until there is no such call.
  void Sweep(const std::function<Breakage(std::size_t call)>& make) {
    for (std::size_t call = 1 + random_.Next() % options_.stride; TrySnapshot(make(call), call);
         call += options_.stride) {
    }
    for (std::size_t call = 1 + random_.Next() % options_.stride; TryRestore(make(call), call);
         call += options_.stride) {
    }
  }

  void CutAmidReplies() {
    std::uint64_t bytes = 0;
    for (const auto& [name, documents] : content_) {
      for (const Bytes& document : documents) {
        bytes += document.size();
      }
    }
    for (std::uint64_t i = 0; i < options_.count; ++i) {
      const Breakage cut{.name = "cut-amid-a-reply",
                         .after_bytes = random_.Next() % (bytes * 5 / 4)};
      (i % 2 == 0) ? TrySnapshot(cut, i) : TryRestore(cut, i);
    }
  }

  // False when the fault was not met.
  bool TrySnapshot(const Breakage& breakage, std::size_t call) {
    const auto session = NewSession();
    const SnapshotId id = NextSnapshotId(ids_);
    bool met = false;
    std::string error;
    {
      const Inflicting fault(source_, breakage);
      // By turns as a run that gives up at once, and as one that outlasts the fault.
      error = Failure([&] { TakeFrom(*session, id, kSocketTimeout, call % 2 == 0 ? 1 : 3); });
      met = fault.met();
    }
    const std::string where = "snapshot, " + breakage.name + " " + std::to_string(call) + ": ";
    Expected expected;
    (error.empty() ? expected.committed : expected.possible)[id] = content_;
    Judge(where + "[" + error + "] ", FaultOf(*session, expected, true));
    report_.Count(error.empty() ? "snapshots-succeeded" : "snapshots-failed");
    report_.Count(breakage.name, met ? 1 : 0);
    Judge(where + "again: ", Failure([&] { TakeFrom(*session, id, kPatient, 1); }));
    expected = {.committed = {{id, content_}}};
    Judge(where + "after the second try: ", FaultOf(*session, expected, true));
    return met && breakage.after_bytes == std::nullopt;
  }

  void TakeFrom(Session& session, const SnapshotId& id, milliseconds socket_timeout, int attempts) {
    const auto connection = Connect(source_, socket_timeout);
    const auto source = engine::MakeMongoSource(*connection);
    session.Take(*source, id, std::nullopt, attempts);
  }

  bool TryRestore(const Breakage& breakage, std::size_t call) {
    memory::MemoryServer target({.replica_set = "rs1"}, clock_, ids_);
    const Content before = Fill(target);
    std::string checkpoint;
    bool met = false;
    std::string error;
    {
      const Inflicting fault(target, breakage);
      error =
          Failure([&] { RestoreTo(target, checkpoint, call % 4 == 0 ? 3 : 1, kSocketTimeout); });
      met = fault.met();
    }
    const std::string where = "restore, " + breakage.name + " " + std::to_string(call) + ": ";
    report_.Count(error.empty() ? "restores-succeeded" : "restores-failed");
    report_.Count(breakage.name, met ? 1 : 0);
    const Content now = ContentOf(target);
    const bool whole = now == content_ && !IsMarked(target);
    if (error.empty() && !whole) {
      report_.Violation(where + "it has succeeded, and the target is not equal or marked");
    }
    // The answer to the last step may be lost: then it has failed though all is done.
    if (!error.empty() && !whole && !IsMarked(target) && now != before) {
      report_.Violation(where + "it has failed [" + error + "], and the target is not marked");
    }
    Judge(where + "again: ", Failure([&] { RestoreTo(target, checkpoint, 1, kPatient); }));
    if (ContentOf(target) != content_ || IsMarked(target)) {
      report_.Violation(where + "after the second try the target is not equal or marked");
    }
    return met && breakage.after_bytes == std::nullopt;
  }

  // What a restore has to take away.
  static Content Fill(memory::MemoryServer& target) {
    target.Generate("shop.old", 20, 100);
    target.Generate("shop.c0", 20, 100);
    return ContentOf(target);
  }

  void RestoreTo(memory::MemoryServer& server,
                 std::string& checkpoint,
                 int attempts,
                 milliseconds socket_timeout) {
    const auto connection = Connect(server, socket_timeout);
    const auto target = delivery::MakeClusterTarget(*connection);
    repo::Repository& repository = restored_from_->repository();
    const repo::Manifest manifest = repository.LoadManifest(TestNames().project, snapshot_);
    const auto reader = repository.NewReader(TestNames().project);
    engine::RunContext run = restored_from_->Context();
    run.checkpoint = checkpoint;
    run.save_checkpoint = [&checkpoint](const std::string& text) { checkpoint = text; };
    delivery::RunRestore(manifest,
                         *reader,
                         *target,
                         {.job = "j1",
                          .writers = 2,
                          .parallel_namespaces = 1,
                          .attempts = attempts,
                          .retry_pause = milliseconds(1),
                          .go_on_from = {1}},
                         run);
  }

  // Empty when it succeeds.
  static std::string Failure(const std::function<void()>& work) {
    try {
      work();
      return {};
    } catch (const Error& error) {
      return error.message().empty() ? "without a reason" : std::string(error.message());
    }
  }

  void Judge(const std::string& where, const std::string& fault) {
    if (!fault.empty()) {
      report_.Violation(where + fault);
    }
  }

  const CampaignOptions options_;
  SeededRandom random_;
  SystemRandom ids_;
  SystemClock clock_;
  Model model_;
  Content content_;
  memory::MemoryServer source_{{.replica_set = "rs0"}, clock_, ids_};
  std::unique_ptr<Session> restored_from_;
  SnapshotId snapshot_;
  CampaignReport report_;
};

}  // namespace

CampaignReport FailSockets(const CampaignOptions& options) {
  return SocketCampaign(options).Run();
}

}  // namespace tidemark::fault
