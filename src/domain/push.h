#pragma once

#include <cstdint>
#include <string>

#include "base/object_id.h"

namespace tidemark::domain {

// What is pushed for a restore job with DeliveryMethod::kPush.
struct Push {
  RestoreJobId restore;
  std::string method;      // as it was asked for: "SCP", "CLIENT_PIT_SCP"
  std::string file_name;   // in the destination's directory
  std::uint64_t size = 0;  // bytes that arrived; 0 before the end
  std::string sha1;        // hex, of what the destination holds; empty before the end
};

}  // namespace tidemark::domain
