#include "engine/internal/progress_meter.h"

namespace tidemark::engine {
namespace {

constexpr std::chrono::milliseconds kInterval{100};

}  // namespace

void ProgressMeter::AddDocuments(std::uint64_t documents, std::uint64_t bytes) {
  {
    const MutexLock lock(mutex_);
    progress_.documents_done += documents;
    progress_.bytes_done += bytes;
  }
  ReportIfDue();
}

void ProgressMeter::TakeBack(std::uint64_t documents, std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  progress_.documents_done -= documents;
  progress_.bytes_done -= bytes;
}

void ProgressMeter::AddCollection() {
  {
    const MutexLock lock(mutex_);
    ++progress_.collections_done;
  }
  ReportIfDue();
}

void ProgressMeter::ReportIfDue() {
  const Instant now = context_.clock.Now();
  Progress copy;
  {
    const MutexLock lock(mutex_);
    if (last_report_ && now - *last_report_ < kInterval) {
      return;
    }
    last_report_ = now;
    copy = progress_;
  }
  if (context_.on_progress) {
    context_.on_progress(copy);
  }
}

void ProgressMeter::ReportEnd() {
  Progress copy;
  {
    const MutexLock lock(mutex_);
    copy = progress_;
  }
  if (context_.on_progress) {
    context_.on_progress(copy);
  }
}

}  // namespace tidemark::engine
