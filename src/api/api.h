#pragma once

#include "http/message.h"
#include "service/access_service.h"
#include "service/cluster_service.h"
#include "service/import_service.h"
#include "service/repository_service.h"
#include "service/restore_service.h"
#include "service/snapshot_service.h"

namespace tidemark::api {

// What the API needs; borrowed, must outlive it.
struct ApiParts {
  service::AccessService& access;
  service::ClusterService& clusters;
  service::SnapshotService& snapshots;
  service::ImportService& imports;
  service::RestoreService& restores;
  service::RepositoryService& repository;
  catalog::Store& store;  // readiness, and clusters that were unregistered
  const Clock& clock;
  RandomSource& random;
  Log& log;
  std::string
      nonce_key;  // 32 random bytes: digest nonces prove themselves under it (contract.md 2.1)
};

// Every HTTP request of Tidemark: the Atlas families, the token endpoints, our own API, health.
// Synchronized. Handle never throws.
class Api {
 public:
  static std::unique_ptr<Api> Make(const ApiParts& parts);
  virtual ~Api() = default;
  virtual http::Response Handle(const http::Request& request) = 0;
};

}  // namespace tidemark::api
