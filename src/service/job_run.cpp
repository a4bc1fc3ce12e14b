#include "service/internal/job_run.h"

namespace tidemark::service {

engine::RunContext MakeRunContext(const jobs::JobContext& job, const Clock& clock, Log& log) {
  const auto report = [&job](const engine::Progress& progress) {
    job.report({progress.phase,
                progress.documents_done,
                progress.documents_total,
                progress.bytes_done,
                progress.bytes_total,
                progress.collections_done,
                progress.collections_total});
  };
  return {job.stop, report, job.save_checkpoint, job.job.checkpoint, clock, log};
}

std::string FailureText(const Error& error) {
  std::string text(error.message());
  if (!error.hint().empty()) {
    text += " (" + error.hint() + ")";
  }
  return text;
}

}  // namespace tidemark::service
