#include "repo/internal/condemned.h"

#include <algorithm>

#include "base/error.h"
#include "repo/internal/byte_reader.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kCondemnedMagic = "TMRKCOND";
constexpr std::string_view kWaitListMagic = "TMRKWAIT";

template <class Id>
void AppendIds(Bytes& out, const std::vector<Id>& ids) {
  AppendLe32(out, static_cast<std::uint32_t>(ids.size()));
  for (const Id& id : ids) {
    AppendBytes(out, id.bytes);
  }
}

template <class Id>
std::vector<Id> ReadIds(ByteReader& reader) {
  std::vector<Id> ids(reader.Count(Id{}.bytes.size()));
  for (Id& id : ids) {
    std::ranges::copy(reader.Take(id.bytes.size()), id.bytes.begin());
  }
  return ids;
}

struct BlobKind {
  ObjectKind kind;
  std::string_view magic;
};

constexpr BlobKind kCondemnedBlob{ObjectKind::kCondemned, kCondemnedMagic};
constexpr BlobKind kWaitListBlob{ObjectKind::kWaitList, kWaitListMagic};

Bytes SealBlob(const ProjectKeys& keys,
               const BlobKind& kind,
               const GenerationId& id,
               const Bytes& plain,
               RandomSource& random) {
  Bytes blob;
  AppendHeader(blob, kind.magic);
  AppendBytes(blob, keys.Seal(kind.kind, id.bytes, plain, random));
  return blob;
}

Bytes OpenBlob(const ProjectKeys& keys,
               const BlobKind& kind,
               const GenerationId& id,
               ByteView blob) {
  const ByteView sealed = CheckHeader(blob, kind.magic, DescribeObject(kind.kind, id.bytes));
  return keys.Open(kind.kind, id.bytes, sealed);
}

// The listing that named the blob may be older than its end.
std::optional<Bytes> GetIfThere(blob::BlobStore& store, const std::string& name) {
  try {
    return store.Get(name);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
    return std::nullopt;
  }
}

}  // namespace

Bytes EncodeCondemned(const Condemned& condemned) {
  Bytes plain;
  AppendIds(plain, condemned.packs);
  AppendIds(plain, condemned.segments);
  return plain;
}

Condemned DecodeCondemned(ByteView plain) {
  ByteReader reader(plain, "a condemned list");
  Condemned condemned;
  condemned.packs = ReadIds<PackId>(reader);
  condemned.segments = ReadIds<SegmentId>(reader);
  reader.ExpectEnd();
  return condemned;
}

Bytes EncodeWaitList(const std::vector<SessionId>& sessions) {
  Bytes plain;
  AppendIds(plain, sessions);
  return plain;
}

std::vector<SessionId> DecodeWaitList(ByteView plain) {
  ByteReader reader(plain, "a wait list");
  std::vector<SessionId> sessions = ReadIds<SessionId>(reader);
  reader.ExpectEnd();
  return sessions;
}

Bytes SealCondemned(const ProjectKeys& keys,
                    const GenerationId& id,
                    const Condemned& condemned,
                    RandomSource& random) {
  return SealBlob(keys, kCondemnedBlob, id, EncodeCondemned(condemned), random);
}

Condemned OpenCondemned(const ProjectKeys& keys, const GenerationId& id, ByteView blob) {
  return DecodeCondemned(OpenBlob(keys, kCondemnedBlob, id, blob));
}

Bytes SealWaitList(const ProjectKeys& keys,
                   const GenerationId& id,
                   const std::vector<SessionId>& sessions,
                   RandomSource& random) {
  return SealBlob(keys, kWaitListBlob, id, EncodeWaitList(sessions), random);
}

std::vector<SessionId> OpenWaitList(const ProjectKeys& keys,
                                    const GenerationId& id,
                                    ByteView blob) {
  return DecodeWaitList(OpenBlob(keys, kWaitListBlob, id, blob));
}

std::optional<Condemned> LoadCondemned(blob::BlobStore& store,
                                       const ProjectKeys& keys,
                                       const GenerationId& id) {
  const std::optional<Bytes> blob = GetIfThere(store, CondemnedName(keys.project(), id));
  return blob ? std::optional(OpenCondemned(keys, id, *blob)) : std::nullopt;
}

std::optional<std::vector<SessionId>> LoadWaitList(blob::BlobStore& store,
                                                   const ProjectKeys& keys,
                                                   const GenerationId& id) {
  const std::optional<Bytes> blob = GetIfThere(store, WaitListName(keys.project(), id));
  return blob ? std::optional(OpenWaitList(keys, id, *blob)) : std::nullopt;
}

}  // namespace tidemark::repo
