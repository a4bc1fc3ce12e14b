#include "repo/internal/chunk_codec.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "repo/internal/byte_reader.h"

namespace tidemark::repo {
namespace {

constexpr std::size_t kMinListRecord =
    32 + 4 + 4 + 4;  // bytes: id, plain size, documents, length of first _id

constexpr std::size_t kMinKeyRecord = 8 + 5;  // bytes: fingerprint, empty document

[[noreturn]] void FailChunk(ObjectKind kind, const ChunkRef& ref, std::string_view why) {
  throw Error(ErrorCode::kCorrupt,
              "reading " + DescribeObject(kind, ref.id) + ": " + std::string(why));
}

// An empty view, or one BSON document.
Bytes CheckedFirstId(ByteView bytes) {
  if (!bytes.empty()) {
    static_cast<void>(bson::Document(bytes));
  }
  return {bytes.begin(), bytes.end()};
}

}  // namespace

Bytes SealChunk(const ProjectKeys& keys,
                ObjectKind kind,
                const ChunkId& id,
                ByteView plain,
                int level,
                RandomSource& random) {
  return keys.Seal(kind, id, codec::Compress(plain, level), random);
}

namespace {

// Not yet named again.
Bytes Unseal(const ProjectKeys& keys, ObjectKind kind, const ChunkRef& ref, ByteView sealed) {
  if (ref.plain_size > kMaxChunkPlain) {
    FailChunk(kind, ref, "it claims to be larger than 64 MiB");
  }
  const Bytes compressed = keys.Open(kind, ref.id, sealed);
  try {
    return codec::Decompress(compressed, ref.plain_size);
  } catch (const Error& error) {
    throw error.WithContext("reading " + DescribeObject(kind, ref.id));
  }
}

void CheckName(ObjectKind kind, const ChunkRef& ref, const ChunkId& name) {
  if (name != ref.id) {
    FailChunk(kind, ref, "its bytes do not give its name");
  }
}

}  // namespace

Bytes OpenChunk(const ProjectKeys& keys, ObjectKind kind, const ChunkRef& ref, ByteView sealed) {
  Bytes plain = Unseal(keys, kind, ref, sealed);
  CheckName(kind, ref, keys.NameChunk(kind, plain));
  return plain;
}

HashedChunk OpenDocuments(const ProjectKeys& keys, const ChunkRef& ref, ByteView sealed) {
  HashedChunk chunk{.plain = Unseal(keys, ObjectKind::kDataChunk, ref, sealed)};
  chunk.hashes = HashDocuments(chunk.plain);
  CheckName(ObjectKind::kDataChunk, ref, keys.NameDocuments(chunk.hashes));
  return chunk;
}

Bytes EncodeList(const ListedChunks& chunks) {
  if (chunks.size() > kMaxRefsPerList) {
    throw Error(
        ErrorCode::kInvalidArgument,
        "storing a list chunk: " + std::to_string(chunks.size()) + " chunks are more than 4096");
  }
  Bytes plain;
  AppendLe32(plain, static_cast<std::uint32_t>(chunks.size()));
  for (const auto& [ref, first_id] : chunks) {
    AppendBytes(plain, ref.id);
    AppendLe32(plain, ref.plain_size);
    AppendLe32(plain, ref.documents);
    AppendLe32(plain, static_cast<std::uint32_t>(first_id.size()));
    AppendBytes(plain, first_id);
  }
  return plain;
}

ListedChunks DecodeList(ByteView plain) {
  ByteReader reader(plain, "a list chunk");
  const std::uint32_t count = reader.Count(kMinListRecord);
  if (count > kMaxRefsPerList) {
    reader.Fail("it lists more than 4096 chunks");
  }
  ListedChunks chunks(count);
  for (auto& [ref, first_id] : chunks) {
    std::ranges::copy(reader.Take(ref.id.size()), ref.id.begin());
    ref.plain_size = reader.Le32();
    ref.documents = reader.Le32();
    first_id = CheckedFirstId(reader.Take(reader.Le32()));
  }
  reader.ExpectEnd();
  return chunks;
}

Bytes EncodeKeys(const KeyBlock& block) {
  Bytes plain;
  plain.reserve(4 + 8 * block.fingerprints.size() + block.keys.size());
  AppendLe32(plain, static_cast<std::uint32_t>(block.fingerprints.size()));
  for (const std::uint64_t fingerprint : block.fingerprints) {
    AppendLe64(plain, fingerprint);
  }
  AppendBytes(plain, block.keys);
  return plain;
}

KeyBlock DecodeKeys(ByteView plain) {
  ByteReader reader(plain, "a key chunk");
  KeyBlock block;
  block.fingerprints.resize(reader.Count(kMinKeyRecord));
  for (std::uint64_t& fingerprint : block.fingerprints) {
    fingerprint = reader.Le64();
  }
  const ByteView keys = reader.rest();
  ByteView rest = keys;
  for (std::size_t i = 0; i < block.fingerprints.size(); ++i) {
    const std::size_t size = bson::FrontDocumentSize(rest);
    static_cast<void>(bson::Document(rest.first(size)));
    rest = rest.subspan(size);
  }
  if (!rest.empty()) {
    reader.Fail("it holds more keys than fingerprints");
  }
  block.keys.assign(keys.begin(), keys.end());
  return block;
}

std::uint32_t CountDocuments(const ListedChunks& chunks) {
  std::uint64_t documents = 0;
  for (const auto& [ref, first_id] : chunks) {
    documents += ref.documents;
  }
  if (documents > std::numeric_limits<std::uint32_t>::max()) {
    throw Error(ErrorCode::kInvalidArgument,
                "storing a list chunk: " + std::to_string(documents) +
                    " documents are more than one list chunk counts",
                "list fewer chunks at once");
  }
  return static_cast<std::uint32_t>(documents);
}

}  // namespace tidemark::repo
