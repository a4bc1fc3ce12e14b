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

bool IsUnfinishedJob(catalog::Store& store, const std::string& id) {
  if (const auto restore = RestoreJobId::Parse(id)) {
    const auto found = store.FindRestore(*restore);
    if (found && !domain::IsFinal(found->state)) {
      return true;
    }
  }
  if (const auto drill = domain::DrillId::Parse(id)) {
    const auto found = store.FindDrill(*drill);
    return found && !domain::IsFinal(found->state);
  }
  return false;
}

}  // namespace tidemark::service
