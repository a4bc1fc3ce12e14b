#include "service/metrics_service.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>

#include <unistd.h>

#include "base/error.h"

namespace tidemark::service {
namespace {

using telemetry::Family;
using telemetry::Kind;

constexpr std::chrono::minutes kMeasureEvery{10};

double Seconds(Instant instant) {
  return std::chrono::duration<double>(instant.time_since_epoch()).count();
}

Family Gauge(std::string name, std::string help, double value) {
  return {.name = std::move(name), .help = std::move(help), .samples = {{{}, value}}};
}

std::string_view FamilyOf(const std::string& path) {
  struct Prefix {
    std::string_view path;
    std::string_view family;
  };

  constexpr std::array kPrefixes{Prefix{"/api/atlas/v2/", "v2"},
                                 Prefix{"/api/atlas/v1.0/", "v1.0"},
                                 Prefix{"/api/atlas/v1.5/", "v1.5"},
                                 Prefix{"/api/tidemark/v1/", "own"},
                                 Prefix{"/api/oauth/", "oauth"},
                                 Prefix{"/metrics", "metrics"}};
  const auto found = std::ranges::find_if(
      kPrefixes, [&](const Prefix& prefix) { return path.starts_with(prefix.path); });
  return found == kPrefixes.end() ? "other" : found->family;
}

std::string_view StateName(domain::JobState state) {
  return state == domain::JobState::kReady ? "waiting" : "running";
}

// Of this process; nullopt where the system does not tell.
std::optional<double> ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  if (!(file >> size >> resident)) {
    return std::nullopt;
  }
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

struct JobOutcome {
  std::string_view name = "handed_back";  // the server stops, or the lease was lost
  double bytes = 0;                       // BSON
  double stored = 0;
};

JobOutcome OutcomeOf(catalog::Store& store, const domain::Job& job) {
  const auto now = store.FindJobBySubject(job.subject);
  if (!now || now->state != domain::JobState::kDone) {
    return {};
  }
  switch (job.kind) {
    case domain::JobKind::kTakeSnapshot: {
      const auto snapshot = store.FindSnapshot(SnapshotId(job.subject));
      const bool good = snapshot && snapshot->state == domain::SnapshotState::kCompleted;
      return {good ? "completed" : "failed",
              good ? static_cast<double>(snapshot->logical_bytes) : 0,
              good ? static_cast<double>(snapshot->stored_bytes) : 0};
    }
    case domain::JobKind::kRestore: {
      const auto restore = store.FindRestore(RestoreJobId(job.subject));
      const bool good = restore && restore->state == domain::RestoreState::kCompleted;
      return {good ? "completed" : "failed",
              good ? static_cast<double>(now->progress.bytes_total) : 0,
              0};
    }
    case domain::JobKind::kExport: {
      const auto ended = store.FindExport(domain::ExportId(job.subject));
      const bool good = ended && ended->state == domain::ExportState::kSuccessful;
      return {good ? "completed" : "failed",
              good ? static_cast<double>(now->progress.bytes_total) : 0,
              0};
    }
    case domain::JobKind::kDrill: {
      const auto drill = store.FindDrill(domain::DrillId(job.subject));
      if (!drill || drill->state == domain::DrillState::kStopped) {
        return {"stopped", 0, 0};
      }
      const bool good = drill->state == domain::DrillState::kPassed;
      return {good ? "completed" : "failed", static_cast<double>(drill->bytes), 0};
    }
  }
  return {};
}

}  // namespace

void MetricsService::CountRequest(const std::string& path, int status) {
  registry_->Count("tidemark_http_requests_total",
                   "Answered HTTP requests by family of the API and status.",
                   {{"family", std::string(FamilyOf(path))}, {"status", std::to_string(status)}},
                   1);
}

jobs::JobHandler MetricsService::Counted(jobs::JobHandler handler) {
  return [this, handler = std::move(handler)](const jobs::JobContext& context) {
    const auto start = std::chrono::steady_clock::now();
    const auto count = [&] {
      CountJob(context.job,
               std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    };
    try {
      handler(context);
    } catch (...) {
      count();
      throw;
    }
    count();
  };
}

// What cannot be counted must not fail a job.
void MetricsService::CountJob(const domain::Job& job, double seconds) {
  try {
    const JobOutcome outcome = OutcomeOf(env_.store, job);
    const std::string kind(domain::JobKindName(job.kind));
    registry_->Count("tidemark_job_runs_total",
                     "Runs of jobs that have ended, by kind and outcome.",
                     {{"kind", kind}, {"outcome", std::string(outcome.name)}},
                     1);
    registry_->Observe("tidemark_job_run_seconds",
                       "How long runs of jobs took, whatever came of them.",
                       {{"kind", kind}},
                       seconds);
    registry_->Count("tidemark_job_bytes_total",
                     "BSON bytes of jobs that have completed.",
                     {{"kind", kind}},
                     outcome.bytes);
    if (job.kind == domain::JobKind::kTakeSnapshot) {
      registry_->Count("tidemark_snapshot_stored_bytes_total",
                       "Bytes that completed snapshots have added to the repository.",
                       {},
                       outcome.stored);
    }
  } catch (const Error& error) {
    env_.log.Warn("job={}  not counted: {}", job.id.ToString(), error.message());
  }
}

void MetricsService::AddCatalog(std::vector<Family>& families) {
  const catalog::Facts facts = env_.store.ReadFacts();
  Family jobs{.name = "tidemark_jobs", .help = "Unfinished jobs by kind and state."};
  for (const auto& count : facts.jobs) {
    jobs.samples.push_back({{{"kind", std::string(domain::JobKindName(count.kind))},
                             {"state", std::string(StateName(count.state))}},
                            static_cast<double>(count.count)});
  }
  families.push_back(std::move(jobs));
  const Instant now = env_.clock.Now();
  families.push_back(
      Gauge("tidemark_oldest_waiting_job_age_seconds",
            "How long the job has waited that waits longest; 0 when none does.",
            facts.oldest_waiting ? Seconds(now) - Seconds(*facts.oldest_waiting) : 0));
  families.push_back(
      Gauge("tidemark_clusters", "Registered clusters.", static_cast<double>(facts.clusters)));
  families.push_back({.name = "tidemark_missed_snapshots_total",
                      .help = "Due times of schedules that passed without a snapshot.",
                      .kind = Kind::kCounter,
                      .samples = {{{}, static_cast<double>(facts.missed)}}});
  families.push_back(Gauge("tidemark_clusters_failing_drills",
                           "Clusters whose last restore drill failed.",
                           static_cast<double>(facts.failing)));
  families.push_back(Gauge("tidemark_clusters_undrilled",
                           "Clusters whose schedule asks for drills that have had none.",
                           static_cast<double>(facts.unverified)));
  families.push_back(Gauge("tidemark_notices_waiting",
                           "Notices that have not been delivered yet.",
                           static_cast<double>(facts.notices_waiting)));
  families.push_back(Gauge("tidemark_events_waiting",
                           "Events that have not reached the audit log yet.",
                           static_cast<double>(facts.events_waiting)));
}

void MetricsService::AddProcess(std::vector<Family>& families) {
  families.push_back({.name = "tidemark_build_info",
                      .help = "1, with the version that runs.",
                      .samples = {{{{"version", options_.version}}, 1}}});
  families.push_back(Gauge("tidemark_memory_budget_bytes",
                           "What the server may have resident (memory-budget-mib).",
                           static_cast<double>(options_.memory_budget.value)));
  if (const auto resident = ResidentBytes()) {
    families.push_back(
        Gauge("tidemark_memory_resident_bytes", "What the server has resident.", *resident));
  }
  families.push_back(
      Gauge("tidemark_job_workers", "Jobs that run at once, at most.", options_.job_workers));
  families.push_back(
      Gauge("tidemark_streams", "Downloads and exports at once, at most.", options_.streams));
  if (const auto size = RepositorySize()) {
    families.push_back(Gauge("tidemark_repository_bytes",
                             "Size of the repository, at most ten minutes old.",
                             static_cast<double>(size->value)));
  }
}

// Walking the repository's folder costs a look at each of its packs.
std::optional<ByteCount> MetricsService::RepositorySize() {
  if (!options_.measure_repository) {
    return std::nullopt;
  }
  const Instant now = env_.clock.Now();
  const MutexLock lock(mutex_);
  if (!measured_ || now - *measured_ >= kMeasureEvery || now < *measured_) {
    try {
      repository_ = options_.measure_repository();
    } catch (const std::exception& error) {
      env_.log.Warn("measuring the repository: {}", error.what());
    }
    measured_ = now;
  }
  return repository_;
}

void MetricsService::AddClusters(const std::vector<OrganizationId>& named,
                                 std::vector<Family>& families) {
  Family newest{.name = "tidemark_cluster_newest_snapshot_timestamp_seconds",
                .help = "When the newest completed snapshot of the cluster was finished."};
  Family drilled{.name = "tidemark_cluster_last_drill_timestamp_seconds",
                 .help = "When the last restore drill of the cluster ended."};
  Family intact{.name = "tidemark_cluster_last_drill_passed",
                .help = "1 when it passed, 0 when it failed."};
  Family missed{.name = "tidemark_cluster_missed_snapshots_total",
                .help = "Due times of the cluster's schedule that passed without a snapshot.",
                .kind = Kind::kCounter};
  const auto rows = env_.store.ListClusterFacts(options_.clusters);
  std::set<std::pair<std::string, std::string>> seen;  // names may repeat across organizations
  for (const catalog::ClusterFacts& row : rows) {
    if (std::ranges::find(named, row.organization) == named.end() ||
        !seen.emplace(row.project, row.cluster).second) {
      continue;
    }
    const telemetry::Labels labels{{"project", row.project}, {"cluster", row.cluster}};
    if (row.newest) {
      newest.samples.push_back({labels, Seconds(*row.newest)});
    }
    if (row.verified) {
      drilled.samples.push_back({labels, Seconds(*row.verified)});
      intact.samples.push_back({labels, row.intact ? 1.0 : 0.0});
    }
    missed.samples.push_back({labels, static_cast<double>(row.missed)});
  }
  families.push_back(Gauge("tidemark_clusters_shown",
                           "Clusters that have series of their own on this page.",
                           static_cast<double>(seen.size())));
  for (Family* family : {&newest, &drilled, &intact, &missed}) {
    families.push_back(std::move(*family));
  }
}

std::string MetricsService::Render(const std::vector<OrganizationId>& named) {
  std::vector<Family> families;
  AddProcess(families);
  AddCatalog(families);
  if (!named.empty()) {
    AddClusters(named, families);
  }
  return registry_->Render(families);
}

}  // namespace tidemark::service
