#pragma once

#include "delivery/cluster_restore.h"
#include "domain/drill.h"
#include "jobs/runner.h"
#include "service/cluster_service.h"

namespace tidemark::service {

// The work of one drill. Confined.
class DrillRun {
 public:
  DrillRun(Environment& environment,
           ClusterService& clusters,
           delivery::RestoreOptions options,
           const jobs::JobContext& context)
      : env_(environment), clusters_(clusters), options_(std::move(options)), context_(context) {}

  // Restores into drill.target and wipes it, or reads and decodes, and writes what was seen into
  // `drill`. Throws what is wrong, naming the namespace; may be repeated.
  void Run(domain::Drill& drill);

 private:
  void Read(domain::Drill& drill);
  void RestoreAndWipe(domain::Drill& drill, const domain::Cluster& target);
  void RestoreInto(domain::Drill& drill,
                   const domain::Cluster& cluster,
                   mongo::Connection& connection,
                   delivery::RestoreTarget& target);
  bool SourceIsElsewhere(domain::Drill& drill, mongo::Connection& target);
  domain::Cluster FindTarget(const domain::Drill& drill);

  Environment& env_;
  ClusterService& clusters_;
  delivery::RestoreOptions options_;
  const jobs::JobContext& context_;
  bool beside_another_ = false;  // another job's mark was found on the target, and it is at work
};

}  // namespace tidemark::service
