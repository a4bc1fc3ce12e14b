#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/secret.h"
#include "domain/export.h"
#include "jobs/runner.h"
#include "objectstore/bucket.h"
#include "service/access_service.h"
#include "service/cluster_service.h"

namespace tidemark::service {

struct ExportTargetRegistration {
  domain::ExportTargetKind kind = domain::ExportTargetKind::kS3;
  std::string bucket;
  std::string endpoint;  // S3 only, like the others
  std::string region;
  std::string access_key;
  Secret secret_key;
};

struct ExportBucketRegistration {
  domain::ExportProvider provider = domain::ExportProvider::kAws;
  std::string bucket;
  std::string role;
  std::string service_url;
  std::string tenant;
  bool require_private_networking = false;
};

struct ExportBucketRequest {
  SnapshotId snapshot;
  domain::ExportBucketId bucket;
  std::string custom_data;  // a JSON array of {key, value}; empty: none
};

struct ExportServiceOptions {
  // Holds a folder for each project, named by its id, that holds its directory buckets. Empty:
  // there are none.
  std::filesystem::path folder;
  // Whether buckets may lie on this machine's own addresses. Never on link-local ones.
  bool loopback = false;
};

// Targets that the operator has made known, export buckets that stand for them, and export jobs
// (docs/exports.md). Synchronized; every call blocks. The caller's right on the project has been
// checked by the api.
class ExportService {
 public:
  static constexpr std::size_t kMaxText = 1024;  // bytes of a key, a region, a URL
  static constexpr int kMaxChecks = 4;           // of buckets, at once

  ExportService(Environment& environment, AccessService& access, ExportServiceOptions options)
      : env_(environment), access_(access), options_(std::move(options)) {}

  // kInvalidValue, naming the member; kNameTaken. Nobody is asked yet whether it works.
  domain::ExportTarget AddTarget(const ProjectId& project,
                                 const ExportTargetRegistration& registration);
  std::vector<domain::ExportTarget> ListTargets(const ProjectId& project);
  // These two: kExportTargetNotFound; kExportTargetInUse while a bucket stands for it.
  domain::ExportTarget FindTarget(const ProjectId& project, const std::string& id);
  void RemoveTarget(const ProjectId& project, const std::string& id);

  // Writes an object into the bucket first. kExportBucketName when there is no target of the name,
  // or it cannot be written; kNameTaken. kUnavailable while kMaxChecks are at it.
  domain::ExportBucket AddBucket(const ProjectId& project,
                                 const ExportBucketRegistration& registration)
      TIDEMARK_EXCLUDES(mutex_);
  domain::Listing<domain::ExportBucket> ListBuckets(const ProjectId& project,
                                                    const domain::Page& page);
  // These three: kExportBucketNotFound; kExportBucketInUse while an unfinished export writes to it,
  // or the schedule of a cluster exports to it.
  domain::ExportBucket FindBucket(const ProjectId& project, const std::string& id);
  domain::ExportBucket UpdateBucket(const ProjectId& project,
                                    const std::string& id,
                                    bool require_private_networking);
  void RemoveBucket(const ProjectId& project, const std::string& id);

  // Queues one. kExportBucketNotFound, kSnapshotNotFound, kExportIncomplete,
  // kExportInProgress.
  domain::ExportJob Start(const Caller& caller,
                          const domain::Cluster& cluster,
                          const ExportBucketRequest& request);
  domain::Listing<domain::ExportJob> List(const domain::Cluster& cluster, const domain::Page& page);
  // Of that cluster; nullopt otherwise.
  std::optional<domain::ExportJob> Find(const domain::Cluster& cluster, const domain::ExportId& id);
  // Whoever makes it stops soon; what has been written stays, without the object that says that it
  // is complete. kExportNotFound; kExportFinished.
  void Cancel(const domain::Cluster& cluster, const std::string& id);
  std::optional<domain::Job> FindJob(const domain::ExportId& id);
  // The handler of JobKind::kExport.
  void Run(const jobs::JobContext& context);

 private:
  // kInvalidArgument when the settings do not allow its kind any more.
  enum class Patience { kRequest, kJob };
  std::unique_ptr<objectstore::Bucket> Open(const domain::ExportTarget& target, Patience patience);
  void CheckWritable(const domain::ExportTarget& target) TIDEMARK_EXCLUDES(mutex_);
  void ExportNow(const domain::ExportJob& job, const jobs::JobContext& context);

  Environment& env_;
  AccessService& access_;
  const ExportServiceOptions options_;
  Mutex mutex_;
  int checking_ TIDEMARK_GUARDED_BY(mutex_) = 0;
};

}  // namespace tidemark::service
