#include "delivery/internal/restore_progress.h"

namespace tidemark::delivery {
namespace {

constexpr std::chrono::milliseconds kReportInterval{100};
constexpr std::chrono::seconds kTellInterval{1};  // each may cost a durable write

}  // namespace

RestoreProgress::RestoreProgress(const Selection& selection,
                                 const RestoreOptions& options,
                                 const engine::RunContext& run)
    : selection_(selection), options_(options), run_(run) {
  const MutexLock lock(mutex_);
  namespaces_.resize(selection.manifest.namespaces.size());
  now_.phase = "loading";
  now_.collections_total = selection.manifest.namespaces.size();
  for (const repo::NamespaceEntry& entry : selection.manifest.namespaces) {
    now_.documents_total += entry.digest.documents;
    now_.bytes_total += entry.logical_bytes;
  }
}

void RestoreProgress::Written(std::size_t ns, std::uint64_t documents, std::uint64_t bytes) {
  bool report = false;
  bool tell = false;
  {
    const MutexLock lock(mutex_);
    now_.documents_done += documents;
    now_.bytes_done += bytes;
    OfNamespace& one = namespaces_[ns];
    one.documents += documents;
    const Instant now = run_.clock.Now();
    report = now - reported_ >= kReportInterval;
    tell = now - one.told >= kTellInterval;
    reported_ = report ? now : reported_;
    one.told = tell ? now : one.told;
  }
  if (report) {
    Report();
  }
  if (tell) {
    Tell(ns);
  }
}

void RestoreProgress::Forget(std::size_t ns, std::uint64_t documents, std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  now_.documents_done -= documents;
  now_.bytes_done -= bytes;
  namespaces_[ns].documents -= documents;
}

void RestoreProgress::NamespaceFinished() {
  {
    const MutexLock lock(mutex_);
    ++now_.collections_done;
  }
  Report();
}

void RestoreProgress::Reached(std::size_t ns, NamespaceStage stage) {
  {
    const MutexLock lock(mutex_);
    namespaces_[ns].stage = stage;
    namespaces_[ns].told = run_.clock.Now();
  }
  Tell(ns);
}

void RestoreProgress::Failed(std::size_t ns, const Error& why) {
  Tell(ns, std::string(why.message()));
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

void RestoreProgress::Tell(std::size_t ns, const std::string& failure) {
  if (!options_.on_namespace) {
    return;
  }
  NamespaceEvent event{.source = selection_.sources[ns], .failure = failure};
  {
    const MutexLock lock(mutex_);
    event.stage = failure.empty() ? namespaces_[ns].stage : NamespaceStage::kFailed;
    event.failed_in = namespaces_[ns].stage;
    event.documents = namespaces_[ns].documents;
  }
  options_.on_namespace(event);
}

}  // namespace tidemark::delivery
