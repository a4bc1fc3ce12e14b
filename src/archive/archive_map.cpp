#include "archive/archive_map.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "bson/document.h"
#include "codec/codec.h"

namespace tidemark::archive {
namespace {

// Stored form, little-endian. Persistent.
//   magic 4 "TMAP" | version 1 | archive 8 | spacing 8 | has size 1 | size 8 | points 4
//   each point: offset 8 | checksum 4 | opening 1 | index 4 | documents 8 | bytes 8 | crc 8 | part
//   4
//               | digest 32 | id size 2 | id
//   first 8 bytes of the SHA-256 of all before
constexpr std::uint32_t kMagic = 0x50414d54;
constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kCheckSize = 8;  // bytes
constexpr std::uint64_t kMaxSpacing = std::uint64_t{1} << 62;

class MapWriter {
 public:
  void Put8(std::uint8_t value) { bytes_.push_back(value); }

  void Put16(std::uint16_t value) {
    Put8(static_cast<std::uint8_t>(value));
    Put8(static_cast<std::uint8_t>(value >> 8U));
  }

  void Put32(std::uint32_t value) {
    bytes_.resize(bytes_.size() + 4);
    StoreLe32(bytes_.data() + bytes_.size() - 4, value);
  }

  void Put64(std::uint64_t value) {
    bytes_.resize(bytes_.size() + 8);
    StoreLe64(bytes_.data() + bytes_.size() - 8, value);
  }

  void PutBytes(ByteView bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }

  Bytes Finish() {
    PutBytes(ByteView(codec::Sha256(bytes_)).first(kCheckSize));
    return std::move(bytes_);
  }

 private:
  Bytes bytes_;
};

[[noreturn]] void ThrowCorrupt(std::string_view why) {
  throw Error(ErrorCode::kCorrupt, "reading the map of an archive: " + std::string(why));
}

class MapReader {
 public:
  explicit MapReader(ByteView bytes) : rest_(bytes) {
    if (bytes.size() < kCheckSize) {
      ThrowCorrupt("too short");
    }
    rest_ = bytes.first(bytes.size() - kCheckSize);
    const codec::Digest check = codec::Sha256(rest_);
    if (!std::ranges::equal(bytes.last(kCheckSize), ByteView(check).first(kCheckSize))) {
      ThrowCorrupt("its checksum is wrong");
    }
  }

  std::uint8_t Get8() { return Take(1)[0]; }

  bool GetFlag() {
    const std::uint8_t value = Get8();
    if (value > 1) {
      ThrowCorrupt("a flag is neither 0 nor 1");
    }
    return value == 1;
  }

  std::uint16_t Get16() {
    const ByteView bytes = Take(2);
    return static_cast<std::uint16_t>(bytes[0] | unsigned{bytes[1]} << 8U);
  }

  std::uint32_t Get32() { return LoadLe32(Take(4).data()); }

  std::uint64_t Get64() { return LoadLe64(Take(8).data()); }

