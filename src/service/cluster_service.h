#pragma once

#include <string>
#include <vector>

#include "domain/cluster.h"
#include "domain/page.h"
#include "mongo/cluster.h"
#include "mongo/public_address.h"
#include "service/access_service.h"

namespace tidemark::service {

struct ClusterRegistration {
  std::string name;
  domain::Tier tier = domain::Tier::kShared;
  Secret connection_string;
  bool encryption_at_rest = false;
  bool paused = false;
  bool require_quiet = false;
  bool allow_lossy = false;
};

// What a look at a cluster shows. `problems` are sentences for people; empty means ready for backup
// and restore.
struct ClusterCheck {
  bool reachable = false;
  std::string version;
  std::string flavor;
  domain::Topology topology = domain::Topology::kUnknown;
  std::string replica_set_name;
  bool has_oplog = false;
  bool can_read = false;   // listDatabases worked
  bool can_write = false;  // a document was written to and removed from the marker database
  std::vector<std::string> problems;
};

// Registered clusters. Synchronized; every call blocks. The caller's right on the project has been
// checked by the api.
class ClusterService {
 public:
  explicit ClusterService(Environment& environment) : env_(environment) {}

  // kInvalidValue: name or connection string; kNameTaken. The cluster need not be reachable.
  domain::Cluster Register(const ProjectId& project, const ClusterRegistration& registration);
  // kClusterNotFound. The connection string stays sealed in what this returns.
  domain::Cluster Find(const ProjectId& project, const std::string& name);
  // By id; with a name that is not empty, only when it is called that.
  domain::Cluster Find(const ProjectId& project, const ClusterId& id, const std::string& name);
  domain::Listing<domain::Cluster> List(const ProjectId& project, const domain::Page& page);
  domain::Listing<domain::Cluster> List(const ProjectId& project,
                                        catalog::Store::ClusterKind kind,
                                        catalog::Store::Unregistered unregistered,
                                        const domain::Page& page);
  // Where it is, without credentials.
  mongo::PublicAddress AddressOf(const domain::Cluster& cluster);
  // Whether its data are being replaced: a restore into it is queued or runs.
  bool IsBeingRestored(const domain::Cluster& cluster);
  ClusterCheck Check(const ProjectId& project, const std::string& name);
  // What is absent stays. Another connection string, of a login that has changed or of a server
  // that has moved, takes the mark of a scratch target off. kClusterNotFound, kInvalidValue;
  // kClusterBusy while a restore or a drill writes to it. The cluster need not be reachable.
  domain::Cluster Update(const ProjectId& project,
                         const std::string& name,
                         catalog::Store::ClusterChange change);
  // kClusterBusy while a restore into it runs. Snapshots and jobs stay.
  void Remove(const ProjectId& project, const std::string& name);
  // A connection with the stored string.
  std::unique_ptr<mongo::Connection> Connect(const domain::Cluster& cluster,
                                             const mongo::ConnectionOptions& options);

 private:
  Secret UriOf(const domain::Cluster& cluster);

  Environment& env_;
};

domain::Topology TopologyOf(const mongo::ServerFacts& facts);

}  // namespace tidemark::service
