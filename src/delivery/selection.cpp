#include "delivery/internal/selection.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "bson/builder.h"
#include "delivery/internal/target_limits.h"
#include "mongo/cluster.h"

namespace tidemark::delivery {
namespace {

// The servers' limits, in bytes. 255 for a whole name since 4.4.
constexpr std::size_t kMostDatabaseName = 63;
constexpr std::size_t kMostFullName = 255;

using Name = std::pair<std::string, std::string>;  // database, collection

[[noreturn]] void Refuse(const std::string& why, const std::string& hint = {}) {
  throw Error(ErrorCode::kInvalidArgument, why, hint);
}

std::string Text(const Name& name) {
  return name.first + "." + name.second;
}

std::string RuleText(const RestoreScope::Rule& rule) {
  return rule.collection.empty() ? "database " + rule.database
                                 : rule.database + "." + rule.collection;
}

// The rest of the names is as a server has once accepted it.
void CheckDatabaseName(const std::string& name) {
  constexpr std::string_view kRefused("/\\. \"$*<>:|?\0", 13);
  if (name.find_first_of(kRefused) != std::string::npos || name.size() > kMostDatabaseName) {
    Refuse("include: '" + name + "' is no database name",
           "at most 63 bytes, none of /\\. \"$*<>:|? among them");
  }
  if (mongo::IsInternalDatabase(name)) {
    Refuse("include: nothing is restored into database " + name + ": it is the server's own");
  }
}

void CheckCollectionName(const Name& name) {
  constexpr std::string_view kRefused("$\0", 2);
  const std::string& collection = name.second;
  if (collection.find_first_of(kRefused) != std::string::npos || collection.starts_with('.') ||
      collection.starts_with("system.") || Text(name).size() > kMostFullName) {
    Refuse("include: '" + Text(name) + "' is no name for a collection",
           "at most 255 bytes, no $, no dot at its beginning, not below system.");
  }
}

// One selection in the making: O(n log n) in rules and namespaces. Confined.
class Selector {
 public:
  Selector(const repo::Manifest& manifest, const RestoreScope& scope)
      : manifest_(manifest), scope_(scope), rules_(scope.include) {
    if (scope.filter && rules_.empty()) {
      rules_.push_back({scope.filter->database, scope.filter->collection, {}, {}});
    }
  }

  void CheckRules();
  void TakeNamespaces();
  void CheckTargets() const;
  void PointViews();
  void CheckFilter();

  Selection Finish() { return std::move(selection_); }

 private:
  const RestoreScope::Rule* RuleFor(const repo::NamespaceEntry& entry) const;
  void Take(const repo::NamespaceEntry& entry, const RestoreScope::Rule& rule);
  void PointView(repo::NamespaceEntry& view, const Name& source);

