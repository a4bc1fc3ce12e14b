#include "delivery/internal/restore_progress.h"

namespace tidemark::delivery {
namespace {

constexpr std::chrono::milliseconds kReportInterval{100};

}  // namespace

RestoreProgress::RestoreProgress(const repo::Manifest& manifest, const engine::RunContext& run)
    : run_(run) {
  const MutexLock lock(mutex_);
  now_.phase = "loading";
  now_.collections_total = manifest.namespaces.size();
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    now_.documents_total += entry.digest.documents;
    now_.bytes_total += entry.logical_bytes;
  }
}

void RestoreProgress::Written(std::uint64_t documents, std::uint64_t bytes) {
  {
    const MutexLock lock(mutex_);
    now_.documents_done += documents;
    now_.bytes_done += bytes;
    const Instant now = run_.clock.Now();
    if (now - reported_ < kReportInterval) {
      return;
    }
    reported_ = now;
  }
  Report();
}

void RestoreProgress::Forget(std::uint64_t documents, std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  now_.documents_done -= documents;
  now_.bytes_done -= bytes;
}

void RestoreProgress::NamespaceFinished() {
  {
    const MutexLock lock(mutex_);
    ++now_.collections_done;
  }
  Report();
}

engine::Progress RestoreProgress::Now() {
  const MutexLock lock(mutex_);
  return now_;
}

// Outside the lock: the callback may take its time.
void RestoreProgress::Report() {
  if (run_.on_progress) {
    run_.on_progress(Now());
  }
}

}  // namespace tidemark::delivery
