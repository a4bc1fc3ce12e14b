#pragma once

#include <optional>
#include <vector>

#include "base/mutex.h"
#include "base/units.h"
#include "engine/internal/written_namespace.h"
#include "engine/source.h"

namespace tidemark::engine {

// Whether every chunk of the namespace is still there: only then may another snapshot rely on it.
// kCorrupt, kNotFound when a list cannot be read.
bool IsStored(repo::SnapshotWriter& writer, const repo::NamespaceEntry& entry);

// What has been read of each namespace of a catalog, and the partial manifests from which another
// run goes on. Synchronized; a namespace is the business of one thread at a time.
// Lost by a cut is at most max(`every`, 1/64 of what was read): half of it may wait for the next
// partial manifest, half may lie with the readers.
class Savepoints {
 public:
  // Takes over what `partial` holds, where the source still has the namespace in the same form and
  // all chunks are stored. `catalog` and `writer` must outlive it.
  Savepoints(const SourceCatalog& catalog,
             const repo::Manifest& partial,
             repo::SnapshotWriter& writer,
             ByteCount every,
             std::size_t readers);

  bool IsFinished(std::size_t index) const TIDEMARK_EXCLUDES(mutex_);

  // Namespaces that the interrupted run had finished.
  std::size_t taken_over() const { return taken_over_; }

  // Where the reading of it was cut; nullopt: it begins anew.
  std::optional<repo::UnfinishedNamespace> FindCut(std::size_t index) const
      TIDEMARK_EXCLUDES(mutex_);

  // BSON bytes that a reader may read before it says where it is.
  std::uint64_t stride() const TIDEMARK_EXCLUDES(mutex_);
  // Form and UUID of the namespace, to be filled by whoever reads it.
  repo::UnfinishedNamespace Begin(std::size_t index) const;
  // The namespace is read so far, `bytes` more than it was. May write a partial manifest.
  void Advance(std::size_t index, repo::UnfinishedNamespace so_far, std::uint64_t bytes)
      TIDEMARK_EXCLUDES(mutex_);
  // What was said of it does not hold; it begins anew.
  void Forget(std::size_t index) TIDEMARK_EXCLUDES(mutex_);
  // The namespace is finished; `bytes` were read since the last Advance. May write a partial
  // manifest.
  void Finish(std::size_t index, WrittenNamespace written, std::uint64_t bytes)
      TIDEMARK_EXCLUDES(mutex_);

  // All namespaces in the catalog's order. REQUIRES: nobody reads any more. Only destruction is
  // legal afterwards.
  std::vector<repo::NamespaceEntry> Take() TIDEMARK_EXCLUDES(mutex_);

 private:
  void TakeOverFinished(const repo::Manifest& partial);
  void TakeOverUnfinished(const repo::Manifest& partial);
  std::uint64_t interval() const TIDEMARK_REQUIRES(mutex_);
  void SaveIfDue(std::uint64_t bytes) TIDEMARK_EXCLUDES(mutex_);
  std::optional<repo::Manifest> MakeDue(std::uint64_t bytes) TIDEMARK_EXCLUDES(mutex_);

  // Constant after construction.
  const SourceCatalog& catalog_;
  repo::SnapshotWriter& writer_;
  const repo::Manifest head_;  // of partial manifests
  const std::uint64_t every_;
  const std::uint64_t readers_;
  std::size_t taken_over_ = 0;

  mutable Mutex mutex_;
  std::vector<repo::NamespaceEntry> entries_ TIDEMARK_GUARDED_BY(mutex_);
  std::vector<bool> finished_ TIDEMARK_GUARDED_BY(mutex_);
  std::vector<std::optional<repo::UnfinishedNamespace>> cuts_ TIDEMARK_GUARDED_BY(mutex_);
  std::uint64_t read_ TIDEMARK_GUARDED_BY(mutex_) = 0;     // bytes, by the interrupted run as well
  std::uint64_t unsaved_ TIDEMARK_GUARDED_BY(mutex_) = 0;  // bytes
  bool saving_ TIDEMARK_GUARDED_BY(mutex_) = false;
};

}  // namespace tidemark::engine
