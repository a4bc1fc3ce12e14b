#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include <unistd.h>

#include "access_limits.h"
#include "api/api.h"
#include "base/stage_group.h"
#include "command.h"
#include "config/settings.h"
#include "data_directory.h"
#include "edge.h"
#include "jobs/runner.h"
#include "notify/dispatcher.h"
#include "service/drill_service.h"
#include "service/memory_plan.h"
#include "service/scheduler.h"

namespace tidemark::app {
namespace {

constexpr std::chrono::seconds kShutdownGrace{10};

struct ServeFlags {
  std::string config_file;
  std::map<std::string, std::string, std::less<>>
      values;  // by option name; only those that were given
};

std::optional<std::string> ReadEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

LogLevel ParseLogLevel(const std::string& name) {
  if (name == "debug") {
    return LogLevel::kDebug;
  }
  if (name == "warn") {
    return LogLevel::kWarn;
  }
  return name == "error" ? LogLevel::kError : LogLevel::kInfo;
}

// "127.0.0.1:8080", "[::1]:8080".
http::ServerOptions MakeServerOptions(const config::Settings& settings,
                                      const service::MemoryPlan& plan) {
  const std::string& listen = settings.Text("listen");
  const std::size_t colon = listen.rfind(':');
  http::ServerOptions options;
  unsigned port = 0;
  const char* first = listen.data() + (colon == std::string::npos ? listen.size() : colon + 1);
  const auto [end, error] = std::from_chars(first, listen.data() + listen.size(), port);
  if (error != std::errc() || end != listen.data() + listen.size() || port > 65535) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading the setting listen: \"" + listen + "\" is not ADDRESS:PORT");
  }
  options.address = listen.substr(0, colon);
  if (options.address.starts_with('[') && options.address.ends_with(']')) {
    options.address = options.address.substr(1, options.address.size() - 2);
  }
  options.port = static_cast<std::uint16_t>(port);
  options.tls_certificate_file = settings.Text("tls-certificate");
  options.tls_key_file = settings.Text("tls-key");
  options.call_threads = static_cast<int>(settings.Integer("call-threads"));
  options.max_connections = static_cast<std::size_t>(settings.Integer("max-connections"));
  options.max_streams = static_cast<std::size_t>(plan.streams);
  return options;
}

// Maps of archives: beside the catalog, but safe to lose.
std::filesystem::path MapDir(const config::Settings& settings) {
  return std::filesystem::path(settings.Text("data-dir")) / "archive-maps";
}

int EncodeThreads(const config::Settings& settings) {
  const auto wanted = static_cast<int>(settings.Integer("snapshot-encode-threads"));
  return wanted > 0 ? wanted : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

service::MemoryPlan PlanMemory(const config::Settings& settings) {
  return service::PlanMemory(
      {.budget = MiB(static_cast<std::uint64_t>(settings.Integer("memory-budget-mib"))),
       .jobs = static_cast<int>(settings.Integer("job-workers")),
       .readers = static_cast<int>(settings.Integer("snapshot-parallel-namespaces")),
       .encoders = EncodeThreads(settings),
       .namespaces = delivery::RestoreOptions().parallel_namespaces,
       .writers = static_cast<int>(settings.Integer("restore-writers")),
       .streams = static_cast<int>(settings.Integer("max-streams")),
       .chunk_size = KiB(static_cast<std::uint64_t>(settings.Integer("snapshot-chunk-size-kib")))});
}

engine::SnapshotOptions MakeEngineOptions(const config::Settings& settings,
                                          const service::MemoryPlan& plan) {
  engine::SnapshotOptions options;
  options.parallel_namespaces = plan.readers;
  options.encode_threads = EncodeThreads(settings);
  options.sort_memory = plan.sort_memory;
  options.merge_memory = plan.merge_memory;
  options.pack_size = plan.pack_size;
  options.chunk_size = KiB(static_cast<std::uint64_t>(settings.Integer("snapshot-chunk-size-kib")));
  options.compression_level = static_cast<int>(settings.Integer("snapshot-compression-level"));
  return options;
}

delivery::RestoreOptions MakeRestoreOptions(const service::MemoryPlan& plan) {
  delivery::RestoreOptions options;
  options.writers = plan.writers;
  options.parallel_namespaces = plan.namespaces;
  return options;
}

service::ExportServiceOptions MakeExportOptions(const config::Settings& settings) {
  return {.folder = settings.Text("export-directory"),
          .loopback = settings.IsOn("export-loopback")};
}

notify::TransportOptions MakeTransportOptions(const config::Settings& settings) {
  return {.loopback = settings.IsOn("notify-loopback") ? notify::Loopback::kAllow
                                                       : notify::Loopback::kRefuse};
}

std::string NodeName(RandomSource& random) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  return std::string(host.data()) + "-" + std::to_string(getpid()) + "-" + RandomHex(random, 4);
}