  ByteView Take(std::size_t size) {
    if (size > rest_.size()) {
      ThrowCorrupt("it ends too early");
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }

  bool done() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

void PutPoint(const ArchiveMap::Point& point, MapWriter& writer) {
  writer.Put64(point.offset);
  writer.Put32(point.checksum);
  writer.Put8(point.place.opening ? 1 : 0);
  writer.Put32(point.place.index);
  writer.Put64(point.place.documents);
  writer.Put64(point.place.bytes);
  writer.Put64(point.place.crc);
  writer.Put32(point.place.part);
  writer.PutBytes(point.place.digest.sum);
  writer.Put16(static_cast<std::uint16_t>(point.place.next_id.size()));
  writer.PutBytes(point.place.next_id);
}

// One element without name, or nothing.
Bytes GetId(MapReader& reader) {
  const std::size_t size = reader.Get16();
  if (size > ArchiveMap::kMaxIdSize) {
    ThrowCorrupt("an _id is too large");
  }
  const ByteView id = reader.Take(size);
  if (size > 0) {
    bson::Validate(id);
    const bson::Document document(id);
    if (document.empty() || ++document.begin() != document.end()) {
      ThrowCorrupt("an _id is not one value");
    }
  }
  return {id.begin(), id.end()};
}

ArchiveMap::Point GetPoint(MapReader& reader) {
  ArchiveMap::Point point;
  point.offset = reader.Get64();
  point.checksum = reader.Get32();
  point.place.opening = reader.GetFlag();
  point.place.index = reader.Get32();
  point.place.documents = reader.Get64();
  point.place.bytes = reader.Get64();
  point.place.crc = reader.Get64();
  point.place.part = reader.Get32();
  std::ranges::copy(reader.Take(codec::kDigestSize), point.place.digest.sum.begin());
  point.place.digest.documents = point.place.documents;
  point.place.next_id = GetId(reader);
  return point;
}

[[noreturn]] void ThrowContradiction(std::uint64_t offset) {
  throw Error(ErrorCode::kInternal,
              "packing an archive: at byte " + std::to_string(offset) +
                  " it is not what an earlier download of it was",
              "another processor or version compresses differently; start the download anew, "
              "without the map");
}

}  // namespace

const ArchiveMap::Point* ArchiveMap::FindBefore(std::uint64_t offset) const {
  const auto after = std::ranges::upper_bound(points_, offset, {}, &Point::offset);
  return after == points_.begin() ? nullptr : &*std::prev(after);
}

void ArchiveMap::Record(Point point) {
  const auto next = std::ranges::lower_bound(points_, point.offset, {}, &Point::offset);
  const bool known = next != points_.end() && next->offset == point.offset;
  const auto order = point.place.Order();
  // Known places must be met at their offsets, and others keep their order.
  if (known ? next->checksum != point.checksum || next->place.Order() != order
            : next != points_.end() && next->place.Order() <= order) {
    ThrowContradiction(point.offset);
  }
  if (next != points_.begin() && std::prev(next)->place.Order() >= order) {
    ThrowContradiction(point.offset);
  }
  const std::uint64_t before = next == points_.begin() ? 0 : std::prev(next)->offset;
  const bool far = point.offset - before >= spacing_ &&
                   (next == points_.end() || next->offset - point.offset >= spacing_);
  if (!known && far && point.place.next_id.size() <= kMaxIdSize) {
    points_.insert(next, std::move(point));
    Thin();
  }
}

void ArchiveMap::Thin() {
  if (points_.size() < kMaxPoints) {
    return;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < points_.size(); i += 2) {
    std::swap(points_[kept++], points_[i]);
  }
  points_.resize(kept);
  spacing_ *= 2;
}

void ArchiveMap::RecordSize(std::uint64_t size) {
  if ((size_ && *size_ != size) || (!points_.empty() && points_.back().offset >= size)) {
    ThrowContradiction(size);
  }
  size_ = size;
}

void ArchiveMap::Bind(std::uint64_t archive) {
  if (archive_ != 0 && archive_ != archive) {
    throw Error(ErrorCode::kInvalidArgument,
                "packing an archive: the map is that of another archive");
  }
  archive_ = archive;
}

Bytes ArchiveMap::Encode() const {
  MapWriter writer;
  writer.Put32(kMagic);
  writer.Put8(kVersion);
  writer.Put64(archive_);
  writer.Put64(spacing_);
  writer.Put8(size_ ? 1 : 0);
  writer.Put64(size_.value_or(0));
  writer.Put32(static_cast<std::uint32_t>(points_.size()));
  for (const Point& point : points_) {
    PutPoint(point, writer);
  }
  return writer.Finish();
}

ArchiveMap ArchiveMap::Decode(ByteView bytes) {
  MapReader reader(bytes);
  if (reader.Get32() != kMagic || reader.Get8() != kVersion) {
    ThrowCorrupt("it is none, or one of another version");
  }
  ArchiveMap map;
  map.archive_ = reader.Get64();
  map.spacing_ = reader.Get64();
  if (map.spacing_ < kLeastSpacing || map.spacing_ > kMaxSpacing) {
    ThrowCorrupt("the distance of its places is out of range");
  }
  const bool has_size = reader.GetFlag();
  const std::uint64_t size = reader.Get64();
  const std::uint32_t count = reader.Get32();
  if (count > kMaxPoints) {
    ThrowCorrupt("it has too many places");
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    Point point = GetPoint(reader);
    const bool ordered =
        point.offset > 0 &&
        (map.points_.empty() || (map.points_.back().offset < point.offset &&
                                 map.points_.back().place.Order() < point.place.Order()));
    if (!ordered) {
      ThrowCorrupt("its places are not in order");
    }
    map.points_.push_back(std::move(point));
  }
  if (!reader.done()) {
    ThrowCorrupt("more follows");
  }
  if (has_size) {
    if (!map.points_.empty() && map.points_.back().offset >= size) {
      ThrowCorrupt("a place lies beyond its size");
    }
    map.size_ = size;
  }
  return map;
}

}  // namespace tidemark::archive
