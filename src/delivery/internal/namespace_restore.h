#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "delivery/internal/delta.h"
#include "delivery/internal/restore_parts.h"

namespace tidemark::delivery {

// One namespace on its way to the target. Confined; several of them may be at work at once.
class NamespaceRestore {
 public:
  // The namespace of that number in the selection.
  NamespaceRestore(RestoreParts& parts, std::size_t index);

  // A collection: writes or changes it, reads it back, builds its indexes. May be repeated,
  // whatever an earlier attempt has left behind. kConflict when what is read back differs.
  domain::RestoreChanges Write(const std::stop_token& stop);
  // A view. May be repeated.
  void CreateView();

 private:
  using Written = std::function<void(std::uint64_t documents, std::uint64_t bytes)>;

  void Claim();
  bool IsWorthGoingOn() const;
  domain::RestoreChanges Rewrite(const std::stop_token& stop);
  std::optional<domain::RestoreChanges> ChangeInPlace(const std::stop_token& stop);
  void Prepare(const InPlace& plan) const;
  domain::RestoreChanges Compare(const std::stop_token& stop);
  domain::RestoreChanges WritePicked(const std::stop_token& stop);
  void Counting(const std::function<void(const Written& written)>& body);
  void Load(const std::stop_token& stop);
  void Verify(const std::stop_token& stop);
  void BuildIndexes();

  RestoreParts& parts_;
  RestoreTarget& target_;
  const std::size_t index_;
  const repo::NamespaceEntry& entry_;
  const std::string name_;
};

}  // namespace tidemark::delivery
