#include "repo/repository.h"

#include <map>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/mutex.h"
#include "repo/internal/format_blob.h"
#include "repo/internal/key_ring.h"
#include "repo/internal/maintenance.h"
#include "repo/internal/manifest_codec.h"
#include "repo/internal/master_probe.h"
#include "repo/internal/names.h"
#include "repo/internal/project.h"
#include "repo/internal/roots.h"
#include "repo/internal/shred.h"
#include "repo/internal/snapshot_reader.h"
#include "repo/internal/snapshot_writer.h"

namespace tidemark::repo {
namespace {

class StoredRepository final : public Repository {
 public:
  StoredRepository(blob::BlobStore& store, const HeldMaster& master, RandomSource& random)
      : store_(store), master_(master), random_(random) {}

  std::vector<ProjectId> ListProjects() override;
  ShreddedProject ShredProject(const ProjectId& project) override;
  std::unique_ptr<SnapshotWriter> NewSnapshot(const ProjectId& project,
                                              const WriterOptions& options) override;
  std::unique_ptr<SnapshotReader> NewReader(const ProjectId& project) override;
  Manifest LoadManifest(const ProjectId& project, const SnapshotId& snapshot) override;
  std::vector<SnapshotId> ListManifests(const ProjectId& project) override;
  void DeleteManifest(const ProjectId& project, const SnapshotId& snapshot) override;
  std::unique_ptr<Maintenance> OpenMaintenance(const ProjectId& project) override;
  void DropSessions() override;
  std::optional<Manifest> LoadPartial(const ProjectId& project,
                                      const SnapshotId& snapshot) override;
  std::vector<SnapshotId> ListPartials(const ProjectId& project) override;
  void DropPartial(const ProjectId& project, const SnapshotId& snapshot) override;
  std::string SealSecret(std::string_view label, std::string_view text) override;
  std::string OpenSecret(std::string_view label, std::string_view sealed) override;

 private:
  enum class Missing { kFail, kCreate };
  Project& ProjectOf(const ProjectId& id, Missing missing) TIDEMARK_EXCLUDES(mutex_);

  blob::BlobStore& store_;
  const HeldMaster master_;
  RandomSource& random_;

