#pragma once

#include <optional>
#include <string>

#include "delivery/sftp.h"
#include "domain/push.h"
#include "jobs/runner.h"
#include "service/download_service.h"

namespace tidemark::service {

struct PushRequest {
  ProjectId project;  // the caller's right on it has been checked
  std::string cluster;
  SnapshotId snapshot;
  std::string method;  // "SCP", "CLIENT_PIT_SCP"
};

struct PushOptions {
  std::optional<delivery::SftpDestination> destination;  // nullopt: nothing is pushed
  int attempts = 4;                                      // of one run, while the server is away
  std::chrono::milliseconds retry_pause{5000};
  std::chrono::milliseconds quiet_timeout{60000};
};

// Archives that are pushed to the operator's server over SFTP. Synchronized; every call blocks.
class PushService {
 public:
  PushService(Environment& environment,
              AccessService& access,
              ClusterService& clusters,
              DownloadService& downloads,
              PushOptions options)
      : env_(environment),
        access_(access),
        clusters_(clusters),
        downloads_(downloads),
        options_(std::move(options)) {}

  bool IsConfigured() const { return options_.destination.has_value(); }

  // Steps 3 and 4 of contract.md 8, with kDownloadIncomplete, then a job. REQUIRES: IsConfigured.
  domain::RestoreJob Start(const Caller& caller, const PushRequest& request);
  std::optional<domain::Push> Find(const RestoreJobId& id);
  // Handles a job of JobKind::kRestore whose restore is a push.
  void Run(const jobs::JobContext& context, const domain::RestoreJob& restore);

 private:
  domain::Push PushNow(const jobs::JobContext& context, const domain::RestoreJob& restore);
  delivery::PushedFile TryOnce(const jobs::JobContext& context,
                               const domain::RestoreJob& restore,
                               const std::string& file_name);

  Environment& env_;
  AccessService& access_;
  ClusterService& clusters_;
  DownloadService& downloads_;
  const PushOptions options_;
};

}  // namespace tidemark::service
