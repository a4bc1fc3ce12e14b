#include "api/internal/versions.h"

#include <algorithm>
#include <array>
#include <optional>

#include "api/internal/text.h"

namespace tidemark::api {
namespace {

constexpr std::string_view kVersionedPrefix = "application/vnd.atlas.";
constexpr std::string_view kJsonSuffix = "+json";
constexpr std::array<std::string_view, 10> kReleases{"2023-01-01",
                                                     "2023-02-01",
                                                     "2023-10-01",
                                                     "2023-11-15",
                                                     "2024-05-30",
                                                     "2024-08-05",
                                                     "2024-10-23",
                                                     "2024-11-13",
                                                     "2025-02-19",
                                                     "2025-03-12"};

bool IsDate(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-dd";
  const auto fits = [](char have, char want) {
    return want == 'd' ? have >= '0' && have <= '9' : have == want;
  };
  return text.size() == kShape.size() && std::ranges::equal(text, kShape, fits) &&
         text.substr(5, 2) >= "01" && text.substr(5, 2) <= "12" && text.substr(8) >= "01" &&
         text.substr(8) <= "31";
}

// Between two releases there never was a version: 406. Later than all: clients outlive this server.
bool IsServed(std::string_view date) {
  return date > kReleases.back() || std::ranges::find(kReleases, date) != kReleases.end();
}

// The date of a versioned media type without parameters; nullopt for preview, upcoming, malformed.
std::optional<std::string_view> DateOf(std::string_view media_type) {
  media_type.remove_prefix(kVersionedPrefix.size());
  if (media_type.size() < kJsonSuffix.size() ||
      !EqualNoCase(media_type.substr(media_type.size() - kJsonSuffix.size()), kJsonSuffix)) {
    return std::nullopt;
  }
  media_type.remove_suffix(kJsonSuffix.size());
  return IsDate(media_type) && IsServed(media_type) ? std::optional(media_type) : std::nullopt;
}

std::string_view WithoutParameters(std::string_view media_type) {
  return Trim(media_type.substr(0, media_type.find(';')));
}

}  // namespace

const Version* NewestUntil(std::string_view date, std::span<const Version> versions) {
  const auto later = std::ranges::upper_bound(versions, date, {}, &Version::date);
  return later == versions.begin() ? nullptr : &*(later - 1);
}

const Version* ResolveVersion(std::string_view accept, std::span<const Version> versions) {
  for (std::string_view rest = accept; !rest.empty();) {
    const std::string_view member = WithoutParameters(TakeUntil(rest, ','));
    if (!StartsWithNoCase(member, kVersionedPrefix)) {
      continue;
    }
    const auto date = DateOf(member);
    return date ? NewestUntil(*date, versions) : nullptr;
  }
  return nullptr;
}

bool IsJsonMediaType(std::string_view content_type) {
  const std::string_view type = WithoutParameters(content_type);
  if (StartsWithNoCase(type, kVersionedPrefix)) {
    return DateOf(type).has_value();
  }
  return type.empty() || EqualNoCase(type, "application/json");
}

std::string VersionedMediaType(std::string_view version) {
  return std::string(kVersionedPrefix) + std::string(version) + "+json;charset=utf-8";
}

}  // namespace tidemark::api
