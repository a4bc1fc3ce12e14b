#include "repo/internal/names.h"

#include <algorithm>
#include <charconv>

#include <fmt/core.h>

#include "base/bytes.h"

namespace tidemark::repo {
namespace {

constexpr std::size_t kGenerationSize = 8;  // hex digits
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string GenerationText(Generation generation) {
  return fmt::format("{:08x}", generation);
}

std::optional<Generation> ParseGeneration(std::string_view text) {
  if (text.size() != kGenerationSize ||
      text.find_first_not_of(kHexDigits) != std::string_view::npos) {
    return std::nullopt;
  }
  Generation generation = 0;
  std::from_chars(text.data(), text.data() + text.size(), generation, 16);
  return generation == 0 ? std::nullopt : std::optional(generation);
}

// What follows `prefix` in `name`; nullopt when it starts otherwise.
std::optional<std::string_view> Behind(std::string_view prefix, std::string_view name) {
  return name.starts_with(prefix) ? std::optional(name.substr(prefix.size())) : std::nullopt;
}

}  // namespace

std::string MasterName(Generation generation) {
  return std::string(kMasterPrefix) + GenerationText(generation);
}

std::optional<Generation> ParseMasterName(std::string_view name) {
  const std::optional<std::string_view> text = Behind(kMasterPrefix, name);
  return text ? ParseGeneration(*text) : std::nullopt;
}

std::string KeyPrefix(const ProjectId& project) {
  return std::string(kKeysPrefix) + project.ToString() + "/";
}

std::string KeyName(const ProjectId& project, Generation generation) {
  return KeyPrefix(project) + GenerationText(generation);
}

std::optional<KeyBlobName> ParseKeyName(std::string_view name) {
  const std::optional<std::string_view> text = Behind(kKeysPrefix, name);
  const std::size_t slash = text ? text->find('/') : std::string_view::npos;
  if (!text || slash == std::string_view::npos) {
    return std::nullopt;
  }
  const std::optional<ProjectId> project = ProjectId::Parse(text->substr(0, slash));
  const std::optional<Generation> generation = ParseGeneration(text->substr(slash + 1));
  if (!project || !generation) {
    return std::nullopt;
  }
  return KeyBlobName{*project, *generation};
}

std::string PackPrefix(const ProjectId& project) {
  return "packs/" + project.ToString() + "/";
}

std::string PackName(const ProjectId& project, const PackId& pack) {
  const std::string id = HexEncode(pack.bytes);
  return PackPrefix(project) + id.substr(0, 2) + "/" + id;
}

std::string SegmentPrefix(const ProjectId& project) {
  return "index/" + project.ToString() + "/";
}

std::string SegmentName(const ProjectId& project, const SegmentId& segment) {
  return SegmentPrefix(project) + HexEncode(segment.bytes);
}

std::string SessionPrefix(const ProjectId& project) {
  return std::string(kSessionsPrefix) + project.ToString() + "/";
}

std::string SessionName(const ProjectId& project, const SessionId& session) {
  return SessionPrefix(project) + HexEncode(session.bytes);
}

std::string CondemnedPrefix(const ProjectId& project) {
  return "condemned/" + project.ToString() + "/";
}

std::string CondemnedName(const ProjectId& project, const GenerationId& generation) {
  return CondemnedPrefix(project) + HexEncode(generation.bytes);
}

std::string WaitListPrefix(const ProjectId& project) {
  return "waits/" + project.ToString() + "/";
}

std::string WaitListName(const ProjectId& project, const GenerationId& generation) {
  return WaitListPrefix(project) + HexEncode(generation.bytes);
}

std::string QuarantinePrefix(const ProjectId& project) {
  return "quarantine/" + project.ToString() + "/";
}

std::string QuarantineName(const ProjectId& project, const QuarantineId& list) {
  return QuarantinePrefix(project) + HexEncode(list.bytes);
}

std::string PartialsPrefix(const ProjectId& project) {
  return "partials/" + project.ToString() + "/";
}

std::string PartialPrefix(const ProjectId& project, const SnapshotId& snapshot) {
  return PartialsPrefix(project) + snapshot.ToString() + "/";
}

std::string PartialName(const ProjectId& project,
                        const SnapshotId& snapshot,
                        const PartialId& partial) {
  return PartialPrefix(project, snapshot) + HexEncode(partial.bytes);
}

std::string ManifestPrefix(const ProjectId& project) {
  return "manifests/" + project.ToString() + "/";
}

std::string ManifestName(const ProjectId& project, const SnapshotId& snapshot) {
  return ManifestPrefix(project) + snapshot.ToString();
}

std::optional<std::array<std::uint8_t, 16>> ParseRandomId(std::string_view name) {
  name.remove_prefix(name.rfind('/') + 1);
  std::array<std::uint8_t, 16> id{};
  if (name.size() != 2 * id.size() ||
      name.find_first_not_of(kHexDigits) != std::string_view::npos) {
    return std::nullopt;
  }
  std::ranges::copy(HexDecode(name), id.begin());
  return id;
}

}  // namespace tidemark::repo
