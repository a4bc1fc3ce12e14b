#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "delivery/cluster_restore.h"
#include "delivery/internal/checkpoint.h"
#include "delivery/internal/restore_progress.h"
#include "delivery/internal/selection.h"

namespace tidemark::delivery {

// What a person should know of a restore, one a line. Synchronized.
class RestoreNotes {
 public:
  explicit RestoreNotes(std::vector<std::string> notes) : notes_(std::move(notes)) {}

  // Once, however many attempts say it.
  void Add(const std::string& note) TIDEMARK_EXCLUDES(mutex_);
  std::vector<std::string> All() TIDEMARK_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::vector<std::string> notes_ TIDEMARK_GUARDED_BY(mutex_);
};

// What the steps of one restore share. Its references must outlive it. Synchronized.
struct RestoreParts {
  RestoreParts(const Selection& selection,
               repo::SnapshotReader& from,
               RestoreTarget& to,
               const RestoreOptions& wanted,
               const engine::RunContext& context);

  // Warns in the log, too.
  void Note(const std::string& note);

  const repo::Manifest& manifest;
  repo::SnapshotReader& reader;
  RestoreTarget& target;
  const RestoreOptions& options;
  const RestoreScope& scope;
  const engine::RunContext& run;
  const mongo::ServerFacts facts;
  Checkpoint checkpoint;
  RestoreProgress progress;
  RestoreNotes notes;
};

// Adds to a target's error what it was about.
template <class Step>
void Doing(const std::string& what, Step step) {
  try {
    step();
  } catch (const Error& error) {
    throw error.WithContext(what);
  }
}

}  // namespace tidemark::delivery