jobs::RunnerOptions MakeRunnerOptions(const config::Settings& settings, RandomSource& random) {
  jobs::RunnerOptions options;
  options.node = NodeName(random);
  options.workers = static_cast<int>(settings.Integer("job-workers"));
  return options;
}

// What acts on schedules, until it is destroyed; nothing with `schedules = off`.
class ScheduleThreads {
 public:
  ScheduleThreads(service::Environment& environment,
                  service::RepositoryService& repository,
                  service::DrillService& drills,
                  const config::Settings& settings)
      : scheduler_(
            environment,
            repository,
            {.collect_every = std::chrono::hours(settings.Integer("collect-interval-hours"))}) {
    if (settings.IsOn("schedules")) {
      threads_.Start("scheduler", [this](const std::stop_token& stop) { scheduler_.Work(stop); });
      threads_.Start("drills", [&drills](const std::stop_token& stop) { drills.Work(stop); });
    }
  }

 private:
  service::Scheduler scheduler_;
  StageGroup threads_;
};

// Who did what, and who is told of failures, until it is destroyed.
class NoticeThread {
 public:
  NoticeThread(DataDirectory& directory,
               service::Environment& environment,
               const config::Settings& settings,
               const Clock& clock,
               Log& log)
      : transport_(notify::MakeCurlTransport(MakeTransportOptions(settings), clock)),
        notices_(environment, *transport_),
        dispatcher_(directory.store(),
                    *transport_,
                    [this](const domain::Channel& channel) { return notices_.Open(channel); },
                    clock,
                    log,
                    {}) {
    thread_.Start("notices", [this](const std::stop_token& stop) { dispatcher_.Work(stop); });
  }

  service::NoticeService& notices() { return notices_; }

 private:
  const std::unique_ptr<notify::Transport> transport_;
  service::NoticeService notices_;
  notify::Dispatcher dispatcher_;
  StageGroup thread_;
};

// We hold the directory's lock: every lease and open download in the catalog, every session in the
// repository and every request without an outcome is one of a process that is gone.
void TakeOver(DataDirectory& directory, const Clock& clock, Log& log) {
  directory.store().BreakAllLeases();
  directory.store().EndAllDownloads();
  directory.repository().DropSessions();
  const catalog::AuditLog::AuditStart audited = directory.store().StartAudit(clock.Now());
  // Kept with the log, the line tells later whether the audit log was rewritten: docs/audit.md.
  log.Info("audit_row={} audit_hash={} unknown_outcomes={}  audit log goes on",
           audited.last.number,
           audited.last.hash,
           audited.unknown);
}

