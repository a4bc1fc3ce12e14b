#include "repo/internal/object_kind.h"

namespace tidemark::repo {

std::string_view ObjectKindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kDataChunk:
      return "data chunk";
    case ObjectKind::kListChunk:
      return "list chunk";
    case ObjectKind::kPackFooter:
      return "pack";
    case ObjectKind::kIndexSegment:
      return "index segment";
    case ObjectKind::kManifest:
      return "manifest";
    case ObjectKind::kProjectKey:
      return "project key";
    case ObjectKind::kProbe:
      return "master key probe";
    case ObjectKind::kSecret:
      return "secret";
    case ObjectKind::kKeyChunk:
      return "key chunk";
    case ObjectKind::kCondemned:
      return "condemned list";
    case ObjectKind::kQuarantine:
      return "quarantine list";
    case ObjectKind::kPartial:
      return "partial manifest";
    case ObjectKind::kWaitList:
      return "wait list";
    case ObjectKind::kKeyExport:
      return "key export";
  }
  return "object";
}

std::string DescribeObject(ObjectKind kind, ByteView id) {
  return std::string(ObjectKindName(kind)) + " " + HexEncode(id);
}

Bytes AssociatedData(ObjectKind kind, const ProjectId& project, ByteView id) {
  Bytes data{kFormatVersion, static_cast<std::uint8_t>(kind)};
  data.insert(data.end(), project.raw().bytes().begin(), project.raw().bytes().end());
  data.insert(data.end(), id.begin(), id.end());
  return data;
}

}  // namespace tidemark::repo
