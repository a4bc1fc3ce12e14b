#include "domain/collection_restore.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tidemark::domain {
namespace {

constexpr std::array kWriteStrategies{
    std::pair<WriteStrategy, std::string_view>{WriteStrategy::kCreateNew, "CREATE_NEW"},
    std::pair<WriteStrategy, std::string_view>{WriteStrategy::kOverwriteExisting,
                                               "OVERWRITE_EXISTING"},
};

constexpr std::array kIndexStrategies{
    std::pair<IndexStrategy, std::string_view>{IndexStrategy::kAll, "ALL"},
    std::pair<IndexStrategy, std::string_view>{IndexStrategy::kNone, "NONE"},
    std::pair<IndexStrategy, std::string_view>{IndexStrategy::kAllExceptTtl, "ALL_EXCEPT_TTL"},
};

constexpr std::array kNamespaceStates{
    std::pair<NamespaceState, std::string_view>{NamespaceState::kNotStarted, "NOT_STARTED"},
    std::pair<NamespaceState, std::string_view>{NamespaceState::kInProgress, "IN_PROGRESS"},
    std::pair<NamespaceState, std::string_view>{NamespaceState::kFinalizing, "FINALIZING"},
    std::pair<NamespaceState, std::string_view>{NamespaceState::kNotFound, "NOT_FOUND"},
    std::pair<NamespaceState, std::string_view>{NamespaceState::kUnsupported, "UNSUPPORTED"},
    std::pair<NamespaceState, std::string_view>{NamespaceState::kSuccessful, "SUCCESSFUL"},
    std::pair<NamespaceState, std::string_view>{NamespaceState::kRollback, "ROLLBACK"},
    std::pair<NamespaceState, std::string_view>{NamespaceState::kNotRestored, "NOT_RESTORED"},
    std::pair<NamespaceState, std::string_view>{NamespaceState::kFailed, "FAILED"},
    std::pair<NamespaceState, std::string_view>{NamespaceState::kIndexBuildFailed,
                                                "INDEX_BUILD_FAILED"},
};

constexpr std::array kIndexBuildStates{
    std::pair<IndexBuildState, std::string_view>{IndexBuildState::kNotStarted, "NOT_STARTED"},
    std::pair<IndexBuildState, std::string_view>{IndexBuildState::kInProgress, "IN_PROGRESS"},
    std::pair<IndexBuildState, std::string_view>{IndexBuildState::kSuccessful, "SUCCESSFUL"},
    std::pair<IndexBuildState, std::string_view>{IndexBuildState::kFailed, "FAILED"},
    std::pair<IndexBuildState, std::string_view>{IndexBuildState::kNotRestored, "NOT_RESTORED"},
};

template <class Table, class Value>
std::string_view NameIn(const Table& table, Value value) {
  const auto row = std::ranges::find(table, value, [](const auto& entry) { return entry.first; });
  return row == table.end() ? std::string_view() : row->second;
}

template <class Value, class Table>
std::optional<Value> FindIn(const Table& table, std::string_view name) {
  const auto row = std::ranges::find(table, name, [](const auto& entry) { return entry.second; });
  return row == table.end() ? std::nullopt : std::optional<Value>(row->first);
}

}  // namespace

std::string_view WriteStrategyName(WriteStrategy strategy) {
  return NameIn(kWriteStrategies, strategy);
}

std::optional<WriteStrategy> ParseWriteStrategy(std::string_view name) {
  return FindIn<WriteStrategy>(kWriteStrategies, name);
}

std::string_view IndexStrategyName(IndexStrategy strategy) {
  return NameIn(kIndexStrategies, strategy);
}

std::optional<IndexStrategy> ParseIndexStrategy(std::string_view name) {
  return FindIn<IndexStrategy>(kIndexStrategies, name);
}

std::string_view NamespaceStateName(NamespaceState state) {
  return NameIn(kNamespaceStates, state);
}

std::optional<NamespaceState> ParseNamespaceState(std::string_view name) {
  return FindIn<NamespaceState>(kNamespaceStates, name);
}

std::string_view IndexBuildStateName(IndexBuildState state) {
  return NameIn(kIndexBuildStates, state);
}

bool IsFinal(NamespaceState state) {
  return state != NamespaceState::kNotStarted && state != NamespaceState::kInProgress &&
         state != NamespaceState::kFinalizing;
}

}  // namespace tidemark::domain
