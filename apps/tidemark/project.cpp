#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

const std::vector<Column> kColumns{Member("ID", "id"),
                                   Member("NAME", "name"),
                                   Member("ORGANIZATION", "orgId"),
                                   Member("CREATED", "created")};

}  // namespace

void AddProject(CLI::App& app, Session& session) {
  CLI::App* project = app.add_subcommand("project", "List and create projects");
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
}

}  // namespace tidemark::app
