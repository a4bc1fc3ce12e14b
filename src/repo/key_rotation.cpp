#include "repo/key_rotation.h"

#include <vector>

#include "base/error.h"
#include "repo/internal/key_ring.h"
#include "repo/internal/master_probe.h"
#include "repo/internal/names.h"

namespace tidemark::repo {
namespace {

codec::AeadKey ReadKey(blob::BlobStore& store, const HeldMaster& master, const ProjectId& id) {
  return DecodeProjectKey(master.key, id, store.Get(KeyName(id, master.generation)));
}

// Whether the blob is what an earlier, unfinished rotation to the same key has left.
bool IsDone(blob::BlobStore& store,
            const HeldMaster& next,
            const ProjectId& id,
            const codec::AeadKey& key) {
  try {
    return ReadKey(store, next, id) == key;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kCorrupt) {
      return false;  // of a rotation to yet another key, which was given up
    }
    throw;
  }
}

void Rewrap(blob::BlobStore& store,
            const HeldMaster& current,
            const HeldMaster& next,
            const ProjectId& id,
            RandomSource& random) {
  const codec::AeadKey key = ReadKey(store, current, id);
  const std::string name = KeyName(id, next.generation);
  if (store.Size(name)) {
    if (IsDone(store, next, id, key)) {
      return;
    }
    store.Delete(name);
  }
  store.Put(name, EncodeProjectKey(next.key, id, key, random));
}

// Other generations' key blobs, each of a project that has one of generation `keep`.
std::vector<std::string> ListOldKeys(blob::BlobStore& store, Generation keep) {
  std::vector<KeyBlobName> old;
  store.List(kKeysPrefix, [&](const std::string& name, ByteCount) {
    const std::optional<KeyBlobName> key = ParseKeyName(name);
    if (key && key->generation != keep) {
      old.push_back(*key);
    }
  });
  std::vector<std::string> names;
  for (const KeyBlobName& key : old) {
    if (!store.Size(KeyName(key.project, keep))) {
      throw Error(
          ErrorCode::kCorrupt,
          "retiring the old master key: project " + key.project.ToString() +
              " has no key under the new one",
          "put the blob " + KeyName(key.project, keep) + " back from a copy of the repository");
    }
    names.push_back(KeyName(key.project, key.generation));
  }
  return names;
}

}  // namespace

std::size_t AddMasterKey(blob::BlobStore& store,
                         const MasterKey& current,
                         const MasterKey& next,
                         RandomSource& random) {
  const std::string repository = ReadRepositoryId(store);
  const std::optional<HeldMaster> added = FindMaster(store, next, repository);
  const std::optional<HeldMaster> held = FindMaster(store, current, repository);
  if (added && !held) {
    return ListProjectKeys(store, added->generation).size();
  }
  const HeldMaster from = held ? *held : RequireMaster(store, current, repository);
  const HeldMaster to = added ? *added : HeldMaster{next, ListGenerations(store).front() + 1};
  const std::vector<ProjectId> projects = ListProjectKeys(store, from.generation);
  for (const ProjectId& id : projects) {
    Rewrap(store, from, to, id, random);
  }
  if (!added) {
    // Last: whoever opens the repository with `next` finds every key under it.
    store.Put(MasterName(to.generation), EncodeProbe(to, repository, random));
  }
  return projects.size();
}

void RetireOtherMasterKeys(blob::BlobStore& store, const MasterKey& keep) {
  const HeldMaster held = RequireMaster(store, keep, ReadRepositoryId(store));
  const std::vector<std::string> old_keys = ListOldKeys(store, held.generation);
  // Probes first: with a key that opens the repository, every project's key is there.
  for (const Generation generation : ListGenerations(store)) {
    if (generation != held.generation) {
      store.Delete(MasterName(generation));
    }
  }
  for (const std::string& name : old_keys) {
    store.Delete(name);
  }
}

}  // namespace tidemark::repo
