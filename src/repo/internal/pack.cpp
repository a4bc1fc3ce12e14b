#include "repo/internal/pack.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "repo/internal/byte_reader.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kPackMagic = "TMRKPACK";
constexpr std::string_view kPackEnd = "TMRKPEND";
constexpr std::size_t kTrailerSize = 4 + 8;  // bytes: footer length, end magic
constexpr std::size_t kEntrySize =
    1 + 32 + 4 + 4 + 4;  // bytes: kind, id, offset, stored and plain size
constexpr std::string_view kFooter = "a pack footer";

ObjectKind ReadChunkKind(ByteReader& reader) {
  const std::uint8_t kind = reader.Byte();
  if (kind != static_cast<std::uint8_t>(ObjectKind::kDataChunk) &&
      kind != static_cast<std::uint8_t>(ObjectKind::kListChunk) &&
      kind != static_cast<std::uint8_t>(ObjectKind::kKeyChunk)) {
    reader.Fail("it names an object that is no chunk");
  }
  return static_cast<ObjectKind>(kind);
}

PackEntry ReadEntry(ByteReader& reader) {
  PackEntry entry;
  entry.kind = ReadChunkKind(reader);
  std::ranges::copy(reader.Take(entry.id.size()), entry.id.begin());
  entry.offset = reader.Le32();
  entry.stored_size = reader.Le32();
  entry.plain_size = reader.Le32();
  return entry;
}

[[noreturn]] void FailShort(const std::string& what) {
  ByteReader({}, what).Fail("it ends too early");
}

// The size of the sealed footer, which the trailer states.
std::size_t FooterSize(ByteView trailer, std::uint64_t bytes_before, const std::string& what) {
  ByteReader reader(trailer, what);
  const std::uint32_t footer_size = reader.Le32();
  if (AsText(reader.rest()) != kPackEnd) {
    reader.Fail("it does not end with " + std::string(kPackEnd));
  }
  if (footer_size > bytes_before) {
    reader.Fail("its footer is longer than the pack");
  }
  return footer_size;
}

}  // namespace

PackBuilder::PackBuilder(const PackId& id, ByteCount expected) : id_(id) {
  bytes_.reserve(expected.value);
  AppendHeader(bytes_, kPackMagic);
}

PackEntry PackBuilder::Append(ObjectKind kind, const ChunkRef& ref, ByteView sealed) {
  TIDEMARK_CHECK(bytes_.size() < kMaxPackTarget.value);
  const PackEntry entry{.kind = kind,
                        .id = ref.id,
                        .offset = static_cast<std::uint32_t>(bytes_.size()),
                        .stored_size = static_cast<std::uint32_t>(sealed.size()),
                        .plain_size = ref.plain_size};
  AppendBytes(bytes_, sealed);
  entries_.push_back(entry);
  return entry;
}

Bytes PackBuilder::Finish(const ProjectKeys& keys, RandomSource& random) {
  const Bytes footer =
      keys.Seal(ObjectKind::kPackFooter, id_.bytes, EncodePackFooter(entries_), random);
  AppendBytes(bytes_, footer);
  AppendLe32(bytes_, static_cast<std::uint32_t>(footer.size()));
  AppendBytes(bytes_, AsBytes(kPackEnd));
  if (DecodePack(keys, id_, bytes_) != entries_) {
    throw Error(ErrorCode::kCorrupt,
                "writing " + DescribeObject(ObjectKind::kPackFooter, id_.bytes) +
                    ": its footer does not read back as it was written",
                "check this machine's memory");
  }
  return std::move(bytes_);
}

std::vector<PackEntry> DecodePack(const ProjectKeys& keys, const PackId& id, ByteView blob) {
  const std::string what = DescribeObject(ObjectKind::kPackFooter, id.bytes);
  const ByteView body = CheckHeader(blob, kPackMagic, what);
  if (body.size() < kTrailerSize) {
    FailShort(what);
  }
  const std::size_t before_trailer = body.size() - kTrailerSize;
  const std::size_t footer_size = FooterSize(body.last(kTrailerSize), before_trailer, what);
  const ByteView sealed = body.subspan(before_trailer - footer_size, footer_size);
  return DecodePackFooter(keys.Open(ObjectKind::kPackFooter, id.bytes, sealed),
                          kHeaderSize + before_trailer - footer_size);
}

std::vector<PackEntry> ReadPackFooter(const ProjectKeys& keys,
                                      const PackId& id,
                                      blob::BlobStore& store,
                                      ByteCount size) {
  const std::string what = DescribeObject(ObjectKind::kPackFooter, id.bytes);
  const std::string name = PackName(keys.project(), id);
  if (size.value < kHeaderSize + kTrailerSize) {
    FailShort(what);
  }
  CheckHeader(store.GetRange(name, 0, kHeaderSize), kPackMagic, what);
  const std::uint64_t trailer_at = size.value - kTrailerSize;
  const Bytes trailer = store.GetRange(name, trailer_at, kTrailerSize);
  const std::size_t footer_size = FooterSize(trailer, trailer_at - kHeaderSize, what);
  const Bytes sealed = store.GetRange(name, trailer_at - footer_size, footer_size);
  return DecodePackFooter(keys.Open(ObjectKind::kPackFooter, id.bytes, sealed),
                          trailer_at - footer_size);
}

Bytes EncodePackFooter(const std::vector<PackEntry>& entries) {
  Bytes plain;
  AppendLe32(plain, static_cast<std::uint32_t>(entries.size()));
  for (const PackEntry& entry : entries) {
    plain.push_back(static_cast<std::uint8_t>(entry.kind));
    AppendBytes(plain, entry.id);
    AppendLe32(plain, entry.offset);
    AppendLe32(plain, entry.stored_size);
    AppendLe32(plain, entry.plain_size);
  }
  return plain;
}

std::vector<PackEntry> DecodePackFooter(ByteView plain, std::size_t body_end) {
  ByteReader reader(plain, kFooter);
  std::vector<PackEntry> entries(reader.Count(kEntrySize));
  std::size_t expected = kHeaderSize;
  for (PackEntry& entry : entries) {
    entry = ReadEntry(reader);
    if (entry.offset != expected || entry.plain_size > kMaxChunkPlain) {
      reader.Fail("its entries do not describe the pack");
    }
    expected += entry.stored_size;
  }
  reader.ExpectEnd();
  if (expected != body_end) {
    reader.Fail("its entries do not describe the pack");
  }
  return entries;
}

}  // namespace tidemark::repo
