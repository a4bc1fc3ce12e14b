// The repository without catalog and server: what is left when the data directory's SQLite file is
// lost. Reads only.
#include <algorithm>
#include <cstdlib>

#include <fmt/core.h>

#include "base/file.h"
#include "base/one_line.h"
#include "command.h"
#include "delivery/cluster_restore.h"
#include "domain/cluster.h"
#include "opened_repository.h"
#include "output.h"
#include "repo_export.h"
#include "shown_run.h"

namespace tidemark::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxUriFile = 64U << 10;  // bytes
constexpr const char* kTargetVariable = "TIDEMARK_TARGET_URI";
constexpr std::chrono::milliseconds kConnectTimeout{15000};

struct RepoOptions {
  RepositoryPlace place;
  std::string snapshot;
  std::string target;
  std::string target_file;
  int writers = 4;
  bool allow_lossy = false;
  bool dry_run = false;
  bool yes = false;
};

using SharedOptions =
    std::shared_ptr<RepoOptions>;  // shared by the parser's bindings and the actions

struct Totals {
  std::uint64_t documents = 0;
  std::uint64_t bytes = 0;
};

Totals TotalsOf(const repo::Manifest& manifest) {
  Totals totals;
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    totals.documents += entry.digest.documents;
    totals.bytes += entry.logical_bytes;
  }
  return totals;
}

json::object RenderSnapshot(const repo::Manifest& manifest) {
  const Totals totals = TotalsOf(manifest);
  return {{"id", manifest.snapshot.ToString()},
          {"projectId", manifest.project.ToString()},
          {"clusterId", manifest.cluster.ToString()},
          {"clusterName", manifest.cluster_name},
          {"created", FormatInstant(manifest.created)},
          {"mongoDBVersion", manifest.mongodb_version},
          {"consistent", manifest.consistent},
          {"collections", manifest.namespaces.size()},
          {"documents", totals.documents},
          {"logicalBytes", totals.bytes}};
}

const std::vector<Column> kSnapshotColumns{Member("ID", "id"),
                                           Member("PROJECT", "projectId"),
                                           Member("CLUSTER", "clusterName"),
                                           Member("CREATED", "created"),
                                           Member("MONGODB", "mongoDBVersion"),
                                           Member("COLLECTIONS", "collections"),
                                           Member("DOCUMENTS", "documents"),
                                           Member("BYTES", "logicalBytes")};

const std::vector<Column> kNamespaceColumns{Member("DATABASE", "database"),
                                            Member("COLLECTION", "collection"),
                                            Member("KIND", "kind"),
                                            Member("DOCUMENTS", "documents"),
                                            Member("BYTES", "bytes"),
                                            Member("INDEXES", "indexes")};

// Says what failed and goes on: one damaged snapshot must not hide the others.
class Failures {
 public:
  template <class Step>
  void Try(const Step& step) {
    try {
      step();
    } catch (const Error& error) {
      fmt::print(stderr, "error: {}\n", OneLine(error.message()));
      any_ = true;
    }
  }

  void ThrowIfAny() const {
    if (any_) {
      throw Error(ErrorCode::kCorrupt, "listing the repository: some of it cannot be read");
    }
  }

 private:
  bool any_ = false;
};

int List(const RepoOptions& options, OutputFormat output) {
  OpenedRepository repository(options.place);
  json::array rows;
  Failures failures;
  for (const ProjectId& project : repository->ListProjects()) {
    for (const SnapshotId& snapshot : repository->ListManifests(project)) {
      failures.Try(
          [&] { rows.push_back(RenderSnapshot(repository->LoadManifest(project, snapshot))); });
    }
  }
  std::ranges::sort(rows, std::ranges::greater(), [](const json::value& row) {
    return TextOf(row, "created") + TextOf(row, "id");
  });
  PrintList(output, rows, kSnapshotColumns);
  failures.ThrowIfAny();
  return 0;
}

std::string KindName(repo::NamespaceKind kind) {
  switch (kind) {
    case repo::NamespaceKind::kCollection:
      return "collection";
    case repo::NamespaceKind::kView:
      return "view";
    case repo::NamespaceKind::kTimeseries:
      return "timeseries";
  }
  CheckFailed("every kind has a name", __FILE__, __LINE__);
}

