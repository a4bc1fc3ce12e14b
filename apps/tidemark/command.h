#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "client.h"

namespace tidemark::app {

enum class OutputFormat { kTable, kJson };

// What every subcommand shares. A subcommand sets `run`; main calls it after parsing.
struct Session {
  std::string url = "http://127.0.0.1:8080";
  std::string public_key;
  std::string private_key;
  OutputFormat output = OutputFormat::kTable;
  std::function<int()> run;  // returns the exit status

  Client MakeClient() const { return Client({url, public_key, Secret(private_key)}); }
};

// Each adds its subcommands to `app`; options are bound to values that live as long as `app`.
void AddInit(CLI::App& app, Session& session);
void AddServe(CLI::App& app, Session& session);
void AddProject(CLI::App& app, Session& session);
void AddKey(CLI::App& app, Session& session);
void AddOrganization(CLI::App& app, Session& session);
void AddCluster(CLI::App& app, Session& session);
void AddSnapshot(CLI::App& app, Session& session);
void AddSchedule(CLI::App& app, Session& session);
void AddRestore(CLI::App& app, Session& session);
void AddDrill(CLI::App& app, Session& session);
void AddMasterKey(CLI::App& app, Session& session);
void AddRepo(CLI::App& app, Session& session);
void AddAudit(CLI::App& app, Session& session);
void AddNotify(CLI::App& app, Session& session);
// Those of `tidemark key`.
void AddKeySecret(CLI::App& key, Session& session);
void AddKeyMakeOwner(CLI::App& key, Session& session);
void AddExportJob(CLI::App& app, Session& session);
void AddExportTarget(CLI::App& app, Session& session);
// Those of `tidemark repo`.
void AddRepoOpen(CLI::App& repo, Session& session);

// A client subcommand with --project; `project` must live as long as the parser.
CLI::App* AddProjectCommand(
    CLI::App& parent, const char* name, const char* help, Session& session, std::string& project);
// The options of a client subcommand: --url, --public-key, --private-key, --output.
void AddClientOptions(CLI::App& command, Session& session);
void AddOutputOption(CLI::App& command, Session& session);
// An option that the environment may give as well; what is typed wins. Not by CLI11's envname(): it
// sets the options of commands that nobody called, too, and so the values that commands share.
// Call it before there are threads; `value` must live as long as the parser.
CLI::Option* AddEnvironmentOption(CLI::App& command,
                                  const char* name,
                                  std::string& value,
                                  const char* variable,
                                  const std::string& help);

}  // namespace tidemark::app
