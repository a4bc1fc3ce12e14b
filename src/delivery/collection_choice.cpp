#include "delivery/collection_choice.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "delivery/internal/selection.h"
#include "delivery/internal/target_limits.h"

namespace tidemark::delivery {
namespace {

using domain::NamespaceState;
using domain::RestoredNamespace;

// So many names are tried for one collection.
constexpr int kMostAttempts = 1000;

struct Name {
  std::string database;
  std::string collection;
};

// "shop.orders.2026" is collection "orders.2026" of database "shop".
Name Split(const std::string& full) {
  const std::size_t dot = std::min(full.find('.'), full.size());
  return {full.substr(0, dot), dot == full.size() ? "" : full.substr(dot + 1)};
}

std::string Join(const std::string& database, const std::string& collection) {
  std::string full = database;
  full.append(".").append(collection);
  return full;
}

// The server's own kind of names cannot be changed.
bool IsSystem(const std::string& collection) {
  return collection.starts_with("system.");
}

using ByName = std::map<std::string, const domain::NamespaceChoice*>;

ByName Index(const std::vector<domain::NamespaceChoice>& choices, const std::string& what) {
  ByName index;
  for (const domain::NamespaceChoice& choice : choices) {
    if (!index.emplace(choice.source, &choice).second) {
      throw Error(ErrorCode::kInvalidArgument, what + ": " + choice.source + " is there twice");
    }
  }
  return index;
}

// Behind a dot begins the collection's name: one in a database's would move it.
void RefuseDot(const std::string& what, const std::string& text) {
  if (text.find('.') != std::string::npos) {
    throw Error(ErrorCode::kInvalidArgument,
                what + ": '" + text + "' has a dot, which no database name may have");
  }
}

// Who is called what. Confined.
class Chooser {
 public:
  explicit Chooser(const domain::CollectionRestore& request)
      : request_(request),
        databases_(Index(request.databases, "databases")),
        collections_(Index(request.collections, "collections")) {
    RefuseDot("databaseSuffix", request.database_suffix.value_or(""));
    for (const domain::NamespaceChoice& choice : request.databases) {
      RefuseDot("databases", choice.source);
      RefuseDot("databases", choice.target);
    }
  }

  // Nothing when it was not asked for.
  std::optional<std::string> TargetOf(const repo::NamespaceEntry& entry) const;

 private:
  std::string Suffixed(const std::string& database, const std::string& collection) const;

  const domain::CollectionRestore& request_;
  ByName databases_;
  ByName collections_;
};

std::string Chooser::Suffixed(const std::string& database, const std::string& collection) const {
  const bool keeps = IsSystem(collection);
  return Join(database, collection + (keeps ? "" : request_.collection_suffix.value_or("")));
}

std::optional<std::string> Chooser::TargetOf(const repo::NamespaceEntry& entry) const {
  const std::string suffixed = entry.database + request_.database_suffix.value_or("");
  if (const auto one = collections_.find(NameOf(entry)); one != collections_.end()) {
    return one->second->target.empty() ? Suffixed(suffixed, entry.collection) : one->second->target;
  }
  if (const auto all = databases_.find(entry.database); all != databases_.end()) {
    return Suffixed(all->second->target.empty() ? suffixed : all->second->target, entry.collection);
  }
  return std::nullopt;
}

void AddMissing(const std::vector<domain::NamespaceChoice>& choices,
                const std::set<std::string>& held,
                std::vector<RestoredNamespace>& rows) {
  for (const domain::NamespaceChoice& choice : choices) {
    if (!held.contains(choice.source)) {
      const std::string& target = choice.target.empty() ? choice.source : choice.target;
      rows.push_back({.source = choice.source,
                      .target = target,
                      .effective = target,
                      .state = NamespaceState::kNotFound,
                      .indexes = domain::IndexBuildState::kNotRestored});
    }
  }
}

// The first free name; `used` gets it.
std::string FreeName(const std::string& wanted, std::set<std::string>& used) {
  for (int i = 1; i <= kMostAttempts; ++i) {
    std::string name = wanted + "_restored" + (i == 1 ? "" : "_" + std::to_string(i));
    if (used.insert(name).second) {
      return name;
    }
  }
  throw Error(ErrorCode::kConflict,
              "finding a name for " + wanted + ": the target has " + std::to_string(kMostAttempts) +
                  " of that kind",
              "drop some of them, or name a target");
}

}  // namespace

std::vector<RestoredNamespace> ChooseNamespaces(const repo::Manifest& manifest,
                                                const domain::CollectionRestore& request) {
  const Chooser chooser(request);
  std::vector<RestoredNamespace> rows;
  std::set<std::string> held(manifest.empty_databases.begin(), manifest.empty_databases.end());
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    held.insert(entry.database);
    held.insert(NameOf(entry));
    const std::optional<std::string> target = chooser.TargetOf(entry);
    if (!target) {
      continue;
    }
    const bool has_indexes =
        request.indexes != domain::IndexStrategy::kNone && entry.kind != repo::NamespaceKind::kView;
    rows.push_back({.source = NameOf(entry),
                    .target = *target,
                    .effective = *target,
                    .indexes = has_indexes ? domain::IndexBuildState::kNotStarted
                                           : domain::IndexBuildState::kNotRestored,
                    .documents_total = entry.digest.documents});
  }
  AddMissing(request.databases, held, rows);
  AddMissing(request.collections, held, rows);
  return rows;
}

