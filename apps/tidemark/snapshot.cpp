#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

struct SnapshotOptions {
  std::string project;
  std::string cluster;
  std::string id;
  std::string description;
  bool no_wait = false;
};

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
  return "/projects/" + options.project + "/clusters/" + options.cluster + "/snapshots";
}

CLI::App* AddCommand(CLI::App& parent,
                     const char* name,
                     const char* help,
                     Session& session,
                     const SharedOptions& options) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option("cluster", options->cluster, "name of the cluster")->required();
  command->add_option("--project", options->project, "id of the project")
      ->required()
      ->envname("TIDEMARK_PROJECT");
  AddClientOptions(*command, session);
  return command;
}

int Take(const SnapshotOptions& options, Session& session) {
  Client client = session.MakeClient();
  boost::json::value snapshot =
      client.Post(SnapshotsPath(options), {{"description", options.description}});
  if (!options.no_wait) {
    const std::string path = SnapshotsPath(options) + "/" + TextOf(snapshot, "id");
    snapshot = Watch(session.output, [&] { return client.Get(path); });
  }
  PrintObject(session.output, snapshot);
  return FinalStatus("snapshot " + TextOf(snapshot, "id"), snapshot);
}

}  // namespace

void AddSnapshot(CLI::App& app, Session& session) {
  const auto options = std::make_shared<SnapshotOptions>();
  CLI::App* snapshot = app.add_subcommand("snapshot", "Take, list and delete snapshots");
  snapshot->require_subcommand(1);

  CLI::App* take = AddCommand(*snapshot, "take", "Take a snapshot now", session, options);
  take->add_option("--description", options->description, "what it is for");
  take->add_flag("--no-wait", options->no_wait, "do not wait for its end");
  take->footer("Example: tidemark snapshot take Cluster0 --project 32b6e34b3d91647abb20e7b8");
  take->callback([&session, options] {
    session.run = [&session, options] { return Take(*options, session); };
  });

  CLI::App* list =
      AddCommand(*snapshot, "list", "The cluster's snapshots, newest first", session, options);
  list->footer(
      "Example: tidemark snapshot list Cluster0 --project 32b6e34b3d91647abb20e7b8 --output json");
  list->callback([&session, options] {
    session.run = [&session, options] {
      PrintList(session.output, session.MakeClient().List(SnapshotsPath(*options)), kColumns);
      return 0;
    };
  });

  CLI::App* show = AddCommand(*snapshot, "show", "All that is known of one", session, options);
  show->add_option("id", options->id, "the snapshot's id")->required();
  show->footer(
      "Example: tidemark snapshot show Cluster0 32b6e34b3d91647abb20e7b8 --project "
      "32b6e34b3d91647abb20e7b8");
  show->callback([&session, options] {
    session.run = [&session, options] {
      PrintObject(session.output,
                  session.MakeClient().Get(SnapshotsPath(*options) + "/" + options->id));
      return 0;
    };
  });

  CLI::App* remove =
      AddCommand(*snapshot, "delete", "Delete one; others are not touched", session, options);
  remove->add_option("id", options->id, "the snapshot's id")->required();
  remove->footer(
      "Example: tidemark snapshot delete Cluster0 32b6e34b3d91647abb20e7b8 --project "
      "32b6e34b3d91647abb20e7b8");
  remove->callback([&session, options] {
    session.run = [&session, options] {
      session.MakeClient().Delete(SnapshotsPath(*options) + "/" + options->id);
      return 0;
    };
  });
}

}  // namespace tidemark::app
