#include "command.h"

namespace tidemark::app {

void AddOutputOption(CLI::App& command, Session& session) {
  command
      .add_option_function<std::string>(
          "--output",
          [&session](const std::string& format) {
            session.output = format == "json" ? OutputFormat::kJson : OutputFormat::kTable;
          },
          "table or json")
      ->check(CLI::IsMember({"table", "json"}));
}

void AddClientOptions(CLI::App& command, Session& session) {
  command
      .add_option(
          "--url", session.url, "where tidemark serve listens (default http://127.0.0.1:8080)")
      ->envname("TIDEMARK_URL");
  command.add_option("--public-key", session.public_key, "API key")->envname("TIDEMARK_PUBLIC_KEY");
  command
      .add_option(
          "--private-key", session.private_key, "its private key; better given by the environment")
      ->envname("TIDEMARK_PRIVATE_KEY");
  AddOutputOption(command, session);
}

CLI::App* AddProjectCommand(
    CLI::App& parent, const char* name, const char* help, Session& session, std::string& project) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option("--project", project, "id of the project")
      ->required()
      ->envname("TIDEMARK_PROJECT");
  AddClientOptions(*command, session);
  return command;
}

}  // namespace tidemark::app
