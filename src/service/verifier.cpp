#include "service/verifier.h"

#include "base/error.h"
#include "engine/document_reader.h"
#include "service/internal/job_run.h"

namespace tidemark::service {
namespace {

constexpr std::chrono::minutes kPoll{1};

// Throws what is wrong, naming the namespace.
void ReadAll(repo::Repository& repository,
             const catalog::Store::SnapshotToVerify& found,
             const std::stop_token& stop) {
  const auto reader = repository.NewReader(found.project);  // first: no collection may come between
  const repo::Manifest manifest = repository.LoadManifest(found.project, found.snapshot);
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    repo::NamespaceDigest digest;
    engine::ReadDocuments(
        *reader, entry, stop, [&digest](ByteView document) { digest.Add(document); });
    if (digest != entry.digest) {
      throw Error(ErrorCode::kCorrupt,
                  "reading " + entry.database + "." + entry.collection + ": it holds " +
                      std::to_string(digest.documents) + " documents that are not the " +
                      std::to_string(entry.digest.documents) + " that were stored");
    }
  }
}

}  // namespace

bool Verifier::RunNext(const std::stop_token& stop) {
  const Instant start = env_.clock.Now();
  const auto found = env_.store.FindSnapshotToVerify(start);
  if (!found) {
    return false;
  }
  domain::Verification verification{.snapshot = found->snapshot};
  try {
    ReadAll(env_.repository, *found, stop);
  } catch (const Error& error) {
    const auto snapshot = env_.store.FindSnapshot(found->snapshot);
    if (stop.stop_requested() || !snapshot || snapshot->deleted) {
      return true;  // nothing is known of it
    }
    verification.failure = FailureText(error);
  }
  verification.finished = env_.clock.Now();
  verification.took =
      std::chrono::duration_cast<std::chrono::milliseconds>(verification.finished - start);
  env_.store.SaveVerification(found->cluster, verification);
  if (verification.failure.empty()) {
    env_.log.Info("snapshot={} cluster={} ms={}  snapshot verified",
                  found->snapshot.ToString(),
                  found->cluster_name,
                  verification.took.count());
  } else {
    env_.log.Error("snapshot={} cluster={}  snapshot cannot be restored as it was: {}",
                   found->snapshot.ToString(),
                   found->cluster_name,
                   verification.failure);
  }
  return true;
}

void Verifier::Work(const std::stop_token& stop) {
  const std::stop_callback wake(stop, [this] {
    const MutexLock lock(mutex_);
    stopped_.NotifyAll();
  });
  while (!stop.stop_requested()) {
    try {
      if (RunNext(stop)) {
        continue;
      }
    } catch (const std::exception& error) {
      env_.log.Error("verifying snapshots: {}", error.what());
    }
    const Deadline next = std::chrono::steady_clock::now() + kPoll;
    const MutexLock lock(mutex_);
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < next) {
      stopped_.WaitFor(mutex_, next - std::chrono::steady_clock::now());
    }
  }
}

}  // namespace tidemark::service
