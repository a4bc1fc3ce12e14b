#include "archive/archive.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "archive/internal/digest_check.h"
#include "archive/internal/dump_names.h"
#include "archive/internal/metadata_json.h"
#include "archive/internal/pack_pipeline.h"
#include "archive/internal/plain_writer.h"
#include "archive/lines.h"
#include "base/error.h"
#include "base/stage_group.h"
#include "codec/codec.h"

namespace tidemark::archive {
namespace {

// What decides on the bytes beside manifest and options: raised with every change of them, so that
// a map of the bytes before is refused.
constexpr int kPackerVersion = 1;
constexpr int kMaxThreads = 64;
// Bytes that packing needs beside each byte of a block: one compressed, or JSON of the largest
// usual expansion and that compressed.
constexpr std::size_t kGrowth = 1;
constexpr std::size_t kJsonGrowth = 4;

struct FormatRow {
  ArchiveFormat format;
  std::string_view name;
  std::string_view extension;
};

constexpr std::array kFormats{
    FormatRow{ArchiveFormat::kDumpTarGz, "tar.gz", ".tar.gz"},
    FormatRow{ArchiveFormat::kArchive, "archive", ".archive"},
    FormatRow{ArchiveFormat::kArchiveGz, "archive.gz", ".archive.gz"},
    FormatRow{ArchiveFormat::kJsonTarGz, "json", ".json.tar.gz"},
};

bool IsTar(ArchiveFormat format) {
  return format == ArchiveFormat::kDumpTarGz || format == ArchiveFormat::kJsonTarGz;
}

void CheckOptions(const ArchiveContents& contents) {
  if (contents.options.threads < 1 || contents.options.threads > kMaxThreads) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("packing an archive: {} threads are not between 1 and {}",
                            contents.options.threads,
                            kMaxThreads));
  }
  if (IsTar(contents.options.format)) {
    CheckTopDirectory(contents.options.top_directory);
    CheckFolderNames(contents.manifest);
  }
}

// A hash of what was added, in its order and with its borders.
class Fingerprint {
 public:
  void Add(ByteView bytes) {
    const codec::Digest part = codec::Sha256(bytes);
    std::array<std::uint8_t, 2 * codec::kDigestSize> both;
    std::ranges::copy(part, std::ranges::copy(hash_, both.begin()).out);
    hash_ = codec::Sha256(both);
  }

  void Add(std::string_view text) { Add(AsBytes(text)); }

  const codec::Digest& hash() const { return hash_; }

 private:
  codec::Digest hash_{};
};

// Of all that decides on the bytes. A part of a snapshot is another archive than the whole. Never
// 0.
std::uint64_t NameOf(const ArchiveContents& contents) {
  const ArchiveOptions& options = contents.options;
  Fingerprint name;
  name.Add(fmt::format(
      "{} {} {} {}",
      kPackerVersion,
      static_cast<int>(options.format),
      static_cast<int>(options.json),
      std::chrono::floor<std::chrono::seconds>(options.time).time_since_epoch().count()));
  name.Add(options.top_directory);
  name.Add(contents.manifest.snapshot.ToString());
  name.Add(contents.manifest.mongodb_version);
  for (const std::string& database : contents.manifest.empty_databases) {
    name.Add(database);
  }
  for (const repo::NamespaceEntry* const entry : contents.order) {
    name.Add(entry->database);
    name.Add(MetadataJson(*entry));
    name.Add(fmt::format("{} {}", entry->digest.documents, entry->logical_bytes));
    name.Add(entry->digest.sum);
  }
  return LoadLe64(name.hash().data()) | 1U;
}

class Reader final : public ArchiveReader {
 public:
  Reader(repo::SnapshotReader& reader,
         const repo::Manifest& manifest,
         const ArchiveOptions& options,
         std::uint64_t offset,
         ArchiveMap* map,
         const std::stop_token& stop)
      : contents_(manifest, options),
        reader_(reader),
        offset_(offset),
        map_(map),
        start_(FindStart()),
        position_(start_.offset),
        check_(contents_, start_.place),
        pipeline_(contents_.options.memory,
                  contents_.options.format == ArchiveFormat::kJsonTarGz ? kJsonGrowth : kGrowth),
        group_(stop) {
    group_.OnStop([this] { pipeline_.Abort(); });
    group_.Start("archive-read", [this](const std::stop_token& token) { ReadPlain(token); });
    for (int i = 0; i < contents_.options.threads; ++i) {
      group_.Start("archive-pack", [this](const std::stop_token&) {
        Packer packer(contents_);
        pipeline_.Work(packer);
      });
    }
  }

