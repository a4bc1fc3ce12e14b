#pragma once

#include "base/secret.h"
#include "mongo/internal/handles.h"

namespace tidemark::mongo {

// Starts the driver when nothing has yet. kInvalidArgument, which never quotes the string.
UriHandle ParseUri(const Secret& connection_string);

}  // namespace tidemark::mongo
