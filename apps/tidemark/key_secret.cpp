// Secrets of service accounts, and the owner key that whoever holds the data directory can make.
#include "command.h"
#include "data_directory.h"
#include "output.h"
#include "service/access_service.h"

namespace tidemark::app {
namespace {

struct SecretOptions {
  std::string account;
  std::string secret;
  std::int64_t hours = 0;
};

struct OwnerOptions {
  std::string data_dir = "./tidemark-data";
  std::string project;
};

const std::vector<Column> kColumns{Member("ID", "id"),
                                   Member("ENDING", "ending"),
                                   Member("CREATED", "created"),
                                   Member("EXPIRES", "expires")};

std::string SecretsPath(const SecretOptions& options) {
  return "/keys/" + PathPart(options.account) + "/secrets";
}

CLI::App* AddAction(CLI::App& parent,
                    const char* name,
                    const char* help,
                    Session& session,
                    const std::shared_ptr<SecretOptions>& options) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option("account", options->account, "id of the service account")->required();
  AddClientOptions(*command, session);
  return command;
}

int MakeOwner(const OwnerOptions& options, OutputFormat output) {
  const auto project = ProjectId::Parse(options.project);
  if (!project) {
    throw Error(ErrorCode::kInvalidArgument,
                "making an owner key: " + options.project + " is no project's id",
                "tidemark repo open DIR list shows the projects that have snapshots");
  }
  SystemRandom random;
  const SystemClock clock;
  const auto log = MakeNullLog();
  DataDirectory directory = DataDirectory::Open(options.data_dir, random);
  service::Environment environment{
      directory.store(), directory.repository(), clock, random, *log, [] {}};
  const auto made = service::AccessService(environment).MakeOwnerKey(*project);
  directory.store().AppendAudit({.at = clock.Now(),
                                 .actor = std::string(domain::kSystemActor),
                                 .operation = "makeOwnerKey",
                                 .project = *project,
                                 .object = made.key.id.ToString()});
  PrintObject(output,
              boost::json::object{{"id", made.key.id.ToString()},
                                  {"organizationId", made.key.organization.ToString()},
                                  {"privateKey", made.secret.Reveal()},
                                  {"publicKey", made.key.public_name}});
  return 0;
}

}  // namespace

void AddKeySecret(CLI::App& key, Session& session) {
  const auto options =
      std::make_shared<SecretOptions>();  // shared by the parser's bindings and the actions
  CLI::App* secret = key.add_subcommand("secret", "Secrets of service accounts: two at most");
  secret->require_subcommand(1);

  CLI::App* add =
      AddAction(*secret, "add", "Make another secret; it is shown once", session, options);
  add->add_option("--hours", options->hours, "its life; default: no end");
  add->footer("Example: tidemark key secret add 32b6e34b3d91647abb20e7b8 --hours 2160");
  add->callback([&session, options] {
    session.run = [&session, options] {
      boost::json::object body;
      if (options->hours != 0) {
        body["secretExpiresAfterHours"] = options->hours;
      }
      PrintObject(session.output, session.MakeClient().Post(SecretsPath(*options), body));
      return 0;
    };
  });

  CLI::App* list =
      AddAction(*secret, "list", "What secrets there are, without values", session, options);
  list->footer("Example: tidemark key secret list 32b6e34b3d91647abb20e7b8");
  list->callback([&session, options] {
    session.run = [&session, options] {
      PrintList(session.output, session.MakeClient().List(SecretsPath(*options)), kColumns);
      return 0;
    };
  });

  CLI::App* remove =
      AddAction(*secret, "delete", "Delete a secret; its tokens end at once", session, options);
  remove->add_option("id", options->secret, "the secret's id")->required();
  remove->footer(
      "Example: tidemark key secret delete 32b6e34b3d91647abb20e7b8 32b6e34b3d91647abb20e7c0");
  remove->callback([&session, options] {
    session.run = [&session, options] {
      session.MakeClient().Delete(SecretsPath(*options) + "/" + PathPart(options->secret));
      return 0;
    };
  });
}

void AddKeyMakeOwner(CLI::App& key, Session& session) {
  const auto options =
      std::make_shared<OwnerOptions>();  // shared by the parser's bindings and the action
  CLI::App* command = key.add_subcommand(
      "make-owner", "Make an owner key when all are lost; in the data directory, server stopped");
  AddEnvironmentOption(
      *command, "--data-dir", options->data_dir, "TIDEMARK_DATA_DIR", "data directory");
  command->add_option("--project", options->project, "a project of the organization")->required();
  AddOutputOption(*command, session);
  command->footer(
      "Example: tidemark key make-owner --data-dir /var/lib/tidemark --project "
      "32b6e34b3d91647abb20e7b8");
  command->callback([options, &session] {
    session.run = [options, &session] { return MakeOwner(*options, session.output); };
  });
}

}  // namespace tidemark::app