  std::size_t Read(std::span<std::uint8_t> to) override {
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    try {
      while (rest_.empty()) {
        if (ended_ || !NextBlock()) {
          return 0;
        }
      }
    } catch (const std::exception&) {
      failure_ = std::current_exception();
      throw;
    }
    const std::size_t size = std::min(to.size(), rest_.size());
    std::copy_n(rest_.begin(), size, to.begin());
    rest_ = rest_.subspan(size);
    return size;
  }

 private:
  ArchiveMap::Point FindStart() {
    CheckOptions(contents_);
    if (map_ == nullptr) {
      return {};
    }
    map_->Bind(NameOf(contents_));
    const ArchiveMap::Point* const known = map_->FindBefore(offset_);
    if (known != nullptr && known->place.index > contents_.order.size()) {
      throw Error(ErrorCode::kCorrupt, "packing an archive: its map names no place of it");
    }
    return known == nullptr ? ArchiveMap::Point{} : *known;
  }

  void ReadPlain(const std::stop_token& token) {
    WritePlain(contents_, reader_, start_.place, token, [this](Block block) {
      pipeline_.Push(std::move(block));
    });
    pipeline_.Close();
  }

  // False at the end.
  bool NextBlock() {
    std::optional<PackedBlock> packed = pipeline_.Take();
    if (!packed) {
      const bool aborted = pipeline_.aborted();
      group_.Wait();
      if (aborted) {
        throw Error(ErrorCode::kCancelled, "packing an archive: cancelled");
      }
      End();
      return false;
    }
    Record(*packed);
    for (const SpanDigest& span : packed->spans) {
      check_.Add(span);
    }
    block_ = std::move(packed->bytes);
    rest_ = block_;
    if (offset_ > position_) {
      rest_ = rest_.subspan(std::min<std::uint64_t>(offset_ - position_, rest_.size()));
    }
    position_ += block_.size();
    return true;
  }

  void Record(PackedBlock& packed) {
    if (map_ == nullptr || !packed.resumable || position_ == 0) {
      return;
    }
    packed.start.digest = check_.Before(packed.start);
    map_->Record(
        {.offset = position_, .checksum = packed.checksum, .place = std::move(packed.start)});
  }

  void End() {
    ended_ = true;
    if (map_ != nullptr) {
      map_->RecordSize(position_);
    }
    if (offset_ > position_) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("reading an archive from byte {} on: it has {}", offset_, position_));
    }
  }

  const ArchiveContents contents_;
  repo::SnapshotReader& reader_;
  const std::uint64_t offset_;
  ArchiveMap* const map_;
  const ArchiveMap::Point start_;
  std::uint64_t position_;  // of the end of block_
  DigestCheck check_;
  Bytes block_;
  ByteView rest_;  // of block_
  bool ended_ = false;
  std::exception_ptr failure_;
  PackPipeline pipeline_;
  StageGroup group_;
};

}  // namespace

std::optional<ArchiveFormat> ParseArchiveFormat(std::string_view name) {
  const auto row = std::ranges::find(kFormats, name, &FormatRow::name);
  return row == kFormats.end() ? std::nullopt : std::optional(row->format);
}

std::string_view FileExtension(ArchiveFormat format) {
  return std::ranges::find(kFormats, format, &FormatRow::format)->extension;
}

std::unique_ptr<ArchiveReader> OpenArchive(repo::SnapshotReader& reader,
                                           const repo::Manifest& manifest,
                                           const ArchiveOptions& options,
                                           std::uint64_t offset,
                                           ArchiveMap* map,
                                           const std::stop_token& stop) {
  return std::make_unique<Reader>(reader, manifest, options, offset, map, stop);
}

}  // namespace tidemark::archive
