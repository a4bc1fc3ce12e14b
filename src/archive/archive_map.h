#pragma once

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "base/bytes.h"
#include "repo/repository.h"

namespace tidemark::archive {

// Where the packing of an archive can begin: between two documents, or before a namespace.
struct ArchivePlace {
  bool opening = true;           // in what stands before the first namespace
  std::uint32_t index = 0;       // of the namespace, in the archive's order
  std::uint64_t documents = 0;   // of the namespace, before the place
  std::uint64_t bytes = 0;       // BSON of these
  std::uint64_t crc = 0;         // CRC-64 of these; `mongodump --archive` only
  std::uint32_t part = 0;        // files of the namespace before the place; JSON only
  repo::NamespaceDigest digest;  // of these documents
  Bytes next_id;  // {"": _id} of the next document; empty in natural order and before the first

  // The order of places in an archive.
  auto Order() const { return std::tuple(!opening, index, documents); }
};

// Which bytes of an archive are where: a value that outlives the reader that fills it, so that a
// download goes on at any offset without packing again what lies before. Never needed, always a
// gain. Bounded: at most kMaxPoints places, the distance doubles when they are full. Confined.
class ArchiveMap {
 public:
  static constexpr std::size_t kMaxPoints = 16384;
  static constexpr std::uint64_t kLeastSpacing = 1U << 20;  // bytes
  static constexpr std::size_t kMaxIdSize = 256;  // bytes; no place is kept at a larger _id

  // A place whose packed bytes begin at `offset`.
  struct Point {
    std::uint64_t offset = 0;
    std::uint32_t checksum = 0;  // CRC-32 of the packed member that begins here
    ArchivePlace place;
  };

  // The archive's size; nullopt until a reader has come to its end.
  std::optional<std::uint64_t> size() const { return size_; }

  // The last known place at or before `offset`; null when there is none.
  const Point* FindBefore(std::uint64_t offset) const;

  // For the readers. A member that begins at `point.offset`: kept when it is far enough from the
  // one before. kInternal when it contradicts what is known: another machine's compressor wrote
  // other bytes, and the two must not be joined.
  void Record(Point point);
  // kInternal when another size is known.
  void RecordSize(std::uint64_t size);
  // Binds the map to an archive by a hash of all that decides on its bytes. kInvalidArgument when
  // it is bound to another one.
  void Bind(std::uint64_t archive);

  // A stored form, and back. kCorrupt when it is anything else.
  Bytes Encode() const;
  static ArchiveMap Decode(ByteView bytes);

 private:
  void Thin();

  std::uint64_t archive_ = 0;              // 0 = not bound
  std::uint64_t spacing_ = kLeastSpacing;  // bytes between points, at least
  std::optional<std::uint64_t> size_;
  std::vector<Point> points_;  // by offset
};

}  // namespace tidemark::archive
