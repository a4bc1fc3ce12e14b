#pragma once

#include <chrono>
#include <csignal>

namespace tidemark::app {

// Blocks SIGTERM, SIGINT and SIGHUP in this thread and all that it starts, so that only Next sees
// them.
class Signals {
 public:
  Signals();

  enum class Kind { kStop, kReload, kNone };

  // The next one; kNone after `limit`. Blocks.
  Kind Next(std::chrono::seconds limit) const;

 private:
  sigset_t signals_{};
};

}  // namespace tidemark::app
