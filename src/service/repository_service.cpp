#include "service/repository_service.h"

#include <algorithm>
#include <utility>

#include "service/internal/cluster_documents.h"
#include "service/internal/job_run.h"

namespace tidemark::service {
namespace {

bool IsFinished(const RepositoryTask& task) {
  return task.state == TaskState::kCompleted || task.state == TaskState::kFailed;
}

std::string_view KindName(const RepositoryTask& task) {
  if (std::holds_alternative<CheckRequest>(task.request)) {
    return "check";
  }
  return std::holds_alternative<RepairRequest>(task.request) ? "repair" : "gc";
}

// What a check that found damage, or could not look, has to say. Empty: all is well. Findings name
// documents, which do not belong into mail.
std::string VerificationFailure(const RepositoryTask& task) {
  if (task.state == TaskState::kFailed) {
    return "the check could not be carried out: " + task.failure;
  }
  const auto total = task.report->findings.total();
  return total == 0 ? ""
                    : "the repository is damaged: " + std::to_string(total) +
                          " findings (see task " + task.id.ToString() + ")";
}

// What the end of a task is for the audit log and for people; nullopt: nothing to tell.
std::optional<domain::Event> EventOf(const RepositoryTask& task, Instant now) {
  domain::Event event{.at = now, .project = task.project, .object = task.id.ToString()};
  if (const auto* collect = std::get_if<CollectRequest>(&task.request)) {
    event.kind = domain::EventKind::kCollectionEnded;
    event.reason = task.failure;
    return collect->dry_run == DryRun::kYes ? std::nullopt : std::optional(event);
  }
  event.kind = domain::EventKind::kVerificationFailed;
  event.reason = VerificationFailure(task);
  return event.reason.empty() ? std::nullopt : std::optional(event);
}

}  // namespace

std::string_view TaskStateName(TaskState state) {
  switch (state) {
    case TaskState::kPending:
      return "PENDING";
    case TaskState::kRunning:
      return "RUNNING";
    case TaskState::kCompleted:
      return "COMPLETED";
    case TaskState::kFailed:
      return "FAILED";
  }
  return {};
}

RepositoryTask RepositoryService::StartCheck(const ProjectId& project,
                                             const CheckRequest& request) {
  return Queue({.project = project, .request = request});
}

RepositoryTask RepositoryService::StartCollection(const ProjectId& project,
                                                  const CollectRequest& request) {
  return Queue({.project = project, .request = request});
}

RepositoryTask RepositoryService::StartRepair(const ProjectId& project,
                                              const RepairRequest& request) {
  if (request.from == RepairRequest::From::kNamedCluster) {
    ClusterService(env_).Find(project, request.cluster);
  }
  return Queue({.project = project, .request = request});
}

RepositoryTask RepositoryService::Queue(RepositoryTask task) {
  task.created = env_.clock.Now();
  task.id = ObjectId::Generate(task.created, env_.random);
  {
    const MutexLock lock(mutex_);
    const auto pending = std::ranges::count(tasks_, TaskState::kPending, &RepositoryTask::state);
    if (static_cast<std::size_t>(pending) >= kMaxPending) {
      throw Error(ErrorCode::kUnavailable,
                  "starting a repository task: " + std::to_string(pending) + " are waiting",
                  "wait until one of them is done");
    }
    tasks_.push_back(task);
    queued_.NotifyAll();
  }
  env_.log.Info("task={} kind={} project={}  repository task queued",
                task.id.ToString(),
                KindName(task),
                task.project.ToString());
  return task;
}

std::optional<RepositoryTask> RepositoryService::Find(const ProjectId& project,
                                                      const ObjectId& id) const {
  const MutexLock lock(mutex_);
  const auto found = std::ranges::find(tasks_, id, &RepositoryTask::id);
  const bool there = found != tasks_.end() && found->project == project;
  return there ? std::optional(*found) : std::nullopt;
}

repo::RepositoryStats RepositoryService::ReadStats(const ProjectId& project) {
  {
    const MutexLock lock(mutex_);
    if (reading_stats_) {
      throw Error(ErrorCode::kUnavailable, "reading statistics: another call is at it");
    }
    reading_stats_ = true;
  }

  // Ends the turn however the reading ends.
  struct Turn {
    RepositoryService& service;

    ~Turn() {
      const MutexLock lock(service.mutex_);
      service.reading_stats_ = false;
    }
  } const turn{*this};

  return env_.repository.OpenMaintenance(project)->ReadStats({});
}

void RepositoryService::Work(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);
    queued_.NotifyAll();
  });
  while (!stop.stop_requested()) {
    if (!RunNext(stop)) {
      WaitForWork(stop);
    }
  }
}

void RepositoryService::WaitForWork(const std::stop_token& stop) {
  const MutexLock lock(mutex_);
  const auto waits = [](const RepositoryTask& task) { return task.state == TaskState::kPending; };
  while (!stop.stop_requested() && std::ranges::none_of(tasks_, waits)) {
    queued_.Wait(mutex_);
  }
}

