#include <optional>

#include "command.h"
#include "output.h"

namespace tidemark::app {
namespace {

struct KeyOptions {
  std::string kind = "apiKey";
  std::vector<std::string> roles;
  std::string project;
  std::string organization;
  std::optional<std::string> description;
  std::vector<std::string> access_list;
  bool from_anywhere = false;
  std::int64_t secret_hours = 0;
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

// "GROUP_OWNER@32b6e34b3d91647abb20e7b8" as lists show it, or a bare name and the other options.
boost::json::object RoleOf(const std::string& text, const KeyOptions& options) {
  const std::size_t at = text.find('@');
  const std::string name = text.substr(0, at);
  const bool organization = name.starts_with("ORG_");
  const std::string& given = organization ? options.organization : options.project;
  const std::string scope = at == std::string::npos ? given : text.substr(at + 1);
  if (scope.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading role " + text + ": nothing says where it is to hold",
                organization ? "write " + name + "@ORGANIZATION or give --org"
                             : "write " + name + "@PROJECT or give --project");
  }
  return {{"roleName", name}, {organization ? "orgId" : "projectId", scope}};
}

boost::json::array RolesOf(const KeyOptions& options) {
  boost::json::array roles;
  for (const std::string& role : options.roles) {
    roles.push_back(RoleOf(role, options));
  }
  return roles;
}

boost::json::array AccessListOf(const KeyOptions& options) {
  boost::json::array list;
  for (const std::string& block : options.access_list) {
    list.emplace_back(block);
  }
  return list;
}

int Create(const KeyOptions& options, Session& session) {
  boost::json::object body{{"kind", options.kind},
                           {"description", options.description.value_or("")},
                           {"roles", RolesOf(options)},
                           {"accessList", AccessListOf(options)}};
  if (options.secret_hours != 0) {
    body["secretExpiresAfterHours"] = options.secret_hours;
  }
  PrintObject(session.output, session.MakeClient().Post("/keys", body));
  return 0;
}

int Update(const KeyOptions& options, Session& session) {
  boost::json::object body;
  if (options.description) {
    body["description"] = *options.description;
  }
  if (!options.roles.empty()) {
    body["roles"] = RolesOf(options);
  }
  if (!options.access_list.empty() || options.from_anywhere) {
    body["accessList"] = AccessListOf(options);
  }
  if (body.empty()) {
    throw Error(ErrorCode::kInvalidArgument,
                "changing key " + options.id + ": nothing to change was given",
                "give --description, --role, --allow or --allow-anywhere");
  }
  PrintObject(session.output, session.MakeClient().Patch("/keys/" + PathPart(options.id), body));
  return 0;
}

// What create and update share.
void AddSettings(CLI::App& command, const std::shared_ptr<KeyOptions>& options) {
  command.add_option("--role",
                     options->roles,
                     "e.g. GROUP_OWNER@PROJECT, ORG_OWNER@ORGANIZATION; may be repeated");
  command.add_option("--project", options->project, "project of GROUP_ roles that name none");
  command.add_option("--org", options->organization, "organization of ORG_ roles that name none");
  command.add_option("--description", options->description, "what it is for");
  command.add_option("--allow",
                     options->access_list,
                     "address or CIDR block that it may be used from; may be repeated");
}

void AddCreate(CLI::App& key, Session& session, const std::shared_ptr<KeyOptions>& options) {
  CLI::App* create = key.add_subcommand("create", "Create a key; its secret is shown once");
  create->add_option("--kind", options->kind, "apiKey (HTTP digest) or serviceAccount (OAuth)")
      ->check(CLI::IsMember({"apiKey", "serviceAccount"}));
  AddSettings(*create, options);
  create->add_option("--secret-hours",
                     options->secret_hours,
                     "life of a service account's secret; default: no end");
  AddClientOptions(*create, session);
  create->footer(
      "Example: tidemark key create --kind serviceAccount --role "
      "GROUP_BACKUP_CREATOR@32b6e34b3d91647abb20e7b8 --allow 192.0.2.0/24");
  create->callback([&session, options] {
    session.run = [&session, options] { return Create(*options, session); };
  });
}

void AddUpdate(CLI::App& key, Session& session, const std::shared_ptr<KeyOptions>& options) {
  CLI::App* update =
      key.add_subcommand("update", "Change a key; what is given replaces what was, at once");
  update->add_option("id", options->id, "the key's id")->required();
  AddSettings(*update, options);
  update->add_flag("--allow-anywhere", options->from_anywhere, "empty its access list")
      ->excludes("--allow");
  AddClientOptions(*update, session);
  update->footer(
      "Example: tidemark key update 32b6e34b3d91647abb20e7b8 --role "
      "GROUP_READ_ONLY@32b6e34b3d91647abb20e7b9");
  update->callback([&session, options] {
    session.run = [&session, options] { return Update(*options, session); };
  });
}

void AddShow(CLI::App& key, Session& session, const std::shared_ptr<KeyOptions>& options) {
  CLI::App* show = key.add_subcommand("show", "One key, without its secret");
  show->add_option("id", options->id, "the key's id")->required();
  AddClientOptions(*show, session);
  show->footer("Example: tidemark key show 32b6e34b3d91647abb20e7b8");
  show->callback([&session, options] {
    session.run = [&session, options] {
      PrintObject(session.output, session.MakeClient().Get("/keys/" + PathPart(options->id)));
      return 0;
    };
  });
}

}  // namespace

void AddKey(CLI::App& app, Session& session) {
  const auto options =
      std::make_shared<KeyOptions>();  // shared by the parser's bindings and the actions
  CLI::App* key = app.add_subcommand("key", "API keys and service accounts");
  key->require_subcommand(1);
  AddCreate(*key, session, options);
  AddShow(*key, session, options);
  AddUpdate(*key, session, options);
  AddKeySecret(*key, session);
  AddKeyMakeOwner(*key, session);

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
      session.MakeClient().Delete("/keys/" + PathPart(options->id));
      return 0;
    };
  });
}

}  // namespace tidemark::app
