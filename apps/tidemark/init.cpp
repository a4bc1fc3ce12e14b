#include <fmt/core.h>

#include "command.h"
#include "data_directory.h"
#include "output.h"
#include "service/access_service.h"

namespace tidemark::app {
namespace {

struct InitOptions {
  std::string data_dir = "./tidemark-data";
  std::string organization = "Organization 0";
  std::string project = "Project 0";
};

void PrintMade(const InitOptions& options, const service::AccessService::Bootstrap& made) {
  fmt::print(
      "made {}\n"
      "  project      {}  {}\n"
      "  public key   {}\n"
      "  private key  {}\n"
      "The private key is shown this once. Keep {}/master.key somewhere else as well:\n"
      "without it nobody can read the snapshots.\n"
      "next: tidemark serve --data-dir {}\n",
      options.data_dir,
      made.project.id.ToString(),
      made.project.name,
      made.key.key.public_name,
      made.key.secret.Reveal(),
      options.data_dir,
      options.data_dir);
}

int Init(const InitOptions& options, OutputFormat output) {
  SystemRandom random;
  const SystemClock clock;
  const auto log = MakeNullLog();
  DataDirectory::Create(options.data_dir, random);
  DataDirectory directory = DataDirectory::Open(options.data_dir, random);
  service::Environment environment{
      directory.store(), directory.repository(), clock, random, *log, [] {}};
  service::AccessService access(environment);
  const auto made = access.Initialize(options.organization, options.project);
  if (output == OutputFormat::kTable) {
    PrintMade(options, made);
    return 0;
  }
  PrintJson({{"dataDir", options.data_dir},
             {"organizationId", made.organization.id.ToString()},
             {"projectId", made.project.id.ToString()},
             {"projectName", made.project.name},
             {"publicKey", made.key.key.public_name},
             {"privateKey", made.key.secret.Reveal()}});
  return 0;
}

}  // namespace

void AddInit(CLI::App& app, Session& session) {
  const auto options =
      std::make_shared<InitOptions>();  // shared by the parser's bindings and the action
  CLI::App* command = app.add_subcommand(
      "init", "Make a data directory, a master key, a project and its first API key");
  AddEnvironmentOption(
      *command, "--data-dir", options->data_dir, "TIDEMARK_DATA_DIR", "folder to make");
  command->add_option("--organization", options->organization, "name of the organization");
  command->add_option("--project", options->project, "name of the first project");
  AddOutputOption(*command, session);
  command->footer("Example: tidemark init --data-dir /var/lib/tidemark");
  command->callback([options, &session] {
    session.run = [options, &session] { return Init(*options, session.output); };
  });
}

}  // namespace tidemark::app
