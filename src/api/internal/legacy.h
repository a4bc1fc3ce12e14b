#pragma once

#include <boost/json/object.hpp>

#include "api/internal/call.h"

namespace tidemark::api {

// A restore job as the legacy family shows it: contract.md 7.3.
boost::json::object RenderLegacyRestore(const Call& call, const domain::RestoreJob& job);

}  // namespace tidemark::api
