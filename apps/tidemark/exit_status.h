#pragma once

#include "base/error.h"

namespace tidemark::app {

// The exit status that scripts can tell failures apart by. Stable.
int ExitStatus(ErrorCode code);

}  // namespace tidemark::app
