#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

namespace tidemark::engine {

// Counters for people. Totals are 0 while unknown.
struct Progress {
  std::string phase;
  std::uint64_t documents_done = 0;
  std::uint64_t documents_total = 0;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t collections_done = 0;
  std::uint64_t collections_total = 0;
};

// All that an engine run gets from its surroundings: the same from the server, the command line and
// a test. Borrowed parts must outlive the run.
struct RunContext {
  std::stop_token stop;  // a stopped run throws kCancelled
  std::function<void(const Progress&)>
      on_progress;  // called from several threads, at most ~10 times a second
  // Makes the text durable before it returns; throws when the run has lost its lease. May be empty.
  std::function<void(const std::string&)> save_checkpoint;
  std::string checkpoint;  // what an interrupted run saved last; empty at the first try
  const Clock& clock;
  Log& log;
};

}  // namespace tidemark::engine
