#include <cstdlib>
#include <string>

#include <fmt/core.h>

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

CLI::Option* AddEnvironmentOption(CLI::App& command,
                                  const char* name,
                                  std::string& value,
                                  const char* variable,
                                  const std::string& help) {
  // Before threads exist.
  const char* given = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe)
  if (given != nullptr && *given != '\0') {
    value = given;
  }
  return command.add_option(name, value, fmt::format("{} (environment: {})", help, variable));
}

void AddClientOptions(CLI::App& command, Session& session) {
  AddEnvironmentOption(command,
                       "--url",
                       session.url,
                       "TIDEMARK_URL",
                       "where tidemark serve listens (default http://127.0.0.1:8080)");
  AddEnvironmentOption(
      command, "--public-key", session.public_key, "TIDEMARK_PUBLIC_KEY", "API key");
  AddEnvironmentOption(command,
                       "--private-key",
                       session.private_key,
                       "TIDEMARK_PRIVATE_KEY",
                       "its private key; better given by the environment");
  AddOutputOption(command, session);
}

CLI::App* AddProjectCommand(
    CLI::App& parent, const char* name, const char* help, Session& session, std::string& project) {
  CLI::App* command = parent.add_subcommand(name, help);
  AddEnvironmentOption(*command, "--project", project, "TIDEMARK_PROJECT", "id of the project")
      ->required(project.empty());
  AddClientOptions(*command, session);
  return command;
}

}  // namespace tidemark::app
