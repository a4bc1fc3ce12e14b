#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/allocator.h"
#include "base/one_line.h"
#include "command.h"
#include "exit_status.h"
#include "mongo/driver_library.h"

namespace {

constexpr int kUsageStatus = 2;

// "tidemark cluster add": as far as what was typed names commands.
std::string CalledCommand(const CLI::App* app) {
  std::string name = app->get_name();
  for (auto called = app->get_subcommands(); !called.empty(); called = app->get_subcommands()) {
    app = called.front();
    name += ' ' + app->get_name();
  }
  return name;
}

std::string UsageFailure(const CLI::App* app, const CLI::Error& error) {
  const std::string command = CalledCommand(app);
  const std::vector<std::string> unknown = app->remaining(true);
  // What is missing may be what was misspelled.
  const bool misspelled =
      !unknown.empty() &&
      (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) ||
       error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError));
  const std::string what =
      misspelled ? fmt::format("{} has no \"{}\"", command, unknown.front()) : error.what();
  return fmt::format("error: {}\nhint: {} --help\n", what, command);
}

// An option that is given and empty is most likely a variable of a script that nobody has set. It
// must not count as left out: a restore would then do more than was wanted.
void RefuseEmptyOptions(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) {
    for (const CLI::Option* option : command->get_options()) {
      const auto& values = option->results();
      const bool described = option->check_name("--description");  // may say nothing
      if (!described && std::ranges::find(values, std::string()) != values.end()) {
        throw CLI::ValidationError(option->get_name(), "it is empty");
      }
    }
    RefuseEmptyOptions(*command);
  }
}

int RunCommand(int argc, char** argv) {
  CLI::App app("Backup and restore for MongoDB behind the Atlas Administration API", "tidemark");
  app.require_subcommand(1);
  app.failure_message(UsageFailure);
  app.set_version_flag("--version", TIDEMARK_VERSION);
  tidemark::app::Session session;
  tidemark::app::AddInit(app, session);
  tidemark::app::AddServe(app, session);
  tidemark::app::AddProject(app, session);
  tidemark::app::AddKey(app, session);
  tidemark::app::AddOrganization(app, session);
  tidemark::app::AddCluster(app, session);
  tidemark::app::AddSnapshot(app, session);
  tidemark::app::AddSchedule(app, session);
  tidemark::app::AddRestore(app, session);
  tidemark::app::AddDrill(app, session);
  tidemark::app::AddMasterKey(app, session);
  tidemark::app::AddRepo(app, session);
  tidemark::app::AddAudit(app, session);
  tidemark::app::AddNotify(app, session);
  tidemark::app::AddExportJob(app, session);
  tidemark::app::AddExportTarget(app, session);
  try {
    app.parse(argc, argv);
    RefuseEmptyOptions(app);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageStatus;
  }
  return session.run();
}

// The loader calls what is here before the constructors of libraries, of which the driver's can
// print.
[[gnu::section(".preinit_array"),
  gnu::used]] void (*const kBeforeLibraries)() noexcept = tidemark::mongo::SilenceDriver;

}  // namespace

int main(int argc, char** argv) {
  tidemark::KeepFreedMemory();
  tidemark::mongo::UnlinkDriverCounters();
  try {
    return RunCommand(argc, argv);
  } catch (const tidemark::Error& error) {
    fmt::print(stderr, "error: {}\n", tidemark::OneLine(error.message()));
    if (!error.hint().empty()) {
      fmt::print(stderr, "hint: {}\n", tidemark::OneLine(error.hint()));
    }
    return tidemark::app::ExitStatus(error.code());
  } catch (const std::exception& error) {
    fmt::print(
        stderr, "error: {}\nhint: this is a bug of tidemark; please report it\n", error.what());
    return tidemark::app::ExitStatus(tidemark::ErrorCode::kInternal);
  }
}