json::array RenderNamespaces(const repo::Manifest& manifest) {
  json::array rows;
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    rows.push_back({{"database", entry.database},
                    {"collection", entry.collection},
                    {"kind", KindName(entry.kind)},
                    {"documents", entry.digest.documents},
                    {"bytes", entry.logical_bytes},
                    {"indexes", entry.indexes.size()}});
  }
  return rows;
}

int Show(const RepoOptions& options, OutputFormat output) {
  OpenedRepository repository(options.place);
  const repo::Manifest manifest = FindManifest(*repository, options.snapshot);
  json::object body = RenderSnapshot(manifest);
  if (!manifest.consistent) {
    body["inconsistentReason"] = manifest.inconsistent_reason;
  }
  body["users"] = manifest.accounts.users.size();
  body["roles"] = manifest.accounts.roles.size();
  if (!manifest.accounts.left_out.empty()) {
    body["usersLeftOut"] = manifest.accounts.left_out;
  }
  if (output == OutputFormat::kJson) {
    body["namespaces"] = RenderNamespaces(manifest);
    PrintJson(body);
    return 0;
  }
  PrintObject(output, body);
  PrintTable(RenderNamespaces(manifest), kNamespaceColumns);
  return 0;
}

Secret TrimmedFile(const std::string& file) {
  std::string text(AsText(ReadFile(file, kMaxUriFile)));
  text.erase(text.find_last_not_of(" \r\n") + 1);
  return Secret(std::move(text));
}

Secret TargetUri(const RepoOptions& options) {
  if (!options.target_file.empty()) {
    return TrimmedFile(options.target_file);
  }
  if (!options.target.empty()) {
    fmt::print(stderr,
               "warning: a connection string on the command line is seen by every user of this "
               "machine; use --to-file or {}\n",
               kTargetVariable);
    return Secret(options.target);
  }
  const char* value = std::getenv(kTargetVariable);
  if (value == nullptr) {
    throw Error(ErrorCode::kInvalidArgument,
                "restoring: no target is given",
                std::string("name a file with its connection string: --to-file FILE, or set ") +
                    kTargetVariable);
  }
  return Secret(value);
}

// The target's side of a restore.
struct Delivery {
  const repo::Manifest& manifest;
  repo::SnapshotReader& reader;
  delivery::RestoreTarget& target;
  delivery::RestoreOptions options;
};

delivery::RestoreSummary RunRestoreShown(const Delivery& delivery, OutputFormat output) {
  const SystemClock clock;
  const auto log = MakeStderrLog(LogLevel::kWarn);
  delivery::RestoreSummary summary;
  RunShown(output, [&](const std::stop_token& stop, const ProgressReport& report) {
    const engine::RunContext run{stop, report, {}, {}, clock, *log};
    summary = delivery::RunRestore(
        delivery.manifest, delivery.reader, delivery.target, delivery.options, run);
  });
  return summary;
}

void WarnOfOtherVersion(const repo::Manifest& manifest, delivery::RestoreTarget& target) {
  const std::string version = target.Facts().version;
  if (domain::MajorVersion(manifest.mongodb_version) != domain::MajorVersion(version)) {
    fmt::print(stderr,
               "warning: the snapshot is of MongoDB {}, the target runs {}\n",
               manifest.mongodb_version,
               version);
  }
}

// False when the plan was all that was wanted.
bool MayWrite(const RepoOptions& options, const delivery::RestorePlan& plan, OutputFormat output) {
  if (output == OutputFormat::kTable) {
    fmt::print("{}", delivery::FormatPlan(plan));
    std::fflush(stdout);
  }
  if (options.dry_run) {
    if (output == OutputFormat::kJson) {
      PrintJson({{"text", delivery::FormatPlan(plan)}});
    }
    return false;
  }
  if (!options.yes) {
    throw Error(ErrorCode::kInvalidArgument,
                "restoring: every database of the target would be dropped first",
                "say --yes when that is wanted, or --dry-run to see the plan only");
  }
  return true;
}

