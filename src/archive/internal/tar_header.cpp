#include "archive/internal/tar_header.h"

#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace tidemark::archive {
namespace {

constexpr std::size_t kMaxName = 100;
constexpr std::size_t kMaxPrefix = 155;
constexpr std::uint64_t kMaxUstarSize = 077777777777;  // eleven octal digits, 8 GiB
constexpr std::uint64_t kMaxUstarTime = 077777777777;

// Where the fields of a header begin, and their sizes (POSIX, "ustar Interchange Format").
enum Field : std::size_t {
  kName = 0,
  kMode = 100,
  kUid = 108,
  kGid = 116,
  kSize = 124,
  kTime = 136,
  kChecksum = 148,
  kType = 156,
  kMagic = 257,
  kDeviceMajor = 329,
  kDeviceMinor = 337,
  kPrefix = 345,
};

// A path as prefix '/' name.
struct Split {
  std::string_view prefix;
  std::string_view name;
};

std::optional<Split> SplitPath(std::string_view path) {
  if (path.size() <= kMaxName) {
    return Split{.prefix = {}, .name = path};
  }
  // The slash must not be the one at a folder's end.
  const std::size_t slash = path.rfind('/', std::min(kMaxPrefix, path.size() - 2));
  if (slash == std::string_view::npos || path.size() - slash - 1 > kMaxName) {
    return std::nullopt;
  }
  return Split{.prefix = path.substr(0, slash), .name = path.substr(slash + 1)};
}

bool IsAscii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<std::uint8_t>(c) < 0x80; });
}

class Header {
 public:
  Header() : bytes_(kTarBlock) {}

  void Put(Field at, std::string_view text) { std::ranges::copy(text, bytes_.begin() + at); }

  // `width` octal digits and a zero.
  void PutOctal(Field at, std::size_t width, std::uint64_t value) {
    Put(at, fmt::format("{:0{}o}", value, width));
  }

  void Append(Bytes& out) {
    Put(kMagic, std::string_view("ustar\00000", 8));
    PutOctal(kUid, 7, 0);
    PutOctal(kGid, 7, 0);
    PutOctal(kDeviceMajor, 7, 0);
    PutOctal(kDeviceMinor, 7, 0);
    Put(kChecksum, "        ");  // counts as spaces
    std::uint64_t sum = 0;
    for (const std::uint8_t byte : bytes_) {
      sum += byte;
    }
    Put(kChecksum, fmt::format("{:06o}", sum));
    bytes_[kChecksum + 6] = 0;
    out.insert(out.end(), bytes_.begin(), bytes_.end());
  }

 private:
  Bytes bytes_;
};

// "<length> <key>=<value>\n", where the length counts itself.
std::string PaxRecord(std::string_view key, std::string_view value) {
  const std::size_t rest = key.size() + value.size() + 3;
  std::size_t length = rest + 1;
  while (length != rest + std::to_string(length).size()) {
    length = rest + std::to_string(length).size();
  }
  return fmt::format("{} {}={}\n", length, key, value);
}

void AppendPax(const std::string& records, std::uint64_t seconds, Bytes& out) {
  Header header;
  header.Put(kName, "PaxHeaders/member");
  header.PutOctal(kMode, 7, 0644);
  header.PutOctal(kSize, 11, records.size());
  header.PutOctal(kTime, 11, seconds);
  header.Put(kType, "x");
  header.Append(out);
  out.insert(out.end(), records.begin(), records.end());
  AppendTarPadding(records.size(), out);
}

}  // namespace

void AppendTarHeader(const TarMember& member, Bytes& out) {
  const auto since_1970 = std::chrono::floor<std::chrono::seconds>(member.time).time_since_epoch();
  const auto seconds =
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(since_1970.count(), 0, kMaxUstarTime));
  const bool folder = member.path.ends_with('/');
  const std::optional<Split> split = SplitPath(member.path);
  std::string records;
  if (!split || !IsAscii(member.path)) {
    records += PaxRecord("path", member.path);
  }
  if (member.size > kMaxUstarSize) {
    records += PaxRecord("size", std::to_string(member.size));
  }
  if (!records.empty()) {
    AppendPax(records, seconds, out);
  }
  Header header;
  header.Put(kName, split ? split->name : member.path.substr(0, kMaxName));
  header.Put(kPrefix, split ? split->prefix : std::string_view());
  header.PutOctal(kMode, 7, folder ? 0755 : 0644);
  header.PutOctal(kSize, 11, member.size > kMaxUstarSize ? 0 : member.size);
  header.PutOctal(kTime, 11, seconds);
  header.Put(kType, folder ? "5" : "0");
  header.Append(out);
}

void AppendTarPadding(std::uint64_t size, Bytes& out) {
  out.resize(out.size() + (kTarBlock - size % kTarBlock) % kTarBlock);
}

void AppendTarEnd(Bytes& out) {
  out.resize(out.size() + 2 * kTarBlock);
}

}  // namespace tidemark::archive
