#include "archive/internal/plain_writer.h"

#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "bson/builder.h"
#include "codec/gzip.h"
#include "engine/document_reader.h"

namespace tidemark::archive {
namespace {

// Large enough for the compressor's tables to pay off, small enough for the first to come at once.
constexpr std::size_t kBlockSize = 1U << 20;  // bytes of plaintext
// As JSON each block of a namespace is a file: not too many of them.
constexpr std::size_t kJsonBlockSize = 4U << 20;  // bytes of BSON

std::size_t BlockSizeOf(ArchiveFormat format) {
  return format == ArchiveFormat::kJsonTarGz ? kJsonBlockSize : kBlockSize;
}

class PlainWriter {
 public:
  PlainWriter(const ArchiveContents& contents,
              repo::SnapshotReader& reader,
              std::stop_token stop,
              Layout& layout,
              BlockBuilder& out)
      : contents_(contents),
        reader_(reader),
        stop_(std::move(stop)),
        layout_(layout),
        out_(out),
        counts_crc_(contents.options.format == ArchiveFormat::kArchive ||
                    contents.options.format == ArchiveFormat::kArchiveGz) {}

  void Write(const ArchivePlace& place) {
    if (place.opening) {
      layout_.Open(place.index, out_);
      WriteNamespaces(0);
    } else {
      std::uint32_t next = place.index;
      if (place.documents > 0) {
        WriteRest(place);
        ++next;
      }
      WriteNamespaces(next);
    }
  }

 private:
  void WriteNamespaces(std::uint32_t from) {
    const auto end = static_cast<std::uint32_t>(contents_.order.size());
    for (std::uint32_t i = from; i <= end; ++i) {
      if (out_.full()) {
        out_.Cut({.opening = false, .index = i}, true);
      }
      if (i < end) {
        WriteNamespace(i);
      }
    }
    layout_.Close(out_);
    out_.Finish();
  }

  void WriteNamespace(std::uint32_t index) {
    at_ = {.opening = false, .index = index};
    layout_.Begin(index, out_);
    lines_path_ = layout_.LinesPath(index, at_.part);
    if (Entry().kind != repo::NamespaceKind::kView) {
      engine::ReadHashedDocuments(reader_, Entry(), stop_, Adding());
      EndDocuments();
    }
    layout_.End(index, at_.crc, out_);
  }

  void WriteRest(const ArchivePlace& place) {
    at_ = place;
    at_.next_id.clear();
    lines_path_ = layout_.LinesPath(at_.index, at_.part);
    engine::ReadDocumentsFrom(
        reader_, Entry(), {.documents = place.documents, .id = place.next_id}, stop_, Adding());
    EndDocuments();
    layout_.End(at_.index, at_.crc, out_);
  }

  engine::HashedVisitor Adding() {
    return [this](ByteView document, const codec::Digest& hash) { Add(document, hash); };
  }

  void Add(ByteView document, const codec::Digest& hash) {
    // Not before the first document: the place before the namespace is as good and needs no _id.
    if (out_.full() && at_.documents > 0) {
      Cut(document);
    }
    at_.documents += 1;
    at_.bytes += document.size();
    CheckNotMore();
    if (counts_crc_) {
      at_.crc = codec::Crc64(at_.crc, document);
    }
    out_.AppendDocument(at_.index, document, hash, lines_path_);
  }

  void Cut(ByteView next) {
    ArchivePlace place = at_;
    bool resumable = true;
    if (!engine::IsInNaturalOrder(Entry())) {
      const auto id = bson::Document(next).Find("_id");
      resumable = id.has_value();  // several documents without one look alike
      if (id) {
        place.next_id = bson::Builder().AppendElement("", *id).Finish();
      }
    }
    place.part = ++at_.part;
    lines_path_ = layout_.LinesPath(at_.index, at_.part);
    out_.Cut(std::move(place), resumable);
  }

  // Before a tar member would grow beyond the size that its header says.
  void CheckNotMore() const {
    if (at_.bytes > Entry().logical_bytes) {
      FailCounts("more");
    }
  }

  void EndDocuments() {
    if (at_.bytes != Entry().logical_bytes || at_.documents != Entry().digest.documents) {
      FailCounts(fmt::format("{} documents of {} bytes", at_.documents, at_.bytes));
    }
    out_.EndDocuments(at_.index);
  }

  [[noreturn]] void FailCounts(const std::string& held) const {
    throw Error(ErrorCode::kCorrupt,
                fmt::format("packing {}.{}: the manifest says {} documents of {} bytes, the "
                            "snapshot holds {}",
                            Entry().database,
                            Entry().collection,
                            Entry().digest.documents,
                            Entry().logical_bytes,
                            held));
  }

  const repo::NamespaceEntry& Entry() const { return *contents_.order[at_.index]; }

  const ArchiveContents& contents_;
  repo::SnapshotReader& reader_;
  const std::stop_token stop_;
  Layout& layout_;
  BlockBuilder& out_;
  const bool counts_crc_;
  ArchivePlace at_;  // its digest and next_id are not kept
  std::string lines_path_;
};

}  // namespace

void WritePlain(const ArchiveContents& contents,
                repo::SnapshotReader& reader,
                const ArchivePlace& place,
                const std::stop_token& stop,
                const std::function<void(Block)>& emit) {
  const auto layout = MakeLayout(contents);
  BlockBuilder out(place, BlockSizeOf(contents.options.format), emit);
  PlainWriter(contents, reader, stop, *layout, out).Write(place);
}

}  // namespace tidemark::archive
