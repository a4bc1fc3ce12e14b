#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mongo/cluster.h"
#include "repo/repository.h"

// What a kind of target cannot take. The plan reports it, and a lossy restore leaves exactly that
// out.
namespace tidemark::delivery {

std::string NameOf(const repo::NamespaceEntry& entry);
std::string_view KindName(repo::NamespaceKind kind);

// Whether the target knows this kind of namespace at all.
bool TargetTakes(const mongo::ServerFacts& target, repo::NamespaceKind kind);

// The create command's options: the snapshot's, verbatim, minus what the target refuses.
Bytes FittingOptions(const mongo::ServerFacts& target, const repo::NamespaceEntry& entry);

// The index that every collection has.
bool IsIdIndex(const bson::Document& spec);

// The index spec for createIndexes; nullopt for the _id index, which every collection has, and for
// an index that the target cannot build or that would refuse documents without its lost options.
std::optional<Bytes> FittingIndex(const mongo::ServerFacts& target, const bson::Document& spec);

// One line per option or kind that the target would lose.
void AddLosses(const mongo::ServerFacts& target,
               const repo::NamespaceEntry& entry,
               std::vector<std::string>& losses);

// Whether users and roles of a MongoDB server can be written to it.
bool TargetTakesAccounts(const mongo::ServerFacts& target);
// The line for a target that takes none.
void AddAccountLosses(const mongo::ServerFacts& target,
                      const repo::Accounts& accounts,
                      std::vector<std::string>& losses);

}  // namespace tidemark::delivery