bool RepositoryService::RunNext(const std::stop_token& stop) {
  std::optional<RepositoryTask> task = TakeNext();
  if (!task.has_value()) {
    return false;
  }
  try {
    Execute(task.value(), stop);
    task->state = TaskState::kCompleted;
  } catch (const Error& error) {
    task->state = TaskState::kFailed;
    task->failure = FailureText(error);
  } catch (const std::exception& error) {
    task->state = TaskState::kFailed;
    task->failure = error.what();
  }
  // A task that the end of the server cuts is no news.
  if (task->state == TaskState::kCompleted || !stop.stop_requested()) {
    Tell(task.value());
  }
  Finish(std::move(task.value()));
  return true;
}

std::optional<RepositoryTask> RepositoryService::TakeNext() {
  const MutexLock lock(mutex_);
  const auto next = std::ranges::find(tasks_, TaskState::kPending, &RepositoryTask::state);
  if (next == tasks_.end()) {
    return std::nullopt;
  }
  next->state = TaskState::kRunning;
  return *next;
}

void RepositoryService::Execute(RepositoryTask& task, const std::stop_token& stop) {
  const auto keep = [this, id = task.id](const engine::Progress& progress) {
    KeepProgress(id, progress);
  };
  const engine::RunContext run{
      .stop = stop, .on_progress = keep, .clock = env_.clock, .log = env_.log};
  if (const auto* check = std::get_if<CheckRequest>(&task.request)) {
    task.report = engine::CheckRepository(
        env_.repository, task.project, {.read_percent = check->read_percent}, env_.random, run);
  } else if (const auto* repair = std::get_if<RepairRequest>(&task.request)) {
    task.repaired = Repair(task.project, *repair, run);
  } else {
    task.collected = Collect(task.project, std::get<CollectRequest>(task.request), stop);
  }
}

repo::CollectionResult RepositoryService::Collect(const ProjectId& project,
                                                  const CollectRequest& request,
                                                  const std::stop_token& stop) {
  const repo::CollectionOptions options{.rewrite_below_percent = request.rewrite_below_percent};
  const auto maintenance = env_.repository.OpenMaintenance(project);
  if (request.dry_run == DryRun::kYes) {
    return {.plan = maintenance->PlanCollection(options, stop)};
  }
  return maintenance->Collect(options, stop);
}

repo::RepairReport RepositoryService::Repair(const ProjectId& project,
                                             const RepairRequest& request,
                                             const engine::RunContext& run) {
  std::optional<domain::Cluster> named;
  if (request.from == RepairRequest::From::kNamedCluster) {
    named = ClusterService(env_).Find(project, request.cluster);
  }
  ClusterDocuments documents(env_, std::move(named));
  const bool ask = request.from != RepairRequest::From::kNowhere;
  return engine::RepairRepository(env_.repository,
                                  project,
                                  ask ? &documents : nullptr,
                                  {.dry_run = request.dry_run == DryRun::kYes},
                                  run);
}

void RepositoryService::KeepProgress(const ObjectId& id, const engine::Progress& progress) {
  const MutexLock lock(mutex_);
  const auto found = std::ranges::find(tasks_, id, &RepositoryTask::id);
  if (found != tasks_.end()) {
    found->progress = progress;
  }
}

void RepositoryService::Finish(RepositoryTask task) {
  task.finished = env_.clock.Now();
  if (task.state == TaskState::kFailed) {
    env_.log.Error("task={} kind={} project={}  repository task failed: {}",
                   task.id.ToString(),
                   KindName(task),
                   task.project.ToString(),
                   task.failure);
  } else if (task.report.has_value() && task.report->findings.total() > 0) {
    env_.log.Error("task={} project={} findings={}  the repository is damaged",
                   task.id.ToString(),
                   task.project.ToString(),
                   task.report->findings.total());
  } else if (task.repaired.has_value() && !task.repaired->AllWhole()) {
    env_.log.Error("task={} project={} manifests={} chunks={}  a repair left damage behind",
                   task.id.ToString(),
                   task.project.ToString(),
                   task.repaired->manifests.size(),
                   task.repaired->lost + task.repaired->passed_over);
  } else {
    env_.log.Info("task={} kind={} project={}  repository task completed",
                  task.id.ToString(),
                  KindName(task),
                  task.project.ToString());
  }
  const MutexLock lock(mutex_);
  const auto found = std::ranges::find(tasks_, task.id, &RepositoryTask::id);
  TIDEMARK_CHECK(found != tasks_.end());
  task.progress = found->progress;
  *found = std::move(task);
  ForgetOldest();
}

void RepositoryService::Tell(const RepositoryTask& task) {
  const std::optional<domain::Event> event = EventOf(task, env_.clock.Now());
  if (!event) {
    return;
  }
  try {
    env_.store.AddEvent(*event);
  } catch (const Error& error) {
    env_.log.Error("task={}  nobody is told of its end: {}", task.id.ToString(), error.message());
  }
}

void RepositoryService::ForgetOldest() {
  if (static_cast<std::size_t>(std::ranges::count_if(tasks_, IsFinished)) > kMaxFinished) {
    tasks_.erase(std::ranges::find_if(tasks_, IsFinished));
  }
}

}  // namespace tidemark::service
