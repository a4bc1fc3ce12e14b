#include <boost/json/serialize.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "base/file.h"
#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

struct SnapshotOptions {
  std::string project;
  std::string cluster;
  std::string id;
  std::string description;
  std::string path;
  bool no_wait = false;
  std::string other;
  std::string only;
  bool documents = false;
  std::string format = "tar.gz";
  std::string file;
  bool relaxed = false;
};

constexpr unsigned kFileMode = 0600;  // it holds what the cluster holds

const std::vector<Column> kColumns{Member("ID", "id"),
                                   Member("STATE", "state"),
                                   Member("FINISHED", "finished"),
                                   Member("DOCUMENTS", "documents"),
                                   Member("BYTES", "logicalBytes"),
                                   Member("STORED", "storedBytes"),
                                   Member("CONSISTENT", "consistent")};

using SharedOptions =
    std::shared_ptr<SnapshotOptions>;  // shared by the parser's bindings and the actions

std::string SnapshotsPath(const SnapshotOptions& options) {
  return "/projects/" + PathPart(options.project) + "/clusters/" + PathPart(options.cluster) +
         "/snapshots";
}

CLI::App* AddCommand(CLI::App& parent,
                     const char* name,
                     const char* help,
                     Session& session,
                     const SharedOptions& options) {
  CLI::App* command = AddProjectCommand(parent, name, help, session, options->project);
  command->add_option("cluster", options->cluster, "name of the cluster")->required();
  return command;
}

// Prints a snapshot that was queued, when it is done.
int Finish(Client& client,
           boost::json::value snapshot,
           const SnapshotOptions& options,
           const Session& session) {
  if (!options.no_wait) {
    const std::string path = SnapshotsPath(options) + "/" + TextOf(snapshot, "id");
    snapshot = Watch(session.output, [&] { return client.Get(path); });
  }
  PrintObject(session.output, snapshot);
  return FinalStatus("snapshot " + TextOf(snapshot, "id"), snapshot);
}

int Take(const SnapshotOptions& options, Session& session) {
  Client client = session.MakeClient();
  return Finish(client,
                client.Post(SnapshotsPath(options), {{"description", options.description}}),
                options,
                session);
}

int Import(const SnapshotOptions& options, Session& session) {
  Client client = session.MakeClient();
  return Finish(client,
                client.Post(SnapshotsPath(options) + "/import",
                            {{"path", options.path}, {"description", options.description}}),
                options,
                session);
}

const std::vector<Column> kDiffColumns{Member("DATABASE", "database"),
                                       Member("COLLECTION", "collection"),
                                       Member("CHANGE", "change"),
                                       Member("ADDED", "added"),
                                       Member("REMOVED", "removed"),
                                       Member("CHANGED", "changed"),
                                       Member("OPTIONS", "optionsDiffer"),
                                       Member("INDEXES", "indexesDiffer")};

// Namespaces as a table, documents as lines of Extended JSON.
int Diff(const SnapshotOptions& options, Session& session) {
  boost::json::object body{{"toSnapshotId", options.other}, {"documents", options.documents}};
  if (!options.only.empty()) {
    body["namespace"] = options.only;
  }
  const boost::json::value diff = session.MakeClient().Post(
      SnapshotsPath(options) + "/" + PathPart(options.id) + "/diff", body);
  if (session.output == OutputFormat::kJson) {
    PrintObject(session.output, diff);
    return 0;
  }
  if (!options.documents) {
    PrintList(session.output, ArrayOf(diff, "namespaces"), kDiffColumns);
    return 0;
  }
  for (const boost::json::value& document : ArrayOf(diff, "documents")) {
    fmt::print("{}\n", boost::json::serialize(document));
  }
  if (diff.at("truncated").as_bool()) {
    fmt::print(stderr, "only the first documents are shown; name a --namespace\n");
  }
  return 0;
}

void ExportToOutput(const std::string& path, Session& session) {
  if (isatty(STDOUT_FILENO) != 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "exporting: an archive is nothing for a terminal",
                "name a file with -o FILE, or pipe it into another program");
  }
  session.MakeClient().Download(path, [](std::string_view piece) {
    WriteToDescriptor(STDOUT_FILENO, AsBytes(piece), "standard output");
  });
}

// The file comes to be when all of it is there.
int Export(const SnapshotOptions& options, Session& session) {
  if (options.relaxed && options.format != "json") {
    throw Error(ErrorCode::kInvalidArgument,
                "exporting: --relaxed is a form of JSON, and the format is " + options.format,
                "add --format json, or leave --relaxed out");
  }
  const std::string path = SnapshotsPath(options) + "/" + PathPart(options.id) +
                           "/export?format=" + options.format +
                           (options.relaxed ? "&relaxed=true" : "");
  if (options.file == "-") {
    ExportToOutput(path, session);
    return 0;
  }
  std::uint64_t bytes = 0;
  FileWriter file(options.file, kFileMode);
  session.MakeClient().Download(path, [&](std::string_view piece) {
    file.Write(AsBytes(piece));
    bytes += piece.size();
  });
  file.Commit();
  PrintObject(
      session.output,
      {{"snapshot", options.id}, {"state", "COMPLETED"}, {"file", options.file}, {"bytes", bytes}});
  return 0;
}

