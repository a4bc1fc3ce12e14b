#pragma once

#include <functional>
#include <map>
#include <set>
#include <span>
#include <stop_token>
#include <vector>

#include "repo/internal/pack.h"
#include "repo/internal/project.h"

namespace tidemark::repo {

// Where a chunk is said to lie, and what reading it there has shown. `pack` counts in
// PlaceBook::packs.
struct Place {
  ChunkId id{};
  std::uint32_t pack = 0;
  std::uint32_t offset = 0;
  std::uint32_t stored_size = 0;
  std::uint32_t plain_size = 0;
  ObjectKind kind = ObjectKind::kPackFooter;  // not a chunk's: unknown
  bool indexed : 1 = false;                   // a segment names it
  bool sound : 1 = false;                     // it opens
  bool quarantined : 1 = false;
  bool live : 1 = false;  // a manifest needs the chunk
};

// Every place of every chunk of a project, from its index segments and its packs' footers, each
// read and opened. Confined. Memory: 60 bytes for each place.
class PlaceBook {
 public:
  struct Pack {
    PackId id;
    ByteCount size;
    bool has_footer = false;  // that opens
  };

  using OnRead = std::function<void(ByteCount)>;

  // REQUIRES: nothing is deleted meanwhile. Blocks while all packs are read. Segments and footers
  // that do not open are noted.
  PlaceBook(const Project& project, const std::stop_token& stop, const OnRead& on_read);

  // All places of the chunk.
  std::span<Place> Of(const ChunkId& id);

  std::vector<Place>& places() { return places_; }  // by chunk, then by pack and offset

  const std::vector<Pack>& packs() const { return packs_; }

  const std::vector<SegmentId>& bad_segments() const { return bad_segments_; }

  const Quarantine& quarantine() const { return quarantine_; }

  std::uint64_t chunks_read() const { return chunks_read_; }

  ByteCount bytes_read() const { return bytes_read_; }

  // The sealed bytes; kCorrupt and what the store throws.
  Bytes ReadSealed(const Place& place) const;

  // Whether whoever relies on the place is right to.
  bool IsSolid(const Place& place) const {
    return place.indexed && place.sound && !place.quarantined && packs_[place.pack].has_footer;
  }

 private:
  void ListPacks();
  void ReadSegments();
  void AddSegment(const IndexSegment& segment, const std::map<PackId, std::uint32_t>& numbers);
  void ReadFooters();
  void MergeEqual();
  void OpenAll(const OnRead& on_read);
  // Tries the kinds of chunks when the place does not say.
  bool Opens(Place& place) const;

  const Project& project_;
  const std::stop_token stop_;
  std::vector<Pack> packs_;
  Quarantine quarantine_;
  std::vector<Place> places_;
  std::vector<SegmentId> bad_segments_;
  std::uint64_t chunks_read_ = 0;
  ByteCount bytes_read_;
};

}  // namespace tidemark::repo