  Mutex mutex_;
  // Never shrinks: readers and writers borrow their project until the repository ends.
  std::map<ProjectId, std::unique_ptr<Project>> projects_ TIDEMARK_GUARDED_BY(mutex_);
  std::set<ProjectId> shredded_ TIDEMARK_GUARDED_BY(mutex_);
};

Project& StoredRepository::ProjectOf(const ProjectId& id, Missing missing) {
  const MutexLock lock(mutex_);
  if (shredded_.contains(id)) {
    throw Error(ErrorCode::kNotFound, "opening project " + id.ToString() + ": it has been deleted");
  }
  std::unique_ptr<Project>& project = projects_[id];
  if (!project) {
    const ProjectKeys keys = missing == Missing::kCreate
                                 ? EnsureProjectKeys(store_, master_, id, random_)
                                 : LoadProjectKeys(store_, master_, id);
    project = std::make_unique<Project>(store_, keys, random_);
  }
  return *project;
}

std::vector<ProjectId> StoredRepository::ListProjects() {
  return ListProjectKeys(store_, master_.generation);
}

ShreddedProject StoredRepository::ShredProject(const ProjectId& project) {
  {
    const MutexLock lock(mutex_);
    shredded_.insert(project);
  }
  return ShredBlobs(store_, project);
}

std::unique_ptr<SnapshotWriter> StoredRepository::NewSnapshot(const ProjectId& project,
                                                              const WriterOptions& options) {
  Project& opened = ProjectOf(project, Missing::kCreate);
  WriterClaim claim{.session = std::make_unique<Session>(opened)};
  claim.refreshed = opened.Refresh();
  return MakeSnapshotWriter(opened, options, std::move(claim));
}

std::unique_ptr<SnapshotReader> StoredRepository::NewReader(const ProjectId& project) {
  Project& opened = ProjectOf(project, Missing::kFail);
  std::unique_ptr<Session> session = BeginReading(opened);
  opened.Refresh();
  return MakeSnapshotReader(opened, std::move(session));
}

Manifest StoredRepository::LoadManifest(const ProjectId& project, const SnapshotId& snapshot) {
  const Bytes blob = store_.Get(ManifestName(project, snapshot));
  return OpenManifest(ProjectOf(project, Missing::kFail).keys(), snapshot, blob);
}

std::vector<SnapshotId> StoredRepository::ListManifests(const ProjectId& project) {
  return ListSnapshots(store_, project);
}

void StoredRepository::DeleteManifest(const ProjectId& project, const SnapshotId& snapshot) {
  store_.Delete(ManifestName(project, snapshot));
}

std::unique_ptr<Maintenance> StoredRepository::OpenMaintenance(const ProjectId& project) {
  return MakeMaintenance(ProjectOf(project, Missing::kCreate));
}

void StoredRepository::DropSessions() {
  std::vector<std::string> names;
  store_.List(kSessionsPrefix, [&names](const std::string& name, ByteCount) {
    if (ParseRandomId(name)) {
      names.push_back(name);
    }
  });
  for (const std::string& name : names) {
    store_.Delete(name);
  }
}

std::optional<Manifest> StoredRepository::LoadPartial(const ProjectId& project,
                                                      const SnapshotId& snapshot) {
  return LoadPartialManifest(ProjectOf(project, Missing::kFail), snapshot);
}

std::vector<SnapshotId> StoredRepository::ListPartials(const ProjectId& project) {
  return ListPartialSnapshots(store_, project);
}

void StoredRepository::DropPartial(const ProjectId& project, const SnapshotId& snapshot) {
  DeletePartials(store_, project, snapshot);
}

std::string StoredRepository::SealSecret(std::string_view label, std::string_view text) {
  return repo::SealSecret(master_.key, label, text, random_);
}

std::string StoredRepository::OpenSecret(std::string_view label, std::string_view sealed) {
  return repo::OpenSecret(master_.key, label, sealed);
}

// Another process may be doing the same: kConflict is left to what follows.
void PutFormatOnce(blob::BlobStore& store, RandomSource& random) {
  try {
    store.Put(kFormatName, AsBytes(MakeFormatBlob(NewRepositoryId(random))));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
  }
}

[[noreturn]] void ThrowExists() {
  throw Error(ErrorCode::kConflict, "creating the repository: the store holds one already");
}

}  // namespace

void Repository::Create(blob::BlobStore& store, const MasterKey& master_key, RandomSource& random) {
  if (HasAnyBlob(store, std::string(kMasterPrefix)) ||
      HasAnyBlob(store, std::string(kKeysPrefix))) {
    ThrowExists();
  }
  PutFormatOnce(store, random);
  const HeldMaster master{master_key, 1};
  try {
    store.Put(MasterName(master.generation), EncodeProbe(master, ReadRepositoryId(store), random));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kConflict) {
      throw;
    }
    ThrowExists();
  }
}

std::unique_ptr<Repository> Repository::Open(blob::BlobStore& store,
                                             const MasterKey& master_key,
                                             RandomSource& random) {
  const HeldMaster master = RequireMaster(store, master_key, ReadRepositoryId(store));
  return std::make_unique<StoredRepository>(store, master, random);
}

std::string SealSecret(const MasterKey& master_key,
                       std::string_view label,
                       std::string_view text,
                       RandomSource& random) {
  const Bytes associated = AssociatedData(ObjectKind::kSecret, ProjectId{}, AsBytes(label));
  return Base64Encode(codec::Seal(master_key, associated, AsBytes(text), random));
}

std::string OpenSecret(const MasterKey& master_key,
                       std::string_view label,
                       std::string_view sealed) {
  const Bytes associated = AssociatedData(ObjectKind::kSecret, ProjectId{}, AsBytes(label));
  try {
    return std::string(AsText(codec::Open(master_key, associated, Base64Decode(sealed))));
  } catch (const Error& error) {
    throw Error(ErrorCode::kCorrupt,
                "reading secret " + std::string(label) + ": " + std::string(error.message()));
  }
}

}  // namespace tidemark::repo
