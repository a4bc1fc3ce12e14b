#pragma once

#include "http/message.h"
#include "service/access_service.h"
#include "service/audit_service.h"
#include "service/cluster_service.h"
#include "service/download_service.h"
#include "service/drill_service.h"
#include "service/export_service.h"
#include "service/import_service.h"
#include "service/metrics_service.h"
#include "service/notice_service.h"
#include "service/push_service.h"
#include "service/repository_service.h"
#include "service/restore_service.h"
#include "service/schedule_service.h"
#include "service/snapshot_service.h"

namespace tidemark::api {

// A token bucket: so many requests at once, and `refill` more in every `interval`. Capacity 0: off.
// REQUIRES: refill and interval are at least 1.
struct RateLimit {
  std::int64_t capacity = 0;
  std::int64_t refill = 1;
  std::chrono::seconds interval{1};
};

struct AccessLimits {
  RateLimit requests;        // of one key
  RateLimit failed_logins;   // of one address
  RateLimit token_requests;  // of one address
  // Whose X-Forwarded-For is believed; none by default.
  std::vector<domain::Network> trusted_proxies;
};

// What the API needs; borrowed, must outlive it.
struct ApiParts {
  service::AccessService& access;
  service::ClusterService& clusters;
  service::SnapshotService& snapshots;
  service::ImportService& imports;
  service::RestoreService& restores;
  service::DownloadService& downloads;
  service::RepositoryService& repository;
  service::ScheduleService& schedules;
  service::AuditService& audit;
  service::NoticeService& notices;
  service::ExportService& exports;
  service::DrillService& drills;
  service::PushService& pushes;
  service::MetricsService& metrics;
  catalog::Store& store;  // readiness, clusters that were unregistered, the rows of requests
  const Clock& clock;
  RandomSource& random;
  Log& log;
  std::string
      nonce_key;  // 32 random bytes: digest nonces prove themselves under it (contract.md 2.1)
  AccessLimits limits = {};
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
