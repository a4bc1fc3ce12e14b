#include "domain/cluster.h"

#include <algorithm>

namespace tidemark::domain {
namespace {

constexpr std::size_t kMaxClusterName = 64;  // characters; Atlas' own limit

bool IsAsciiAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool IsDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool IsClusterName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxClusterName && IsAsciiAlphanumeric(name.front()) &&
         std::ranges::all_of(name, [](char c) { return IsAsciiAlphanumeric(c) || c == '-'; });
}

std::string MajorVersion(std::string_view version) {
  const std::size_t first = version.find('.');
  if (first == std::string_view::npos) {
    return {};
  }
  const std::size_t second = std::min(version.find('.', first + 1), version.size());
  const std::string_view major = version.substr(0, first);
  const std::string_view minor = version.substr(first + 1, second - first - 1);
  return IsDigits(major) && IsDigits(minor) ? std::string(version.substr(0, second))
                                            : std::string();
}

bool IsFlex(const Cluster& cluster) {
  return cluster.tier == Tier::kFlex && cluster.topology != Topology::kSharded;
}

std::string_view TierName(Tier tier) {
  switch (tier) {
    case Tier::kShared:
      return "shared";
    case Tier::kFlex:
      return "flex";
    case Tier::kDedicated:
      return "dedicated";
  }
  return {};
}

std::optional<Tier> ParseTier(std::string_view name) {
  for (const Tier tier : {Tier::kShared, Tier::kFlex, Tier::kDedicated}) {
    if (TierName(tier) == name) {
      return tier;
    }
  }
  return std::nullopt;
}

std::string_view TopologyName(Topology topology) {
  switch (topology) {
    case Topology::kUnknown:
      return "unknown";
    case Topology::kStandalone:
      return "standalone";
    case Topology::kReplicaSet:
      return "replicaSet";
    case Topology::kSharded:
      return "sharded";
  }
  return {};
}

}  // namespace tidemark::domain
