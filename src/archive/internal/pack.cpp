#include "archive/internal/pack.h"

#include <algorithm>
#include <utility>

#include "archive/internal/tar_header.h"
#include "base/error.h"
#include "bson/extended_json.h"

namespace tidemark::archive {
namespace {

ByteView BytesOf(const Block& block, const DocumentSpan& span) {
  return ByteView(block.plain).subspan(span.begin, span.end - span.begin);
}

void Append(ByteView bytes, Bytes& out) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

template <class Visit>
void ForEachDocument(ByteView documents, const Visit& visit) {
  while (!documents.empty()) {
    const std::size_t size = bson::FrontDocumentSize(documents);
    visit(documents.first(size));
    documents = documents.subspan(size);
  }
}

}  // namespace

void Packer::AppendLines(const DocumentSpan& span, ByteView documents, Bytes& out) const {
  std::string lines;
  ForEachDocument(documents, [&](ByteView document) {
    bson::AppendJson(bson::Document(document), contents_.options.json, lines);
    lines += '\n';
  });
  AppendTarHeader({.path = span.lines_path, .size = lines.size(), .time = contents_.options.time},
                  out);
  Append(AsBytes(lines), out);
  AppendTarPadding(lines.size(), out);
}

// The block with its documents as tar members of lines.
Bytes Packer::WithLines(const Block& block) const {
  Bytes out;
  std::size_t done = 0;
  for (const DocumentSpan& span : block.spans) {
    Append(ByteView(block.plain).subspan(done, span.begin - done), out);
    if (span.begin < span.end) {
      try {
        AppendLines(span, BytesOf(block, span), out);
      } catch (const Error& error) {
        const repo::NamespaceEntry& entry = *contents_.order[span.index];
        throw error.WithContext("packing " + entry.database + "." + entry.collection);
      }
    }
    done = span.end;
  }
  Append(ByteView(block.plain).subspan(done), out);
  return out;
}

PackedBlock Packer::Pack(Block block) {
  PackedBlock packed{.start = std::move(block.start), .resumable = block.resumable};
  for (const DocumentSpan& span : block.spans) {
    packed.spans.push_back({.index = span.index, .last = span.last, .digest = span.digest});
  }
  if (contents_.options.format == ArchiveFormat::kJsonTarGz) {
    block.plain = WithLines(block);
  }
  packed.bytes = contents_.options.format == ArchiveFormat::kArchive ? std::move(block.plain)
                                                                     : gzip_.Member(block.plain);
  packed.checksum = codec::Crc32(packed.bytes);
  return packed;
}

}  // namespace tidemark::archive
