#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"

namespace tidemark {

// A 12-byte object id as Atlas and MongoDB write it: 24 lower-case hex digits. Immutable value.
// The first four bytes are the second of creation, so ids sort roughly by age.
class ObjectId {
 public:
  ObjectId() = default;

  explicit ObjectId(const std::array<std::uint8_t, 12>& bytes) : bytes_(bytes) {}

  // A new id: seconds of `now`, then 8 random bytes. Never equal to another one in practice (2^64).
  static ObjectId Generate(Instant now, RandomSource& random);
  // nullopt unless exactly 24 lower-case hex digits: `^([a-f0-9]{24})$`, contract.md 7.1.
  static std::optional<ObjectId> Parse(std::string_view text);

  std::string ToString() const;

  const std::array<std::uint8_t, 12>& bytes() const { return bytes_; }

  bool IsZero() const { return bytes_ == std::array<std::uint8_t, 12>{}; }

  auto operator<=>(const ObjectId&) const = default;

 private:
  std::array<std::uint8_t, 12> bytes_{};
};

// An ObjectId that names one kind of thing: a SnapshotId and a ProjectId do not mix.
template <class Tag>
class TypedId {
 public:
  TypedId() = default;

  explicit TypedId(ObjectId id) : id_(id) {}

  static TypedId Generate(Instant now, RandomSource& random) {
    return TypedId(ObjectId::Generate(now, random));
  }

  static std::optional<TypedId> Parse(std::string_view text) {
    const std::optional<ObjectId> id = ObjectId::Parse(text);
    return id ? std::optional<TypedId>(TypedId(*id)) : std::nullopt;
  }

  std::string ToString() const { return id_.ToString(); }

  const ObjectId& raw() const { return id_; }

  bool IsZero() const { return id_.IsZero(); }

  auto operator<=>(const TypedId&) const = default;

 private:
  ObjectId id_;
};

using OrganizationId = TypedId<struct OrganizationTag>;
using ProjectId = TypedId<struct ProjectTag>;
using ClusterId = TypedId<struct ClusterTag>;
using SnapshotId = TypedId<struct SnapshotTag>;
using RestoreJobId = TypedId<struct RestoreJobTag>;
using JobId = TypedId<struct JobTag>;
using KeyId = TypedId<struct KeyTag>;
using ClientSecretId = TypedId<struct ClientSecretTag>;

}  // namespace tidemark
