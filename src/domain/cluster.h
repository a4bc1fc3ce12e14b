#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/object_id.h"
#include "base/secret.h"

namespace tidemark::domain {

// Which Atlas API families a cluster answers to (design.md 2). Persistent: never renumber.
enum class Tier { kShared = 0, kFlex = 1, kDedicated = 2 };

// Persistent: never renumber.
enum class Topology { kUnknown = 0, kStandalone = 1, kReplicaSet = 2, kSharded = 3 };

// A registered deployment.
struct Cluster {
  ClusterId id;
  ProjectId project;
  std::string name;  // IsClusterName; unique among the project's registered clusters
  Tier tier = Tier::kShared;
  Topology topology = Topology::kUnknown;  // as last seen
  std::string mongodb_version;      // as last seen, e.g. "7.0.42"; empty before the first contact
  std::string replica_set_name;     // empty for a standalone
  Secret connection_string;         // mongodb:// or mongodb+srv://; stored encrypted, never shown
  bool encryption_at_rest = false;  // told at registration: such a target refuses tenant restores
  bool paused = false;              // told by the operator: takes no restores while it is
  bool require_quiet = false;       // refuse a restore while other clients are connected
  bool allow_lossy = false;         // restore although the target drops some options (design.md 5)
  Instant created;
  std::optional<Instant> removed;  // unregistered; snapshots and jobs stay
};

// `^[a-zA-Z0-9][a-zA-Z0-9-]*$`, at most 64 (acceptance 0.2).
bool IsClusterName(std::string_view name);

// "7.0" of "7.0.42": what has to be equal between snapshot and target (contract.md 8, 9). Empty
// when malformed.
std::string MajorVersion(std::string_view version);

// Which half of the Atlas surface tells of a cluster (design.md 2): the flex operations tell of
// flex clusters only, the cluster and cloud backup operations of all others. A sharded cluster is
// never flex, whatever it was registered as.
bool IsFlex(const Cluster& cluster);

// "shared", "flex", "dedicated", and back. nullopt for anything else.
std::string_view TierName(Tier tier);
std::optional<Tier> ParseTier(std::string_view name);

// "unknown", "standalone", "replicaSet", "sharded".
std::string_view TopologyName(Topology topology);

}  // namespace tidemark::domain
