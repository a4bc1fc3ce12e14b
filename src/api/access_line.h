#pragma once

#include <string>
#include <string_view>

#include "http/access_log.h"

// What logs may say of a request: a target can hold a secret. Pure.
namespace tidemark::api {

// A raw request path without the key that a download's link holds: all of it under /api/, else the
// beginning only, "/backup/restore/***", since a link that was damaged is no longer known for one.
// Bounded, and without spaces, control characters and bytes that are not ASCII.
std::string ShownPath(std::string_view path);

// One answer as one line, without its line break:
// "TIME REQUEST-ID ADDRESS KEY METHOD TARGET STATUS BYTES MILLISECONDS"; "-" for what there is not.
// Values in a query are shown of known names only; everything else in it is ***.
std::string FormatAccessLine(const http::Access& access);

}  // namespace tidemark::api
