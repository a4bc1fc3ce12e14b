#pragma once

#include <array>

#include "api/internal/versions.h"

namespace tidemark::api {

// Of every operation on flex clusters.
inline constexpr std::array kFlexVersions{Version{"2024-11-13"}};

}  // namespace tidemark::api
