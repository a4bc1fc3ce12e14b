#pragma once

#include "domain/access.h"

namespace tidemark::service {

// Who is asking: an authenticated key with its grants as they are now.
struct Caller {
  domain::Key key;
};

}  // namespace tidemark::service
