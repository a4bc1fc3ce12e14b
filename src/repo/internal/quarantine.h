#pragma once

#include <set>
#include <utility>
#include <vector>

#include "repo/internal/key_ring.h"
#include "repo/internal/names.h"

namespace tidemark::repo {

// A place in a pack on which nobody should count. At offset 0, where no chunk lies: the pack's
// footer does not open.
struct BadPlace {
  PackId pack;
  std::uint32_t offset = 0;

  auto operator<=>(const BadPlace&) const = default;
};

// So that no list is larger than 5 MiB.
inline constexpr std::size_t kMaxBadPlaces = 256U << 10;

// The places that a repair has found bad: reading them has failed, or their pack's footer does not
// open. About 70 bytes of memory for each.
class Quarantine {
 public:
  void Add(const BadPlace& place) { places_.insert(place); }

  bool Contains(const PackId& pack, std::uint32_t offset) const {
    return places_.contains({pack, offset});
  }

  // Whether it holds any place of that pack.
  bool Names(const PackId& pack) const;

  bool empty() const { return places_.empty(); }

  const std::set<BadPlace>& places() const { return places_; }

  bool operator==(const Quarantine&) const = default;

 private:
  std::set<BadPlace> places_;
};

// Whole blobs: header, sealed body. REQUIRES: at most kMaxBadPlaces. Open throws kCorrupt,
// kUnsupported.
Bytes SealQuarantine(const ProjectKeys& keys,
                     const QuarantineId& id,
                     const std::vector<BadPlace>& places,
                     RandomSource& random);
std::vector<BadPlace> OpenQuarantine(const ProjectKeys& keys,
                                     const QuarantineId& id,
                                     ByteView blob);

// The plaintext body.
Bytes EncodeQuarantine(const std::vector<BadPlace>& places);
std::vector<BadPlace> DecodeQuarantine(ByteView plain);

// Nothing when it has gone or does not open: then it puts nothing in quarantine.
std::vector<BadPlace> LoadQuarantineList(blob::BlobStore& store,
                                         const ProjectKeys& keys,
                                         const QuarantineId& id);
// All lists of the project together.
Quarantine LoadQuarantine(blob::BlobStore& store, const ProjectKeys& keys);
// In lists of at most kMaxBadPlaces; nothing when there are none.
void PutQuarantine(blob::BlobStore& store,
                   const ProjectKeys& keys,
                   const std::set<BadPlace>& places,
                   RandomSource& random);
// Deletes lists all of whose packs have gone.
void DropSpentQuarantine(blob::BlobStore& store, const ProjectKeys& keys);

}  // namespace tidemark::repo
