#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/object_id.h"
#include "base/random.h"

namespace tidemark::repo {

// A random 16-byte name; the tag keeps packs and index segments apart.
template <class Tag>
struct RandomId {
  std::array<std::uint8_t, 16> bytes{};

  static RandomId Generate(RandomSource& random) {
    RandomId id;
    random.Fill(id.bytes);
    return id;
  }

  auto operator<=>(const RandomId&) const = default;
};

using PackId = RandomId<struct PackTag>;
using SegmentId = RandomId<struct SegmentTag>;
using SessionId = RandomId<struct SessionTag>;
using PartialId = RandomId<struct PartialTag>;
using QuarantineId = RandomId<struct QuarantineTag>;
using GenerationId = RandomId<struct GenerationTag>;  // of a condemnation

// Names of blobs: docs/format.md, "Blobs".
inline constexpr std::string_view kFormatName = "format";
inline constexpr std::string_view kMasterPrefix = "master/";
inline constexpr std::string_view kKeysPrefix = "keys/";

// Counts the repository's master keys, from 1.
using Generation = std::uint32_t;

std::string MasterName(Generation generation);
std::optional<Generation> ParseMasterName(std::string_view name);
std::string KeyPrefix(const ProjectId& project);
std::string KeyName(const ProjectId& project, Generation generation);

struct KeyBlobName {
  ProjectId project;
  Generation generation = 0;
};

std::optional<KeyBlobName> ParseKeyName(std::string_view name);
std::string PackPrefix(const ProjectId& project);
std::string PackName(const ProjectId& project, const PackId& pack);
std::string SegmentPrefix(const ProjectId& project);
std::string SegmentName(const ProjectId& project, const SegmentId& segment);
inline constexpr std::string_view kSessionsPrefix = "sessions/";  // of all projects
std::string SessionPrefix(const ProjectId& project);
std::string SessionName(const ProjectId& project, const SessionId& session);
std::string CondemnedPrefix(const ProjectId& project);
std::string CondemnedName(const ProjectId& project, const GenerationId& generation);
std::string WaitListPrefix(const ProjectId& project);
std::string WaitListName(const ProjectId& project, const GenerationId& generation);
std::string QuarantinePrefix(const ProjectId& project);
std::string QuarantineName(const ProjectId& project, const QuarantineId& list);
std::string PartialsPrefix(const ProjectId& project);  // of all snapshots
std::string PartialPrefix(const ProjectId& project, const SnapshotId& snapshot);
std::string PartialName(const ProjectId& project,
                        const SnapshotId& snapshot,
                        const PartialId& partial);
std::string ManifestPrefix(const ProjectId& project);
std::string ManifestName(const ProjectId& project, const SnapshotId& snapshot);

// The last segment of a listed name as 16 bytes; nullopt when it is something else (a foreign
// file).
std::optional<std::array<std::uint8_t, 16>> ParseRandomId(std::string_view name);

}  // namespace tidemark::repo
