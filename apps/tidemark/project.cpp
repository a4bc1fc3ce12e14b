#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

const std::vector<Column> kColumns{Member("ID", "id"),
                                   Member("NAME", "name"),
                                   Member("ORGANIZATION", "orgId"),
                                   Member("CREATED", "created")};

struct DeleteOptions {
  std::string id;
  bool yes = false;
};

int Delete(const DeleteOptions& options, const Session& session) {
  if (!options.yes) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "deleting project " + options.id + ": all its snapshots would be destroyed for good",
        "say --yes when that is wanted");
  }
  session.MakeClient().Delete("/projects/" + PathPart(options.id));
  return 0;
}

void AddDelete(CLI::App& project, Session& session) {
  const auto options =
      std::make_shared<DeleteOptions>();  // shared by the parser's bindings and the action
  CLI::App* command = project.add_subcommand(
      "delete", "Delete a project and destroy its snapshots: nobody can read them again");
  command->add_option("id", options->id, "its id")->required();
  command->add_flag("--yes", options->yes, "destroy the snapshots, without asking");
  AddClientOptions(*command, session);
  command->footer("Example: tidemark project delete 32b6e34b3d91647abb20e7b8 --yes");
  command->callback([&session, options] {
    session.run = [&session, options] { return Delete(*options, session); };
  });
}

}  // namespace

void AddProject(CLI::App& app, Session& session) {
  CLI::App* project = app.add_subcommand("project", "List, create and delete projects");
  project->require_subcommand(1);

  CLI::App* list = project->add_subcommand("list", "The projects that the key reaches");
  AddClientOptions(*list, session);
  list->footer("Example: tidemark project list --output json");
  list->callback([&session] {
    session.run = [&session] {
      PrintList(session.output, session.MakeClient().List("/projects"), kColumns);
      return 0;
    };
  });

  const auto name =
      std::make_shared<std::string>();  // shared by the parser's binding and the action
  CLI::App* create = project->add_subcommand("create", "Create a project");
  create->add_option("name", *name, "its name")->required();
  AddClientOptions(*create, session);
  create->footer("Example: tidemark project create Staging");
  create->callback([&session, name] {
    session.run = [&session, name] {
      PrintObject(session.output, session.MakeClient().Post("/projects", {{"name", *name}}));
      return 0;
    };
  });
  AddDelete(*project, session);
}

}  // namespace tidemark::app
