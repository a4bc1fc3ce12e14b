#pragma once

#include "base/object_id.h"
#include "base/random.h"
#include "blob/blob_store.h"
#include "codec/codec.h"
#include "repo/internal/object_kind.h"
#include "repo/repository.h"

namespace tidemark::repo {

__extension__ using Uint128 = unsigned __int128;
using FingerprintFactors = std::array<Uint128, 5>;

// The keys of one project, derived from its 32 random bytes. Immutable.
class ProjectKeys {
 public:
  ProjectKeys(const ProjectId& project, const codec::AeadKey& project_key);

  const ProjectId& project() const { return project_; }

  // The name of a chunk. Each kind of chunk is named under a key of its own: equal bytes of two
  // kinds never share a name. REQUIRES: a chunk's kind.
  // kCorrupt for a data chunk that is not documents.
  ChunkId NameChunk(ObjectKind kind, ByteView plain) const;
  // The name of the data chunk whose documents have these hashes.
  ChunkId NameDocuments(const std::vector<codec::Digest>& hashes) const;
  // SnapshotWriter::Fingerprint.
  std::uint64_t Fingerprint(const codec::Digest& hash) const;
  Bytes Seal(ObjectKind kind, ByteView id, ByteView plain, RandomSource& random) const;
  // kCorrupt, naming kind and id, when one bit is not as it was sealed.
  Bytes Open(ObjectKind kind, ByteView id, ByteView sealed) const;

 private:
  ProjectId project_;
  codec::AeadKey encryption_;
  codec::Digest data_naming_;
  codec::Digest list_naming_;
  codec::Digest key_naming_;
  FingerprintFactors fingerprint_;
};

// The project's keys. kNotFound when it has none, kCorrupt when the key blob is damaged.
ProjectKeys LoadProjectKeys(blob::BlobStore& store, const MasterKey& master, const ProjectId& id);
// As above, but makes the key on first use. Never replaces a lost key of a project that has data:
// kCorrupt.
ProjectKeys EnsureProjectKeys(blob::BlobStore& store,
                              const MasterKey& master,
                              const ProjectId& id,
                              RandomSource& random);

// Layout: header "TMRKPKEY", then the sealed 32 bytes (60).
Bytes EncodeProjectKey(const MasterKey& master,
                       const ProjectId& project,
                       const codec::AeadKey& key,
                       RandomSource& random);
codec::AeadKey DecodeProjectKey(const MasterKey& master, const ProjectId& project, ByteView blob);

}  // namespace tidemark::repo
