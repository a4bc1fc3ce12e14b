#pragma once

#include "domain/schedule.h"
#include "service/environment.h"

namespace tidemark::service {

// The first schedule of a cluster: its tier's default, raised to what its project's compliance
// policy asks for. Still to be added to the catalog.
domain::Schedule NewSchedule(Environment& environment, const domain::Cluster& cluster, Instant now);

}  // namespace tidemark::service
