#include <algorithm>

#include "base/error.h"
#include "blob/blob_store.h"

namespace tidemark::blob {
namespace {

constexpr std::size_t kMaxName = 200;  // bytes

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

bool IsSegment(std::string_view segment) {
  return !segment.empty() && segment.front() != '.' &&
         segment.find(".tmp-") == std::string_view::npos &&
         std::ranges::all_of(segment, IsNameByte);
}

}  // namespace

void CheckBlobName(std::string_view name) {
  bool good = !name.empty() && name.size() <= kMaxName;
  for (std::size_t at = 0; good && at <= name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    good = IsSegment(name.substr(at, end - at));
    at = end + 1;
  }
  if (!good) {
    throw Error(ErrorCode::kInvalidArgument,
                "naming a blob: not a valid name: " + std::string(name));
  }
}

}  // namespace tidemark::blob
