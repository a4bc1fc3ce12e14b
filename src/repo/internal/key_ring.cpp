#include "repo/internal/key_ring.h"

#include <algorithm>

#include "base/error.h"
#include "repo/internal/byte_reader.h"
#include "repo/internal/names.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kKeyMagic = "TMRKPKEY";

codec::Digest Derive(const codec::AeadKey& key, std::string_view label) {
  return codec::HmacSha256(key, AsBytes(label));
}

// Five 128-bit numbers, little-endian, from the HMACs of "tidemark v1 fingerprint 0" to 2.
FingerprintFactors DeriveFactors(const codec::AeadKey& key) {
  Bytes bytes;
  for (const char number : {'0', '1', '2'}) {
    AppendBytes(bytes, Derive(key, std::string("tidemark v1 fingerprint ") + number));
  }
  FingerprintFactors factors{};
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const std::uint8_t* at = bytes.data() + 16 * i;
    factors[i] = Uint128{LoadLe64(at + 8)} << 64 | LoadLe64(at);
  }
  return factors;
}

std::string DescribeKey(const ProjectId& project) {
  return "project key " + project.ToString();
}

bool HasAny(blob::BlobStore& store, const std::string& prefix) {
  bool any = false;
  store.List(prefix, [&any](const std::string&, ByteCount) { any = true; });
  return any;
}

void RefuseToReplaceLostKey(blob::BlobStore& store, const ProjectId& id) {
  if (HasAny(store, ManifestPrefix(id)) || HasAny(store, SegmentPrefix(id)) ||
      HasAny(store, PackPrefix(id))) {
    throw Error(ErrorCode::kCorrupt,
                "reading " + DescribeKey(id) + ": it is missing, but the project has stored data",
                "put the blob " + KeyName(id) + " back from a copy of the repository");
  }
}

}  // namespace

ProjectKeys::ProjectKeys(const ProjectId& project, const codec::AeadKey& project_key)
    : project_(project),
      encryption_(Derive(project_key, "tidemark v1 encryption")),
      data_naming_(Derive(project_key, "tidemark v1 data naming")),
      list_naming_(Derive(project_key, "tidemark v1 list naming")),
      key_naming_(Derive(project_key, "tidemark v1 key naming")),
      fingerprint_(DeriveFactors(project_key)) {}

ChunkId ProjectKeys::NameChunk(ObjectKind kind, ByteView plain) const {
  switch (kind) {
    case ObjectKind::kListChunk:
      return codec::HmacSha256(list_naming_, plain);
    case ObjectKind::kKeyChunk:
      return codec::HmacSha256(key_naming_, plain);
    default:
      return NameDocuments(HashDocuments(plain));
  }
}

ChunkId ProjectKeys::NameDocuments(const std::vector<codec::Digest>& hashes) const {
  const ByteView bytes = hashes.empty()
                             ? ByteView()
                             : ByteView(hashes.front().data(), hashes.size() * codec::kDigestSize);
  return codec::HmacSha256(data_naming_, bytes);
}

// Multilinear hashing (Carter and Wegman; Lemire and Kaser, "Strongly universal string hashing is
// fast", 2014): with secret 128-bit factors two different inputs collide once in 2^64. SHA-256
// again, under a key, would say no more and cost twenty times as much.
std::uint64_t ProjectKeys::Fingerprint(const codec::Digest& hash) const {
  Uint128 sum = fingerprint_[0];
  for (std::size_t i = 0; i < 4; ++i) {
    sum += fingerprint_[i + 1] * LoadLe64(hash.data() + 8 * i);
  }
  return static_cast<std::uint64_t>(sum >> 64);
}

Bytes ProjectKeys::Seal(ObjectKind kind, ByteView id, ByteView plain, RandomSource& random) const {
  return codec::Seal(encryption_, AssociatedData(kind, project_, id), plain, random);
}

Bytes ProjectKeys::Open(ObjectKind kind, ByteView id, ByteView sealed) const {
  try {
    return codec::Open(encryption_, AssociatedData(kind, project_, id), sealed);
  } catch (const Error& error) {
    throw error.WithContext("reading " + DescribeObject(kind, id));
  }
}

Bytes EncodeProjectKey(const MasterKey& master,
                       const ProjectId& project,
                       const codec::AeadKey& key,
                       RandomSource& random) {
  Bytes blob;
  AppendHeader(blob, kKeyMagic);
  AppendBytes(
      blob, codec::Seal(master, AssociatedData(ObjectKind::kProjectKey, project, {}), key, random));
  return blob;
}

codec::AeadKey DecodeProjectKey(const MasterKey& master, const ProjectId& project, ByteView blob) {
  const ByteView sealed = CheckHeader(blob, kKeyMagic, DescribeKey(project));
  Bytes plain;
  try {
    plain = codec::Open(master, AssociatedData(ObjectKind::kProjectKey, project, {}), sealed);
  } catch (const Error& error) {
    throw error.WithContext("reading " + DescribeKey(project));
  }
  codec::AeadKey key{};
  ByteReader reader(plain, DescribeKey(project));
  std::ranges::copy(reader.Take(key.size()), key.begin());
  reader.ExpectEnd();
  return key;
}

ProjectKeys LoadProjectKeys(blob::BlobStore& store, const MasterKey& master, const ProjectId& id) {
  return {id, DecodeProjectKey(master, id, store.Get(KeyName(id)))};
}

ProjectKeys EnsureProjectKeys(blob::BlobStore& store,
                              const MasterKey& master,
                              const ProjectId& id,
                              RandomSource& random) {
  if (!store.Size(KeyName(id))) {
    RefuseToReplaceLostKey(store, id);
    codec::AeadKey key{};
    random.Fill(key);
    try {
      store.Put(KeyName(id), EncodeProjectKey(master, id, key, random));
    } catch (const Error& error) {
      // Another process was first: its key, read below, is the project's key.
      if (error.code() != ErrorCode::kConflict) {
        throw;
      }
    }
  }
  return LoadProjectKeys(store, master, id);
}

}  // namespace tidemark::repo
