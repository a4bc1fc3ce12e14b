#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::domain {

// What a collection restore does with the names of its target that are taken. Persistent: never
// renumber.
enum class WriteStrategy { kCreateNew = 0, kOverwriteExisting = 1 };

// Which indexes it builds. Persistent: never renumber.
enum class IndexStrategy { kAll = 0, kNone = 1, kAllExceptTtl = 2 };

// A database ("shop") or collection ("shop.orders") that was asked for, and the name it should get.
struct NamespaceChoice {
  std::string source;
  std::string target;  // empty: the same, with the suffixes

  bool operator==(const NamespaceChoice&) const = default;
};

// What a collection restore was asked for, beside what every restore job says.
struct CollectionRestore {
  WriteStrategy write = WriteStrategy::kCreateNew;
  IndexStrategy indexes = IndexStrategy::kAll;
  std::optional<std::string> database_suffix;
  std::optional<std::string> collection_suffix;
  std::vector<NamespaceChoice> databases;
  std::vector<NamespaceChoice> collections;

  bool operator==(const CollectionRestore&) const = default;
};

// How far one namespace of a collection restore is. Persistent: never renumber.
enum class NamespaceState {
  kNotStarted = 0,
  kInProgress = 1,        // its documents are being written
  kFinalizing = 2,        // it is read back, and its indexes are built
  kNotFound = 3,          // the snapshot does not hold it
  kUnsupported = 4,       // the target cannot take it
  kSuccessful = 5,        // read back and equal to the snapshot's, with its indexes
  kRollback = 6,          // never set: what was restored stays
  kNotRestored = 7,       // the job ended before it was begun
  kFailed = 8,            // begun, and not known to be whole
  kIndexBuildFailed = 9,  // equal to the snapshot's, without all of its indexes
};

// Persistent: never renumber.
enum class IndexBuildState {
  kNotStarted = 0,
  kInProgress = 1,
  kSuccessful = 2,
  kFailed = 3,
  kNotRestored = 4,  // none were asked for, or the namespace was not restored
};

// One namespace of a collection restore. Known once the job has looked at its target.
struct RestoredNamespace {
  std::string source;     // "shop.orders"; the name alone of a database that is not found
  std::string target;     // as asked for
  std::string effective;  // what it is called on the target
  NamespaceState state = NamespaceState::kNotStarted;
  IndexBuildState indexes = IndexBuildState::kNotStarted;
  std::string index_failure;  // of IndexBuildState::kFailed, for people
  std::uint64_t documents_total = 0;
  std::uint64_t documents_restored = 0;

  bool operator==(const RestoredNamespace&) const = default;
};

// What the namespaces of one job come to.
struct RestoredNamespaceTotals {
  std::int64_t namespaces = 0;
  std::int64_t unwritten = 0;        // not started, or in progress
  std::int64_t unfinished = 0;       // these and the finalizing ones
  std::int64_t indexes_begun = 0;    // in any state but kNotStarted and kNotRestored
  std::int64_t indexes_waiting = 0;  // kNotStarted or kInProgress
  std::int64_t indexes_failed = 0;
  std::uint64_t documents_total = 0;
  std::uint64_t documents_restored = 0;

  bool operator==(const RestoredNamespaceTotals&) const = default;
};

// The Atlas words, and back.
std::string_view WriteStrategyName(WriteStrategy strategy);
std::optional<WriteStrategy> ParseWriteStrategy(std::string_view name);
std::string_view IndexStrategyName(IndexStrategy strategy);
std::optional<IndexStrategy> ParseIndexStrategy(std::string_view name);
std::string_view NamespaceStateName(NamespaceState state);
std::optional<NamespaceState> ParseNamespaceState(std::string_view name);
std::string_view IndexBuildStateName(IndexBuildState state);

bool IsFinal(NamespaceState state);

}  // namespace tidemark::domain