// nullopt without scp-host.
std::optional<delivery::SftpDestination> MakeDestination(const config::Settings& settings) {
  delivery::SftpDestination destination{
      .host = settings.Text("scp-host"),
      .port = static_cast<std::uint16_t>(settings.Integer("scp-port")),
      .user = settings.Text("scp-user"),
      .key_file = settings.Text("scp-key-file"),
      .directory = settings.Text("scp-directory"),
      .host_key = settings.Text("scp-host-key")};
  if (destination.host.empty()) {
    return std::nullopt;
  }
  const std::string problem = delivery::DestinationProblem(destination);
  if (!problem.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "reading the settings scp-*: " + problem);
  }
  return destination;
}

ByteCount SizeOf(const std::filesystem::path& folder) {
  std::uint64_t size = 0;
  std::error_code error;  // files come and go while we look
  for (std::filesystem::recursive_directory_iterator at(folder, error), end; at != end && !error;
       at.increment(error)) {
    const std::uintmax_t bytes = at->is_regular_file(error) ? at->file_size(error) : 0;
    size += error ? 0 : bytes;
    error.clear();
  }
  return ByteCount{size};
}

service::MetricsOptions MakeMetricsOptions(const config::Settings& settings,
                                           const service::MemoryPlan& plan) {
  service::MetricsOptions options;
  options.loopback = settings.IsOn("metrics-loopback") ? service::LoopbackMetrics::kShow
                                                       : service::LoopbackMetrics::kRefuse;
  options.version = TIDEMARK_VERSION;
  options.memory_budget = MiB(static_cast<std::uint64_t>(settings.Integer("memory-budget-mib")));
  options.job_workers = static_cast<int>(settings.Integer("job-workers"));
  options.streams = plan.streams;
  options.measure_repository = [folder = DataDirectory::RepositoryFolder(
                                    settings.Text("data-dir"))] { return SizeOf(folder); };
  return options;
}

// What a worker does with a job of each kind.
struct Workers {
  service::ImportService& imports;
  service::RestoreService& restores;
  service::PushService& pushes;
  service::ExportService& exports;
  service::DrillService& drills;
  service::MetricsService& metrics;
};

std::map<domain::JobKind, jobs::JobHandler> MakeHandlers(const Workers& workers,
                                                         catalog::Store& store) {
  const auto restore = [workers, &store](const jobs::JobContext& context) {
    const auto found = store.FindRestore(RestoreJobId(context.job.subject));
    if (found && found->delivery == domain::DeliveryMethod::kPush) {
      workers.pushes.Run(context, *found);
    } else {
      workers.restores.Run(context);
    }
  };
  const auto counted = [&workers](jobs::JobHandler handler) {
    return workers.metrics.Counted(std::move(handler));
  };
  return {{domain::JobKind::kTakeSnapshot,
           counted([&imports = workers.imports](const jobs::JobContext& context) {
             imports.Run(context);
           })},
          {domain::JobKind::kRestore, counted(restore)},
          {domain::JobKind::kExport,
           counted([&exports = workers.exports](const jobs::JobContext& context) {
             exports.Run(context);
           })},
          {domain::JobKind::kDrill,
           counted([&drills = workers.drills](const jobs::JobContext& context) {
             drills.Run(context);
           })}};
}

http::Handler MakeAnswering(api::Api& api, service::MetricsService& metrics) {
  return [&api, &metrics](const http::Request& request) {
    http::Response response = api.Handle(request);
    metrics.CountRequest(request.path, response.status);
    return response;
  };
}

config::Settings LoadSettings(const ServeFlags& flags) {
  return config::LoadSettings(
      {flags.config_file.empty() ? std::nullopt : std::optional(flags.config_file),
       ReadEnvironment,
       flags.values});
}

service::ImportOptions MakeImportOptions(const config::Settings& settings) {
  return {.folder = settings.Text("import-directory"), .spool_folder = settings.Text("data-dir")};
}

