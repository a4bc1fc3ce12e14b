#pragma once

#include <optional>

#include "domain/job.h"
#include "domain/page.h"
#include "domain/push.h"
#include "domain/restore_job.h"

namespace tidemark::catalog {

// Archives that are pushed to a destination. Synchronized and durable as Store.
class PushBook {
 public:
  virtual ~PushBook() = default;
  // A restore job with DeliveryMethod::kPush, and its job. kNotFound when the snapshot is gone.
  virtual void AddPush(const domain::RestoreJob& restore,
                       const domain::Push& push,
                       const domain::Job& job) = 0;
  virtual std::optional<domain::Push> FindPush(const RestoreJobId& restore) = 0;
  // Store::ListRestores without pushes, for families that cannot show them (contract.md 8).
  virtual domain::Listing<domain::RestoreJob> ListRestoresButPushes(const ClusterId& source,
                                                                    const domain::Page& page) = 0;
  // What has arrived: size and SHA1. Changes nothing and returns false when the lease is lost.
  virtual bool SavePush(const domain::Lease& lease, const domain::Push& push) = 0;
};

}  // namespace tidemark::catalog
