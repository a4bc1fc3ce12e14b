#include "delivery/internal/restore_parts.h"

#include <algorithm>

namespace tidemark::delivery {

void RestoreNotes::Add(const std::string& note) {
  const MutexLock lock(mutex_);
  if (std::ranges::find(notes_, note) == notes_.end()) {
    notes_.push_back(note);
  }
}

std::vector<std::string> RestoreNotes::All() {
  const MutexLock lock(mutex_);
  return notes_;
}

RestoreParts::RestoreParts(const Selection& selection,
                           repo::SnapshotReader& from,
                           RestoreTarget& to,
                           const RestoreOptions& wanted,
                           const engine::RunContext& context)
    : manifest(selection.manifest),
      reader(from),
      target(to),
      options(wanted),
      scope(wanted.scope),
      run(context),
      facts(to.Facts()),
      checkpoint(context),
      progress(selection, wanted, context),
      notes(selection.notes) {}

void RestoreParts::Note(const std::string& note) {
  run.log.Warn("restore={}  {}", options.job, note);
  notes.Add(note);
}

}  // namespace tidemark::delivery
