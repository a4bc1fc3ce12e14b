#include "repo/internal/quarantine.h"

#include <algorithm>

#include "base/error.h"
#include "repo/internal/byte_reader.h"
#include "repo/internal/project.h"

namespace tidemark::repo {
namespace {

constexpr std::string_view kMagic = "TMRKQUAR";
constexpr std::size_t kPlaceSize = 16 + 4;  // bytes: pack, offset

std::set<QuarantineId> ListQuarantine(blob::BlobStore& store, const ProjectKeys& keys) {
  return ListIds<QuarantineId>(store, QuarantinePrefix(keys.project()));
}

}  // namespace

bool Quarantine::Names(const PackId& pack) const {
  const auto first = places_.lower_bound({pack, 0});
  return first != places_.end() && first->pack == pack;
}

Bytes EncodeQuarantine(const std::vector<BadPlace>& places) {
  Bytes plain;
  AppendLe32(plain, static_cast<std::uint32_t>(places.size()));
  for (const BadPlace& place : places) {
    AppendBytes(plain, place.pack.bytes);
    AppendLe32(plain, place.offset);
  }
  return plain;
}

std::vector<BadPlace> DecodeQuarantine(ByteView plain) {
  ByteReader reader(plain, "a quarantine list");
  std::vector<BadPlace> places(reader.Count(kPlaceSize));
  for (BadPlace& place : places) {
    std::ranges::copy(reader.Take(place.pack.bytes.size()), place.pack.bytes.begin());
    place.offset = reader.Le32();
  }
  reader.ExpectEnd();
  return places;
}

Bytes SealQuarantine(const ProjectKeys& keys,
                     const QuarantineId& id,
                     const std::vector<BadPlace>& places,
                     RandomSource& random) {
  Bytes blob;
  AppendHeader(blob, kMagic);
  AppendBytes(blob, keys.Seal(ObjectKind::kQuarantine, id.bytes, EncodeQuarantine(places), random));
  return blob;
}

std::vector<BadPlace> OpenQuarantine(const ProjectKeys& keys,
                                     const QuarantineId& id,
                                     ByteView blob) {
  const ByteView sealed =
      CheckHeader(blob, kMagic, DescribeObject(ObjectKind::kQuarantine, id.bytes));
  return DecodeQuarantine(keys.Open(ObjectKind::kQuarantine, id.bytes, sealed));
}

std::vector<BadPlace> LoadQuarantineList(blob::BlobStore& store,
                                         const ProjectKeys& keys,
                                         const QuarantineId& id) {
  try {
    return OpenQuarantine(keys, id, store.Get(QuarantineName(keys.project(), id)));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound && error.code() != ErrorCode::kCorrupt) {
      throw;
    }
    return {};
  }
}

Quarantine LoadQuarantine(blob::BlobStore& store, const ProjectKeys& keys) {
  Quarantine quarantine;
  for (const QuarantineId& id : ListQuarantine(store, keys)) {
    for (const BadPlace& place : LoadQuarantineList(store, keys, id)) {
      quarantine.Add(place);
    }
  }
  return quarantine;
}

void PutQuarantine(blob::BlobStore& store,
                   const ProjectKeys& keys,
                   const std::set<BadPlace>& places,
                   RandomSource& random) {
  for (auto next = places.begin(); next != places.end();) {
    std::vector<BadPlace> list;
    while (next != places.end() && list.size() < kMaxBadPlaces) {
      list.push_back(*next++);
    }
    const auto id = QuarantineId::Generate(random);
    store.Put(QuarantineName(keys.project(), id), SealQuarantine(keys, id, list, random));
  }
}

void DropSpentQuarantine(blob::BlobStore& store, const ProjectKeys& keys) {
  const std::set<QuarantineId> lists = ListQuarantine(store, keys);
  if (lists.empty()) {
    return;
  }
  const auto packs = ListIds<PackId>(store, PackPrefix(keys.project()));
  for (const QuarantineId& id : lists) {
    const std::vector<BadPlace> places = LoadQuarantineList(store, keys, id);
    const bool spent = std::ranges::none_of(
        places, [&packs](const BadPlace& place) { return packs.contains(place.pack); });
    if (spent) {
      store.Delete(QuarantineName(keys.project(), id));
    }
  }
}

}  // namespace tidemark::repo