  const repo::Manifest& manifest_;
  const RestoreScope& scope_;
  std::vector<RestoreScope::Rule> rules_;
  // By what they match; of a whole database with an empty collection. Filled by CheckRules.
  std::map<Name, const RestoreScope::Rule*> rule_for_;
  std::map<Name, Name> renamed_;  // from the snapshot's name to the target's, of all that is taken
  Selection selection_;
};

void Selector::CheckRules() {
  std::set<Name> held;
  for (const repo::NamespaceEntry& entry : manifest_.namespaces) {
    held.emplace(entry.database, "");
    held.emplace(entry.database, entry.collection);
  }
  for (const RestoreScope::Rule& rule : rules_) {
    const Name name{rule.database, rule.collection};
    if (!rule_for_.emplace(name, &rule).second) {
      Refuse("include: " + RuleText(rule) + " is there twice");
    }
    if (!held.contains(name)) {
      Refuse("include: snapshot " + manifest_.snapshot.ToString() + " holds no " + RuleText(rule));
    }
    if (!rule.to_database.empty()) {
      CheckDatabaseName(rule.to_database);
    }
  }
}

// The rule for the collection before the one for its database.
const RestoreScope::Rule* Selector::RuleFor(const repo::NamespaceEntry& entry) const {
  for (const std::string& collection : {entry.collection, std::string()}) {
    if (const auto found = rule_for_.find({entry.database, collection}); found != rule_for_.end()) {
      return found->second;
    }
  }
  return nullptr;
}

void Selector::Take(const repo::NamespaceEntry& entry, const RestoreScope::Rule& rule) {
  repo::NamespaceEntry taken = entry;
  taken.database = rule.to_database.empty() ? entry.database : rule.to_database;
  taken.collection = rule.to_collection.empty() ? entry.collection : rule.to_collection;
  const Name target{taken.database, taken.collection};
  if (!rule.to_database.empty() || !rule.to_collection.empty()) {
    CheckCollectionName(target);
  }
  renamed_[{entry.database, entry.collection}] = target;
  selection_.sources.push_back(NameOf(entry));
  selection_.manifest.namespaces.push_back(std::move(taken));
}

void Selector::TakeNamespaces() {
  selection_.manifest = manifest_;
  selection_.manifest.namespaces.clear();
  selection_.manifest.empty_databases.clear();
  for (const repo::NamespaceEntry& entry : manifest_.namespaces) {
    if (const RestoreScope::Rule* rule = RuleFor(entry)) {
      Take(entry, *rule);
    }
  }
}

void Selector::CheckTargets() const {
  std::map<Name, Name> sources;
  for (const auto& [source, target] : renamed_) {
    const auto [other, first] = sources.emplace(target, source);
    if (!first) {
      Refuse("include: both " + Text(other->second) + " and " + Text(source) +
                 " would be written to " + Text(target),
             "give one of them another name");
    }
  }
}

// `source`: what the view reads, as the snapshot names it.
void Selector::PointView(repo::NamespaceEntry& view, const Name& source) {
  const auto moved = renamed_.find(source);
  const bool along = moved != renamed_.end();
  const std::string& database = along ? moved->second.first : source.first;
  if (view.database != database) {
    Refuse("include: view " + NameOf(view) + " would not be in the database of " + Text(source) +
               ", which it reads",
           "restore both into one database, or leave the view out");
  }
  if (!along) {
    selection_.notes.push_back("view " + NameOf(view) + " reads " + Text(source) +
                               ", which is not restored along");
    return;
  }
  bson::Builder options;
  for (const bson::Element& option : bson::Document(view.options)) {
    if (option.name == "viewOn") {
      options.Append("viewOn", moved->second.second);
    } else {
      options.AppendElement(option.name, option);
    }
  }
  view.options = options.Finish();
  if (moved->second.second != source.second) {
    selection_.notes.push_back("view " + NameOf(view) + " reads " + Text(moved->second) +
                               " now; the collections that its pipeline names stay as they are");
  }
}

void Selector::PointViews() {
  auto& namespaces = selection_.manifest.namespaces;
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    if (namespaces[i].kind != repo::NamespaceKind::kView) {
      continue;
    }
    const Bytes options = namespaces[i].options;
    const auto view_on = bson::Document(options).Find("viewOn");
    const auto source = view_on ? view_on->AsString() : std::nullopt;
    if (source) {
      const std::string& name = selection_.sources[i];
      PointView(namespaces[i], {name.substr(0, name.find('.')), std::string(*source)});
    }
  }
}

void Selector::CheckFilter() {
  if (!scope_.filter) {
    return;
  }
  const Name filtered{scope_.filter->database, scope_.filter->collection};
  if (renamed_.size() != 1 || renamed_.begin()->first != filtered) {
    Refuse("filter: it needs " + Text(filtered) + " to be all that is included");
  }
  const repo::NamespaceEntry& entry = selection_.manifest.namespaces.front();
  if (entry.kind != repo::NamespaceKind::kCollection) {
    Refuse("filter: " + Text(filtered) + " is a " + std::string(KindName(entry.kind)) +
           ": only the documents of collections can be picked");
  }
  if (std::ranges::any_of(entry.runs, &repo::Run::natural_order)) {
    Refuse("filter: " + Text(filtered) + " is capped: it can only be restored as a whole");
  }
  selection_.notes.push_back(NameOf(entry) + ": only documents with " + scope_.filter->ids.text() +
                             "; all others of the target stay");
}

}  // namespace

Selection Select(const repo::Manifest& manifest, const RestoreScope& scope) {
  if (scope.IsWhole()) {
    Selection all{.manifest = manifest, .sources = {}, .notes = {}};
    for (const repo::NamespaceEntry& entry : manifest.namespaces) {
      all.sources.push_back(NameOf(entry));
    }
    return all;
  }
  Selector selector(manifest, scope);
  selector.CheckRules();
  selector.TakeNamespaces();
  selector.CheckTargets();
  selector.PointViews();
  selector.CheckFilter();
  return selector.Finish();
}

void KeepIndexes(IndexChoice choice, repo::Manifest& manifest) {
  if (choice == IndexChoice::kAll) {
    return;
  }
  const auto is_left_out = [choice](const Bytes& index) {
    const bson::Document spec(index);
    return !IsIdIndex(spec) &&
           (choice == IndexChoice::kNone || spec.Find("expireAfterSeconds").has_value());
  };
  for (repo::NamespaceEntry& entry : manifest.namespaces) {
    std::erase_if(entry.indexes, is_left_out);
  }
}

void CheckScope(const repo::Manifest& manifest, const RestoreScope& scope) {
  Select(manifest, scope);
}

ForeignNamespaces FindForeign(const repo::Manifest& manifest, RestoreTarget& target) {
  std::map<std::string, std::set<std::string>> wanted;
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    wanted[entry.database].insert(entry.collection);
  }
  ForeignNamespaces foreign;
  for (const std::string& database : target.ListUserDatabases()) {
    const auto kept = wanted.find(database);
    if (kept == wanted.end()) {
      foreign.databases.push_back(database);
      continue;
    }
    for (const std::string& collection : target.ListCollections(database)) {
      if (!kept->second.contains(collection)) {
        foreign.collections.emplace_back(database, collection);
      }
    }
  }
  return foreign;
}

}  // namespace tidemark::delivery
