#include "command.h"
#include "output.h"

namespace tidemark::app {

void AddOrganization(CLI::App& app, Session& session) {
  CLI::App* organization = app.add_subcommand("org", "Organizations: keys and projects of one");
  organization->require_subcommand(1);
  const auto text =
      std::make_shared<std::string>();  // shared by the parser's bindings and the actions

  CLI::App* list = organization->add_subcommand("list", "The organization that the key belongs to");
  AddClientOptions(*list, session);
  list->footer("Example: tidemark org list");
  list->callback([&session] {
    session.run = [&session] {
      PrintList(session.output,
                session.MakeClient().List("/orgs"),
                {Member("ID", "id"), Member("NAME", "name")});
      return 0;
    };
  });

  CLI::App* show = organization->add_subcommand("show", "One organization");
  show->add_option("id", *text, "its id")->required();
  AddClientOptions(*show, session);
  show->footer("Example: tidemark org show 32b6e34b3d91647abb20e7b7");
  show->callback([&session, text] {
    session.run = [&session, text] {
      PrintObject(session.output, session.MakeClient().Get("/orgs/" + PathPart(*text)));
      return 0;
    };
  });

  CLI::App* create = organization->add_subcommand(
      "create", "Found another organization; its owner key is shown once");
  create->add_option("name", *text, "its name")->required();
  AddClientOptions(*create, session);
  create->footer("Example: tidemark org create Subsidiary");
  create->callback([&session, text] {
    session.run = [&session, text] {
      PrintObject(session.output, session.MakeClient().Post("/orgs", {{"name", *text}}));
      return 0;
    };
  });
}

}  // namespace tidemark::app
