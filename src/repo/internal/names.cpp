#include "repo/internal/names.h"

#include <algorithm>

#include "base/bytes.h"

namespace tidemark::repo {

std::string KeyName(const ProjectId& project) {
  return "keys/" + project.ToString();
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
      name.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    return std::nullopt;
  }
  std::ranges::copy(HexDecode(name), id.begin());
  return id;
}

}  // namespace tidemark::repo
