#pragma once

#include "api/api.h"
#include "config/settings.h"

namespace tidemark::app {

// Rate limits and trusted proxies of the settings. kInvalidArgument: a proxy that is no CIDR block.
api::AccessLimits MakeAccessLimits(const config::Settings& settings);

}  // namespace tidemark::app
