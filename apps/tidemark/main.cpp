#include <cstdio>

#include <fmt/core.h>
#include <malloc.h>

#include "command.h"
#include "exit_status.h"

namespace {

constexpr int kUsageStatus = 2;

std::string UsageFailure(const CLI::App* app, const CLI::Error& error) {
  return fmt::format("error: {}\nhint: {} --help\n", error.what(), app->get_name());
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
  tidemark::app::AddCluster(app, session);
  tidemark::app::AddSnapshot(app, session);
  tidemark::app::AddRestore(app, session);
  tidemark::app::AddMasterKey(app, session);
  tidemark::app::AddRepo(app, session);
  tidemark::app::AddAudit(app, session);
  tidemark::app::AddNotify(app, session);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsageStatus;
  }
  return session.run();
}

// The driver allocates each batch of up to 16 MiB anew, which glibc maps and unmaps each time: the
// page faults cost more than the batch (measured: docs/performance.md). What is freed is kept for
// the next one instead. A library that refuses only stays as slow.
void KeepFreedMemory() {
  constexpr int kMiB = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, 64 * kMiB);
  mallopt(M_TRIM_THRESHOLD, 256 * kMiB);
  mallopt(M_TOP_PAD, 64 * kMiB);
}

}  // namespace

int main(int argc, char** argv) {
  KeepFreedMemory();
  try {
    return RunCommand(argc, argv);
  } catch (const tidemark::Error& error) {
    fmt::print(stderr, "error: {}\n", error.message());
    if (!error.hint().empty()) {
      fmt::print(stderr, "hint: {}\n", error.hint());
    }
    return tidemark::app::ExitStatus(error.code());
  } catch (const std::exception& error) {
    fmt::print(
        stderr, "error: {}\nhint: this is a bug of tidemark; please report it\n", error.what());
    return tidemark::app::ExitStatus(tidemark::ErrorCode::kInternal);
  }
}
