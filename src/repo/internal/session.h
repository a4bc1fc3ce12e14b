#pragma once

#include <memory>

#include "repo/internal/project.h"

namespace tidemark::repo {

// An empty blob that tells collections: somebody may rely on chunks that were stored when it was
// put (docs/format.md, "Collection"). Put it before the index is looked at, end it after the last
// use. Immutable. `project` must outlive it.
class Session {
 public:
  // Throws what the store throws.
  explicit Session(Project& project);
  // A blob that cannot be deleted now is left to the next collection.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  void Remove();

  Project& project_;
  const SessionId id_;
};

// A session; null where the store takes no writes (read-only, full, not allowed): a restore must
// not need them.
std::unique_ptr<Session> BeginReading(Project& project);

}  // namespace tidemark::repo
