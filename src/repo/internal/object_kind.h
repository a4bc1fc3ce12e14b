#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/object_id.h"

namespace tidemark::repo {

// docs/format.md, "Sealing". Persistent: never renumber.
enum class ObjectKind : std::uint8_t {
  kDataChunk = 1,
  kListChunk = 2,
  kPackFooter = 3,
  kIndexSegment = 4,
  kManifest = 5,
  kProjectKey = 6,
  kProbe = 7,
  kSecret = 8,
  kKeyChunk = 9,
  kCondemned = 10,
  kWaitList = 11,
  kKeyExport = 12,
  kPartial = 13,
  kQuarantine = 14,
};

inline constexpr std::uint8_t kFormatVersion = 1;

// As error messages name it: "data chunk".
std::string_view ObjectKindName(ObjectKind kind);
// "data chunk <hex id>".
std::string DescribeObject(ObjectKind kind, ByteView id);

// What a seal binds beside the plaintext: version (1) | kind (1) | project (12) | id. An object
// that is moved to another name, kind or project no longer opens.
Bytes AssociatedData(ObjectKind kind, const ProjectId& project, ByteView id);

}  // namespace tidemark::repo