void AddExport(CLI::App& snapshot, Session& session, const SharedOptions& options) {
  CLI::App* command = AddCommand(
      snapshot, "export", "Write one into a file that mongorestore reads", session, options);
  command->add_option("id", options->id, "the snapshot's id")->required();
  command
      ->add_option("--format",
                   options->format,
                   "tar.gz (a mongodump tree), archive, archive.gz (mongodump --archive) or json "
                   "(one document a line, as tar.gz)")
      ->check(CLI::IsMember({"tar.gz", "archive", "archive.gz", "json"}))
      ->capture_default_str();
  command->add_option("-o,--file", options->file, "the new file; - for standard output")
      ->required();
  command->add_flag("--relaxed", options->relaxed, "JSON with plain numbers and dates");
  command->footer(
      "Example: tidemark snapshot export Cluster0 32b6e34b3d91647abb20e7b8 -o shop.tar.gz "
      "--project "
      "32b6e34b3d91647abb20e7b8 && tar xzf shop.tar.gz && mongorestore dump/");
  command->callback([&session, options] {
    session.run = [&session, options] { return Export(*options, session); };
  });
}

void AddTake(CLI::App& snapshot, Session& session, const SharedOptions& options) {
  CLI::App* take = AddCommand(snapshot, "take", "Take a snapshot now", session, options);
  take->add_option("--description", options->description, "what it is for");
  take->add_flag("--no-wait", options->no_wait, "do not wait for its end");
  take->footer("Example: tidemark snapshot take Cluster0 --project 32b6e34b3d91647abb20e7b8");
  take->callback([&session, options] {
    session.run = [&session, options] { return Take(*options, session); };
  });
}

void AddImport(CLI::App& snapshot, Session& session, const SharedOptions& options) {
  CLI::App* import_dump =
      AddCommand(snapshot, "import", "Make a snapshot of what mongodump wrote", session, options);
  import_dump
      ->add_option("path",
                   options->path,
                   "folder, tar or archive below the project's folder in the server's "
                   "import-directory")
      ->required();
  import_dump->add_option("--description", options->description, "what it is for");
  import_dump->add_flag("--no-wait", options->no_wait, "do not wait for its end");
  import_dump->footer(
      "Example: tidemark snapshot import Cluster0 2026/dump.archive.gz --project "
      "32b6e34b3d91647abb20e7b8");
  import_dump->callback([&session, options] {
    session.run = [&session, options] { return Import(*options, session); };
  });
}

void AddListAndShow(CLI::App& snapshot, Session& session, const SharedOptions& options) {
  CLI::App* list =
      AddCommand(snapshot, "list", "The cluster's snapshots, newest first", session, options);
  list->footer(
      "Example: tidemark snapshot list Cluster0 --project 32b6e34b3d91647abb20e7b8 --output json");
  list->callback([&session, options] {
    session.run = [&session, options] {
      PrintList(session.output, session.MakeClient().List(SnapshotsPath(*options)), kColumns);
      return 0;
    };
  });

  CLI::App* show = AddCommand(snapshot, "show", "All that is known of one", session, options);
  show->add_option("id", options->id, "the snapshot's id")->required();
  show->footer(
      "Example: tidemark snapshot show Cluster0 32b6e34b3d91647abb20e7b8 --project "
      "32b6e34b3d91647abb20e7b8");
  show->callback([&session, options] {
    session.run = [&session, options] {
      PrintObject(session.output,
                  session.MakeClient().Get(SnapshotsPath(*options) + "/" + PathPart(options->id)));
      return 0;
    };
  });
}

void AddDiff(CLI::App& snapshot, Session& session, const SharedOptions& options) {
  CLI::App* diff =
      AddCommand(snapshot, "diff", "What has changed between two snapshots", session, options);
  diff->add_option("from", options->id, "the older snapshot's id")->required();
  diff->add_option("to", options->other, "the newer snapshot's id")->required();
  diff->add_option("--ns", options->only, "only this database or database.collection");
  diff->add_flag("--documents", options->documents, "the documents, as lines of Extended JSON");
  diff->footer(
      "Example: tidemark snapshot diff Cluster0 32b6e34b3d91647abb20e7b8 32b6e34b3d91647abb20e7b9 "
      "--ns shop.orders --documents --project 32b6e34b3d91647abb20e7b8");
  diff->callback([&session, options] {
    session.run = [&session, options] { return Diff(*options, session); };
  });
}

}  // namespace

void AddSnapshot(CLI::App& app, Session& session) {
  const auto options = std::make_shared<SnapshotOptions>();
  CLI::App* snapshot =
      app.add_subcommand("snapshot", "Take, import, list, compare, export and delete snapshots");
  snapshot->require_subcommand(1);

  AddTake(*snapshot, session, options);
  AddImport(*snapshot, session, options);
  AddListAndShow(*snapshot, session, options);
  AddDiff(*snapshot, session, options);
  AddExport(*snapshot, session, options);

  CLI::App* remove =
      AddCommand(*snapshot, "delete", "Delete one; others are not touched", session, options);
  remove->add_option("id", options->id, "the snapshot's id")->required();
  remove->footer(
      "Example: tidemark snapshot delete Cluster0 32b6e34b3d91647abb20e7b8 --project "
      "32b6e34b3d91647abb20e7b8");
  remove->callback([&session, options] {
    session.run = [&session, options] {
      session.MakeClient().Delete(SnapshotsPath(*options) + "/" + PathPart(options->id));
      return 0;
    };
  });
}

}  // namespace tidemark::app
