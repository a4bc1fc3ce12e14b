#include "repo/internal/index_segment.h"

#include <algorithm>

#include "repo/internal/byte_reader.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kIndexMagic = "TMRKINDX";
constexpr std::size_t kEntrySize =
    32 + 4 * 4;  // bytes: id, pack number, offset, stored and plain size

// Entries of one pack are neighbours, because a writer fills one pack at a time.
void AppendEntry(IndexSegment& segment, const IndexEntry& entry, const PackId& pack) {
  if (segment.packs.empty() || segment.packs.back() != pack) {
    segment.packs.push_back(pack);
  }
  segment.entries.push_back(entry);
  segment.entries.back().slot.pack = static_cast<std::uint32_t>(segment.packs.size() - 1);
}

IndexEntry ReadEntry(ByteReader& reader, std::size_t packs) {
  IndexEntry entry;
  std::ranges::copy(reader.Take(entry.id.size()), entry.id.begin());
  entry.slot.pack = reader.Le32();
  entry.slot.offset = reader.Le32();
  entry.slot.stored_size = reader.Le32();
  entry.slot.plain_size = reader.Le32();
  if (entry.slot.pack >= packs || entry.slot.plain_size > kMaxChunkPlain) {
    reader.Fail("it holds an impossible entry");
  }
  return entry;
}

}  // namespace

std::vector<IndexSegment> SplitIntoSegments(const ChunkIndex& index,
                                            const std::function<bool(std::uint32_t pack)>& wanted) {
  std::vector<IndexSegment> segments;
  for (const IndexEntry& entry : index.entries()) {
    if (!wanted(entry.slot.pack)) {
      continue;
    }
    if (segments.empty() || segments.back().entries.size() == kMaxSegmentEntries) {
      segments.emplace_back();
    }
    AppendEntry(segments.back(), entry, index.pack(entry.slot.pack));
  }
  return segments;
}

Bytes SealIndexSegment(const ProjectKeys& keys,
                       const SegmentId& id,
                       const IndexSegment& segment,
                       RandomSource& random) {
  Bytes blob;
  AppendHeader(blob, kIndexMagic);
  AppendBytes(blob,
              keys.Seal(ObjectKind::kIndexSegment, id.bytes, EncodeIndexSegment(segment), random));
  return blob;
}

IndexSegment OpenIndexSegment(const ProjectKeys& keys, const SegmentId& id, ByteView blob) {
  const ByteView sealed =
      CheckHeader(blob, kIndexMagic, DescribeObject(ObjectKind::kIndexSegment, id.bytes));
  return DecodeIndexSegment(keys.Open(ObjectKind::kIndexSegment, id.bytes, sealed));
}

Bytes EncodeIndexSegment(const IndexSegment& segment) {
  Bytes plain;
  AppendLe32(plain, static_cast<std::uint32_t>(segment.packs.size()));
  for (const PackId& pack : segment.packs) {
    AppendBytes(plain, pack.bytes);
  }
  AppendLe32(plain, static_cast<std::uint32_t>(segment.entries.size()));
  for (const auto& [id, slot] : segment.entries) {
    AppendBytes(plain, id);
    AppendLe32(plain, slot.pack);
    AppendLe32(plain, slot.offset);
    AppendLe32(plain, slot.stored_size);
    AppendLe32(plain, slot.plain_size);
  }
  return plain;
}

IndexSegment DecodeIndexSegment(ByteView plain) {
  ByteReader reader(plain, "an index segment");
  IndexSegment segment;
  segment.packs.resize(reader.Count(PackId{}.bytes.size()));
  for (PackId& pack : segment.packs) {
    std::ranges::copy(reader.Take(pack.bytes.size()), pack.bytes.begin());
  }
  segment.entries.resize(reader.Count(kEntrySize));
  for (IndexEntry& entry : segment.entries) {
    entry = ReadEntry(reader, segment.packs.size());
  }
  reader.ExpectEnd();
  return segment;
}

}  // namespace tidemark::repo
