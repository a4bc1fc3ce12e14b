#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/units.h"
#include "jobs/runner.h"
#include "service/environment.h"
#include "telemetry/metrics.h"

namespace tidemark::service {

// Whether peers on the loopback interface see the metrics that name nothing without a key.
enum class LoopbackMetrics { kRefuse, kShow };

struct MetricsOptions {
  LoopbackMetrics loopback = LoopbackMetrics::kShow;
  std::int64_t clusters = 500;  // that have series of their own, at most
  std::string version;
  ByteCount memory_budget;
  int job_workers = 0;
  int streams = 0;
  // Bytes that the repository takes; asked for at most every ten minutes.
  std::function<ByteCount()> measure_repository;
};

// What docs/metrics.md lists. Synchronized; Render blocks on the catalog.
class MetricsService {
 public:
  MetricsService(Environment& environment, MetricsOptions options)
      : env_(environment), options_(std::move(options)), registry_(telemetry::Registry::Make()) {}

  LoopbackMetrics loopback() const { return options_.loopback; }

  // An answered request: its path tells the family.
  void CountRequest(const std::string& path, int status);
  // `handler`, with its runs counted.
  jobs::JobHandler Counted(jobs::JobHandler handler);
  // In Prometheus' text format. Names only clusters of those organizations.
  std::string Render(const std::vector<OrganizationId>& named);

 private:
  void CountJob(const domain::Job& job, double seconds);
  void AddCatalog(std::vector<telemetry::Family>& families);
  void AddProcess(std::vector<telemetry::Family>& families);
  void AddClusters(const std::vector<OrganizationId>& named,
                   std::vector<telemetry::Family>& families);
  std::optional<ByteCount> RepositorySize() TIDEMARK_EXCLUDES(mutex_);

  Environment& env_;
  const MetricsOptions options_;
  const std::unique_ptr<telemetry::Registry> registry_;
  Mutex mutex_;
  std::optional<ByteCount> repository_ TIDEMARK_GUARDED_BY(mutex_);
  std::optional<Instant> measured_ TIDEMARK_GUARDED_BY(mutex_);
};

}  // namespace tidemark::service
