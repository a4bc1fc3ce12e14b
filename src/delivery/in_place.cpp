#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "bson/builder.h"
#include "delivery/internal/delta.h"
#include "delivery/internal/target_limits.h"

namespace tidemark::delivery {
namespace {

// What collMod changes, and the value that means "not set".
struct Changeable {
  std::string_view name;
  std::string_view unset;  // Extended JSON
};

constexpr std::array kChangeable{Changeable{"validator", R"({"": {}})"},
                                 Changeable{"validationLevel", R"({"": "strict"})"},
                                 Changeable{"validationAction", R"({"": "error"})"}};

bool IsChangeable(std::string_view name) {
  return std::ranges::find(kChangeable, name, &Changeable::name) != kChangeable.end();
}

// By name, so that order does not count; the value of each as a document {"": value}.
std::map<std::string, Bytes, std::less<>> Members(const bson::Document& document) {
  std::map<std::string, Bytes, std::less<>> members;
  for (const bson::Element& member : document) {
    members[std::string(member.name)] = bson::Builder().AppendElement("", member).Finish();
  }
  return members;
}

// Nullopt when they are equal already.
std::optional<Bytes> OptionChanges(const std::map<std::string, Bytes, std::less<>>& wanted,
                                   const std::map<std::string, Bytes, std::less<>>& there) {
  bson::Builder changes;
  bool any = false;
  for (const Changeable& option : kChangeable) {
    const Bytes unset = bson::FromJson(option.unset);
    const auto value = [&](const std::map<std::string, Bytes, std::less<>>& members) {
      const auto found = members.find(option.name);
      return found == members.end() ? unset : found->second;
    };
    const Bytes target = value(wanted);
    if (target != value(there)) {
      changes.AppendElement(option.name, *bson::Document(target).begin());
      any = true;
    }
  }
  return any ? std::optional(changes.Finish()) : std::nullopt;
}

std::string FixedDifference(const std::map<std::string, Bytes, std::less<>>& a,
                            const std::map<std::string, Bytes, std::less<>>& b) {
  for (const auto& [name, value] : a) {
    const auto other = b.find(name);
    if (!IsChangeable(name) && (other == b.end() || other->second != value)) {
      return name;
    }
  }
  return {};
}

// Why the kind of collection cannot be compared; empty when it can.
std::string KindObstacle(const repo::NamespaceEntry& entry, const FoundNamespace& found) {
  if (entry.kind != repo::NamespaceKind::kCollection) {
    return "it is no ordinary collection";
  }
  if (std::ranges::any_of(entry.runs, &repo::Run::natural_order)) {
    return "it is capped: its order counts";
  }
  if (found.type != "collection") {
    return "the target has a " + found.type + " of that name";
  }
  // Updates and deletes by _id would follow it.
  if (bson::Document(entry.options).Find("collation")) {
    return "it has a collation";
  }
  return {};
}

bool Expires(const bson::Document& spec) {
  return spec.Find("expireAfterSeconds").has_value();
}

// The target's indexes that must go: those that the snapshot has not or has otherwise, and those
// that would delete documents while they are compared.
std::vector<std::string> IndexesToDrop(const mongo::ServerFacts& facts,
                                       const repo::NamespaceEntry& entry,
                                       const FoundNamespace& found) {
  std::set<std::map<std::string, Bytes, std::less<>>> wanted;
  for (const Bytes& index : entry.indexes) {
    if (const auto spec = FittingIndex(facts, bson::Document(index))) {
      wanted.insert(Members(bson::Document(*spec)));
    }
  }
  std::vector<std::string> drop;
  for (const Bytes& index : found.indexes) {
    const bson::Document there(index);
    if (IsIdIndex(there)) {
      continue;
    }
    const auto spec = FittingIndex(facts, there);
    const bool keep = spec && wanted.contains(Members(bson::Document(*spec))) && !Expires(there);
    const auto name = there.Find("name");
    const auto text = name ? name->AsString() : std::nullopt;
    if (!keep && text) {
      drop.emplace_back(*text);
    }
  }
  return drop;
}

}  // namespace

InPlace PlanInPlace(const mongo::ServerFacts& facts,
                    const repo::NamespaceEntry& entry,
                    const FoundNamespace& found) {
  InPlace plan;
  plan.obstacle = KindObstacle(entry, found);
  if (!plan.obstacle.empty()) {
    return plan;
  }
  repo::NamespaceEntry there = entry;
  there.options = found.options;
  const Bytes wanted_options = FittingOptions(facts, entry);
  const Bytes there_options = FittingOptions(facts, there);
  const auto wanted = Members(bson::Document(wanted_options));
  const auto present = Members(bson::Document(there_options));
  std::string different = FixedDifference(wanted, present);
  different = different.empty() ? FixedDifference(present, wanted) : different;
  if (!different.empty()) {
    plan.obstacle = "its option " + different + " differs";
    return plan;
  }
  plan.options = OptionChanges(wanted, present);
  plan.drop_indexes = IndexesToDrop(facts, entry, found);
  return plan;
}

}  // namespace tidemark::delivery
