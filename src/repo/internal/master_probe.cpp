#include "repo/internal/master_probe.h"

#include <algorithm>

#include "base/error.h"
#include "repo/internal/byte_reader.h"
#include "repo/internal/format_blob.h"
#include "repo/internal/object_kind.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kProbeMagic = "TMRKMKEY";
constexpr std::string_view kProbeText = "tidemark";

Bytes ProbeAssociated(std::string_view repository, Generation generation) {
  const std::string id = std::string(repository) + "/" + MasterName(generation);
  return AssociatedData(ObjectKind::kProbe, ProjectId{}, AsBytes(id));
}

// The sealed probe; nullopt when the blob is damaged.
std::optional<ByteView> CheckSum(ByteView blob) {
  if (blob.size() <= codec::kDigestSize) {
    return std::nullopt;
  }
  const ByteView summed = blob.first(blob.size() - codec::kDigestSize);
  if (!std::ranges::equal(codec::Sha256(summed), blob.last(codec::kDigestSize))) {
    return std::nullopt;
  }
  return CheckHeader(summed, kProbeMagic, "master key probe");
}

}  // namespace

Bytes EncodeProbe(const HeldMaster& master, std::string_view repository, RandomSource& random) {
  Bytes blob;
  AppendHeader(blob, kProbeMagic);
  AppendBytes(
      blob,
      codec::Seal(
          master.key, ProbeAssociated(repository, master.generation), AsBytes(kProbeText), random));
  AppendBytes(blob, codec::Sha256(blob));
  return blob;
}

ProbeAnswer TryProbe(const HeldMaster& master, std::string_view repository, ByteView blob) {
  const std::optional<ByteView> sealed = CheckSum(blob);
  if (!sealed) {
    return ProbeAnswer::kDamaged;
  }
  try {
    codec::Open(master.key, ProbeAssociated(repository, master.generation), *sealed);
    return ProbeAnswer::kOpens;
  } catch (const Error&) {  // whole, by its checksum: then it is the key that is another
    return ProbeAnswer::kOtherKey;
  }
}

std::vector<Generation> ListGenerations(blob::BlobStore& store) {
  std::vector<Generation> generations;
  store.List(kMasterPrefix, [&generations](const std::string& name, ByteCount) {
    if (const std::optional<Generation> generation = ParseMasterName(name)) {
      generations.push_back(*generation);
    }
  });
  std::ranges::sort(generations, std::ranges::greater());
  return generations;
}

std::optional<HeldMaster> FindMaster(blob::BlobStore& store,
                                     const MasterKey& key,
                                     std::string_view repository) {
  std::string damaged;
  for (const Generation generation : ListGenerations(store)) {
    const HeldMaster master{key, generation};
    switch (TryProbe(master, repository, store.Get(MasterName(generation)))) {
      case ProbeAnswer::kOpens:
        return master;
      case ProbeAnswer::kDamaged:
        damaged = MasterName(generation);
        break;
      case ProbeAnswer::kOtherKey:
        break;
    }
  }
  if (!damaged.empty()) {
    throw Error(ErrorCode::kCorrupt,
                "reading the master key probe " + damaged + ": its checksum does not match",
                "put the blob " + damaged + " back from a copy of the repository");
  }
  return std::nullopt;
}

HeldMaster RequireMaster(blob::BlobStore& store,
                         const MasterKey& key,
                         std::string_view repository) {
  const std::optional<HeldMaster> master = FindMaster(store, key, repository);
  if (!master) {
    throw Error(ErrorCode::kUnauthenticated,
                "opening the repository: the master key is not the repository's",
                "give the key file that was made together with this repository, or by the last "
                "rotation of its master key");
  }
  return *master;
}

std::string ReadRepositoryId(blob::BlobStore& store) {
  if (!store.Size(kFormatName)) {
    throw Error(ErrorCode::kNotFound, "opening the repository: the store holds none");
  }
  return ReadFormatBlob(AsText(store.Get(kFormatName)));
}

}  // namespace tidemark::repo
