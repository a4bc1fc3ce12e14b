#pragma once

#include <string>
#include <utility>
#include <vector>

#include "delivery/cluster_restore.h"
#include "repo/repository.h"

namespace tidemark::delivery {

// What a scope takes from a snapshot: a manifest that lists only that, under the target's names.
struct Selection {
  repo::Manifest manifest;
  std::vector<std::string> sources;  // "shop.orders" of each namespace, as the snapshot names it
  std::vector<std::string> notes;    // what a person should know, one a line
};

// Pure. kInvalidArgument: a rule that matches nothing, two sources with one target, a name that
// MongoDB refuses, a view that is moved away from what it reads, a filter that does not fit.
Selection Select(const repo::Manifest& manifest, const RestoreScope& scope);

// Takes away the indexes that are not to be built; those on _id stay.
void KeepIndexes(IndexChoice choice, repo::Manifest& manifest);

// What a target holds and the snapshot does not: a whole delta drops it.
struct ForeignNamespaces {
  std::vector<std::string> databases;
  std::vector<std::pair<std::string, std::string>> collections;  // of databases that both have
};

ForeignNamespaces FindForeign(const repo::Manifest& manifest, RestoreTarget& target);

}  // namespace tidemark::delivery
