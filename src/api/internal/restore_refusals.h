#pragma once

#include "api/internal/call.h"
#include "service/refusal.h"

// What restores are refused with outside of the shared tier.
namespace tidemark::api {

// The checks before a restore have the shared tier's codes: throws what the legacy and the cloud
// family say instead (contract.md 6), the refusal itself where it is the same.
[[noreturn]] void ThrowOutsideTenant(const service::Refusal& refusal);

// The oplog is not kept yet, there are snapshots and nothing between them: UNABLE_T0_FIND_... when
// not even a snapshot was finished by then, else INVALID_PIT_RESTORE_TIME.
[[noreturn]] void RefusePointInTime(const Call& call,
                                    const domain::Cluster& cluster,
                                    Instant asked);

}  // namespace tidemark::api