// Puts the server together and runs it until a signal. Destruction goes from the edge inwards.
int Serve(const ServeFlags& flags) {
  const Signals signals;
  const config::Settings settings = LoadSettings(flags);
  const auto log = MakeStderrLog(ParseLogLevel(settings.Text("log-level")));
  const SystemClock clock;
  SystemRandom random;
  const service::MemoryPlan plan = PlanMemory(settings);
  const http::ServerOptions server_options = MakeServerOptions(settings, plan);
  DataDirectory directory = DataDirectory::Open(settings.Text("data-dir"), random);
  TakeOver(directory, clock, *log);

  std::unique_ptr<jobs::Runner> runner;
  service::Environment environment{
      directory.store(), directory.repository(), clock, random, *log, [&runner] {
        runner->Wake();
      }};
  service::AccessService access(environment);
  access.FinishProjectDeletions();
  service::ClusterService clusters(environment);
  service::SnapshotService snapshots(environment, clusters, MakeEngineOptions(settings, plan));
  service::RestoreService restores(environment, access, clusters, MakeRestoreOptions(plan));
  service::RepositoryService maintenance(environment);
  service::ImportService imports(environment, clusters, snapshots, MakeImportOptions(settings));
  service::DownloadService downloads(environment, clusters, archive::OpenArchive, MapDir(settings));
  service::ScheduleService schedules(
      environment, settings.IsOn("schedules") ? service::Schedules::kOn : service::Schedules::kOff);
  service::AuditService audit(environment);
  service::ExportService exports(environment, access, MakeExportOptions(settings));
  service::DrillService drills(environment, clusters, schedules, MakeRestoreOptions(plan));
  service::PushService pushes(
      environment, access, clusters, downloads, {.destination = MakeDestination(settings)});
  service::MetricsService metrics(environment, MakeMetricsOptions(settings, plan));

  runner = jobs::Runner::Start(
      directory.store(),
      clock,
      *log,
      MakeRunnerOptions(settings, random),
      MakeHandlers({imports, restores, pushes, exports, drills, metrics}, directory.store()));

  NoticeThread notice_thread(directory, environment, settings, clock, *log);
  const auto api = api::Api::Make({access,
                                   clusters,
                                   snapshots,
                                   imports,
                                   restores,
                                   downloads,
                                   maintenance,
                                   schedules,
                                   audit,
                                   notice_thread.notices(),
                                   exports,
                                   drills,
                                   pushes,
                                   metrics,
                                   directory.store(),
                                   clock,
                                   random,
                                   *log,
                                   directory.DeriveKey("digest nonces"),
                                   MakeAccessLimits(settings)});
  StageGroup maintenance_thread;
  maintenance_thread.Start("repo-tasks",
                           [&maintenance](const std::stop_token& stop) { maintenance.Work(stop); });
  maintenance_thread.Start("measure",
                           [&downloads](const std::stop_token& stop) { downloads.Work(stop); });
  ScheduleThreads schedule_threads(environment, maintenance, drills, settings);
  Edge edge(server_options,
            settings.Text("access-log"),
            MakeAnswering(*api, metrics),
            clock,
            random,
            *log);
  edge.RunUntilStopped(signals);
  log->Info("stopping: jobs are handed back, requests finish");
  runner->Stop();
  edge.Stop(kShutdownGrace);
  return 0;
}

}  // namespace

void AddServe(CLI::App& app, Session& session) {
  const auto flags =
      std::make_shared<ServeFlags>();  // shared by the parser's bindings and the action
  CLI::App* command =
      app.add_subcommand("serve", "Serve the API and run jobs until SIGTERM or SIGINT");
  command->add_option("--config", flags->config_file, "settings file (TOML)");
  for (const config::Option& option : config::Options()) {
    const std::string name(option.name);
    command->add_option_function<std::string>(
        "--" + name,
        [flags, name](const std::string& value) { flags->values[name] = value; },
        std::string(option.help) + " (default: " + std::string(option.default_value) + ")");
  }
  command->footer("Example: tidemark serve --data-dir /var/lib/tidemark --listen 127.0.0.1:8080");
  command->callback([flags, &session] { session.run = [flags] { return Serve(*flags); }; });
}

}  // namespace tidemark::app
