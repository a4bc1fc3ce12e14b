#pragma once

#include <string>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "engine/snapshot.h"

namespace tidemark::engine {

// Asks a source again that was out of reach, as SnapshotOptions say. Confined.
class SourceRetry {
 public:
  // `options` and `log` must outlive it. `what` is read, for the log.
  SourceRetry(const SnapshotOptions& options, Log& log, std::string what)
      : options_(options), log_(log), what_(std::move(what)) {}

  // Runs `read` until it returns, fails for good or attempts are used up; only errors that
  // IsRetryable are tried again. The last error says how many attempts there were.
  template <class Read>
  auto Run(const std::stop_token& stop, const Read& read) {
    for (;;) {
      try {
        return read();
      } catch (const Error& error) {
        PauseOrThrow(error, stop);
      }
    }
  }

  // To be put around what `read` does with a document: that there was one starts the count of
  // attempts anew, and what fails in here was not the source.
  template <class Use>
  void Guard(const Use& use) {
    inside_ = true;
    use();
    inside_ = false;
    progressed_ = true;
  }

  // Documents do not start the count anew: each attempt begins at the first.
  void CountAllAttempts() { counts_all_ = true; }

 private:
  // REQUIRES: `error` is being handled.
  void PauseOrThrow(const Error& error, const std::stop_token& stop);

  const SnapshotOptions& options_;
  Log& log_;
  const std::string what_;
  bool counts_all_ = false;
  bool progressed_ = false;
  bool inside_ = false;
  int attempt_ = 0;
};

}  // namespace tidemark::engine
