#pragma once

#include <string>

#include "base/object_id.h"

namespace tidemark::domain {

struct Organization {
  OrganizationId id;
  std::string name;
};

// Atlas calls it a group. Owns clusters, snapshots and restore jobs.
struct Project {
  ProjectId id;
  OrganizationId organization;
  std::string name;  // ^[\p{L}\p{N}\-_.(),:&@+']{1,64}$, unique in its organization
  Instant created;
};

}  // namespace tidemark::domain
