#include "service/cluster_service.h"

#include "bson/builder.h"
#include "mongo/public_address.h"
#include "service/internal/job_run.h"
#include "service/internal/labels.h"

namespace tidemark::service {
namespace {

[[noreturn]] void ThrowNotFound(const ProjectId& project, const std::string& name) {
  throw Refusal(Reason::kClusterNotFound,
                ErrorCode::kNotFound,
                "finding cluster " + name + " in project " + project.ToString() + ": there is none",
                {name, project.ToString()});
}

void CheckConnectionString(const Secret& connection_string) {
  try {
    mongo::CheckConnectionString(connection_string);
    mongo::Connection::Open(connection_string, {});
  } catch (const Error& error) {
    throw Refusal(Reason::kInvalidValue,
                  ErrorCode::kInvalidArgument,
                  FailureText(error),
                  {"connectionString"});
  }
}

void CheckRegistration(const ClusterRegistration& registration) {
  if (!domain::IsClusterName(registration.name)) {
    throw Refusal(
        Reason::kInvalidValue,
        ErrorCode::kInvalidArgument,
        "a cluster name is 1 to 64 letters, digits and hyphens and starts with a letter or digit",
        {"name"});
  }
  CheckConnectionString(registration.connection_string);
}

// A conflict of `write` is that the cluster is being written to.
template <class Write>
void TellingBusy(const std::string& name, const Write& write) {
  try {
    write();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Refusal(Reason::kClusterBusy, ErrorCode::kConflict, std::string(error.message()), {name});
  }
}

// One document in, one document out, in the database that a restore uses for its marker.
void TryWrite(mongo::Connection& connection) {
  constexpr std::string_view kProbe = "probe";
  const Bytes document = bson::Builder().Append("_id", "tidemark check").Finish();
  const Bytes drop = bson::Builder().Append("drop", kProbe).Finish();
  connection.InsertMany(mongo::kMarkerDatabase, kProbe, {ByteView(document)});
  connection.RunCommand(mongo::kMarkerDatabase, bson::Document(drop));
}

}  // namespace

domain::Topology TopologyOf(const mongo::ServerFacts& facts) {
  if (facts.is_sharded) {
    return domain::Topology::kSharded;
  }
  return facts.replica_set_name.empty() ? domain::Topology::kStandalone
                                        : domain::Topology::kReplicaSet;
}

domain::Cluster ClusterService::Register(const ProjectId& project,
                                         const ClusterRegistration& registration) {
  CheckRegistration(registration);
  const Instant now = env_.clock.Now();
  domain::Cluster cluster;
  cluster.id = ClusterId::Generate(now, env_.random);
  cluster.project = project;
  cluster.name = registration.name;
  cluster.tier = registration.tier;
  cluster.connection_string = Secret(env_.repository.SealSecret(
      UriLabel(cluster.id.ToString()), registration.connection_string.Reveal()));
  cluster.encryption_at_rest = registration.encryption_at_rest;
  cluster.paused = registration.paused;
  cluster.require_quiet = registration.require_quiet;
  cluster.allow_lossy = registration.allow_lossy;
  cluster.created = now;
  try {
    env_.store.AddCluster(cluster);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Refusal(Reason::kNameTaken,
                  ErrorCode::kConflict,
                  "registering cluster " + cluster.name + ": the name is taken in this project",
                  {cluster.name});
  }
  env_.log.Info("project={} cluster={} tier={}  cluster registered",
                project.ToString(),
                cluster.name,
                domain::TierName(cluster.tier));
  return cluster;
}

domain::Cluster ClusterService::Find(const ProjectId& project, const std::string& name) {
  auto found = env_.store.FindCluster(project, name);
  if (!found) {
    ThrowNotFound(project, name);
  }
  return *found;
}

domain::Cluster ClusterService::Find(const ProjectId& project,
                                     const ClusterId& id,
                                     const std::string& name) {
  auto found = env_.store.FindCluster(id);
  if (!found || found->project != project || found->removed ||
      (!name.empty() && found->name != name)) {
    ThrowNotFound(project, name.empty() ? id.ToString() : name);
  }
  return *found;
}

domain::Listing<domain::Cluster> ClusterService::List(const ProjectId& project,
                                                      const domain::Page& page) {
  return env_.store.ListClusters(project, page);
}

domain::Listing<domain::Cluster> ClusterService::List(const ProjectId& project,
                                                      catalog::Store::ClusterKind kind,
                                                      catalog::Store::Unregistered unregistered,
                                                      const domain::Page& page) {
  return env_.store.ListClusters(project, kind, unregistered, page);
}

Secret ClusterService::UriOf(const domain::Cluster& cluster) {
  return Secret(env_.repository.OpenSecret(UriLabel(cluster.id.ToString()),
                                           cluster.connection_string.Reveal()));
}

mongo::PublicAddress ClusterService::AddressOf(const domain::Cluster& cluster) {
  return mongo::PublicAddressOf(UriOf(cluster));
}

bool ClusterService::IsBeingRestored(const domain::Cluster& cluster) {
  return env_.store.HasUnfinishedRestoreInto(cluster.id);
}

std::unique_ptr<mongo::Connection> ClusterService::Connect(
    const domain::Cluster& cluster, const mongo::ConnectionOptions& options) {
  return mongo::Connection::Open(UriOf(cluster), options);
}

ClusterCheck ClusterService::Check(const ProjectId& project, const std::string& name) {
  const domain::Cluster cluster = Find(project, name);
  ClusterCheck check;
  try {
    const auto connection = Connect(cluster, {});
    const mongo::ServerFacts facts = connection->Facts();
    check.reachable = true;
    check.version = facts.version;
    check.flavor = facts.flavor;
    check.topology = TopologyOf(facts);
    check.replica_set_name = facts.replica_set_name;
    check.has_oplog = facts.has_oplog;
    env_.store.UpdateClusterFacts(
        cluster.id, check.topology, facts.version, facts.replica_set_name);
    connection->ListDatabases();
    check.can_read = true;
    TryWrite(*connection);
    check.can_write = true;
  } catch (const Error& error) {  // what failed is the answer, not a failure of the question
    check.problems.emplace_back(error.message());
  }
  if (check.reachable && !check.has_oplog) {
    check.problems.emplace_back(
        "the cluster has no readable oplog: its snapshots are not one moment in time");
  }
  return check;
}

domain::Cluster ClusterService::Update(const ProjectId& project,
                                       const std::string& name,
                                       catalog::Store::ClusterChange change) {
  const domain::Cluster cluster = Find(project, name);
  const bool elsewhere = change.connection_string.has_value();
  if (elsewhere) {
    CheckConnectionString(*change.connection_string);
    change.connection_string = Secret(env_.repository.SealSecret(
        UriLabel(cluster.id.ToString()), change.connection_string->Reveal()));
  }
  bool updated = false;
  TellingBusy(name, [&] {
    updated =
        env_.store.UpdateCluster(cluster.id,
                                 change,
                                 "stopped: cluster " + name + " has another connection string",
                                 env_.clock.Now());
  });
  if (!updated) {
    ThrowNotFound(project, name);
  }
  env_.log.Info("project={} cluster={}  cluster changed{}",
                project.ToString(),
                name,
                elsewhere ? ", its connection string too" : "");
  return Find(project, name);
}

void ClusterService::Remove(const ProjectId& project, const std::string& name) {
  const domain::Cluster cluster = Find(project, name);
  bool removed = false;
  TellingBusy(name, [&] { removed = env_.store.RemoveCluster(cluster.id, env_.clock.Now()); });
  if (!removed) {
    ThrowNotFound(project, name);
  }
  env_.log.Info("project={} cluster={}  cluster unregistered", project.ToString(), name);
}

}  // namespace tidemark::service