int Restore(const RepoOptions& options, OutputFormat output) {
  const Secret uri = TargetUri(options);
  OpenedRepository repository(options.place);
  const repo::Manifest manifest = FindManifest(*repository, options.snapshot);
  mongo::ConnectionOptions connect;
  connect.connect_timeout = kConnectTimeout;
  const auto connection = mongo::Connection::Open(uri, connect);
  const auto target = delivery::MakeClusterTarget(*connection);
  WarnOfOtherVersion(manifest, *target);
  if (!MayWrite(options, delivery::PlanRestore(manifest, *target), output)) {
    return 0;
  }
  const auto reader = repository->NewReader(manifest.project);
  delivery::RestoreOptions restore;
  restore.job = RestoreJobId::Generate(SystemClock().Now(), repository.random()).ToString();
  restore.allow_lossy = options.allow_lossy;
  restore.writers = options.writers;
  const delivery::RestoreSummary summary =
      RunRestoreShown({manifest, *reader, *target, restore}, output);
  PrintObject(output,
              {{"snapshot", manifest.snapshot.ToString()},
               {"state", "COMPLETED"},
               {"collections", summary.collections},
               {"documents", summary.documents},
               {"bytes", summary.bytes}});
  return 0;
}

CLI::App* AddCommand(CLI::App& open, const char* name, const char* help, Session& session) {
  CLI::App* command = open.add_subcommand(name, help);
  command->fallthrough();  // --key may stand behind the subcommand as well
  AddOutputOption(*command, session);
  return command;
}

void AddRestoreCommand(CLI::App& open, Session& session, const SharedOptions& options) {
  CLI::App* command = AddCommand(
      open, "restore", "Restore a snapshot; WIPES the target's databases first", session);
  command->add_option("snapshot", options->snapshot, "the snapshot's id")->required();
  command->add_option(
      "--to-file", options->target_file, "file with the target's connection string");
  command->add_option(
      "--to", options->target, "the connection string itself; better given by TIDEMARK_TARGET_URI");
  command->add_option("--writers", options->writers, "unordered bulk writers of one collection")
      ->check(CLI::Range(1, 64));
  command->add_flag(
      "--allow-lossy", options->allow_lossy, "restore even if the target drops some options");
  command->add_flag("--dry-run", options->dry_run, "only say what would be dropped and written");
  command->add_flag("--yes", options->yes, "drop every database of the target, without asking");
  command->footer(
      "Example: tidemark repo open /mnt/copy/repo --key master.key restore "
      "32b6e34b3d91647abb20e7b9 --to-file target.uri --yes");
  command->callback([&session, options] {
    session.run = [&session, options] { return Restore(*options, session.output); };
  });
}

}  // namespace

void AddRepoOpen(CLI::App& repo, Session& session) {
  const auto options = std::make_shared<RepoOptions>();
  CLI::App* open = repo.add_subcommand(
      "open",
      "List, restore and export snapshots of a repository alone, without catalog and server");
  open->require_subcommand(1);
  open->add_option(
          "folder", options->place.folder, "a data directory, or a repository's own folder")
      ->required();
  open->add_option("--key",
                   options->place.key_file,
                   "the master key file (default: that of the data directory)");
  open->footer("Example: tidemark repo open /mnt/copy/repo --key master.key list");

  CLI::App* list = AddCommand(*open, "list", "The snapshots, newest first", session);
  list->footer("Example: tidemark repo open /mnt/copy/repo --key master.key list");
  list->callback([&session, options] {
    session.run = [&session, options] { return List(*options, session.output); };
  });

  CLI::App* show = AddCommand(*open, "show", "One snapshot and what is in it", session);
  show->add_option("snapshot", options->snapshot, "the snapshot's id")->required();
  show->footer(
      "Example: tidemark repo open /mnt/copy/repo --key master.key show 32b6e34b3d91647abb20e7b9");
  show->callback([&session, options] {
    session.run = [&session, options] { return Show(*options, session.output); };
  });
  AddRestoreCommand(*open, session, options);
  AddRepoExport(*open,
                session,
                std::shared_ptr<const RepositoryPlace>(options, &options->place));  // one owner
}

}  // namespace tidemark::app
