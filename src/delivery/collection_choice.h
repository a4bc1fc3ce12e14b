#pragma once

#include <vector>

#include "delivery/cluster_restore.h"
#include "domain/collection_restore.h"

// From what a collection restore was asked for to what it writes, under which names.
namespace tidemark::delivery {

// The namespaces that `request` takes from the snapshot, and those that the snapshot does not hold
// (NamespaceState::kNotFound). A name that was asked for is taken as it is; the suffixes go to the
// others. What is listed as a collection goes by that, not by its database's entry. `effective` is
// `target`. Pure. kInvalidArgument: something is listed twice, a dot in a database's name.
std::vector<domain::RestoredNamespace> ChooseNamespaces(const repo::Manifest& manifest,
                                                        const domain::CollectionRestore& request);

// Gives those whose names the target has taken another `effective` name: "orders_restored",
// "orders_restored_2" and so on. kConflict when there is none.
void AvoidTakenNames(RestoreTarget& target, std::vector<domain::RestoredNamespace>& rows);

// Makes those kUnsupported that the target does not know, or, without `allow_lossy`, cannot take
// without losses.
void MarkUnsupported(const repo::Manifest& manifest,
                     const mongo::ServerFacts& target,
                     const RestoreOptions& options,
                     std::vector<domain::RestoredNamespace>& rows);

// What writes the rows that have not been ruled out. Its `include` is empty when there are none:
// REQUIRES of the caller to restore nothing then, because such a scope means the whole snapshot.
RestoreScope ScopeOf(const std::vector<domain::RestoredNamespace>& rows,
                     domain::WriteStrategy strategy);

IndexChoice ChoiceOf(domain::IndexStrategy strategy);

}  // namespace tidemark::delivery
