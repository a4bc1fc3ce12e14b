#include "repo/internal/place_book.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "base/error.h"
#include "repo/internal/chunk_codec.h"
#include "repo/internal/maintenance.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kDoing = "repairing the repository";
constexpr std::uint64_t kReportEvery = 64;  // chunks
constexpr std::array kChunkKinds{
    ObjectKind::kDataChunk, ObjectKind::kKeyChunk, ObjectKind::kListChunk};

auto ByPlace(const Place& place) {
  return std::tie(place.pack, place.offset, place.id, place.stored_size, place.plain_size);
}

// What may be the fault of one blob; a store that cannot be reached is not.
bool IsDamage(const Error& error) {
  return error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported ||
         error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kIo;
}

}  // namespace

PlaceBook::PlaceBook(const Project& project, const std::stop_token& stop, const OnRead& on_read)
    : project_(project), stop_(stop) {
  quarantine_ = LoadQuarantine(project.store(), project.keys());
  ReadSegments();
  ReadFooters();
  MergeEqual();
  OpenAll(on_read);
  std::ranges::sort(
      places_, {}, [](const Place& place) { return std::tie(place.id, place.pack, place.offset); });
}

// Segments first: the packs that they name are listed (I2).
void PlaceBook::ReadSegments() {
  const ProjectId& id = project_.keys().project();
  const auto segments = ListIds<SegmentId>(project_.store(), SegmentPrefix(id));
  ListPacks();
  std::map<PackId, std::uint32_t> numbers;
  for (std::size_t i = 0; i < packs_.size(); ++i) {
    numbers.emplace(packs_[i].id, static_cast<std::uint32_t>(i));
  }
  for (const SegmentId& segment : segments) {
    ThrowIfStopped(stop_, kDoing);
    try {
      const Bytes blob = project_.store().Get(SegmentName(id, segment));
      AddSegment(OpenIndexSegment(project_.keys(), segment, blob), numbers);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorrupt) {
        throw;
      }
      bad_segments_.push_back(segment);
    }
  }
}

void PlaceBook::ListPacks() {
  project_.store().List(PackPrefix(project_.keys().project()),
                        [this](const std::string& name, ByteCount size) {
                          if (const auto id = ParseRandomId(name)) {
                            packs_.push_back({.id = PackId{*id}, .size = size});
                          }
                        });
}

void PlaceBook::AddSegment(const IndexSegment& segment,
                           const std::map<PackId, std::uint32_t>& numbers) {
  for (const auto& [chunk, slot] : segment.entries) {
    const auto pack = numbers.find(segment.packs[slot.pack]);
    if (pack != numbers.end()) {
      places_.push_back({.id = chunk,
                         .pack = pack->second,
                         .offset = slot.offset,
                         .stored_size = slot.stored_size,
                         .plain_size = slot.plain_size,
                         .indexed = true});
    }
  }
}

void PlaceBook::ReadFooters() {
  for (std::size_t number = 0; number < packs_.size(); ++number) {
    ThrowIfStopped(stop_, kDoing);
    Pack& pack = packs_[number];
    try {
      for (const PackEntry& entry :
           ReadPackFooter(project_.keys(), pack.id, project_.store(), pack.size)) {
        places_.push_back({.id = entry.id,
                           .pack = static_cast<std::uint32_t>(number),
                           .offset = entry.offset,
                           .stored_size = entry.stored_size,
                           .plain_size = entry.plain_size,
                           .kind = entry.kind});
      }
      pack.has_footer = true;
    } catch (const Error& error) {
      if (!IsDamage(error)) {
        throw;
      }
    }
  }
}

// What a segment and a footer say of the same chunk becomes one place.
void PlaceBook::MergeEqual() {
  std::ranges::sort(places_, {}, ByPlace);
  std::size_t kept = 0;
  for (std::size_t next = 0; next < places_.size(); ++next) {
    const Place place = places_[next];
    if (kept > 0 && ByPlace(places_[kept - 1]) == ByPlace(place)) {
      Place& same = places_[kept - 1];
      same.indexed = same.indexed || place.indexed;
      same.kind = same.kind == ObjectKind::kPackFooter ? place.kind : same.kind;
    } else {
      places_[kept++] = place;
    }
  }
  places_.resize(kept);
  places_.shrink_to_fit();
}

// Pack by pack. What does not open is tried once more at the end: a fault of the memory or of the
// way to the store has passed by then.
void PlaceBook::OpenAll(const OnRead& on_read) {
  for (Place& place : places_) {
    ThrowIfStopped(stop_, kDoing);
    place.quarantined = quarantine_.Contains(packs_[place.pack].id, place.offset);
    place.sound = Opens(place);
    ++chunks_read_;
    bytes_read_ += ByteCount{place.stored_size};
    if (on_read && chunks_read_ % kReportEvery == 0) {
      on_read(bytes_read_);
    }
  }
  for (Place& place : places_) {
    if (!place.sound) {
      ThrowIfStopped(stop_, kDoing);
      place.sound = Opens(place);
    }
  }
}

bool PlaceBook::Opens(Place& place) const {
  Bytes sealed;
  try {
    sealed = ReadSealed(place);
  } catch (const Error& error) {
    if (!IsDamage(error)) {
      throw;
    }
    return false;
  }
  const auto opens = [&](ObjectKind kind) {
    try {
      OpenChunk(project_.keys(), kind, {place.id, place.plain_size, 0}, sealed);
      place.kind = kind;
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  return place.kind == ObjectKind::kPackFooter ? std::ranges::any_of(kChunkKinds, opens)
                                               : opens(place.kind);
}

Bytes PlaceBook::ReadSealed(const Place& place) const {
  return project_.store().GetRange(
      PackName(project_.keys().project(), packs_[place.pack].id), place.offset, place.stored_size);
}

std::span<Place> PlaceBook::Of(const ChunkId& id) {
  const auto range = std::ranges::equal_range(places_, id, {}, &Place::id);
  return {range.begin(), range.end()};
}

}  // namespace tidemark::repo
