#include "delivery/internal/target_limits.h"

#include <algorithm>
#include <array>

#include <fmt/core.h>

#include "bson/builder.h"

namespace tidemark::delivery {
namespace {

// What FerretDB 1.x keeps of a collection's and an index's options; the rest it refuses or forgets.
constexpr std::array<std::string_view, 3> kFerretCollectionOptions{"capped", "size", "max"};
constexpr std::array<std::string_view, 3> kFerretIndexOptions{"key", "name", "unique"};
// Of no meaning for what the index does: nobody misses them.
constexpr std::array<std::string_view, 3> kSilentIndexOptions{"v", "ns", "background"};

template <std::size_t N>
bool Contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool IsFerret(const mongo::ServerFacts& target) {
  return target.flavor == "ferretdb";
}

bool IsTrue(const bson::Document& document, std::string_view name) {
  const auto element = document.Find(name);
  return element && (element->AsBool().value_or(false) || element->AsInteger().value_or(0) != 0);
}

bson::Document KeyOf(const bson::Document& spec) {
  const auto key = spec.Find("key");
  return key ? key->AsDocument().value_or(bson::Document()) : bson::Document();
}

bool IsIdKey(const bson::Document& key) {
  if (key.empty()) {
    return false;
  }
  auto field = key.begin();
  const bool ascending_id = field->name == "_id" && field->AsInteger() == 1;
  ++field;
  return ascending_id && field == key.end();
}

// "text", "hashed", "2dsphere", ...; empty for an ascending or descending index.
std::string_view SpecialKind(const bson::Document& spec) {
  for (const bson::Element& field : KeyOf(spec)) {
    if (const auto kind = field.AsString()) {
      return *kind;
    }
  }
  return {};
}

// A unique index that was sparse or partial would refuse documents that the snapshot holds.
bool IsUniqueInPart(const bson::Document& spec) {
  return IsTrue(spec, "unique") &&
         (IsTrue(spec, "sparse") || spec.Find("partialFilterExpression").has_value());
}

bool FerretBuilds(const bson::Document& spec) {
  return SpecialKind(spec).empty() && !IsUniqueInPart(spec);
}

void AddIndexLosses(const repo::NamespaceEntry& entry,
                    const bson::Document& spec,
                    std::vector<std::string>& losses) {
  const auto name = spec.Find("name");
  const std::string label = fmt::format(
      "{}: index {}", NameOf(entry), name ? name->AsString().value_or("?") : std::string_view("?"));
  if (const std::string_view kind = SpecialKind(spec); !kind.empty()) {
    losses.push_back(fmt::format("{}: the target (ferretdb) has no {} indexes", label, kind));
    return;
  }
  for (const bson::Element& option : spec) {
    if (!Contains(kFerretIndexOptions, option.name) &&
        !Contains(kSilentIndexOptions, option.name)) {
      losses.push_back(
          fmt::format("{}: the target (ferretdb) has no index option {}", label, option.name));
    }
  }
}

void AddOptionLosses(const repo::NamespaceEntry& entry, std::vector<std::string>& losses) {
  for (const bson::Element& option : bson::Document(entry.options)) {
    if (!Contains(kFerretCollectionOptions, option.name)) {
      losses.push_back(fmt::format(
          "{}: the target (ferretdb) has no collection option {}", NameOf(entry), option.name));
    }
  }
}

}  // namespace

std::string NameOf(const repo::NamespaceEntry& entry) {
  return entry.database + "." + entry.collection;
}

std::string_view KindName(repo::NamespaceKind kind) {
  switch (kind) {
    case repo::NamespaceKind::kCollection:
      return "collection";
    case repo::NamespaceKind::kView:
      return "view";
    case repo::NamespaceKind::kTimeseries:
      return "timeseries";
  }
  return {};
}

bool TargetTakes(const mongo::ServerFacts& target, repo::NamespaceKind kind) {
  return !IsFerret(target) || kind == repo::NamespaceKind::kCollection;
}

Bytes FittingOptions(const mongo::ServerFacts& target, const repo::NamespaceEntry& entry) {
  bson::Builder fitting;
  for (const bson::Element& option : bson::Document(entry.options)) {
    const bool lost = IsFerret(target) && !Contains(kFerretCollectionOptions, option.name);
    if (!lost && option.name != "uuid") {
      fitting.AppendElement(option.name, option);
    }
  }
  return fitting.Finish();
}

bool IsIdIndex(const bson::Document& spec) {
  return IsIdKey(KeyOf(spec)) || IsTrue(spec, "clustered");
}

std::optional<Bytes> FittingIndex(const mongo::ServerFacts& target, const bson::Document& spec) {
  if (IsIdIndex(spec) || (IsFerret(target) && !FerretBuilds(spec))) {
    return std::nullopt;
  }
  bson::Builder fitting;
  for (const bson::Element& option : spec) {
    // Servers since 4.4 know no `ns`; FerretDB refuses `v` as well.
    const bool lost = IsFerret(target) && !Contains(kFerretIndexOptions, option.name);
    if (!lost && option.name != "ns") {
      fitting.AppendElement(option.name, option);
    }
  }
  return fitting.Finish();
}

void AddLosses(const mongo::ServerFacts& target,
               const repo::NamespaceEntry& entry,
               std::vector<std::string>& losses) {
  if (!IsFerret(target)) {
    return;
  }
  if (!TargetTakes(target, entry.kind)) {
    const bool view = entry.kind == repo::NamespaceKind::kView;
    losses.push_back(fmt::format("{}: the target (ferretdb) has no {}",
                                 NameOf(entry),
                                 view ? "views" : "time-series collections"));
    return;
  }
  AddOptionLosses(entry, losses);
  for (const Bytes& index : entry.indexes) {
    const bson::Document spec(index);
    if (!IsIdIndex(spec)) {
      AddIndexLosses(entry, spec, losses);
    }
  }
}

bool TargetTakesAccounts(const mongo::ServerFacts& target) {
  return target.flavor == "mongodb";
}

void AddAccountLosses(const mongo::ServerFacts& target,
                      const repo::Accounts& accounts,
                      std::vector<std::string>& losses) {
  if (!TargetTakesAccounts(target)) {
    losses.push_back(fmt::format("{} users and {} roles: the target ({}) takes none of MongoDB's",
                                 accounts.users.size(),
                                 accounts.roles.size(),
                                 target.flavor));
  }
}

}  // namespace tidemark::delivery
