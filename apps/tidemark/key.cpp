#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

struct KeyOptions {
  std::string kind = "apiKey";
  std::vector<std::string> roles;
  std::string project;
  std::string organization;
  std::string description;
  std::string id;
};

std::string RolesText(const boost::json::value& row) {
  std::string text;
  for (const boost::json::value& role : row.at("roles").as_array()) {
    const std::string scope = TextOf(role, "projectId") + TextOf(role, "orgId");
    text += (text.empty() ? "" : ", ") + TextOf(role, "roleName") + "@" + scope;
  }
  return text;
}

std::string PublicName(const boost::json::value& row) {
  return TextOf(row, "publicKey") + TextOf(row, "clientId");
}

const std::vector<Column> kColumns{Member("ID", "id"),
                                   Member("KIND", "kind"),
                                   {"NAME", PublicName},
                                   {"ROLES", RolesText},
                                   Member("DESCRIPTION", "description")};

int Create(const KeyOptions& options, Session& session) {
  boost::json::array roles;
  for (const std::string& role : options.roles) {
    const bool organization = role.starts_with("ORG_");
    roles.push_back({{"roleName", role},
                     {organization ? "orgId" : "projectId",
                      organization ? options.organization : options.project}});
  }
  PrintObject(
      session.output,
      session.MakeClient().Post(
          "/keys",
          {{"kind", options.kind}, {"description", options.description}, {"roles", roles}}));
  return 0;
}

void AddCreate(CLI::App& key, Session& session, const std::shared_ptr<KeyOptions>& options) {
  CLI::App* create = key.add_subcommand("create", "Create a key; its secret is shown once");
  create->add_option("--kind", options->kind, "apiKey (HTTP digest) or serviceAccount (OAuth)")
      ->check(CLI::IsMember({"apiKey", "serviceAccount"}));
  create->add_option(
      "--role", options->roles, "e.g. GROUP_OWNER, GROUP_READ_ONLY, ORG_OWNER; may be repeated");
  create->add_option("--project", options->project, "project of the GROUP_ roles");
  create->add_option("--org", options->organization, "organization of the ORG_ roles");
  create->add_option("--description", options->description, "what it is for");
  AddClientOptions(*create, session);
  create->footer(
      "Example: tidemark key create --kind serviceAccount --role GROUP_OWNER --project "
      "32b6e34b3d91647abb20e7b8");
  create->callback([&session, options] {
    session.run = [&session, options] { return Create(*options, session); };
  });
}

}  // namespace

void AddKey(CLI::App& app, Session& session) {
  const auto options =
      std::make_shared<KeyOptions>();  // shared by the parser's bindings and the actions
  CLI::App* key = app.add_subcommand("key", "API keys and service accounts");
  key->require_subcommand(1);
  AddCreate(*key, session, options);

  CLI::App* list = key->add_subcommand("list", "The organization's keys");
  AddClientOptions(*list, session);
  list->footer("Example: tidemark key list");
  list->callback([&session] {
    session.run = [&session] {
      PrintList(session.output, session.MakeClient().List("/keys"), kColumns);
      return 0;
    };
  });

  CLI::App* revoke = key->add_subcommand("revoke", "Revoke a key at once");
  revoke->add_option("id", options->id, "the key's id")->required();
  AddClientOptions(*revoke, session);
  revoke->footer("Example: tidemark key revoke 32b6e34b3d91647abb20e7b8");
  revoke->callback([&session, options] {
    session.run = [&session, options] {
      session.MakeClient().Delete("/keys/" + options->id);
      return 0;
    };
  });
}

}  // namespace tidemark::app
