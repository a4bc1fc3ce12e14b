#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "domain/job.h"

namespace tidemark::catalog {

// What metrics tell of the catalog.
struct Facts {
  struct JobCount {
    domain::JobKind kind = domain::JobKind::kTakeSnapshot;
    domain::JobState state = domain::JobState::kReady;
    std::int64_t count = 0;
  };

  std::vector<JobCount> jobs;             // unfinished ones
  std::optional<Instant> oldest_waiting;  // when the job was queued that has waited longest
  std::int64_t clusters = 0;              // registered
  std::int64_t missed = 0;                // due times of schedules without a snapshot, ever
  std::int64_t failing = 0;               // clusters whose last verification failed
  std::int64_t unverified = 0;            // clusters that should be verified and never were
  std::int64_t notices_waiting = 0;
  std::int64_t events_waiting = 0;
};

struct ClusterFacts {
  OrganizationId organization;
  std::string project;  // names
  std::string cluster;
  std::optional<Instant> newest;    // the newest completed snapshot's end
  std::optional<Instant> verified;  // the last drill's end
  bool intact = false;              // what it found
  std::int64_t missed = 0;
};

// Numbers for metrics, each one indexed look-up. Synchronized.
class FactBook {
 public:
  virtual ~FactBook() = default;
  virtual Facts ReadFacts() = 0;
  // Registered clusters, oldest first.
  virtual std::vector<ClusterFacts> ListClusterFacts(std::int64_t limit) = 0;
};

}  // namespace tidemark::catalog