void AvoidTakenNames(RestoreTarget& target, std::vector<RestoredNamespace>& rows) {
  std::set<std::string> databases;
  std::set<std::string> used;
  for (const RestoredNamespace& row : rows) {
    const std::string database = Split(row.target).database;
    if (domain::IsFinal(row.state) || !databases.insert(database).second) {
      continue;
    }
    for (const std::string& collection : target.ListCollections(database)) {
      used.insert(Join(database, collection));
    }
  }
  std::vector<RestoredNamespace*> taken;
  for (RestoredNamespace& row : rows) {
    const Name name = Split(row.target);
    if (domain::IsFinal(row.state)) {
      continue;
    }
    if (IsSystem(name.collection) && target.FindNamespace(name.database, name.collection)) {
      throw Error(ErrorCode::kConflict,
                  "restoring " + row.source + " as something new: the target has " + row.target +
                      ", and it can have no other name",
                  "restore into another database, or overwrite what is there");
    }
    if (!used.insert(row.target).second) {
      taken.push_back(&row);
    }
  }
  for (RestoredNamespace* row : taken) {  // last: nobody gets a name that another one asked for
    row->effective = FreeName(row->target, used);
  }
}

void MarkUnsupported(const repo::Manifest& manifest,
                     const mongo::ServerFacts& target,
                     const RestoreOptions& options,
                     std::vector<RestoredNamespace>& rows) {
  std::map<std::string, RestoredNamespace*> by_source;
  for (RestoredNamespace& row : rows) {
    by_source[row.source] = &row;
  }
  for (const repo::NamespaceEntry& entry : manifest.namespaces) {
    const auto row = by_source.find(NameOf(entry));
    if (row == by_source.end()) {
      continue;
    }
    repo::Manifest one;
    one.namespaces.push_back(entry);
    KeepIndexes(options.indexes, one);
    std::vector<std::string> losses;
    AddLosses(target, one.namespaces.front(), losses);
    if (!TargetTakes(target, entry.kind) || (!losses.empty() && !options.allow_lossy)) {
      row->second->state = NamespaceState::kUnsupported;
      row->second->indexes = domain::IndexBuildState::kNotRestored;
    }
  }
}

RestoreScope ScopeOf(const std::vector<RestoredNamespace>& rows, domain::WriteStrategy strategy) {
  RestoreScope scope;
  scope.mode =
      strategy == domain::WriteStrategy::kCreateNew ? RestoreMode::kCreate : RestoreMode::kReplace;
  for (const RestoredNamespace& row : rows) {
    if (row.state == NamespaceState::kNotFound || row.state == NamespaceState::kUnsupported) {
      continue;
    }
    const Name source = Split(row.source);
    const Name target = Split(row.effective);
    scope.include.push_back(
        {.database = source.database,
         .collection = source.collection,
         .to_database = target.database == source.database ? "" : target.database,
         .to_collection = target.collection == source.collection ? "" : target.collection});
  }
  return scope;
}

IndexChoice ChoiceOf(domain::IndexStrategy strategy) {
  switch (strategy) {
    case domain::IndexStrategy::kAll:
      return IndexChoice::kAll;
    case domain::IndexStrategy::kNone:
      return IndexChoice::kNone;
    case domain::IndexStrategy::kAllExceptTtl:
      return IndexChoice::kAllButTtl;
  }
  CheckFailed("every index strategy has a choice", __FILE__, __LINE__);
}

}  // namespace tidemark::delivery
