// Deleting a project: the catalog first, so that nothing new begins, then the repository.
#include "service/access_service.h"

namespace tidemark::service {
namespace {

[[noreturn]] void ThrowNoProject(const ProjectId& id) {
  throw Refusal(Reason::kGroupNotFound,
                ErrorCode::kNotFound,
                "deleting project " + id.ToString() + ": there is none",
                {id.ToString()});
}

catalog::Store::DeletedProject DeleteFromCatalog(Environment& env, const ProjectId& id) {
  try {
    const auto deleted = env.store.DeleteProject(id, env.clock.Now());
    if (!deleted) {
      ThrowNoProject(id);
    }
    return *deleted;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kPermissionDenied) {
      throw Refusal(Reason::kProjectCompliance,
                    ErrorCode::kPermissionDenied,
                    "deleting project " + id.ToString() + ": it has a backup compliance policy",
                    {id.ToString()});
    }
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    throw Refusal(
        Reason::kProjectInUse, ErrorCode::kConflict, std::string(error.message()), {id.ToString()});
  }
}

}  // namespace

void AccessService::DeleteProject(const Caller& caller, const ProjectId& id) {
  RequireOwner(caller);
  const auto project = env_.store.FindProject(id);
  if (!project || project->organization != caller.key.organization) {
    ThrowNoProject(id);
  }
  const auto deleted = DeleteFromCatalog(env_, id);
  env_.log.Warn("project={} name=\"{}\" key={} snapshots={} revoked_keys={}  project deleted",
                id.ToString(),
                project->name,
                caller.key.public_name,
                deleted.snapshots,
                deleted.keys);
  Shred(id);
}

void AccessService::Shred(const ProjectId& id) {
  const repo::ShreddedProject done = env_.repository.ShredProject(id);
  env_.store.MarkProjectShredded(id, env_.clock.Now());
  env_.log.Warn(
      "project={} keys={} manifests={} segments={} packs={} bytes={}  snapshots destroyed",
      id.ToString(),
      done.keys,
      done.manifests,
      done.segments,
      done.packs,
      done.bytes.value);
}

void AccessService::FinishProjectDeletions() {
  for (const ProjectId& id : env_.store.ListProjectsToShred()) {
    Shred(id);
  }
}

}  // namespace tidemark::service
