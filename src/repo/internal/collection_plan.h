#pragma once

#include <set>
#include <vector>

#include "repo/internal/inventory.h"
#include "repo/maintenance.h"

namespace tidemark::repo {

// What to do with packs. Pure: a function of the inventory.
struct PackPlan {
  std::vector<PackId> dead;
  std::vector<PackId> rewritten;
  std::size_t kept = 0;
  std::size_t left = 0;  // named by no segment, but a session lives
};

PackPlan PlanPacks(const Inventory& inventory, const CollectionOptions& options);

// What to do with segments when the packs `gone` go: those that name one of them, or one that is
// not there, or say nothing that others do not say.
struct SegmentPlan {
  std::vector<SegmentId> removed;
  std::vector<SegmentId> replaced;  // they also name packs that stay
};

SegmentPlan PlanSegments(const Inventory& inventory, const std::set<PackId>& gone);

// Both as a person sees them.
CollectionPlan DescribePlan(const Inventory& inventory,
                            const PackPlan& packs,
                            const SegmentPlan& segments);

}  // namespace tidemark::repo
